package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"keyward"
	"keyward/internal/store"
)

func changePromises() map[string]promise {
	return map[string]promise{
		"a change is read as Update returned it": func(t *testing.T, w *world) {
			o := w.newOrganization()
			want := w.change(keyward.OrganizationCreated, o.ID, keyward.OrganizationTarget, o.ID)
			updated := w.update(t, func(tx *store.Tx) error {
				tx.Record(want)
				return tx.InsertOrganization(t.Context(), o)
			})
			want.Seq, want.MAC = 1, updated.MAC
			wantEqual(t, "the change of Update", updated, nil, want)
			got, err := w.Change(t.Context(), 1)
			wantEqual(t, "the change", got, err, want)
			head, err := w.Head(t.Context())
			wantEqual(t, "the head", head, err, int64(1))
		},
		"a change of the deployment, with nothing that may be missing, is read as written": func(t *testing.T, w *world) {
			want := w.change(keyward.OperatorCreated, "", keyward.OperatorTarget, "opr_0")
			want.IP, want.RequestID, want.Changes = nil, nil, nil
			want.MAC = w.update(t, func(tx *store.Tx) error {
				empty := want
				empty.OrganizationID, empty.IP, empty.RequestID = pointer(""), pointer(""), pointer("")
				tx.Record(empty)
				return nil
			}).MAC
			want.Seq = 1
			got, err := w.Change(t.Context(), 1)
			wantEqual(t, "the change", got, err, want)
			n, err := w.VerifyChain(t.Context(), chain)
			wantEqual(t, "the events verified", n, err, int64(1))
		},
		"an update without a change has no seq": func(t *testing.T, w *world) {
			got := w.update(t, func(tx *store.Tx) error { return tx.SetMeta(t.Context(), "a", "b") })
			wantEqual(t, "the change", got, nil, keyward.Change{})
			head, err := w.Head(t.Context())
			wantEqual(t, "the head", head, err, int64(0))
			_, err = w.Change(t.Context(), 0)
			wantCode(t, err, keyward.NotFound)
		},
		"an error leaves nothing and is returned as it is": func(t *testing.T, w *world) {
			want := errors.New("changed my mind")
			_, err := w.Update(t.Context(), func(tx *store.Tx) error {
				tx.Record(w.change(keyward.OrganizationCreated, "", keyward.OrganizationTarget, "org_1"))
				return errors.Join(tx.InsertOrganization(t.Context(), w.newOrganization()), want)
			})
			if !errors.Is(err, want) {
				t.Errorf("error = %v, want %v", err, want)
			}
			w.wantNoTrace(t, "organizations")
			w.wantNoTrace(t, "changes")
		},
		"a panic leaves nothing, is Internal, and shows nothing of itself to callers": func(t *testing.T, w *world) {
			err := w.refused(t, keyward.Internal, func(tx *store.Tx) error {
				if err := tx.InsertOrganization(t.Context(), w.newOrganization()); err != nil {
					return err
				}
				panic("the secret is 42")
			})
			if got := keyward.MessageOf(err); strings.Contains(got, "42") || !strings.Contains(err.Error(), "42") {
				t.Errorf("callers read %q, logs %q", got, err)
			}
			w.wantNoTrace(t, "organizations")
			w.organization(t)
		},
		"a statement that failed fails the transaction, even if its error is ignored": func(t *testing.T, w *world) {
			o := w.organization(t)
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error {
				_ = tx.InsertOrganization(t.Context(), o)
				return nil
			})
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error {
				tx.Record(w.change(keyward.OrganizationCreated, o.ID, keyward.OrganizationTarget, o.ID))
				_ = tx.InsertOrganization(t.Context(), o)
				return nil
			})
			head, err := w.Head(t.Context())
			wantEqual(t, "the head", head, err, int64(1))
		},
		"a caller who has gone changes nothing": func(t *testing.T, w *world) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := w.Update(ctx, func(tx *store.Tx) error { return tx.InsertOrganization(ctx, w.newOrganization()) })
			wantCode(t, err, keyward.Unavailable)
			w.wantNoTrace(t, "organizations")
		},
		"several changes of one update follow each other": func(t *testing.T, w *world) {
			o := w.organization(t)
			first := w.update(t, func(tx *store.Tx) error {
				for range 3 {
					k := w.newKey(o.ID)
					if err := tx.InsertKey(t.Context(), k, secret(k.ID)); err != nil {
						return err
					}
					tx.Record(w.change(keyward.KeyCreated, o.ID, keyward.KeyTarget, k.ID))
				}
				return nil
			})
			if first.Seq != 2 {
				t.Errorf("seq = %d, want 2", first.Seq)
			}
			n, err := w.VerifyChain(t.Context(), chain)
			wantEqual(t, "the events verified", n, err, int64(4))
		},
		"changes are listed for one organization, or all": func(t *testing.T, w *world) {
			a, b := w.organization(t), w.organization(t)
			w.key(t, a.ID)
			w.operator(t)
			got, found, err := w.Changes(t.Context(), a.ID, store.Page{Limit: 9, Count: true, Sort: sorted(t, "-seq")})
			if len(got) != 2 || got[0].Action != keyward.KeyCreated || got[1].Target.ID != a.ID {
				t.Errorf("the changes of the organization are %+v", got)
			}
			wantEqual(t, "the total", found.Total, err, int64(2))
			got, found, err = w.Changes(t.Context(), "", store.Page{Limit: 9, Count: true, Query: b.ID})
			if len(got) != 1 || got[0].Target.ID != b.ID {
				t.Errorf("the changes found are %+v", got)
			}
			wantEqual(t, "the total found", found.Total, err, int64(1))
		},
		"a view does not see what comes later": func(t *testing.T, w *world) {
			w.organization(t)
			err := w.View(t.Context(), func(v *store.View) error {
				before, err := v.Head(t.Context())
				w.organization(t)
				after, err2 := v.Head(t.Context())
				if before != 1 || after != 1 {
					t.Errorf("the head went from %d to %d", before, after)
				}
				return errors.Join(err, err2)
			})
			if err != nil {
				t.Error(err)
			}
		},
		"a database that answers is alive": func(t *testing.T, w *world) {
			if err := w.Ping(t.Context(), postgresWait); err != nil {
				t.Error(err)
			}
			wantCode(t, w.Ping(t.Context(), 0), keyward.Unavailable)
		},
		"a closed store is Unavailable": func(t *testing.T, w *world) {
			s := open(t, w.url, config())
			if err := errors.Join(s.Close(), s.Close()); err != nil {
				t.Fatal(err)
			}
			_, err := s.Head(t.Context())
			wantCode(t, err, keyward.Unavailable)
			s.refused(t, keyward.Unavailable, func(*store.Tx) error { return nil })
		},
		"every commit is announced once, before its Update returns, and not before the commit": func(t *testing.T, w *world) {
			var s *world
			var announced []int64
			c := config()
			c.Committed = func(ctx context.Context, entry keyward.LogEntry) error {
				if got, err := s.Change(ctx, entry.Change.Seq); err != nil || got.MAC != entry.Change.MAC {
					t.Errorf("the announced change %d is not there: %v", entry.Change.Seq, err)
				}
				if len(entry.Records) != 1 || entry.Records[0].Organization.ID != entry.Change.Target.ID {
					t.Errorf("the announced change has the records %+v", entry.Records)
				}
				announced = append(announced, entry.Change.Seq)
				if entry.Change.Seq == 2 {
					return keyward.Errorf(keyward.Unavailable, "the replica has stopped")
				}
				return nil
			}
			s = open(t, w.url, c)
			s.organization(t)
			wantEqual(t, "what was announced", announced, nil, []int64{1})
			o := s.newOrganization()
			s.refused(t, keyward.Unavailable, func(tx *store.Tx) error {
				tx.Record(s.change(keyward.OrganizationCreated, o.ID, keyward.OrganizationTarget, o.ID))
				return tx.InsertOrganization(t.Context(), o)
			})
			got, err := s.Organization(t.Context(), o.ID)
			wantEqual(t, "the organization, durable all the same,", got, err, o)
			s.refused(t, keyward.Invalid, func(tx *store.Tx) error {
				tx.Record(s.change(keyward.OrganizationUpdated, o.ID, keyward.OrganizationTarget, o.ID))
				return keyward.Errorf(keyward.Invalid, "no")
			})
			wantEqual(t, "what was announced", announced, nil, []int64{1, 2})
		},
		"32 writers, some of whom fail or panic, leave whole updates and no gap": func(t *testing.T, w *world) {
			var mu sync.Mutex
			announced := map[int64]int{}
			c := config()
			c.Committed = func(_ context.Context, entry keyward.LogEntry) error {
				mu.Lock()
				defer mu.Unlock()
				announced[entry.Change.Seq]++
				return nil
			}
			testWriters(t, open(t, w.url, c), announced, &mu)
		},
	}
}

