package store_test

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"keyward"
	"keyward/internal/store"
)

// keysIn returns the keys of a snapshot by their id, and its seq.
func keysIn(t *testing.T, w *world) (map[string]*keyward.KeyRecord, int64) {
	t.Helper()
	keys := map[string]*keyward.KeyRecord{}
	seq, err := w.Snapshot(t.Context(), func(r keyward.Record) error {
		if r.Key == nil {
			return nil
		}
		if keys[r.Key.KeyID] != nil {
			t.Errorf("the key %s is there twice", r.Key.KeyID)
		}
		keys[r.Key.KeyID] = r.Key
		return nil
	})
	if err != nil {
		t.Fatalf("Snapshot: %v", err)
	}
	return keys, seq
}

func snapshotPromises() map[string]promise {
	return map[string]promise{
		"a snapshot read span by span has every key once, with all that it has": func(t *testing.T, w *world) {
			var all []*keyward.Key
			for _, n := range []int{0, 1, 7, 0, 4} {
				o := w.organization(t)
				p, q := w.project(t, o.ID), w.project(t, o.ID)
				for i := range n {
					all = append(all, w.key(t, o.ID, func(k *keyward.Key) {
						k.Name, k.ProjectIDs, k.AllowedIPs = fmt.Sprint("key ", i), []string{q.ID, p.ID}, []string{"203.0.113.0/24"}
						k.ACL = []keyward.Grant{{Scope: keyward.Scope{}, Permissions: []string{fmt.Sprint("p", i%2)}}}
					}))
				}
			}
			w.update(t, func(tx *store.Tx) error {
				for i, k := range all {
					var err error
					switch i % 4 {
					case 0:
						err = tx.DeleteKey(t.Context(), k, noon)
					case 1:
						err = tx.InsertVersion(t.Context(), k, keyward.Version{Version: 2, CreatedTime: noon}, credential("second of "+k.ID))
					case 2:
						err = tx.SetCredits(t.Context(), k, 10, nil, noon)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
			whole, _ := keysIn(t, w)
			if len(whole) != len(all)-len(all)/4 {
				t.Fatalf("the snapshot has %d keys of %d", len(whole), len(all))
			}
			for _, span := range []int64{1, 2, 5} {
				w.SetSpan(span)
				got, _ := keysIn(t, w)
				if !reflect.DeepEqual(got, whole) {
					t.Errorf("with spans of %d the snapshot has %v, want %v", span, got, whole)
				}
			}
		},
		"a snapshot that several connections read while others write is of one instant": func(t *testing.T, w *world) {
			w.SetSpan(1)
			o := w.organization(t)
			keys := make([]*keyward.Key, 8)
			for i := range keys {
				keys[i] = w.key(t, o.ID)
			}
			base, err := w.Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rename := func(generation int) {
				w.update(t, func(tx *store.Tx) error {
					for _, k := range keys {
						k.Name = fmt.Sprint("generation ", generation)
						if err := tx.UpdateKey(t.Context(), k); err != nil {
							return err
						}
					}
					tx.Record(w.change(keyward.KeyUpdated, o.ID, keyward.KeyTarget, keys[0].ID))
					return nil
				})
			}
			rename(1)
			var writer sync.WaitGroup
			writer.Go(func() {
				for generation := range 40 {
					rename(generation + 2)
				}
			})
			for range 20 {
				got, seq := keysIn(t, w)
				want := fmt.Sprint("generation ", seq-base)
				for id, k := range got {
					if k.Name != want {
						t.Errorf("at %d the key %s is of %s, want %s", seq, id, k.Name, want)
					}
				}
			}
			writer.Wait()
		},
		"a snapshot's loader can stop it among the keys": func(t *testing.T, w *world) {
			w.SetSpan(1)
			o := w.organization(t)
			for range 6 {
				w.key(t, o.ID)
			}
			keys := 0
			_, err := w.Snapshot(t.Context(), func(r keyward.Record) error {
				if r.Key == nil {
					return nil
				}
				if keys++; keys == 2 {
					return keyward.Errorf(keyward.Stale, "enough")
				}
				return nil
			})
			wantCode(t, err, keyward.Stale)
			if keys != 2 {
				t.Errorf("the loader was given %d keys", keys)
			}
		},
		"a stored key that cannot be read ends the snapshot": func(t *testing.T, w *world) {
			o := w.organization(t)
			w.key(t, o.ID)
			w.tamper(t, "UPDATE keys SET allowed_ips = 'nonsense'")
			_, err := w.Snapshot(t.Context(), func(keyward.Record) error { return nil })
			wantCode(t, err, keyward.Internal)
		},
	}
}
