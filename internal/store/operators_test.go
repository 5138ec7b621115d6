package store_test

import (
	"errors"
	"testing"

	"keyward"
	"keyward/internal/store"
)

func operatorPromises() map[string]promise {
	return map[string]promise{
		"an operator is found whole": func(t *testing.T, w *world) {
			o := w.organization(t)
			want := w.operator(t, func(op *keyward.Operator) {
				op.OrganizationID, op.Email, op.Role, op.Enabled = &o.ID, pointer("Some.One@Example.com"), keyward.Viewer, false
			})
			if want.Hint != credential(want.ID).Hint {
				t.Errorf("hint = %q", want.Hint)
			}
			got, err := w.Operator(t.Context(), want.ID)
			wantEqual(t, "the operator", got, err, want)
		},
		"a missing operator is NotFound": func(t *testing.T, w *world) {
			_, err := w.Operator(t.Context(), "opr_0")
			wantCode(t, err, keyward.NotFound)
			o := w.newOperator()
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.UpdateOperator(t.Context(), o) })
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.DeleteOperator(t.Context(), o.ID, noon) })
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.ReplaceCredential(t.Context(), o, credential("x")) })
		},
		"an operator's name, role, address and switch change, the rest stays": func(t *testing.T, w *world) {
			o := w.operator(t)
			want := *o
			want.Name, want.Role, want.Email, want.Enabled, want.UpdatedTime = "Other", keyward.Admin, pointer("a@b"), false, noon+1
			want.Generation = 7
			edit := want
			edit.OrganizationID, edit.Hint, edit.CreatedBy = pointer("org_0"), "other", "other"
			w.update(t, func(tx *store.Tx) error { return tx.UpdateOperator(t.Context(), &edit) })
			got, err := w.Operator(t.Context(), o.ID)
			wantEqual(t, "the operator", got, err, &want)
		},
		"e-mail addresses are unique whatever the letter case, until their operator is deleted": func(t *testing.T, w *world) {
			at := func(email string) func(*keyward.Operator) {
				return func(o *keyward.Operator) { o.Email = &email }
			}
			o := w.operator(t, at("ÄNNE@example.com"))
			w.operator(t)
			w.operator(t) // any number without an address
			again := w.newOperator(at("änne@EXAMPLE.com"))
			err := w.refused(t, keyward.Conflict, func(tx *store.Tx) error { return tx.InsertOperator(t.Context(), again, credential("x")) })
			if got, want := keyward.MessageOf(err), "this e-mail address is taken"; got != want {
				t.Errorf("message = %q, want %q", got, want)
			}
			w.update(t, func(tx *store.Tx) error { return tx.DeleteOperator(t.Context(), o.ID, noon) })
			w.operator(t, at("änne@EXAMPLE.com"))
		},
		"a secret is an operator's or a key's, never both": func(t *testing.T, w *world) {
			o := w.organization(t)
			k, op := w.key(t, o.ID), w.operator(t)
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error {
				return tx.InsertOperator(t.Context(), w.newOperator(), credential(k.ClientID))
			})
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error {
				return tx.InsertOperator(t.Context(), w.newOperator(), credential(op.ID))
			})
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error {
				attempt := *op
				return tx.ReplaceCredential(t.Context(), &attempt, credential(k.ClientID))
			})
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error {
				return tx.InsertKey(t.Context(), w.newKey(o.ID), secret(op.ID))
			})
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error {
				return tx.InsertVersion(t.Context(), k, keyward.Version{Version: 2}, credential(op.ID))
			})
		},
		"a replaced credential ends at once": func(t *testing.T, w *world) {
			o := w.operator(t)
			o.UpdatedTime = noon + 1
			w.update(t, func(tx *store.Tx) error { return tx.ReplaceCredential(t.Context(), o, credential("new")) })
			got, err := w.Operator(t.Context(), o.ID)
			wantEqual(t, "the operator", got, err, o)
			var digests []keyward.Digest
			_, err = w.Snapshot(t.Context(), func(r keyward.Record) error {
				digests = append(digests, r.Operator.Digest)
				return nil
			})
			wantEqual(t, "the digests", digests, err, []keyward.Digest{credential("new").Digest})
		},
		"a deleted operator is gone": func(t *testing.T, w *world) {
			o := w.operator(t)
			w.update(t, func(tx *store.Tx) error { return tx.DeleteOperator(t.Context(), o.ID, noon) })
			_, err := w.Operator(t.Context(), o.ID)
			wantCode(t, err, keyward.NotFound)
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.DeleteOperator(t.Context(), o.ID, noon) })
			got, _, err := w.Operators(t.Context(), "", store.Page{Limit: 9})
			wantEqual(t, "the list", got, err, []*keyward.Operator{})
		},
		"the other owners are the enabled ones of the whole deployment": func(t *testing.T, w *world) {
			org := w.organization(t)
			me := w.operator(t)
			w.operator(t)
			w.operator(t, func(o *keyward.Operator) { o.Enabled = false })
			w.operator(t, func(o *keyward.Operator) { o.Role = keyward.Admin })
			w.operator(t, func(o *keyward.Operator) { o.OrganizationID = &org.ID })
			gone := w.operator(t)
			w.update(t, func(tx *store.Tx) error { return tx.DeleteOperator(t.Context(), gone.ID, noon) })
			got, err := w.OtherOwners(t.Context(), me.ID)
			wantEqual(t, "the number of other owners", got, err, 1)
		},
		"of two owners who delete each other at once, one stays": func(t *testing.T, w *world) {
			ids := []string{w.operator(t).ID, w.operator(t).ID}
			results := make(chan error, len(ids))
			for _, id := range ids {
				go func() {
					_, err := w.Update(t.Context(), func(tx *store.Tx) error {
						if err := tx.LockOperators(t.Context()); err != nil {
							return err
						}
						if n, err := tx.OtherOwners(t.Context(), id); err != nil || n == 0 {
							return keyward.Errorf(keyward.Conflict, "one owner must stay: %w", err)
						}
						return tx.DeleteOperator(t.Context(), id, noon)
					})
					results <- err
				}()
			}
			first, second := <-results, <-results
			if (first == nil) == (second == nil) {
				t.Errorf("the results are %v and %v, want one Conflict", first, second)
			}
			n, err := w.OtherOwners(t.Context(), "")
			wantEqual(t, "the owners left", n, err, 1)
		},
		"a list of operators is of one organization, or of all": func(t *testing.T, w *world) {
			org := w.organization(t)
			root := w.operator(t)
			local := w.operator(t, func(o *keyward.Operator) { o.OrganizationID = &org.ID })
			got, _, err := w.Operators(t.Context(), org.ID, store.Page{Limit: 9})
			wantEqual(t, "the organization's operators", got, err, []*keyward.Operator{local})
			got, _, err = w.Operators(t.Context(), "", store.Page{Limit: 9})
			wantEqual(t, "all operators", got, err, []*keyward.Operator{root, local})
		},
	}
}

