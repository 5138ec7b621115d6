package server_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
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

// BenchmarkRebillyList asks for pages of a large organization over HTTP, one request
// after the other, each with the exact total that the dialect promises, and reports
// percentiles. Give it a count of requests: -benchtime 300x.
func BenchmarkRebillyList(b *testing.B) {
	queries := map[string]int{ // to their totals
		"limit=100": crowdSize + 1,
		"sort=-updatedTime,description&offset=90000":                                          crowdSize + 1,
		"filter=type:secret;description:!key%205,!key%206&sort=-updatedTime&offset=80000":     crowdSize - crowdSize/10 - 18 + 1,
		"filter=type:publishable&sort=description&offset=9000":                                crowdSize / 10,
		"filter=createdTime:2026-01-01T00:10:00Z..;type:secret&sort=description&offset=30000": 36_000 + 1,
		"filter=apiUser:OPS@example.test&sort=-createdTime,id&offset=20000":                   crowdSize / 4,
		"filter=id:CROWD-77":                            1,
		"filter=description:KEY%2077&sort=-createdTime": 10,
	}
	for name, database := range map[string]func(testing.TB) string{
		"SQLite": func(testing.TB) string { return "" }, "PostgreSQL": pgtest.Database,
	} {
		b.Run(name, func(b *testing.B) {
			w, path, secret := crowd(b, database(b))
			for _, query := range slices.Sorted(maps.Keys(queries)) {
				b.Run(query, func(b *testing.B) { w.timed(b, path+"?"+query, secret, queries[query]) })
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
	for name, part := range map[string]float64{"p50-ms": 0.50, "p99-ms": 0.99} {
		at := took[min(int(part*float64(len(took))), len(took)-1)]
		b.ReportMetric(float64(at.Microseconds())/1000, name)
	}
}

// crowd starts a server on a database, "" for SQLite, with a large organization. It
// returns the path of its list and the secret of a key that may read it.
func crowd(b *testing.B, database string) (w *world, path, secret string) {
	b.Helper()
	master := make([]byte, 32)
	_, _ = rand.Read(master)
	options := keywardtest.Options{
		Data: b.TempDir(), Database: database, MasterKey: base64.StdEncoding.EncodeToString(master),
	}
	w = newWorld(b, options)
	o := &tenant{word: "crowd", org: w.must(b, "POST", "/v1/organizations", `{"name":"crowd"}`)}
	key := w.manager(b, o, keyward.KeysRead)
	w.client.CloseIdleConnections()
	if err := w.Stop(); err != nil {
		b.Fatal(err)
	}
	fill(b, options, o.org.ID)
	w.Server = keywardtest.Start(b, options)
	return w, "/rebilly/organizations/" + o.org.ID + "/api-keys", key.Secret
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
