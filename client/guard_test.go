package client_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyward"
	"keyward/client"
	"keyward/keywardtest"
)

// site is an API behind a guard, and the Keyward that the guard asks.
type site struct {
	*client.Client
	kw    *keywardtest.Server
	org   keyward.Organization
	asked *atomic.Int64 // how often Keyward was
}

func newSite(t *testing.T) *site {
	t.Helper()
	kw := keywardtest.New(t)
	s := &site{Client: open(t, kw.URL, kw.RootToken), kw: kw, asked: new(atomic.Int64)}
	s.org = organization(t, s.Client)
	s.HTTP = &http.Client{Transport: network(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/v1/verify") {
			s.asked.Add(1)
		}
		return http.DefaultTransport.RoundTrip(r)
	})}
	return s
}

func (s *site) key(t *testing.T, key client.NewKey) client.Issued {
	t.Helper()
	key.Name = "a key"
	return must(s.CreateKey(t.Context(), s.org.ID, key))(t)
}

// whose answers with the id of the key that a request passed with.
var whose = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	verdict, ok := client.VerdictOf(r.Context())
	fmt.Fprintf(w, "%t %s", ok, verdict.KeyID)
})

// get sends a request with headers, in pairs, through the guard.
func get(g *client.Guard, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = "203.0.113.9:4711"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	g.Protect(whose).ServeHTTP(w, r)
	return w
}

// status is that of a request with a key.
func status(g *client.Guard, key keyward.Secret, path string) int {
	return get(g, path, "Authorization", "Bearer "+key.Reveal()).Code
}

// reading takes permission to read documents, where ?region says, at the ?cost.
func reading(r *http.Request) client.Question {
	q := client.Question{Environment: keyward.Live, Permissions: []string{"docs.read"}}
	if region := r.URL.Query().Get("region"); region != "" {
		q.Scope = map[string]string{"region": region}
	}
	if r.URL.Query().Has("twice") {
		cost := int64(2)
		q.Cost = &cost
	}
	return q
}

func TestAGuardLetsPassWhatTheKeyMay(t *testing.T) {
	s := newSite(t)
	guard := &client.Guard{Client: s.Client, Question: reading}
	all := []keyward.Grant{{Permissions: []string{"docs.read"}}}
	good := s.key(t, client.NewKey{ACL: all})
	bearer := func(secret keyward.Secret) []string { return []string{"Authorization", "Bearer " + secret.Reveal()} }
	revoked := s.key(t, client.NewKey{ACL: all})
	must(s.RevokeKey(t.Context(), s.org.ID, revoked.Key.ID, "leaked"))(t)
	european := s.key(t, client.NewKey{ACL: []keyward.Grant{{Scope: keyward.Scope{"region": {"eu"}}, Permissions: []string{"docs.read"}}}})
	here := s.key(t, client.NewKey{ACL: all, AllowedIPs: []string{"203.0.113.0/24"}})
	there := s.key(t, client.NewKey{ACL: all, AllowedIPs: []string{"198.51.100.0/24"}})
	for name, test := range map[string]struct {
		path   string
		header []string
		want   int
	}{
		"a good key":                          {"/", bearer(good.Secret), 200},
		"a good key in X-API-Key":             {"/", []string{"X-API-Key", good.Secret.Reveal()}, 200},
		"the scheme in lower case":            {"/", []string{"Authorization", "bearer " + good.Secret.Reveal()}, 200},
		"a key from where it may be used":     {"/", bearer(here.Secret), 200},
		"a key in its region":                 {"/?region=eu", bearer(european.Secret), 200},
		"no key":                              {"/", nil, 401},
		"an empty key":                        {"/", []string{"X-API-Key", ""}, 401},
		"an unknown key":                      {"/", bearer(keyward.NewSecret("kw", keyward.Live)), 401},
		"a revoked key":                       {"/", bearer(revoked.Secret), 401},
		"a key for tests":                     {"/", bearer(s.key(t, client.NewKey{ACL: all, Environment: keyward.Test}).Secret), 401},
		"two keys":                            {"/", append(bearer(good.Secret), "X-API-Key", good.Secret.Reveal()), 401},
		"a key twice":                         {"/", append(bearer(good.Secret), bearer(good.Secret)...), 401},
		"another scheme":                      {"/", []string{"Authorization", "Basic " + good.Secret.Reveal()}, 401},
		"a key with a space":                  {"/", []string{"X-API-Key", good.Secret.Reveal() + " x"}, 401},
		"a key beyond ASCII":                  {"/", []string{"X-API-Key", "schlüssel"}, 401},
		"a key of nine KiB":                   {"/", []string{"X-API-Key", strings.Repeat("x", 9<<10)}, 401},
		"a key without the permission":        {"/", bearer(s.key(t, client.NewKey{}).Secret), 403},
		"a key in another region":             {"/?region=us", bearer(european.Secret), 403},
		"a key from elsewhere":                {"/", bearer(there.Secret), 403},
		"a forwarded address from a stranger": {"/", append(bearer(there.Secret), "X-Forwarded-For", "198.51.100.7"), 403},
	} {
		t.Run(name, func(t *testing.T) {
			got := get(guard, test.path, test.header...)
			if got.Code != test.want {
				t.Fatalf("the answer is %d %s, want %d", got.Code, got.Body, test.want)
			}
			if test.want != 200 {
				wantProblem(t, got)
			} else if body := got.Body.String(); !strings.HasPrefix(body, "true key_") {
				t.Errorf("the handler saw %q, want a verdict", body)
			}
		})
	}
}

