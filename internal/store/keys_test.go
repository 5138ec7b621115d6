package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/store"
)

// full gives a key a value for every member that is kept.
func full(projectIDs ...string) func(*keyward.Key) {
	return func(k *keyward.Key) {
		k.ID, k.Name, k.Type, k.Environment = "My-Key@1", `Ünï "quoted" 🗝 'x' \`, keyward.Publishable, keyward.Sandbox
		slices.Sort(projectIDs)
		k.ProjectIDs = projectIDs
		k.ACL = []keyward.Grant{{Scope: keyward.Scope{"region": {"eu", "us"}}, Permissions: []string{"docs.*"}}}
		k.Management = []keyward.Grant{{Permissions: []string{"keys.read"}}}
		k.AllowedIPs = []string{"203.0.113.0/24", "2001:db8::1"}
		k.OwnerID, k.Metadata = pointer("User_42"), json.RawMessage(`{"plan":"pro","n":1.50,"a":["<&>",null]}`)
		k.Enabled, k.StartTime, k.ExpireTime, k.RoleID = false, noon+1, noon+1000, 39
	}
}

func keyPromises() map[string]promise {
	return map[string]promise{
		"a key is found by its id, number and client id, whole": func(t *testing.T, w *world) {
			o := w.organization(t, func(o *keyward.Organization) { o.Recoverable = true })
			want := w.key(t, o.ID, full(w.project(t, o.ID).ID, w.project(t, o.ID).ID))
			want.Recoverable = true
			if want.Number != 1 || want.Hint != credential(want.ClientID).Hint {
				t.Errorf("the key has the number %d and the hint %q", want.Number, want.Hint)
			}
			got, err := w.Key(t.Context(), o.ID, want.ID)
			wantEqual(t, "the key by id", got, err, want)
			got, err = w.KeyByNumber(t.Context(), o.ID, 1)
			wantEqual(t, "the key by number", got, err, want)
			got, err = w.KeyByClientID(t.Context(), o.ID, want.ClientID)
			wantEqual(t, "the key by client id", got, err, want)
		},
		"a plain key comes back as plain as it was": func(t *testing.T, w *world) {
			o := w.organization(t)
			want := w.key(t, o.ID)
			got, err := w.Key(t.Context(), o.ID, want.ID)
			wantEqual(t, "the key", got, err, want)
		},
		"the longest texts of a key fit into every index": func(t *testing.T, w *world) {
			o := w.organization(t)
			long := func(characters int) string { // which do not get shorter by compression
				text := make([]rune, characters)
				for i := range text {
					text[i] = 0x20000 + rand.Int32N(0xa000)
				}
				return string(text)
			}
			want := w.key(t, o.ID, func(k *keyward.Key) {
				k.ID, k.Name, k.APIUser, k.OwnerID = strings.Repeat("x", 50), long(255), long(254), pointer(long(255))
			})
			got, err := w.Key(t.Context(), o.ID, want.ID)
			wantEqual(t, "the key", got, err, want)
		},
		"a key that is missing, or another organization's, is NotFound": func(t *testing.T, w *world) {
			o, other := w.organization(t), w.organization(t)
			k := w.key(t, o.ID)
			_, err := w.Key(t.Context(), other.ID, k.ID)
			wantCode(t, err, keyward.NotFound)
			_, err = w.Key(t.Context(), o.ID, "a\x00b")
			wantCode(t, err, keyward.NotFound)
			_, err = w.KeyByNumber(t.Context(), other.ID, k.Number)
			wantCode(t, err, keyward.NotFound)
			_, err = w.KeyByClientID(t.Context(), other.ID, k.ClientID)
			wantCode(t, err, keyward.NotFound)
			moved := *k
			moved.OrganizationID = other.ID
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.UpdateKey(t.Context(), &moved) })
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.DeleteKey(t.Context(), &moved, noon) })
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error {
				_, err := tx.LockKey(t.Context(), other.ID, k.ID)
				return err
			})
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error {
				return tx.InsertKey(t.Context(), w.newKey("org_0"), secret("x"))
			})
		},
		"numbers count up in each organization, and a failed key takes none": func(t *testing.T, w *world) {
			o, other := w.organization(t), w.organization(t)
			w.refused(t, keyward.Internal, func(tx *store.Tx) error {
				return tx.InsertKey(t.Context(), w.newKey(o.ID), func(*keyward.Key) (store.Credential, error) {
					return store.Credential{}, errors.New("no entropy")
				})
			})
			for want := int32(1); want <= 3; want++ {
				if got := w.key(t, o.ID).Number; got != want {
					t.Errorf("number = %d, want %d", got, want)
				}
			}
			if got := w.key(t, other.ID).Number; got != 1 {
				t.Errorf("number in the other organization = %d, want 1", got)
			}
		},
		"the last number is given, then they are a Conflict that changes nothing": func(t *testing.T, w *world) {
			o := w.organization(t)
			w.tamper(t, "UPDATE organizations SET last_number = $1 WHERE id = $2", keyward.MaxNumber-1, o.ID)
			if got := w.key(t, o.ID).Number; got != keyward.MaxNumber {
				t.Errorf("number = %d, want %d", got, keyward.MaxNumber)
			}
			head, _ := w.Head(t.Context())
			for range 2 {
				w.refused(t, keyward.Conflict, func(tx *store.Tx) error {
					tx.Record(w.change(keyward.KeyCreated, o.ID, keyward.KeyTarget, "key_2"))
					return tx.InsertKey(t.Context(), w.newKey(o.ID), secret("x"))
				})
			}
			got, err := w.Head(t.Context())
			wantEqual(t, "the head", got, err, head)
			_, found, err := w.Keys(t.Context(), store.KeyList{OrganizationID: o.ID, Reach: keyward.Reach{All: true}}, store.Page{Count: true})
			wantEqual(t, "the number of keys", found.Total, err, int64(1))
		},
		"an id may be used in each organization once, and never again": func(t *testing.T, w *world) {
			o, other := w.organization(t), w.organization(t)
			chosen := func(k *keyward.Key) { k.ID = "mine" }
			k := w.key(t, o.ID, chosen)
			w.key(t, other.ID, chosen)
			w.key(t, o.ID, func(k *keyward.Key) { k.ID = "Mine" })
			again := func(tx *store.Tx) error { return tx.InsertKey(t.Context(), w.newKey(o.ID, chosen), secret("new")) }
			w.refused(t, keyward.Conflict, again)
			w.update(t, func(tx *store.Tx) error { return tx.DeleteKey(t.Context(), k, noon) })
			w.refused(t, keyward.Conflict, again)
		},
		"client ids and digests are unique in the deployment, even after deletion": func(t *testing.T, w *world) {
			o, other := w.organization(t), w.organization(t)
			k := w.key(t, o.ID)
			for range 2 {
				sameClient := w.newKey(other.ID, func(n *keyward.Key) { n.ClientID = k.ClientID })
				err := w.refused(t, keyward.Conflict, func(tx *store.Tx) error { return tx.InsertKey(t.Context(), sameClient, secret("new")) })
				if got, want := keyward.MessageOf(err), "this client id is taken"; got != want {
					t.Errorf("message = %q, want %q", got, want)
				}
				err = w.refused(t, keyward.Conflict, func(tx *store.Tx) error {
					return tx.InsertKey(t.Context(), w.newKey(other.ID), secret(k.ClientID))
				})
				if got, want := keyward.MessageOf(err), "this secret is in use already"; got != want {
					t.Errorf("message = %q, want %q", got, want)
				}
				w.update(t, func(tx *store.Tx) error {
					if _, err := tx.Key(t.Context(), o.ID, k.ID); err != nil {
						return nil // deleted in the first round
					}
					return tx.DeleteKey(t.Context(), k, noon)
				})
			}
		},
		"what can change of a key changes, and its revision counts up": func(t *testing.T, w *world) {
			o := w.organization(t)
			p := w.project(t, o.ID)
			before := w.key(t, o.ID, func(k *keyward.Key) { k.ProjectIDs = []string{p.ID} })
			want := *before
			full(w.project(t, o.ID).ID)(&want)
			want.ID, want.Type, want.Environment = before.ID, before.Type, before.Environment
			want.Normalize()
			want.UpdatedTime, want.RevokedTime, want.RevokeReason = noon+7, noon+6, pointer("leaked")
			edit := want
			edit.ClientID, edit.CreatedBy, edit.CreatedTime, edit.LastUsedTime = "other", "other", 1, 1
			w.update(t, func(tx *store.Tx) error {
				attempt := edit // the transaction may run again
				return tx.UpdateKey(t.Context(), &attempt)
			})
			want.Revision = 2
			got, err := w.Key(t.Context(), o.ID, before.ID)
			wantEqual(t, "the key", got, err, &want)

			want.ProjectIDs, want.OwnerID, want.AllowedIPs, want.RevokeReason = []string{}, nil, nil, nil
			w.update(t, func(tx *store.Tx) error { return tx.UpdateKey(t.Context(), &want) })
			got, err = w.Key(t.Context(), o.ID, before.ID)
			wantEqual(t, "the emptied key", got, err, &want)
		},
		"a deleted key is in no list and cannot be found or changed": func(t *testing.T, w *world) {
			o := w.organization(t)
			k := w.key(t, o.ID)
			w.update(t, func(tx *store.Tx) error { return tx.DeleteKey(t.Context(), k, noon+1) })
			_, err := w.Key(t.Context(), o.ID, k.ID)
			wantCode(t, err, keyward.NotFound)
			_, err = w.KeyByClientID(t.Context(), o.ID, k.ClientID)
			wantCode(t, err, keyward.NotFound)
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.UpdateKey(t.Context(), k) })
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.DeleteKey(t.Context(), k, noon+2) })
			keys, _, err := w.Keys(t.Context(), store.KeyList{OrganizationID: o.ID, Reach: keyward.Reach{All: true}}, store.Page{Limit: 9})
			wantEqual(t, "the list", keys, err, []*keyward.Key{})
		},
		"a locked key is changed by one at a time": func(t *testing.T, w *world) {
			o := w.organization(t)
			k := w.key(t, o.ID)
			const writers = 8
			failures := make(chan error, writers)
			for range writers {
				go func() {
					_, err := w.Update(t.Context(), func(tx *store.Tx) error {
						k, err := tx.LockKey(t.Context(), o.ID, k.ID)
						if err != nil {
							return err
						}
						k.UpdatedTime++
						return tx.UpdateKey(t.Context(), k)
					})
					failures <- err
				}()
			}
			for range writers {
				if err := <-failures; err != nil {
					t.Error(err)
				}
			}
			k.UpdatedTime += writers
			k.Revision += writers
			got, err := w.Key(t.Context(), o.ID, k.ID)
			wantEqual(t, "the key", got, err, k)
		},
	}
}

func versionPromises() map[string]promise {
	rotate := func(t *testing.T, w *world, k *keyward.Key, v keyward.Version, c store.Credential) error {
		_, err := w.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertVersion(t.Context(), k, v, c) })
		return err
	}
	return map[string]promise{
		"versions are added and ended": func(t *testing.T, w *world) {
			o := w.organization(t)
			k := w.key(t, o.ID)
			second := keyward.Version{Version: 2, CreatedTime: noon + 1, ExpireTime: noon + 9}
			if err := rotate(t, w, k, second, credential("second")); err != nil {
				t.Fatal(err)
			}
			w.update(t, func(tx *store.Tx) error { return tx.EndVersion(t.Context(), k, 1, noon+5) })
			k.Versions[0].ExpireTime = noon + 5
			k.Versions = append(k.Versions, second)
			got, err := w.Key(t.Context(), o.ID, k.ID)
			wantEqual(t, "the key", got, err, k)
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.EndVersion(t.Context(), k, 3, noon) })
		},
		"a version or a digest that exists is a Conflict": func(t *testing.T, w *world) {
			o := w.organization(t)
			k, other := w.key(t, o.ID), w.key(t, o.ID)
			wantCode(t, rotate(t, w, k, keyward.Version{Version: 1}, credential("new")), keyward.Conflict)
			wantCode(t, rotate(t, w, k, keyward.Version{Version: 2}, credential(other.ClientID)), keyward.Conflict)
		},
		"a sealed secret comes back, and one that is not kept is NotFound": func(t *testing.T, w *world) {
			o := w.organization(t)
			k := w.key(t, o.ID)
			want := sealed("second")
			if err := rotate(t, w, k, keyward.Version{Version: 2}, want); err != nil {
				t.Fatal(err)
			}
			got, err := w.SealedSecret(t.Context(), o.ID, k.Number, 2)
			wantEqual(t, "the sealed secret", got, err, *want.Sealed)
			_, err = w.SealedSecret(t.Context(), o.ID, k.Number, 1)
			wantCode(t, err, keyward.NotFound)
		},
		"the secrets of a deleted key are gone": func(t *testing.T, w *world) {
			o := w.organization(t)
			k := w.key(t, o.ID)
			if err := rotate(t, w, k, keyward.Version{Version: 2}, sealed("second")); err != nil {
				t.Fatal(err)
			}
			w.update(t, func(tx *store.Tx) error { return tx.DeleteKey(t.Context(), k, noon) })
			w.wantNoTrace(t, "key_secrets")
		},
		"the newest secrets of many keys are found at once, those of their organization only": func(t *testing.T, w *world) {
			o, other := w.organization(t), w.organization(t)
			want, keys := map[int32]store.Sealed{}, []*keyward.Key{}
			for i := range 120 {
				k := w.key(t, o.ID)
				if i%2 == 0 {
					newest := sealed(k.ID)
					for version, c := range map[int]store.Credential{2: sealed("old " + k.ID), 3: newest} {
						if err := rotate(t, w, k, keyward.Version{Version: version}, c); err != nil {
							t.Fatal(err)
						}
					}
					k.Versions = append(k.Versions, keyward.Version{Version: 2}, keyward.Version{Version: 3})
					want[k.Number] = *newest.Sealed
				}
				keys = append(keys, k)
			}
			got, err := w.SealedSecrets(t.Context(), o.ID, keys)
			wantEqual(t, "the secrets", got, err, want)
			got, err = w.SealedSecrets(t.Context(), other.ID, keys)
			wantEqual(t, "the secrets of the other organization", got, err, map[int32]store.Sealed{})
		},
		"the secrets of a deleted organization's keys are gone": func(t *testing.T, w *world) {
			o := w.organization(t)
			if err := rotate(t, w, w.key(t, o.ID), keyward.Version{Version: 2}, sealed("second")); err != nil {
				t.Fatal(err)
			}
			w.update(t, func(tx *store.Tx) error { return tx.DeleteOrganization(t.Context(), o.ID, noon) })
			w.wantNoTrace(t, "key_secrets")
		},
		"the secrets of versions that have ended are dropped, the others stay": func(t *testing.T, w *world) {
			o := w.organization(t)
			k := w.key(t, o.ID)
			for version, end := range map[int]keyward.Time{2: noon - 1, 3: noon, 4: noon + 1, 5: 0} {
				err := rotate(t, w, k, keyward.Version{Version: version, ExpireTime: end}, sealed(hex(version)))
				if err != nil {
					t.Fatal(err)
				}
			}
			w.update(t, func(tx *store.Tx) error { return tx.DropSecrets(t.Context(), noon) })
			for version, gone := range map[int]bool{2: true, 3: true, 4: false, 5: false} {
				_, err := w.SealedSecret(t.Context(), o.ID, k.Number, version)
				if (keyward.CodeOf(err) == keyward.NotFound) != gone || !gone && err != nil {
					t.Errorf("version %d: error %v, want gone = %v", version, err, gone)
				}
			}
		},
		"use is recorded for key and version, never set back, and is no change": func(t *testing.T, w *world) {
			o := w.organization(t)
			k, op := w.key(t, o.ID), w.operator(t)
			if err := rotate(t, w, k, keyward.Version{Version: 2, CreatedTime: noon}, credential("second")); err != nil {
				t.Fatal(err)
			}
			head, _ := w.Head(t.Context())
			use := func(version int, at keyward.Time) keyward.Use {
				return keyward.Use{OrganizationID: o.ID, KeyID: k.ID, Version: version, Time: at}
			}
			uses := []keyward.Use{
				use(1, noon+9), use(2, noon+5), use(1, noon+7),
				{OperatorID: op.ID, Time: noon + 4},
				{OperatorID: op.ID, Time: noon + 3},
				{OrganizationID: o.ID, KeyID: "key_0", Version: 1, Time: noon},
				{OperatorID: "opr_0", Time: noon},
			}
			if err := errors.Join(w.Touch(t.Context(), uses), w.Touch(t.Context(), []keyward.Use{use(1, noon+1)}), w.Touch(t.Context(), nil)); err != nil {
				t.Fatal(err)
			}
			k.LastUsedTime = noon + 9
			k.Versions = []keyward.Version{
				{Version: 1, CreatedTime: noon, LastUsedTime: noon + 9}, {Version: 2, CreatedTime: noon, LastUsedTime: noon + 5},
			}
			got, err := w.Key(t.Context(), o.ID, k.ID)
			wantEqual(t, "the key", got, err, k)
			op.LastUsedTime = noon + 4
			operator, err := w.Operator(t.Context(), op.ID)
			wantEqual(t, "the operator", operator, err, op)
			after, err := w.Head(t.Context())
			wantEqual(t, "the head", after, err, head)
		},
		"thousands of uses are recorded at once": func(t *testing.T, w *world) {
			o := w.organization(t)
			k := w.key(t, o.ID)
			uses := make([]keyward.Use, 1201)
			for i := range uses {
				uses[i] = keyward.Use{OrganizationID: o.ID, KeyID: k.ID, Version: 1, Time: noon + keyward.Time(i)}
			}
			if err := w.Touch(context.WithoutCancel(t.Context()), uses); err != nil {
				t.Fatal(err)
			}
			got, err := w.Key(t.Context(), o.ID, k.ID)
			if err != nil || got.LastUsedTime != noon+1200 {
				t.Errorf("last used %d, error %v", got.LastUsedTime-noon, err)
			}
		},
	}
}