// testWriters has each of 32 writers make organizations with a key, and checks that
// exactly those are there that it was told of.
func testWriters(t *testing.T, w *world, announced map[int64]int, mu *sync.Mutex) {
	const writers, rounds = 32, 12
	made := make(map[string]int64) // the seq of each organization
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range rounds {
				o := w.newOrganization()
				change, err := w.Update(t.Context(), func(tx *store.Tx) error { return w.erratic(t.Context(), tx, o) })
				mu.Lock()
				if err == nil {
					made[o.ID] = change.Seq
				}
				if err == nil && (announced[change.Seq] != 1 || announced[change.Seq+1] != 1) {
					t.Errorf("Update returned before its changes from %d on were announced", change.Seq)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()

	entries, err := w.Entries(t.Context(), 0, writers*rounds*2+1)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2*len(made) || len(announced) != len(entries) {
		t.Errorf("%d updates left %d changes, of which %d were announced", len(made), len(entries), len(announced))
	}
	for i, entry := range entries {
		if entry.Change.Seq != int64(i+1) {
			t.Fatalf("change %d has the seq %d", i+1, entry.Change.Seq)
		}
		if entry.Change.Action == keyward.OrganizationCreated && made[entry.Change.Target.ID] != entry.Change.Seq {
			t.Errorf("the change %d is of %s, of which its writer knows nothing", i+1, entry.Change.Target.ID)
		}
	}
	organizations, _, err := w.Organizations(t.Context(), "", store.Page{Limit: writers * rounds})
	if err != nil || len(organizations) != len(made) {
		t.Errorf("%d organizations are there, error %v; want %d", len(organizations), err, len(made))
	}
	n, err := w.VerifyChain(t.Context(), chain)
	wantEqual(t, "the events verified", n, err, int64(len(entries)))
}

// erratic makes an organization with a key, and fails in one way or other now and then.
func (w *world) erratic(ctx context.Context, tx *store.Tx, o *keyward.Organization) error {
	fate := rand.IntN(8)
	if fate == 0 {
		return errors.New("before anything")
	}
	tx.Record(w.change(keyward.OrganizationCreated, o.ID, keyward.OrganizationTarget, o.ID))
	if err := tx.InsertOrganization(ctx, o); err != nil {
		return err
	}
	k := w.newKey(o.ID)
	if err := tx.InsertKey(ctx, k, secret(k.ID)); err != nil {
		return err
	}
	tx.Record(w.change(keyward.KeyCreated, o.ID, keyward.KeyTarget, k.ID))
	switch fate {
	case 1:
		return errors.New("after everything")
	case 2:
		panic("after everything")
	case 3:
		return tx.InsertOrganization(ctx, o) // a Conflict
	}
	return nil
}