// recordPromises are about what is neither keys nor those who own or manage them.
func recordPromises() map[string]promise {
	replay := func(n byte) store.Replay {
		return store.Replay{
			Actor: "opr_1", Operation: "POST /v1/organizations", HeaderHash: [32]byte{n}, Fingerprint: [32]byte{n, 1},
			Sealed: []byte{0, 255, n}, CreatedTime: noon + keyward.Time(n),
		}
	}
	keep := func(w *world, r store.Replay) func(*store.Tx) error {
		return func(tx *store.Tx) error {
			tx.Record(w.change(keyward.OrganizationCreated, "", keyward.OrganizationTarget, "org_1"))
			tx.Record(w.change(keyward.OrganizationUpdated, "", keyward.OrganizationTarget, "org_1"))
			tx.Keep(r)
			return nil
		}
	}
	identity := func(r store.Replay) store.Replay {
		return store.Replay{Actor: r.Actor, Operation: r.Operation, HeaderHash: r.HeaderHash}
	}
	return map[string]promise{
		"a fact is written once": func(t *testing.T, w *world) {
			got, err := w.Meta(t.Context(), "master key")
			wantEqual(t, "a missing fact", got, err, "")
			w.update(t, func(tx *store.Tx) error { return tx.SetMeta(t.Context(), "master key", "k1") })
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error { return tx.SetMeta(t.Context(), "master key", "k2") })
			got, err = w.Meta(t.Context(), "master key")
			wantEqual(t, "the fact", got, err, "k1")
			w.update(t, func(tx *store.Tx) error { return tx.ReplaceMeta(t.Context(), "master key", "k3") })
			got, err = w.Meta(t.Context(), "master key")
			wantEqual(t, "the replaced fact", got, err, "k3")
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.ReplaceMeta(t.Context(), "other", "k3") })
		},
		"an answer is kept once and found by its identity": func(t *testing.T, w *world) {
			want := replay(1)
			_, err := w.Replay(t.Context(), identity(want))
			wantCode(t, err, keyward.NotFound)
			w.organization(t)
			change := w.update(t, keep(w, want))
			if want.Seq = 2; change.Seq != want.Seq {
				t.Errorf("seq = %d, want %d", change.Seq, want.Seq)
			}
			got, err := w.Replay(t.Context(), identity(want))
			wantEqual(t, "the answer", got, err, want)
			err = w.refused(t, keyward.Conflict, keep(w, want))
			if got, want := keyward.MessageOf(err), "a request with this idempotency key is being answered"; got != want {
				t.Errorf("message = %q, want %q", got, want)
			}
			for _, edit := range []func(*store.Replay){
				func(r *store.Replay) { r.Actor = "opr_2" },
				func(r *store.Replay) { r.Operation = "POST /v1/operators" },
				func(r *store.Replay) { r.HeaderHash[31]++ },
			} {
				other := identity(want)
				edit(&other)
				_, err := w.Replay(t.Context(), other)
				wantCode(t, err, keyward.NotFound)
			}
			head, err := w.Head(t.Context())
			wantEqual(t, "the head", head, err, int64(3))
		},
		"an answer is not kept without a change, or with one that fails": func(t *testing.T, w *world) {
			w.update(t, func(tx *store.Tx) error {
				tx.Keep(replay(1))
				return nil
			})
			w.refused(t, keyward.Stale, func(tx *store.Tx) error {
				return errors.Join(keep(w, replay(2))(tx), keyward.Errorf(keyward.Stale, "no"))
			})
			w.wantNoTrace(t, "idempotency")
		},
		"answers are forgotten one by one, or by age": func(t *testing.T, w *world) {
			for n := range byte(4) {
				w.update(t, keep(w, replay(n)))
			}
			w.update(t, func(tx *store.Tx) error { return tx.DropReplay(t.Context(), identity(replay(3))) })
			w.update(t, func(tx *store.Tx) error { return tx.DropReplays(t.Context(), noon+1) })
			for n, gone := range map[byte]bool{0: true, 1: false, 2: false, 3: true} {
				_, err := w.Replay(t.Context(), identity(replay(n)))
				if (err != nil) != gone {
					t.Errorf("answer %d: error %v, want gone = %v", n, err, gone)
				}
			}
		},
	}
}
