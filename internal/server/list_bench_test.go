package server_test

import (
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/keyring"
	"keyward/internal/pgtest"
	"keyward/internal/store"
	"keyward/keywardtest"
)

// crowdSize is how many keys the list is taken from, beside the one that asks.
const crowdSize = 100_000

// listing is a list as Rebilly's clients ask for it, and which keys are on its pages.
type listing struct {
	query string
	has   func(*keyward.Key) bool
}

func listings() []listing {
	all := func(*keyward.Key) bool { return true }
	secret := func(k *keyward.Key) bool { return k.Type == keyward.SecretKey }
	late := func(k *keyward.Key) bool {
		return k.CreatedTime >= keyward.TimeOf(time.Date(2026, 1, 1, 0, 10, 0, 0, time.UTC))
	}
	return []listing{
		{"limit=100", all},
		{"sort=description&offset=50000", all},
		{"sort=-updatedTime,description&offset=90000", all},
		{"sort=type,-createdTime&offset=90000", all},
		{
			"filter=type:secret;description:!key%205,!key%206&sort=-updatedTime&offset=80000",
			func(k *keyward.Key) bool { return secret(k) && k.Name != "Key 5" && k.Name != "Key 6" },
		},
		{"filter=type:publishable&sort=description&offset=9000", func(k *keyward.Key) bool { return !secret(k) }},
		{
			"filter=createdTime:2026-01-01T00:10:00Z..;type:secret&sort=description&offset=80000",
			func(k *keyward.Key) bool { return late(k) && secret(k) },
		},
		{
			"filter=updatedTime:2026-01-01T00:10:00Z..&sort=id&offset=90000",
			func(k *keyward.Key) bool {
				return k.UpdatedTime >= keyward.TimeOf(time.Date(2026, 1, 1, 0, 10, 0, 0, time.UTC))
			},
		},
		{
			"filter=apiUser:OPS@example.test&sort=-createdTime,id&offset=20000",
			func(k *keyward.Key) bool { return k.APIUser == "ops@example.test" },
		},
		{
			"filter=type:!publishable;id:!crowd-5;apiUser:!nobody&sort=-type,-description,-createdTime&offset=45000",
			func(k *keyward.Key) bool { return secret(k) && k.ID != "crowd-5" },
		},
		{"filter=id:CROWD-77", func(k *keyward.Key) bool { return k.ID == "crowd-77" }},
		{"filter=description:KEY%2077&sort=-createdTime", func(k *keyward.Key) bool { return k.Name == "Key 77" }},
	}
}

// total returns how many keys the answer counts: of the crowd, and the one that asks.
func (q listing) total(asking *keyward.Key) int {
	total := 0
	for i := range crowdSize {
		if q.has(crowdKey(asking.OrganizationID, i)) {
			total++
		}
	}
	if q.has(asking) {
		total++
	}
	return total
}

// BenchmarkRebillyList asks for pages of a large organization over HTTP, one request
// after the other, each with the exact total that the dialect promises, and reports
// percentiles. Give it a count of requests: -benchtime 300x.
func BenchmarkRebillyList(b *testing.B) {
	for name, database := range map[string]func(testing.TB) string{
		"SQLite": func(testing.TB) string { return "" }, "PostgreSQL": pgtest.Database,
	} {
		b.Run(name, func(b *testing.B) {
			w, asking, secret := crowd(b, database(b))
			path := "/rebilly/organizations/" + asking.OrganizationID + "/api-keys?"
			for _, q := range listings() {
				total := q.total(asking)
				b.Run(q.query, func(b *testing.B) { w.timed(b, path+q.query, secret, total) })
			}
		})
	}
}

// timed asks again and again, and reports how long answers take.
func (w *world) timed(b *testing.B, target, secret string, total int) {
	var took []time.Duration
	for b.Loop() {
		got := w.ask(b, "GET", target, "", "Reb-Apikey", secret)
		if got.status != http.StatusOK || got.header.Get("Pagination-Total") != strconv.Itoa(total) {
			b.Fatalf("%d, total %s, want %d: %.300s", got.status, got.header.Get("Pagination-Total"), total, got.body)
		}
		took = append(took, got.took)
	}
	slices.Sort(took)
	for name, percent := range map[string]int{"p50-ms": 50, "p99-ms": 99} {
		rank := (percent*len(took) + 99) / 100 // the nearest one
		b.ReportMetric(float64(took[rank-1].Microseconds())/1000, name)
	}
}

