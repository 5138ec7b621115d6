// Package proxytest_test runs real proxies, with the configurations that the guide prints,
// before an API, and a real server beside them: nginx, Caddy and HAProxy must protect the
// API alike. scripts/setup-test.sh installs them.
//
// The client speaks from 127.0.0.2, so that the proxies, which are trusted to say whom
// they speak for, have another address than it.
package proxytest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyward/keywardtest"
)

// world is a server, a tenant, and an API that is to be protected.
type world struct {
	*keywardtest.Server
	org      string // the id of the tenant
	verifier string // the credential of its proxies
	api      *httptest.Server
	client   *http.Client
	proxy    string // its URL
}

// newWorld returns one with route rules, if there are any.
func newWorld(t *testing.T, rules string) *world {
	t.Helper()
	options := keywardtest.Options{TrustedProxies: "127.0.0.1"}
	if rules != "" {
		options.AuthzRules = filepath.Join(t.TempDir(), "rules.yaml")
		if err := os.WriteFile(options.AuthzRules, []byte(rules), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	w := &world{
		Server: keywardtest.Start(t, options), api: httptest.NewServer(http.HandlerFunc(echo)),
		client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DialContext: dialer.DialContext}},
	}
	t.Cleanup(w.api.Close)
	t.Cleanup(w.client.CloseIdleConnections)
	var org struct{ ID string }
	w.make(t, "/v1/organizations", `{"name":"acme"}`, &org)
	w.org = org.ID
	var operator struct{ Secret string }
	w.make(t, "/v1/operators", fmt.Sprintf(`{"name":"proxy","role":"verifier","organizationId":%q}`, w.org), &operator)
	w.verifier = operator.Secret
	return w
}

// seen is what the API was asked.
type seen struct {
	Method, URI, Body string
	Header            http.Header
}

// echo is the API: it answers what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what was not sent is missing in the echo
	_ = json.NewEncoder(w).Encode(seen{r.Method, r.RequestURI, string(body), r.Header})
}

// make makes something as the root operator.
func (w *world) make(t *testing.T, path, body string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", w.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.RootToken)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		t.Fatalf("POST %s: %d %s %v", path, response.StatusCode, text, err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// key is a new key and its secret.
type key struct {
	Key    struct{ ID string }
	Secret string
}

// reads is the acl of a key that may what the configurations ask for.
const reads = `,"acl":[{"scope":{},"permissions":["docs.read"]}]`

// key makes one with further members, such as reads.
func (w *world) key(t *testing.T, members string) key {
	t.Helper()
	var made key
	w.make(t, "/v1/organizations/"+w.org+"/api-keys", `{"name":"k"`+members+`}`, &made)
	return made
}

// answer is what the client gets, and what the API was asked, if it was.
type answer struct {
	status int
	header http.Header
	body   string
	seen   *seen
}

// ask sends a request through the proxy, the path as it is, with headers as pairs.
func (w *world) ask(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.proxy, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL.RawPath, r.URL.RawQuery, _ = strings.Cut(path, "?")
	if r.URL.Path, err = url.PathUnescape(r.URL.RawPath); err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header[header[i]] = append(r.Header[header[i]], header[i+1])
	}
	response, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := answer{status: response.StatusCode, header: response.Header, body: string(text)}
	if response.StatusCode == http.StatusOK {
		got.seen = new(seen)
		if err := json.Unmarshal(text, got.seen); err != nil {
			t.Fatalf("%s %s: the API was not asked, but the answer is 200: %s", method, path, text)
		}
	}
	return got
}
