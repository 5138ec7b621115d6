package store_test

import (
	"context"
	"net/netip"
	"sync"
	"testing"

	"keyward"
	"keyward/internal/store"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func chainPromises() map[string]promise {
	ruin := func(statements ...string) promise {
		return func(t *testing.T, w *world) {
			for range 4 {
				w.organization(t)
			}
			n, err := w.VerifyChain(t.Context(), chain)
			wantEqual(t, "the events verified", n, err, int64(4))
			for _, statement := range statements {
				w.tamper(t, statement)
			}
			_, err = w.VerifyChain(t.Context(), chain)
			wantCode(t, err, keyward.Conflict)
		}
	}
	promises := map[string]promise{
		"an empty trail verifies": func(t *testing.T, w *world) {
			n, err := w.VerifyChain(t.Context(), chain)
			wantEqual(t, "the events verified", n, err, int64(0))
		},
		"a trail verifies while others write": func(t *testing.T, w *world) {
			var writers sync.WaitGroup
			for range 4 {
				writers.Go(func() {
					for range 10 {
						w.organization(t)
					}
				})
			}
			for range 10 {
				if _, err := w.VerifyChain(t.Context(), chain); err != nil {
					t.Error(err)
				}
			}
			writers.Wait()
		},
		"a trail does not verify with another key": func(t *testing.T, w *world) {
			w.organization(t)
			_, err := w.VerifyChain(t.Context(), func(previous, event []byte) []byte {
				return chain([]byte("another"), chain(previous, event))
			})
			wantCode(t, err, keyward.Conflict)
		},
		"a removed event is found":           ruin("DELETE FROM changes WHERE seq = 2"),
		"a removed first event is found":     ruin("DELETE FROM changes WHERE seq = 1"),
		"a trail cut off is found":           ruin("DELETE FROM changes WHERE seq = 4"),
		"a trail emptied is found":           ruin("DELETE FROM changes"),
		"a trail cut off with head is found": ruin("DELETE FROM changes WHERE seq = 4", "UPDATE head SET seq = 3"),
		"reordered events are found": ruin(
			"UPDATE changes SET seq = -1 WHERE seq = 2", "UPDATE changes SET seq = 2 WHERE seq = 3",
			"UPDATE changes SET seq = 3 WHERE seq = -1"),
		"an appended event is found": ruin(`INSERT INTO changes SELECT seq + 1, id, time_ms, action, outcome, actor_type,
			actor_id, actor_name, organization_id, target_type, target_id, ip, request_id, detail, mac, mac_key_id
			FROM changes WHERE seq = 4`),
	}
	for _, column := range []string{
		"id", "action", "outcome", "actor_type", "actor_id", "actor_name", "organization_id", "target_type",
		"target_id", "ip", "request_id",
	} {
		promises["an event whose "+column+" was edited is found"] = ruin("UPDATE changes SET " + column + " = 'x' WHERE seq = 2")
	}
	promises["an event whose time was edited is found"] = ruin("UPDATE changes SET time_ms = time_ms + 1 WHERE seq = 2")
	promises["an event whose detail was edited is found"] = ruin("UPDATE changes SET detail = '[]' WHERE seq = 2")
	promises["an event whose link was edited is found"] = ruin("UPDATE changes SET mac = (SELECT mac FROM changes WHERE seq = 1) WHERE seq = 4")
	return promises
}

// replica keeps what a node would know from records, by what identifies them.
type replica map[string]keyward.Record

func (r replica) apply(record keyward.Record) error {
	switch {
	case record.Organization != nil:
		r[record.Organization.ID] = record
	case record.Operator != nil:
		r[record.Operator.ID] = record
	case record.Key.Deleted:
		delete(r, record.Key.OrganizationID+"/"+record.Key.KeyID)
	default:
		r[record.Key.OrganizationID+"/"+record.Key.KeyID] = record
	}
	return nil
}

// wantReplica compares replicas; the one that rows were loaded into is want.
func wantReplica(t *testing.T, got, want replica) {
	t.Helper()
	byValue := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	if diff := cmp.Diff(want, got, byValue, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the replica differs from the snapshot (-snapshot +replica):\n%s", diff)
	}
}

func feedPromises() map[string]promise {
	return map[string]promise{
		"entries come in portions and carry the state of their target": func(t *testing.T, w *world) {
			o := w.organization(t)
			k := w.key(t, o.ID, full(w.project(t, o.ID).ID))
			entries, err := w.Entries(t.Context(), 1, 1)
			if err != nil || len(entries) != 1 || entries[0].Change.Action != keyward.ProjectCreated || entries[0].Records != nil {
				t.Errorf("the entries are %+v, error %v", entries, err)
			}
			entries, err = w.Entries(t.Context(), 2, 10)
			want := keyward.Record{Key: &keyward.KeyRecord{
				Subject: keyward.Subject{
					OrganizationID: o.ID, KeyID: k.ID, ClientID: k.ClientID, Name: k.Name, OwnerID: *k.OwnerID,
					ProjectIDs: k.ProjectIDs, Type: k.Type, Environment: k.Environment, ACL: k.ACL, Management: k.Management,
					AllowedIPs: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::1/128")},
					Metadata:   k.Metadata, StartTime: k.StartTime, ExpireTime: k.ExpireTime,
				},
				Credentials: []keyward.Credential{{Version: 1, Digest: credential(k.ClientID).Digest}},
			}}
			if err != nil || len(entries) != 1 || len(entries[0].Records) != 1 {
				t.Fatalf("the entries are %+v, error %v", entries, err)
			}
			wantReplica(t, replica{"": entries[0].Records[0]}, replica{"": want})
			entries, err = w.Entries(t.Context(), 3, 10)
			wantEqual(t, "the entries after the last", entries, err, []keyward.LogEntry{})
		},
		"a plain key's record has no lists": func(t *testing.T, w *world) {
			o := w.organization(t)
			k := w.key(t, o.ID)
			entries, err := w.Entries(t.Context(), 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			s := entries[0].Records[0].Key.Subject
			if s.AllowedIPs != nil || s.OwnerID != "" || s.KeyID != k.ID || !s.Enabled {
				t.Errorf("the record is %+v", s)
			}
		},
		"a deleted project's entry carries the keys that lost it": func(t *testing.T, w *world) {
			o := w.organization(t)
			p := w.project(t, o.ID)
			member := func(k *keyward.Key) { k.ProjectIDs = []string{p.ID} }
			a, _, b := w.key(t, o.ID, member), w.key(t, o.ID), w.key(t, o.ID, member)
			change := w.update(t, func(tx *store.Tx) error {
				tx.Record(w.change(keyward.ProjectDeleted, o.ID, keyward.ProjectTarget, p.ID))
				return tx.DeleteProject(t.Context(), o.ID, p.ID, noon)
			})
			entries, err := w.Entries(t.Context(), change.Seq-1, 10)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, r := range entries[0].Records {
				ids = append(ids, r.Key.KeyID)
				if len(r.Key.ProjectIDs) != 0 {
					t.Errorf("the key %s is still in %v", r.Key.KeyID, r.Key.ProjectIDs)
				}
			}
			wantEqual(t, "the keys", ids, nil, []string{a.ID, b.ID})
		},
		"a deleted key's entry says so, and a reveal carries nothing": func(t *testing.T, w *world) {
			o := w.organization(t)
			k := w.key(t, o.ID)
			w.update(t, func(tx *store.Tx) error {
				tx.Record(w.change(keyward.KeyRevealed, o.ID, keyward.KeyTarget, k.ID))
				tx.Record(w.change(keyward.KeyDeleted, o.ID, keyward.KeyTarget, k.ID))
				return tx.DeleteKey(t.Context(), k, noon)
			})
			entries, err := w.Entries(t.Context(), 2, 10)
			if err != nil || len(entries) != 2 || entries[0].Records != nil || len(entries[1].Records) != 1 {
				t.Fatalf("the entries are %+v, error %v", entries, err)
			}
			if got := entries[1].Records[0].Key; !got.Deleted || got.RevokedTime != noon {
				t.Errorf("the record is %+v", got)
			}
		},
		"a snapshot equals the entries applied one by one, and what was announced": func(t *testing.T, w *world) {
			announced := replica{}
			c := config()
			c.Committed = func(_ context.Context, entry keyward.LogEntry) error {
				for _, record := range entry.Records {
					_ = announced.apply(record)
				}
				return nil
			}
			live(t, open(t, w.url, c))

			loaded := replica{}
			seq, err := w.Snapshot(t.Context(), loaded.apply)
			head, _ := w.Head(t.Context())
			wantEqual(t, "the seq of the snapshot", seq, err, head)
			replayed := replica{}
			entries, err := w.Entries(t.Context(), 0, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range entries {
				for _, record := range entry.Records {
					_ = replayed.apply(record)
				}
			}
			wantReplica(t, replayed, loaded)
			wantReplica(t, announced, loaded)
		},
		"a snapshot begins with the organizations, and its loader can stop it": func(t *testing.T, w *world) {
			o := w.organization(t)
			w.key(t, o.ID)
			stop := keyward.Errorf(keyward.Stale, "enough")
			calls := 0
			_, err := w.Snapshot(t.Context(), func(r keyward.Record) error {
				calls++
				if r.Organization == nil {
					t.Errorf("the first record is %+v", r)
				}
				return stop
			})
			wantCode(t, err, keyward.Stale)
			if calls != 1 {
				t.Errorf("the loader was called %d times", calls)
			}
		},
	}
}

// live is a history with every kind of change.
func live(t *testing.T, w *world) {
	ctx := t.Context()
	o, gone := w.organization(t), w.organization(t)
	p := w.project(t, o.ID)
	member := func(k *keyward.Key) { k.ProjectIDs = []string{p.ID} }
	a, b := w.key(t, o.ID, member), w.key(t, o.ID, full())
	w.key(t, o.ID)
	w.key(t, gone.ID)
	op, former := w.operator(t), w.operator(t)
	record := func(action keyward.Action, targetType, id string, do func(tx *store.Tx) error) {
		t.Helper()
		w.update(t, func(tx *store.Tx) error {
			tx.Record(w.change(action, o.ID, targetType, id))
			return do(tx)
		})
	}
	record(keyward.KeyRotated, keyward.KeyTarget, a.ID, func(tx *store.Tx) error {
		if err := tx.EndVersion(ctx, a, 1, noon+5); err != nil {
			return err
		}
		return tx.InsertVersion(ctx, a, keyward.Version{Version: 2, CreatedTime: noon}, sealed("rotated"))
	})
	record(keyward.KeyRevoked, keyward.KeyTarget, a.ID, func(tx *store.Tx) error {
		revoked := *a
		revoked.RevokedTime = noon + 3
		return tx.UpdateKey(ctx, &revoked)
	})
	record(keyward.KeyDeleted, keyward.KeyTarget, b.ID, func(tx *store.Tx) error { return tx.DeleteKey(ctx, b, noon) })
	record(keyward.ProjectDeleted, keyward.ProjectTarget, p.ID, func(tx *store.Tx) error {
		return tx.DeleteProject(ctx, o.ID, p.ID, noon)
	})
	record(keyward.OrganizationUpdated, keyward.OrganizationTarget, o.ID, func(tx *store.Tx) error {
		disabled := *o
		disabled.Enabled = false
		return tx.UpdateOrganization(ctx, &disabled)
	})
	record(keyward.OrganizationDeleted, keyward.OrganizationTarget, gone.ID, func(tx *store.Tx) error {
		return tx.DeleteOrganization(ctx, gone.ID, noon)
	})
	record(keyward.OperatorRotated, keyward.OperatorTarget, op.ID, func(tx *store.Tx) error {
		rotated := *op
		return tx.ReplaceCredential(ctx, &rotated, credential("rotated operator"))
	})
	record(keyward.OperatorDeleted, keyward.OperatorTarget, former.ID, func(tx *store.Tx) error {
		return tx.DeleteOperator(ctx, former.ID, noon)
	})
}
