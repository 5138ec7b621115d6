package proxytest_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// identity are the headers that say whose a request is.
func identity() []string {
	return []string{
		"X-Keyward-Key-Id", "X-Keyward-Organization-Id", "X-Keyward-Project-Ids", "X-Keyward-Owner-Id", "X-Keyward-Environment",
	}
}

// spoofed are the headers with which a client says so itself.
func spoofed() []string {
	var header []string
	for _, name := range append(identity(), "X_Keyward_Key_Id", "x_keyward_owner_id", "X-Keyward_Key-Id", "X_KEYWARD-OWNER-ID") {
		header = append(header, name, "spoofed")
	}
	return header
}

func TestProxiesProtectAnAPI(t *testing.T) {
	for _, p := range proxies() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "")
			p.start(t, w, nil)
			for _, c := range cases(t, w) {
				w.try(t, c)
			}
			w.tryLongest(t)
			if err := w.Stop(); err != nil {
				t.Fatal(err)
			}
			w.try(t, request{name: "while the server is away", header: []string{"X-Api-Key", w.verifier}, want: p.down})
		})
	}
}

// request is one line of the table that all proxies share.
type request struct {
	name   string
	method string // GET if empty
	path   string // / if empty
	header []string
	want   int
	retry  bool   // whether the client is told when to come again
	owner  string // what the API reads of the owner, if it is asked
	key    string // the id of the key, likewise; "" if none was needed
}

func cases(t *testing.T, w *world) []request {
	good, bare, weak := w.key(t, reads+`,"ownerId":"user 42"`), w.key(t, reads), w.key(t, "")
	testing, revoked := w.key(t, reads+`,"environment":"test"`), w.key(t, reads)
	here, elsewhere := w.key(t, reads+`,"allowedIps":["127.0.0.2"]`), w.key(t, reads+`,"allowedIps":["198.51.100.7"]`)
	limited, spent := w.key(t, reads+`,"rateLimits":[{"name":"requests","limit":1,"window":"1h"}]`), w.key(t, reads+`,"credits":{"remaining":1}`)
	var gone struct{}
	w.make(t, "/v1/organizations/"+w.org+"/api-keys/"+revoked.Key.ID+"/revoke", "", &gone)
	with := func(k key, header ...string) []string { return append(header, "X-Api-Key", k.Secret) }
	return []request{
		{name: "a key in Bearer", header: []string{"Authorization", "Bearer " + good.Secret}, want: 200, key: good.Key.ID, owner: "user%2042"},
		{name: "a key in X-API-Key", header: with(good), want: 200, key: good.Key.ID, owner: "user%2042"},
		{name: "a key of nobody", header: with(bare), want: 200, key: bare.Key.ID},
		{name: "another method and a body", method: "POST", path: "/a/b?c=d&c=e", header: with(bare), want: 200, key: bare.Key.ID},
		{name: "no key", want: 401},
		{name: "a wrong key", header: []string{"X-Api-Key", good.Secret[:len(good.Secret)-1] + "!"}, want: 401},
		{name: "a revoked key", header: with(revoked), want: 401},
		{name: "a key of another environment", header: with(testing), want: 401},
		{name: "two keys", header: with(good, "Authorization", "Bearer "+good.Secret), want: 401},
		{name: "a key in the query", path: "/?api_key=" + good.Secret, want: 401},
		{name: "the proxy's credential", header: []string{"X-Api-Key", w.verifier}, want: 401},
		{name: "a key without the permission", header: with(weak), want: 403},
		{name: "a use within the limit", header: with(limited), want: 200, key: limited.Key.ID},
		{name: "a use beyond the limit", header: with(limited), want: 429, retry: true},
		{name: "a use of the last credit", header: with(spent), want: 200, key: spent.Key.ID},
		{name: "a use without a credit", header: with(spent), want: 429},
		{name: "a refusal after 429", header: with(weak), want: 403},
		{name: "a client at its address", header: with(here), want: 200, key: here.Key.ID},
		{name: "a client at another address", header: with(elsewhere), want: 403},
		{
			name:   "a client that claims another address",
			header: with(elsewhere, "X-Forwarded-For", "198.51.100.7", "X-Real-Ip", "198.51.100.7", "Forwarded", "for=198.51.100.7"), want: 403,
		},
		{name: "spoofed identity", header: with(bare, spoofed()...), want: 200, key: bare.Key.ID},
		{name: "spoofed identity without a key", header: spoofed(), want: 401},
		{name: "its own permission", header: with(weak, "Keyward-Permission", "free"), want: 403},
		{name: "its own permission, with an underscore", header: with(bare, "Keyward_Permission", "free"), want: 200, key: bare.Key.ID},
		{name: "its own environment", header: with(testing, "Keyward-Environment", "test"), want: 401},
		{name: "its own credential", header: with(weak, "Keyward-Authorization", "Bearer "+w.RootToken), want: 403},
		{name: "its own status", header: with(weak, "Keyward-Deny-Status", "200", "X-Keyward-Status", "200"), want: 403},
		{name: "nonsense of its own", header: with(bare, "Keyward-Cost", "-1", "Keyward-Nonsense", "x"), want: 200, key: bare.Key.ID},
		{name: "a connection header", header: with(weak, "Connection", "close, Keyward-Authorization, Keyward-Permission, Keyward-Environment"), want: 403},
	}
}

