package control_test

import (
	"sync"
	"testing"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/verify"
)

func TestARevocationIsNotUndoneByWhatElseHappensToTheKey(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		for range 60 {
			p := w.project(t, o)
			key, secret := w.create(t, o, in(p))
			at(func() {
				_, err := w.RevokeKey(w.ctx, w.root, o.ID, key.ID, 0, "", control.Once{})
				check(t, "RevokeKey", err)
			}, func() {
				_, err := w.DeleteProject(w.ctx, w.root, o.ID, p.ID)
				check(t, "DeleteProject", err)
			})
			w.wantVerdict(t, "a key that is revoked", secret, keyward.Revoked)
		}
	})
}

func TestNoKeyStaysInADeletedProject(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		for range 40 {
			p, q := w.project(t, o), w.project(t, o)
			inP, secret := w.create(t, o, in(p))
			inQ, other := w.create(t, o, in(q))
			at(func() {
				check(t, "rename a key", w.update(w.root, inP, rename))
			}, func() {
				err := w.update(w.root, inQ, in(q, p))
				check(t, "move a key in", err, keyward.Invalid)
			}, func() {
				_, err := w.DeleteProject(w.ctx, w.root, o.ID, p.ID)
				check(t, "DeleteProject", err)
			})
			for _, secret := range []string{secret, other} {
				verdict := w.engine.Verify(&w.root, secret, &keyward.Request{}, w.now(), new(verify.Verdict))
				for _, id := range verdict.Subject.ProjectIDs {
					if id == p.ID {
						t.Fatalf("the replica has %s in a deleted project", verdict.Subject.KeyID)
					}
				}
			}
		}
	})
}

func TestAnOwnerWhoIsDemotedDemotesNobodyAfterwards(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		for range 20 {
			first, second := w.operator(t, keyward.Owner, nil), w.operator(t, keyward.Owner, nil)
			third := w.operator(t, keyward.Owner, nil)
			demote := func(by keyward.Actor, whom string, seq *int64) func() {
				return func() {
					out, err := w.UpdateOperator(w.ctx, by, whom, control.NewPassword{}, func(o *keyward.Operator) error { o.Role = keyward.Viewer; return nil })
					check(t, "demote", err, keyward.Forbidden)
					*seq = out.Seq
				}
			}
			var demoted, last int64
			at(demote(first, second.ID, &demoted), demote(second, third.ID, &last))
			if last > demoted {
				t.Fatalf("change %d demoted the owner who made change %d", demoted, last)
			}
		}
	})
}

// at does things at once, and waits for all of them.
func at(things ...func()) {
	var group sync.WaitGroup
	for _, thing := range things {
		group.Go(thing)
	}
	group.Wait()
}

// check is want for goroutines: one of the codes will do, and none always does.
func check(t *testing.T, what string, err error, codes ...keyward.Code) {
	t.Helper()
	for _, code := range codes {
		if keyward.CodeOf(err) == code {
			return
		}
	}
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}
