package store_test

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"keyward"
	"keyward/internal/store"
)

// Instants of these tests: noon is in the hour that begins at hour, on the day that
// begins at day.
const (
	oneHour = 3_600_000
	oneDay  = 24 * oneHour
	hour    = noon - noon%oneHour
	day     = noon - noon%oneDay
)

// valid returns counts of valid answers about a key of org.
func valid(keyID string, hour keyward.Time, count int64) keyward.Usage {
	return keyward.Usage{OrganizationID: "org", KeyID: keyID, Hour: hour, Reason: keyward.Valid, Count: count}
}

// add adds a batch that must be taken.
func (w *world) add(t testing.TB, number int64, usage ...keyward.Usage) {
	t.Helper()
	err := w.AddUsage(t.Context(), store.UsageBatch{Writer: "node", Number: number, Time: noon, Usage: usage})
	if err != nil {
		t.Fatal(err)
	}
}

// always is all hours of org.
func always() store.UsageSpan { return store.UsageSpan{OrganizationID: "org", To: hour + 1000*oneDay} }

// wantUsage compares what is kept of keys, and the totals.
func (w *world) wantUsage(t testing.TB, span store.UsageSpan, keyIDs []string, want, totals []keyward.Usage) {
	t.Helper()
	got, err := w.KeyUsage(t.Context(), span, keyIDs)
	wantEqual(t, "the usage by key", got, err, want)
	got, err = w.TotalUsage(t.Context(), span)
	wantEqual(t, "the totals", got, err, totals)
}