// try asks, and looks at the answer and at what the API has seen.
func (w *world) try(t *testing.T, c request) {
	t.Helper()
	method, path, body := "GET", "/", ""
	if c.method != "" {
		method, body = c.method, "the body"
	}
	if c.path != "" {
		path = c.path
	}
	got := w.ask(t, method, path, body, c.header...)
	if got.status != c.want {
		t.Errorf("%s: %d %s, want %d", c.name, got.status, got.body, c.want)
		return
	}
	if c.want == http.StatusUnauthorized && !strings.HasPrefix(got.header.Get("Www-Authenticate"), `Bearer realm="api"`) {
		t.Errorf("%s: WWW-Authenticate is %q", c.name, got.header.Get("Www-Authenticate"))
	}
	if retry := got.header["Retry-After"]; (len(retry) == 1 && regexp.MustCompile(`^[1-9]\d*$`).MatchString(retry[0])) != c.retry || len(retry) > 0 && !c.retry {
		t.Errorf("%s: Retry-After is %q", c.name, retry)
	}
	if got.seen == nil {
		return
	}
	if got.seen.Method != method || got.seen.URI != path || got.seen.Body != body {
		t.Errorf("%s: the API was asked %s %s %q, want %s %s %q", c.name, got.seen.Method, got.seen.URI, got.seen.Body, method, path, body)
	}
	want := map[string]string{"X-Keyward-Key-Id": c.key, "X-Keyward-Owner-Id": c.owner}
	if c.key != "" {
		want["X-Keyward-Organization-Id"], want["X-Keyward-Environment"] = w.org, "live"
	}
	for _, name := range identity() {
		if values := got.seen.Header[name]; strings.Join(values, ",") != want[name] || len(values) > 1 {
			t.Errorf("%s: the API reads %q in %s, want %q", c.name, values, name, want[name])
		}
	}
	for name, values := range got.seen.Header {
		secret := strings.Contains(strings.Join(values, ","), w.verifier) || name == "Authorization" || name == "X-Api-Key"
		twin := strings.HasPrefix(strings.ReplaceAll(strings.ToLower(name), "_", "-"), "x-keyward") && !slices.Contains(identity(), name)
		if secret || twin || slices.Contains(values, "spoofed") {
			t.Errorf("%s: the API reads %q in %s", c.name, values, name)
		}
	}
}

