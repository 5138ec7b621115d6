package native_test

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/api/apitest"
	"keyward/internal/api/native"
	"keyward/internal/pgtest"
	"keyward/keywardtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// masterKey is that of every server here.
var masterKey = base64.StdEncoding.EncodeToString([]byte("32 bytes for the tests of native"))

func startSQLite(t testing.TB) *keywardtest.Server {
	return keywardtest.Start(t, keywardtest.Options{MasterKey: masterKey})
}

func startPostgres(t testing.TB) *keywardtest.Server {
	return keywardtest.Start(t, keywardtest.Options{MasterKey: masterKey, Database: pgtest.Database(t)})
}

func TestTranscripts(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		kw := startSQLite(t)
		contract := apitest.Load(t, native.Contract())
		transcripts(t, kw, contract)
		t.Run("refusals", func(t *testing.T) { refusals(t, kw, contract) })
		contract.HasSeenAll(t, unreached)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		transcripts(t, startPostgres(t), apitest.Load(t, native.Contract()))
	})
}

// unreached reports whether an answer cannot be had from a healthy server that is
// alone, one request at a time, over HTTP/1.1.
func unreached(answer string) bool {
	operation, status, _ := strings.Cut(answer, " ")
	switch status {
	case "417", "500", "503", "202":
		return true
	case "409": // while the same Idempotency-Key is being answered
		return slices.Contains([]string{"createKey", "createRole", "revokeKey", "rotateOperator"}, operation)
	}
	return false
}

// transcripts runs every file against the server, each in an organization of its own.
// What transcripts verify is answered the same where verification alone is served.
func TestTranscriptsHoldOnTheListenerForVerification(t *testing.T) {
	kw := keywardtest.Start(t, keywardtest.Options{MasterKey: masterKey, VerifyListen: "127.0.0.1:0"})
	verified := 0
	doors := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		door := kw.URL
		if r.In.Method == http.MethodPost && strings.HasPrefix(r.In.URL.Path, "/v1/verify") {
			door = kw.VerifyURL
			verified++
		}
		to, err := url.Parse(door)
		if err != nil {
			t.Error(err)
		}
		r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
		r.Out.URL.RawQuery = r.In.URL.RawQuery // with its semicolons
	}}
	front := httptest.NewServer(doors)
	defer front.Close()
	transcriptsAt(t, front.URL, kw, apitest.Load(t, native.Contract()))
	if verified < 50 {
		t.Errorf("%d verifications", verified)
	}
}

func transcripts(t *testing.T, kw *keywardtest.Server, contract *apitest.Contract) {
	transcriptsAt(t, kw.URL, kw, contract)
}

func transcriptsAt(t *testing.T, at string, kw *keywardtest.Server, contract *apitest.Contract) {
	apitest.RunAll(t, func(t *testing.T, name string) apitest.Target {
		c := client{t, kw.URL, kw.RootToken, contract.Client(t)}
		return apitest.Target{URL: at, Contract: contract, Vars: map[string]string{
			"root":    kw.RootToken,
			"org":     c.organization("Organization of " + name),
			"nowhere": "org_00000000000000000000000000",
			"letters": keyward.NewPublicID(),
			"unique":  rand.Text(),
			"long":    strings.Repeat("x", 256),
			"wide":    strings.Repeat("x", 16<<10),
			"huge":    strings.Repeat("x", 64<<10),
			"soon":    keyward.TimeOf(time.Now().Add(time.Hour)).String(),
		}}
	})
}
