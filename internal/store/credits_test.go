package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"keyward"
	"keyward/internal/store"
)

// withCredits adds a key with a balance.
func (w *world) withCredits(t testing.TB, organizationID string, balance int64, refill *keyward.Refill) *keyward.Key {
	t.Helper()
	k := w.key(t, organizationID)
	w.update(t, func(tx *store.Tx) error {
		tx.Record(w.change(keyward.KeyUpdated, organizationID, keyward.KeyTarget, k.ID))
		return tx.SetCredits(t.Context(), k, balance, refill, w.now)
	})
	return k
}

// account returns a key's account as it is read with the key.
func (w *world) account(t testing.TB, k *keyward.Key) *keyward.Account {
	t.Helper()
	found, err := w.Key(t.Context(), k.OrganizationID, k.ID)
	if err != nil {
		t.Fatal(err)
	}
	return found.Account
}

// claim meets one claim on a key's account.
func (w *world) claim(t testing.TB, k *keyward.Key, c keyward.Claim) keyward.Lease {
	t.Helper()
	c.OrganizationID, c.KeyID = k.OrganizationID, k.ID
	if c.Time == 0 {
		c.Time = w.now
	}
	leases, err := w.Meet(t.Context(), []keyward.Claim{c})
	if err != nil || len(leases) != 1 {
		t.Fatalf("Meet: %v, %v", leases, err)
	}
	return leases[0]
}

