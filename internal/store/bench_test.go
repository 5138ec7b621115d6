package store_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"keyward"
	"keyward/internal/filter"
	"keyward/internal/pgtest"
	"keyward/internal/store"
)

// benchKeys is how many keys the lists are taken from.
const benchKeys = 100_000

// BenchmarkList reads the first and the second page of 100 keys for each order with
// each filter. A name is sort/filter.
func BenchmarkList(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"SQLite": sqliteURL, "PostgreSQL": postgresURL} {
		b.Run(name, func(b *testing.B) {
			w := open(b, url(b), config())
			organization := crowd(b, w)
			for _, sort := range benchSorts() {
				for _, text := range benchFilters() {
					b.Run(sort+"/"+text, func(b *testing.B) {
						benchmarkPages(b, w, organization, store.Page{
							Limit: 100, Now: noon, Sort: sorted(b, sort), Filter: filtered(b, text),
						})
					})
				}
			}
		})
	}
}

func benchmarkPages(b *testing.B, w *world, o *keyward.Organization, page store.Page) {
	for b.Loop() {
		page.After = ""
		for range 2 {
			_, found, err := w.Keys(b.Context(), everything(o), page)
			if err != nil {
				b.Fatal(err)
			}
			if page.After = found.Next; found.Next == "" {
				break
			}
		}
	}
}

func benchSorts() []string {
	var sorts []string
	for _, f := range keySchema() {
		if f.Sortable && f.Kind != filter.Bool && f.Name != "startTime" && f.Name != "clientId" && f.Name != "createdBy" {
			sorts = append(sorts, f.Name, "-"+f.Name)
		}
	}
	return sorts
}

func benchFilters() []string {
	return []string{
		"", "id:crowd-77", "id:!crowd-77", "number:1..50", "number:50000..", "clientId:none", "name:key 5", "name:!key 5",
		"type:secret", "type:publishable", "environment:live", "environment:sandbox", "ownerId:user 5", "ownerId:null",
		"ownerId:!null", "enabled:true", "enabled:false", "createdBy:opr_1", "createdBy:opr_77", "projectId:prj_1", "projectId:!prj_1",
		"status:active", "status:disabled", "status:scheduled", "status:expired", "status:revoked",
		"startTime:null", "startTime:2000-01-01..", "expireTime:null", "expireTime:2000-01-01..", "revokedTime:null",
		"revokedTime:2000-01-01..", "createdTime:2100-01-01..", "createdTime:2000-01-01..", "updatedTime:2100-01-01..",
		"lastUsedTime:null", "lastUsedTime:2000-01-01..",
	}
}

// crowd fills an organization.
func crowd(b *testing.B, w *world) *keyward.Organization {
	b.Helper()
	o := w.organization(b)
	for i := range 20 {
		p := w.newProject(o.ID)
		p.ID = fmt.Sprint("prj_", i)
		w.update(b, func(tx *store.Tx) error { return tx.InsertProject(b.Context(), p) })
	}
	for from := 0; from < benchKeys; from += 2000 {
		w.update(b, func(tx *store.Tx) error {
			for i := from; i < from+2000; i++ {
				if err := tx.InsertKey(b.Context(), w.crowdKey(o, i), secret(fmt.Sprint("crowd ", i))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	w.tamper(b, "UPDATE keys SET revoked_ms = $1 + number WHERE number % 50 = 3", int64(noon-1_000_000))
	w.tamper(b, "UPDATE keys SET last_used_ms = $1 - number * 7919 % 100000 WHERE number % 2 = 0", int64(noon))
	if strings.HasPrefix(w.url, "postgres:") {
		w.tamper(b, "ANALYZE") // as autovacuum does within a minute
	}
	return o
}

func (w *world) crowdKey(o *keyward.Organization, i int) *keyward.Key {
	scattered := i * 7919 % benchKeys
	return w.newKey(o.ID, func(k *keyward.Key) {
		k.ID, k.Name = fmt.Sprint("crowd-", scattered), fmt.Sprint("Key ", scattered/10)
		k.CreatedTime, k.UpdatedTime = noon+keyward.Time(i/100), noon+keyward.Time(scattered/10)
		k.Enabled, k.CreatedBy = i%40 != 1, fmt.Sprint("opr_", i%4)
		k.ProjectIDs = []string{fmt.Sprint("prj_", i%20)}
		if i%3 == 0 {
			k.ExpireTime = noon + keyward.Time(scattered-benchKeys/10)
		}
		if i%30 == 0 {
			k.StartTime = noon + keyward.Time(scattered-benchKeys/2)
		}
		if i%11 == 0 {
			k.Type = keyward.Publishable
		}
		if i%100 == 7 {
			k.Environment = keyward.Sandbox
		}
		if i%5 > 0 {
			k.OwnerID = pointer(fmt.Sprint("User ", i%2000))
		}
	})
}

// BenchmarkCreate makes durable keys, each with its change in an Update of its own.
func BenchmarkCreate(b *testing.B) {
	urls := map[string]func(*testing.B) string{
		"SQLite":     func(b *testing.B) string { return sqliteURL(b) },
		"PostgreSQL": func(b *testing.B) string { return pgtest.StartServer(b, pgtest.Options{Fsync: true}).URL("postgres") },
	}
	for name, url := range urls {
		b.Run(name, func(b *testing.B) {
			w := open(b, url(b), config())
			o := w.organization(b)
			var n atomic.Int64
			create := func() error {
				k := w.newKey(o.ID)
				_, err := w.Update(b.Context(), func(tx *store.Tx) error {
					tx.Record(w.change(keyward.KeyCreated, o.ID, keyward.KeyTarget, k.ID))
					return tx.InsertKey(b.Context(), k, secret(fmt.Sprint("created ", n.Add(1))))
				})
				return err
			}
			b.Run("one writer", func(b *testing.B) {
				for b.Loop() {
					if err := create(); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("64 writers", func(b *testing.B) {
				b.SetParallelism(64 / 2)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := create(); err != nil {
							b.Error(err)
						}
					}
				})
			})
		})
	}
}

// BenchmarkUsage adds batches of 512 counts of different keys, as a server does, and
// records as many last uses. Its unit is one count, or use.
func BenchmarkUsage(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"SQLite": sqliteURL, "PostgreSQL": postgresURL} {
		b.Run(name, func(b *testing.B) {
			w := open(b, url(b), config())
			o := crowd(b, w)
			const batch = 512
			page := store.Page{Limit: batch, Now: noon, Sort: sorted(b, "id")}
			keys, _, err := w.Keys(b.Context(), everything(o), page)
			if err != nil {
				b.Fatal(err)
			}
			usage, uses := make([]keyward.Usage, batch), make([]keyward.Use, batch)
			for i, k := range keys {
				usage[i] = keyward.Usage{OrganizationID: o.ID, KeyID: k.ID, Hour: hour, Reason: keyward.Valid, Count: 1}
				uses[i] = keyward.Use{OrganizationID: o.ID, KeyID: k.ID, Version: 1}
			}
			number := int64(0)
			b.Run("counts", func(b *testing.B) {
				for i := 0; i < b.N; i += batch {
					number++
					w.add(b, number, usage...)
				}
			})
			b.Run("uses", func(b *testing.B) {
				for i := 0; i < b.N; i += batch {
					number++
					for n := range uses {
						uses[n].Time = noon + keyward.Time(number)
					}
					if err := w.Touch(b.Context(), uses); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