func usagePromises() map[string]promise {
	return map[string]promise{
		"counts of one key, hour and reason add up, and so do those of all keys": func(t *testing.T, w *world) {
			denied := keyward.Usage{OrganizationID: "org", KeyID: "a", Hour: hour, Reason: keyward.RateLimited, Count: 5}
			foreign := valid("a", hour, 1000)
			foreign.OrganizationID = "other"
			w.add(t, 1, valid("b", hour, 1), denied, valid("a", hour, 2), valid("a", hour, 3), foreign)
			w.add(t, 2, valid("a", hour, 4), valid("a", hour+oneHour, 6))
			w.wantUsage(t, always(), []string{"a", "b", "nothing"},
				[]keyward.Usage{denied, valid("a", hour, 9), valid("a", hour+oneHour, 6), valid("b", hour, 1)},
				[]keyward.Usage{
					{OrganizationID: "org", Hour: hour, Reason: keyward.RateLimited, Count: 5},
					valid("", hour, 10), valid("", hour+oneHour, 6),
				})
		},
		"a batch is added once, however often its writer tries": func(t *testing.T, w *world) {
			for range 3 {
				w.add(t, 7, valid("a", hour, 1))
			}
			w.add(t, 6, valid("a", hour, 1))
			w.add(t, 8, valid("a", hour, 1))
			other := store.UsageBatch{Writer: "another", Number: 7, Time: noon, Usage: []keyward.Usage{valid("a", hour, 10)}}
			if err := w.AddUsage(t.Context(), other); err != nil {
				t.Fatal(err)
			}
			w.wantUsage(t, always(), []string{"a"}, []keyward.Usage{valid("a", hour, 12)}, []keyward.Usage{valid("", hour, 12)})
		},
		"hours are found from the first one on, up to the last but not with it": func(t *testing.T, w *world) {
			w.add(t, 1, valid("a", hour-1*oneHour, 1), valid("a", hour, 2), valid("a", hour+oneHour, 4), valid("a", hour+2*oneHour, 8))
			span := store.UsageSpan{OrganizationID: "org", From: hour, To: hour + 2*oneHour}
			w.wantUsage(t, span, []string{"a"},
				[]keyward.Usage{valid("a", hour, 2), valid("a", hour+oneHour, 4)},
				[]keyward.Usage{valid("", hour, 2), valid("", hour+oneHour, 4)})
		},
		"a day has the hours from midnight to midnight, UTC": func(t *testing.T, w *world) {
			w.add(t, 1, valid("a", day-oneHour, 1), valid("a", day, 2), valid("a", day+23*oneHour, 4), valid("a", day+oneDay, 8))
			span := always()
			span.Daily = true
			w.wantUsage(t, span, []string{"a"},
				[]keyward.Usage{valid("a", day-oneDay, 1), valid("a", day, 6), valid("a", day+oneDay, 8)},
				[]keyward.Usage{valid("", day-oneDay, 1), valid("", day, 6), valid("", day+oneDay, 8)})
		},
		"hundreds of keys at once are added whole": func(t *testing.T, w *world) {
			const keys = 333
			var usage []keyward.Usage
			var ids []string
			for i := range keys {
				id := fmt.Sprintf("key_%03d", i)
				ids = append(ids, id)
				usage = append(usage, valid(id, hour, int64(i+1)))
			}
			w.add(t, 1, usage...)
			w.wantUsage(t, always(), ids, usage, []keyward.Usage{valid("", hour, keys*(keys+1)/2)})
		},
		"writers that add to the same keys at the same time lose nothing": func(t *testing.T, w *world) {
			var writers sync.WaitGroup
			for n := range 4 {
				writers.Go(func() {
					for number := range int64(10) {
						batch := store.UsageBatch{Writer: fmt.Sprint("node ", n), Number: number + 1, Time: noon}
						for i := range 20 {
							batch.Usage = append(batch.Usage, valid(fmt.Sprint((i*7+n)%20), hour, 1))
						}
						if err := w.AddUsage(t.Context(), batch); err != nil {
							t.Error(err)
						}
					}
				})
			}
			writers.Wait()
			w.wantUsage(t, always(), []string{"0", "13"},
				[]keyward.Usage{valid("0", hour, 40), valid("13", hour, 40)}, []keyward.Usage{valid("", hour, 800)})
		},
		"the keys that were used are found one after the other": func(t *testing.T, w *world) {
			foreign := valid("c", hour, 1)
			foreign.OrganizationID = "other"
			w.add(t, 1, valid("a", hour, 1), valid("a", hour+oneHour, 1), valid("b", hour, 1), valid("B", hour, 1), valid("d", hour, 1), foreign)
			first, err := w.UsedKeys(t.Context(), "org", "", 2)
			wantEqual(t, "the first two", first, err, []string{"B", "a"})
			rest, err := w.UsedKeys(t.Context(), "org", "a", 100)
			wantEqual(t, "the rest", rest, err, []string{"b", "d"})
			none, err := w.UsedKeys(t.Context(), "org", "d", 100)
			wantEqual(t, "what is behind the last", none, err, []string(nil))
		},
		"the keys of projects are found, deleted ones too": func(t *testing.T, w *world) {
			o := w.organization(t)
			one, two, gone := w.project(t, o.ID), w.project(t, o.ID), w.project(t, o.ID)
			in := func(id string, projects ...string) *keyward.Key {
				return w.key(t, o.ID, func(k *keyward.Key) { k.ID, k.ProjectIDs = id, projects })
			}
			in("a", one.ID)
			in("b", two.ID)
			in("c", one.ID, two.ID)
			in("d", gone.ID)
			in("e")
			deleted := in("f", one.ID)
			w.update(t, func(tx *store.Tx) error {
				if err := tx.DeleteKey(t.Context(), deleted, noon); err != nil {
					return err
				}
				return tx.DeleteProject(t.Context(), o.ID, gone.ID, noon)
			})
			got, err := w.ProjectKeys(t.Context(), o.ID, []string{one.ID, gone.ID}, "", "", 2)
			wantEqual(t, "the first two", got, err, []string{"a", "c"})
			got, err = w.ProjectKeys(t.Context(), o.ID, []string{one.ID, gone.ID}, "", "c", 2)
			wantEqual(t, "the rest", got, err, []string{"f"})
			got, err = w.ProjectKeys(t.Context(), o.ID, []string{one.ID}, "c", "", 2)
			wantEqual(t, "one of them", got, err, []string{"c"})
			got, err = w.ProjectKeys(t.Context(), o.ID, []string{one.ID}, "b", "", 2)
			wantEqual(t, "one of another project", got, err, []string(nil))
		},
		"what is older than it has to be is forgotten, in portions": func(t *testing.T, w *world) {
			var old []keyward.Usage
			for i := range 2001 {
				old = append(old, valid(fmt.Sprint(i), hour-oneHour, 1))
			}
			w.add(t, 1, old...)
			w.add(t, 2, valid("1", hour, 1))
			if err := w.DropUsage(t.Context(), hour); err != nil {
				t.Fatal(err)
			}
			kept, err := w.UsedKeys(t.Context(), "org", "", 10)
			wantEqual(t, "the keys", kept, err, []string{"1"})
			w.wantUsage(t, always(), []string{"1"}, []keyward.Usage{valid("1", hour, 1)}, []keyward.Usage{valid("", hour, 1)})
			w.add(t, 2, valid("1", hour, 1)) // its writer is still known
			if err := w.DropUsage(t.Context(), hour+oneHour); err != nil {
				t.Fatal(err)
			}
			for _, table := range []string{"usage_keys", "usage_totals", "usage_writers"} {
				w.wantNoTrace(t, table)
			}
		},
		"the block of the latest use is kept with its time": func(t *testing.T, w *world) {
			o := w.organization(t)
			k := w.key(t, o.ID)
			use := func(at keyward.Time, ip string) keyward.Use {
				u := keyward.Use{OrganizationID: o.ID, KeyID: k.ID, Version: 1, Time: at}
				if ip != "" {
					u.IP = netip.MustParsePrefix(ip)
				}
				return u
			}
			for _, step := range []struct {
				uses []keyward.Use
				want *string
			}{
				{[]keyward.Use{use(noon+2, "203.0.113.0/24"), use(noon+1, "198.51.100.0/24")}, pointer("203.0.113.0/24")},
				{[]keyward.Use{use(noon+1, "198.51.100.0/24")}, pointer("203.0.113.0/24")},
				{[]keyward.Use{use(noon+3, "2001:db8:1::/48")}, pointer("2001:db8:1::/48")},
				{[]keyward.Use{use(noon+4, "")}, nil},
			} {
				if err := w.Touch(t.Context(), step.uses); err != nil {
					t.Fatal(err)
				}
				got, err := w.Key(t.Context(), o.ID, k.ID)
				if err != nil {
					t.Fatal(err)
				}
				wantEqual(t, "the block", got.LastUsedIP, nil, step.want)
			}
		},
	}
}