func creditPromises() map[string]promise {
	return map[string]promise{
		"limits and balances are read with the key, and sent to replicas": func(t *testing.T, w *world) {
			o := w.organization(t)
			limits := []keyward.RateLimit{{Name: "burst", Limit: 5, Window: keyward.Duration(time.Minute)}}
			k := w.key(t, o.ID, func(k *keyward.Key) { k.RateLimits = limits })
			want := keyward.Account{
				Remaining: 7, Epoch: 1, Refill: &keyward.Refill{Amount: 9, Interval: keyward.MonthlyRefill}, Anchor: w.now, Period: w.now,
			}
			change := w.update(t, func(tx *store.Tx) error {
				tx.Record(w.change(keyward.KeyUpdated, o.ID, keyward.KeyTarget, k.ID))
				return tx.SetCredits(t.Context(), k, 7, want.Refill, w.now)
			})
			found, err := w.Key(t.Context(), o.ID, k.ID)
			wantEqual(t, "the limits of the key", found.RateLimits, err, limits)
			wantEqual(t, "the account of the key", *found.Account, err, want)
			wantEqual(t, "the credits of the key", *found.Credits, err, keyward.Credits{Remaining: 7, Refill: want.Refill})

			entries, err := w.Entries(t.Context(), change.Seq-1, 1)
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, "the account in the log", *entries[0].Records[0].Key.Account, nil, want)
			_, err = w.Snapshot(t.Context(), func(r keyward.Record) error {
				if r.Key != nil {
					wantEqual(t, "the limits in the snapshot", r.Key.RateLimits, nil, limits)
					wantEqual(t, "the account in the snapshot", *r.Key.Account, nil, want)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		},
		"a lease is taken from the balance, and given back to it": func(t *testing.T, w *world) {
			k := w.withCredits(t, w.organization(t).ID, 10, nil)
			if lease := w.claim(t, k, keyward.Claim{Want: 4, Epoch: 1}); lease.Amount != 4 || lease.Account.Remaining != 6 {
				t.Errorf("the lease is %+v", lease)
			}
			if lease := w.claim(t, k, keyward.Claim{Back: 3, Epoch: 1}); lease.Amount != 0 || lease.Account.Remaining != 9 {
				t.Errorf("after 3 were given back: %+v", lease)
			}
			if lease := w.claim(t, k, keyward.Claim{Want: 100, Epoch: 1}); lease.Amount != 9 || w.account(t, k).Remaining != 0 {
				t.Errorf("the last lease is %+v", lease)
			}
		},
		"a balance that is set voids what was leased before": func(t *testing.T, w *world) {
			k := w.withCredits(t, w.organization(t).ID, 10, nil)
			w.claim(t, k, keyward.Claim{Want: 10, Epoch: 1})
			w.update(t, func(tx *store.Tx) error { return tx.SetCredits(t.Context(), k, 5, nil, w.now) })
			if lease := w.claim(t, k, keyward.Claim{Back: 10, Epoch: 1}); lease.Account.Remaining != 5 || lease.Account.Epoch != 2 {
				t.Errorf("the account is %+v", lease.Account)
			}
		},
		"a refill is made once, whoever comes first": func(t *testing.T, w *world) {
			k := w.withCredits(t, w.organization(t).ID, 1, &keyward.Refill{Amount: 10, Interval: keyward.HourlyRefill})
			later := w.now.Add(time.Hour)
			for i, remaining := range []int64{6, 2} {
				if lease := w.claim(t, k, keyward.Claim{Want: 4, Time: later}); lease.Amount != 4 || lease.Account.Remaining != remaining || lease.Account.Epoch != 2 {
					t.Errorf("claim %d is met by %+v", i, lease)
				}
			}
			if lease := w.claim(t, k, keyward.Claim{Want: 0, Time: later.Add(-1)}); lease.Account.Remaining != 2 {
				t.Errorf("a claim from before the refill leaves %+v", lease.Account)
			}
		},
		"another refill leaves the balance": func(t *testing.T, w *world) {
			k := w.withCredits(t, w.organization(t).ID, 10, nil)
			w.update(t, func(tx *store.Tx) error {
				return tx.SetRefill(t.Context(), k, &keyward.Refill{Amount: 3, Interval: keyward.DailyRefill}, w.now+5)
			})
			if a := w.account(t, k); a.Remaining != 10 || a.Epoch != 1 || a.Refill.Amount != 3 || a.Anchor != w.now+5 {
				t.Errorf("the account is %+v", a)
			}
		},
		"credits that are taken away cannot be claimed, and their epoch goes on": func(t *testing.T, w *world) {
			k := w.withCredits(t, w.organization(t).ID, 10, nil)
			w.update(t, func(tx *store.Tx) error { return tx.EndCredits(t.Context(), k) })
			if lease := w.claim(t, k, keyward.Claim{Want: 4, Epoch: 1}); lease != (keyward.Lease{}) || w.account(t, k) != nil {
				t.Errorf("the lease is %+v", lease)
			}
			w.update(t, func(tx *store.Tx) error { return tx.SetCredits(t.Context(), k, 2, nil, w.now) })
			if a := w.account(t, k); a.Remaining != 2 || a.Epoch != 3 {
				t.Errorf("the account is %+v", a)
			}
		},
		"a deleted key leases nothing": func(t *testing.T, w *world) {
			k := w.withCredits(t, w.organization(t).ID, 10, nil)
			w.update(t, func(tx *store.Tx) error { return tx.DeleteKey(t.Context(), k, w.now) })
			if lease := w.claim(t, k, keyward.Claim{Want: 4, Epoch: 1}); lease.Amount != 0 {
				t.Errorf("the lease is %+v", lease)
			}
		},
		"claims at the same time share what there is": func(t *testing.T, w *world) {
			o := w.organization(t)
			keys := []*keyward.Key{w.withCredits(t, o.ID, 100, nil), w.withCredits(t, o.ID, 100, nil)}
			var mu sync.Mutex
			got := map[string]int64{}
			var group sync.WaitGroup
			for node := range 8 {
				group.Go(func() {
					for range 10 {
						claims := make([]keyward.Claim, 2)
						for i := range claims { // nodes ask for them in either order
							k := keys[(i+node)%2]
							claims[i] = keyward.Claim{OrganizationID: o.ID, KeyID: k.ID, Want: 3, Time: w.now}
						}
						leases, err := w.Meet(context.WithoutCancel(t.Context()), claims)
						if err != nil {
							t.Errorf("Meet: %v", err)
							return
						}
						mu.Lock()
						for i, lease := range leases {
							got[claims[i].KeyID] += lease.Amount
						}
						mu.Unlock()
					}
				})
			}
			group.Wait()
			for _, k := range keys {
				if got[k.ID] != 100 || w.account(t, k).Remaining != 0 {
					t.Errorf("%d of 100 were leased, and %d remain", got[k.ID], w.account(t, k).Remaining)
				}
			}
		},
	}
}