// tryLongest asks with a key of which there is as much to say as there can be.
func (w *world) tryLongest(t *testing.T) {
	t.Helper()
	projects := make([]string, 100)
	for i := range projects {
		var made struct{ ID string }
		w.make(t, "/v1/organizations/"+w.org+"/projects", `{"name":"p"}`, &made)
		projects[i] = made.ID
	}
	limits := make([]string, 16)
	for i := range limits {
		limits[i] = fmt.Sprintf(`{"name":"%064d","limit":1000000000,"window":"1h"}`, i)
	}
	long := w.key(t, fmt.Sprintf(`%s,"ownerId":%q,"projectIds":["%s"],"rateLimits":[%s]`,
		reads, strings.Repeat("𝄞", 255), strings.Join(projects, `","`), strings.Join(limits, ",")))
	got := w.ask(t, "GET", "/", "", "X-Api-Key", long.Secret)
	if got.status != 200 {
		t.Fatalf("a key with a long owner, many projects and limits: %d %s, want 200", got.status, got.body)
	}
	for name, want := range map[string]string{
		"X-Keyward-Owner-Id": strings.Repeat("%F0%9D%84%9E", 255), "X-Keyward-Project-Ids": strings.Join(projects, ","),
	} {
		if value := got.seen.Header.Get(name); value != want {
			t.Errorf("the API reads %q in %s, want %q", value, name, want)
		}
	}
}

func TestProxiesThatMayLetRequestsThroughWhileTheServerIsAway(t *testing.T) {
	for _, p := range proxies() {
		if p.open == nil {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "")
			p.start(t, w, p.open)
			good := w.key(t, reads)
			w.try(t, request{name: "while it is there", header: []string{"X-Api-Key", good.Secret}, want: 200, key: good.Key.ID})
			w.try(t, request{name: "no key while it is there", want: 401})
			if err := w.Stop(); err != nil {
				t.Fatal(err)
			}
			w.try(t, request{name: "while it is away", header: append(spoofed(), "X-Api-Key", good.Secret), want: 200})
		})
	}
}

const rules = `
rules:
  - match: GET /open
    open: true
  - match: GET /docs/{id}
    permissions: [docs.read]
  - match: POST /docs/
    permissions: [docs.write]
`

func TestProxiesSayWhichRouteIsAskedFor(t *testing.T) {
	for _, p := range proxies() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, rules)
			p.start(t, w, p.withRules)
			good := w.key(t, reads)
			k := []string{"X-Api-Key", good.Secret}
			lies := []string{"X-Forwarded-Uri", "/open", "X-Original-Uri", "/open", "X-Forwarded-Method", "GET", "X-Original-Method", "GET"}
			for _, c := range []request{
				{name: "an open route", path: "/open?a=b", want: 200},
				{name: "an open route with spoofed identity", path: "/open", header: spoofed(), want: 200},
				{name: "an open route by another method", method: "POST", path: "/open", header: k, want: 403},
				{name: "a route", path: "/docs/1?a=b", header: k, want: 200, key: good.Key.ID},
				{name: "a route without a key", path: "/docs/1", want: 401},
				{name: "a route that takes more", method: "POST", path: "/docs/1", header: k, want: 403},
				{name: "no route", path: "/nowhere", header: k, want: 403},
				{name: "no route without a key", path: "/nowhere", want: 403},
				{name: "two slashes", path: "//open", want: 403},
				{name: "dots", path: "/docs/../open", want: 403},
				{name: "dots in escapes", path: "/docs/%2e%2e/open", want: 403},
				{name: "a slash in escapes", path: "/docs%2f1", header: k, want: 403},
				{name: "a semicolon", path: "/open;a=b", want: 403},
			} {
				w.try(t, c)
			}
			if got := w.ask(t, "POST", "/docs/1", "", append(lies, k...)...); got.status != 403 {
				t.Errorf("lies about the route: %d %s, want 403", got.status, got.body)
			}
		})
	}
}