// crowd starts a server on a database, "" for SQLite, with a large organization. It
// returns a key that may read its list, and the secret of that.
func crowd(b *testing.B, database string) (w *world, asking *keyward.Key, secret string) {
	b.Helper()
	master := make([]byte, 32)
	_, _ = rand.Read(master)
	options := keywardtest.Options{
		Data: b.TempDir(), Database: database, MasterKey: base64.StdEncoding.EncodeToString(master),
	}
	w = newWorld(b, options)
	o := &tenant{word: "crowd", org: w.must(b, "POST", "/v1/organizations", `{"name":"crowd"}`)}
	reader := w.manager(b, o, keyward.KeysRead)
	w.client.CloseIdleConnections()
	if err := w.Stop(); err != nil {
		b.Fatal(err)
	}
	fill(b, options, o.org.ID)
	if database != "" {
		vacuum(b, database)
	}
	w.Server = keywardtest.Start(b, options)
	now := keyward.TimeOf(time.Now())
	return w, &keyward.Key{
		OrganizationID: o.org.ID, ID: reader.Key.ID, Name: "crowd key", Type: keyward.SecretKey, CreatedTime: now, UpdatedTime: now,
	}, reader.Secret
}

// vacuum does what autovacuum does within minutes.
func vacuum(b *testing.B, database string) {
	b.Helper()
	db, err := sql.Open("pgx", database)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(b.Context(), "VACUUM (ANALYZE)"); err != nil {
		b.Fatal(err)
	}
}

// fill writes the crowd beside the server.
func fill(b *testing.B, options keywardtest.Options, organizationID string) {
	b.Helper()
	ring, err := keyring.Parse(options.MasterKey)
	if err != nil {
		b.Fatal(err)
	}
	database := options.Database
	if database == "" {
		database = "sqlite:" + options.Data + "/keyward.db"
	}
	s, err := store.Open(b.Context(), database, store.Config{Chain: ring.AuditMAC, ChainKeyID: ring.AuditKeyID()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for from := 0; from < crowdSize; from += 2000 {
		_, err := s.Update(b.Context(), func(tx *store.Tx) error {
			for i := from; i < from+2000; i++ {
				credential := store.Credential{Digest: ring.DigestString(fmt.Sprint("crowd ", i)), PepperID: ring.PepperID(), Hint: "kw_live_…"}
				err := tx.InsertKey(b.Context(), crowdKey(organizationID, i), func(*keyward.Key) (store.Credential, error) { return credential, nil })
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// crowdKey is one of the crowd: ten share each name, every tenth is publishable, and
// they were made ten a second.
func crowdKey(organizationID string, i int) *keyward.Key {
	scattered := i * 7919 % crowdSize
	made := keyward.TimeOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) + keyward.Time(i)*100
	key := &keyward.Key{
		OrganizationID: organizationID, ID: fmt.Sprint("crowd-", i), ClientID: keyward.NewClientID(),
		Name: fmt.Sprint("Key ", scattered/10), Type: keyward.SecretKey, Environment: keyward.Live, Enabled: true,
		Metadata: []byte("{}"), CreatedBy: "opr_crowd", APIUser: "opr_crowd", CreatedTime: made,
		UpdatedTime: made + keyward.Time(scattered), Revision: 1,
		ACL:      []keyward.Grant{{Scope: keyward.Scope{}, Permissions: []string{"*"}}},
		Versions: []keyward.Version{{Version: 1, CreatedTime: made}},
	}
	if i%10 == 3 {
		key.Type = keyward.Publishable
	}
	if i%4 == 1 {
		key.APIUser = strings.ToLower("Ops@Example.test")
	}
	key.Normalize()
	return key
}