// wantProblem holds a refusal against what all have in common.
func wantProblem(t *testing.T, got *httptest.ResponseRecorder) {
	t.Helper()
	var problem struct {
		Status              int
		Title, Detail, Code string
	}
	if err := json.Unmarshal(got.Body.Bytes(), &problem); err != nil || problem.Status != got.Code || problem.Detail == "" || problem.Code == "" {
		t.Errorf("the body is %s: %v", got.Body, err)
	}
	header := got.Header()
	if header.Get("Content-Type") != "application/problem+json" || header.Get("Cache-Control") != "no-store" {
		t.Errorf("the headers are %v", header)
	}
	if (header.Get("WWW-Authenticate") != "") != (got.Code == 401) {
		t.Errorf("WWW-Authenticate is %q with %d", header.Get("WWW-Authenticate"), got.Code)
	}
}

func TestAGuardFindsTheClientBehindItsProxies(t *testing.T) {
	s := newSite(t)
	key := s.key(t, client.NewKey{AllowedIPs: []string{"198.51.100.7"}}).Secret.Reveal()
	guard := &client.Guard{Client: s.Client, TrustedProxies: []netip.Prefix{
		netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("10.0.0.0/8"),
	}}
	for forwarded, want := range map[string]int{
		"198.51.100.7":                    200,
		"198.51.100.7, 10.1.2.3":          200,
		"192.0.2.1, 198.51.100.7":         200,
		"198.51.100.7, 192.0.2.1":         403,
		"198.51.100.7, unknown":           403,
		"198.51.100.7:80":                 403,
		"":                                403,
		strings.Repeat("10.0.0.1, ", 200): 403,
	} {
		if got := get(guard, "/", "X-API-Key", key, "X-Forwarded-For", forwarded); got.Code != want {
			t.Errorf("behind %.40q: %d, want %d", forwarded, got.Code, want)
		}
	}
}

func TestAGuardSaysWhenToComeAgain(t *testing.T) {
	s := newSite(t)
	guard := &client.Guard{Client: s.Client, Question: reading}
	acl := []keyward.Grant{{Permissions: []string{"docs.read"}}}
	limited := s.key(t, client.NewKey{ACL: acl, RateLimits: []keyward.RateLimit{
		{Name: "requests", Limit: 1, Window: keyward.Duration(time.Hour)},
	}})
	spent := s.key(t, client.NewKey{ACL: acl, Credits: &keyward.Credits{Remaining: 1}})
	for _, secret := range []keyward.Secret{limited.Secret, spent.Secret} {
		if got := status(guard, secret, "/"); got != 200 {
			t.Fatalf("the first use: %d", got)
		}
	}
	for name, test := range map[string]struct {
		secret keyward.Secret
		path   string
		waits  bool
	}{
		"a limit that is used up":       {limited.Secret, "/", true},
		"a cost that never fits":        {limited.Secret, "/?twice", false},
		"credits that do not come back": {spent.Secret, "/", false},
	} {
		got := get(guard, test.path, "X-API-Key", test.secret.Reveal())
		if got.Code != 429 || (got.Header().Get("Retry-After") != "") != test.waits {
			t.Errorf("%s: %d, Retry-After %q", name, got.Code, got.Header().Get("Retry-After"))
		}
		wantProblem(t, got)
	}
}

func TestAGuardIsShutUnlessItIsToBeOpen(t *testing.T) {
	s := newSite(t)
	key := s.key(t, client.NewKey{}).Secret
	s.Attempts = 1
	slow := open(t, s.kw.URL, s.kw.RootToken)
	slow.HTTP = &http.Client{Transport: network(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})}
	if err := s.kw.Stop(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		guard *client.Guard
		want  int
	}{
		"stopped":            {&client.Guard{Client: s.Client}, 503},
		"stopped, and open":  {&client.Guard{Client: s.Client, FailOpen: true}, 200},
		"too slow":           {&client.Guard{Client: slow, Timeout: time.Millisecond}, 503},
		"too slow, and open": {&client.Guard{Client: slow, Timeout: time.Millisecond, FailOpen: true}, 200},
	} {
		got := get(test.guard, "/", "X-API-Key", key.Reveal())
		if got.Code != test.want {
			t.Errorf("%s: %d %s, want %d", name, got.Code, got.Body, test.want)
		}
		if got.Code == 200 && got.Body.String() != "false " {
			t.Errorf("%s: the handler saw %q, want no verdict", name, got.Body)
		}
		if got.Code == 503 {
			wantProblem(t, got)
		}
		if got := get(test.guard, "/"); got.Code != 401 {
			t.Errorf("%s, without a key: %d, want 401", name, got.Code)
		}
	}
}

