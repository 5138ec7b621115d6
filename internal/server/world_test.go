package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/keywardtest"
)

// patience is how long any answer may take.
const patience = 5 * time.Second

// world is a running server and a client of it.
type world struct {
	*keywardtest.Server
	options keywardtest.Options
	client  *http.Client
}

func newWorld(t testing.TB, options keywardtest.Options) *world {
	t.Helper()
	client := &http.Client{
		Timeout:       2 * patience,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 4},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if options.Data == "" {
		options.Data = t.TempDir()
	}
	t.Cleanup(client.CloseIdleConnections)
	return &world{keywardtest.Start(t, options), options, client}
}

// restart stops the server, which writes what was still in memory, and starts it
// again.
func (w *world) restart(t testing.TB) {
	t.Helper()
	w.client.CloseIdleConnections()
	if err := w.Stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
	w.Server = keywardtest.Start(t, w.options)
}

// answer is a response, read whole.
type answer struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

// ask sends a request: a method, a target, a body, which is JSON unless headers say
// otherwise, and headers as pairs. An empty value takes a header out. Whatever is asked,
// an error that is not in the words of its surface fails the test.
func (w *world) ask(t testing.TB, method, target, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	path, query, _ := strings.Cut(target, "?")
	r.URL.Opaque, r.URL.RawQuery = "//"+r.URL.Host+path, query // as it is, not cleaned
	if body == "" {
		r.Body, r.ContentLength = nil, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
		if strings.EqualFold(header[i], "Content-Type") {
			r.Header.Set(header[i], header[i+1])
		}
		if header[i] == "Host" {
			r.Host = header[i+1]
			r.URL.Opaque = "//" + r.Host + path // whose host counts (RFC 9112, 3.2.2)
		}
	}
	start := time.Now()
	response, err := w.client.Do(r)
	if err != nil {
		t.Fatalf("%s %.200s: %v", method, target, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %.200s: read the answer: %v", method, target, err)
	}
	got := answer{response.StatusCode, response.Header, string(text), time.Since(start)}
	if got.status >= 400 && method != http.MethodHead { // which has no body
		if err := shaped(r.Host, path, got); err != nil {
			t.Errorf("%s %.200s at %q: %v: %d %q", method, target, r.Host, err, got.status, got.body)
		}
	}
	return got
}

// as sends a request with a bearer token; "" is none.
func (w *world) as(t testing.TB, token, method, target, body string, header ...string) answer {
	t.Helper()
	return w.ask(t, method, target, body, append(bearer(token), header...)...)
}

// made is what the answers to creations have in common.
type made struct {
	ID       string `json:"id"`
	PublicID string `json:"publicId"`
	Number   int    `json:"number"` // of a role
	Key      struct {
		ID       string `json:"id"`
		ClientID string `json:"clientId"`
		Number   int    `json:"number"`
	} `json:"key"`
	Operator struct {
		ID string `json:"id"`
	} `json:"operator"`
	Secret      string `json:"secret"`
	AccessToken string `json:"access_token"`

	seq string // of the change
}

// must sends a request as the root operator that must be answered with a 2xx.
func (w *world) must(t testing.TB, method, target, body string, header ...string) made {
	t.Helper()
	return w.succeed(t, w.as(t, w.RootToken, method, target, body, header...), method+" "+target)
}

func (w *world) succeed(t testing.TB, a answer, what string) made {
	t.Helper()
	if a.status < 200 || a.status > 299 {
		t.Fatalf("%s: %d %s", what, a.status, a.body)
	}
	var m made
	if a.body != "" && strings.HasPrefix(a.body, "{") {
		if err := json.Unmarshal([]byte(a.body), &m); err != nil {
			t.Fatalf("%s: %v in %s", what, err, a.body)
		}
	}
	seq, _, _ := strings.Cut(a.header.Get("Keyward-Propagation"), ",")
	m.seq = strings.TrimPrefix(seq, "seq=")
	return m
}

// token exchanges a key's client id and secret for an access token at a token
// endpoint.
func (w *world) token(t testing.TB, path string, key made) string {
	t.Helper()
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {key.Key.ClientID}, "client_secret": {key.Secret},
	}
	a := w.ask(t, "POST", path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	return w.succeed(t, a, "POST "+path).AccessToken
}

// position is where the change log ends.
type position struct {
	seq int64
	mac string
}

// head returns the number of the newest change and the end of the audit chain, which
// nothing leaves as it was.
func (w *world) head(t testing.TB) position {
	t.Helper()
	a := w.as(t, w.RootToken, "GET", "/v1/audit-events?limit=1&sort=-seq", "")
	w.succeed(t, a, "the newest audit event")
	var page struct{ Items []keyward.Change }
	if err := json.Unmarshal([]byte(a.body), &page); err != nil || len(page.Items) != 1 {
		t.Fatalf("the newest audit event: %v in %s", err, a.body)
	}
	return position{page.Items[0].Seq, page.Items[0].MAC}
}

// tenant is an organization with one of everything.
type tenant struct {
	word     string // in the name of everything that is its own
	org      made
	project  made
	role     made
	key      made // an ordinary key
	operator made // one whom nobody is
	seq      string
}

func (w *world) tenant(t testing.TB, word string) *tenant {
	t.Helper()
	o := &tenant{word: word}
	o.org = w.must(t, "POST", "/v1/organizations", fmt.Sprintf(`{"name":"%s org","recoverable":true}`, word))
	o.project = w.must(t, "POST", o.path()+"/projects", fmt.Sprintf(`{"name":"%s project"}`, word))
	o.role = w.must(t, "POST", o.path()+"/roles", fmt.Sprintf(`{"name":"%s role"}`, word))
	o.operator = w.operator(t, o, keyward.Viewer)
	o.key = w.key(t, o, fmt.Sprintf(`"projectIds":[%q],"ownerId":"%s owner"`, o.project.ID, word))
	o.seq = o.key.seq
	return o
}

func (o *tenant) path() string { return "/v1/organizations/" + o.org.ID }

// operator makes an operator of the tenant, or of the whole deployment if there is
// none.
func (w *world) operator(t testing.TB, o *tenant, role keyward.Role) made {
	t.Helper()
	body := fmt.Sprintf(`{"name":"deployment %s","role":%q}`, role, role)
	if o != nil {
		body = fmt.Sprintf(`{"name":"%s %s","role":%q,"organizationId":%q}`, o.word, role, role, o.org.ID)
	}
	return w.must(t, "POST", "/v1/operators", body)
}

// key makes a key of the tenant, with more members if they are given.
func (w *world) key(t testing.TB, o *tenant, members string) made {
	t.Helper()
	body := fmt.Sprintf(`{"name":"%s key"`, o.word)
	if members != "" {
		body += "," + members
	}
	return w.must(t, "POST", o.path()+"/api-keys", body+"}")
}

// manager makes a key with these management permissions.
func (w *world) manager(t testing.TB, o *tenant, permissions ...keyward.Permission) made {
	t.Helper()
	list, err := json.Marshal(append([]keyward.Permission{}, permissions...))
	if err != nil {
		t.Fatal(err)
	}
	return w.key(t, o, fmt.Sprintf(`"management":[{"scope":{},"permissions":%s}]`, list))
}

// keyPermissions are the permissions that keys can hold.
func keyPermissions() []keyward.Permission {
	var held []keyward.Permission
	for _, p := range keyward.Permissions() {
		if p != keyward.OrganizationsWrite && p != keyward.SystemRead && !strings.HasPrefix(string(p), "operators.") {
			held = append(held, p)
		}
	}
	return held
}

func roles() []keyward.Role {
	return []keyward.Role{keyward.Owner, keyward.Admin, keyward.Editor, keyward.Viewer, keyward.Verifier}
}

// snapshot returns everything that the root operator can see of the tenant.
func (w *world) snapshot(t testing.TB, o *tenant) string {
	t.Helper()
	var all strings.Builder
	for _, target := range []string{
		o.path(), o.path() + "/projects?limit=1000", o.path() + "/api-keys?limit=1000", o.path() + "/roles?limit=1000",
		o.path() + "/audit-events?limit=1000", "/v1/operators?limit=1000&filter=organizationId:" + o.org.ID,
	} {
		a := w.as(t, w.RootToken, "GET", target, "")
		w.succeed(t, a, target)
		all.WriteString(a.body + "\n")
	}
	all.WriteString(w.as(t, w.RootToken, "POST", "/v1/verify", fmt.Sprintf(`{"key":%q,"dryRun":true}`, o.key.Secret)).body)
	return all.String()
}