func TestARefusalOfTheGuardItselfOpensNothing(t *testing.T) {
	s := newSite(t)
	key := s.key(t, client.NewKey{}).Secret
	wrong := open(t, s.kw.URL, "kwop_that_nobody_has")
	odd := func(*http.Request) client.Question { return client.Question{Permissions: []string{"docs.*"}} }
	for name, guard := range map[string]*client.Guard{
		"a credential that is not accepted": {Client: wrong, FailOpen: true},
		"a question that is none":           {Client: s.Client, FailOpen: true, Question: odd},
	} {
		if got := status(guard, key, "/"); got != 503 {
			t.Errorf("%s: %d, want 503", name, got)
		}
	}
}

func TestAGuardAsksEachTimeUnlessItIsToKeepVerdicts(t *testing.T) {
	s := newSite(t)
	acl := []keyward.Grant{{Permissions: []string{"docs.read"}}}
	plain := s.key(t, client.NewKey{ACL: acl})
	limited := s.key(t, client.NewKey{ACL: acl, RateLimits: []keyward.RateLimit{
		{Name: "requests", Limit: 100, Window: keyward.Duration(time.Hour)},
	}})
	paying := s.key(t, client.NewKey{ACL: acl, Credits: &keyward.Credits{Remaining: 100}})
	for name, test := range map[string]struct {
		cacheFor time.Duration
		secret   keyward.Secret
		paths    []string
		want     int64
	}{
		"without a cache":         {0, plain.Secret, []string{"/", "/", "/"}, 3},
		"with one":                {time.Hour, plain.Secret, []string{"/", "/", "/"}, 1},
		"another question":        {time.Hour, plain.Secret, []string{"/", "/?region=eu", "/?twice", "/"}, 3},
		"a key with rate limits":  {time.Hour, limited.Secret, []string{"/", "/"}, 2},
		"a key with credits":      {time.Hour, paying.Secret, []string{"/", "/"}, 2},
		"a key that is not valid": {time.Hour, keyward.NewSecret("kw", keyward.Live), []string{"/", "/"}, 2},
		"a time that is over":     {time.Nanosecond, plain.Secret, []string{"/", "/"}, 2},
	} {
		guard := &client.Guard{Client: s.Client, Question: reading, CacheFor: test.cacheFor}
		before := s.asked.Load()
		for _, path := range test.paths {
			status(guard, test.secret, path)
		}
		if got := s.asked.Load() - before; got != test.want {
			t.Errorf("%s: Keyward was asked %d times, want %d", name, got, test.want)
		}
	}
}

// What a cache costs is in its documentation: this is it, and no more.
func TestARevokedKeyPassesAGuardThatKeepsVerdictsOnly(t *testing.T) {
	s := newSite(t)
	key := s.key(t, client.NewKey{})
	keeping := &client.Guard{Client: s.Client, CacheFor: time.Minute}
	asking := &client.Guard{Client: s.Client}
	if a, b := status(keeping, key.Secret, "/"), status(asking, key.Secret, "/"); a != 200 || b != 200 {
		t.Fatalf("before: %d and %d", a, b)
	}
	must(s.RevokeKey(t.Context(), s.org.ID, key.Key.ID, ""))(t)
	if a, b := status(keeping, key.Secret, "/"), status(asking, key.Secret, "/"); a != 200 || b != 401 {
		t.Errorf("after: %d with a cache, %d without", a, b)
	}
}

func TestAFullCacheMakesRoom(t *testing.T) {
	s := newSite(t)
	guard := &client.Guard{Client: s.Client, CacheFor: time.Minute, CacheSize: 2}
	var keys []keyward.Secret
	for range 5 {
		keys = append(keys, s.key(t, client.NewKey{}).Secret)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, key := range keys {
				if got := status(guard, key, "/"); got != 200 {
					t.Errorf("the status is %d", got)
				}
			}
		})
	}
	group.Wait()
	before := s.asked.Load()
	for _, key := range keys {
		status(guard, key, "/")
	}
	if again := s.asked.Load() - before; again < 3 {
		t.Errorf("%d of 5 were asked again, so more than 2 were kept", again)
	}
}
