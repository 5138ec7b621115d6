package server_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
	"keyward/keywardtest"
)

// trial is a server that hostile requests are tried on, and what must stay so.
type trial struct {
	*world
	t      *testing.T
	o      *tenant
	values values
	who    credential // may everything: nothing is refused for want of rights
	head   position
	state  string
	tried  int
}

// newTrial starts a server with an ordinary organization. The test runs beside others.
func newTrial(t *testing.T) *trial {
	t.Helper()
	t.Parallel()
	w := newWorld(t, keywardtest.Options{})
	h := &trial{world: w, t: t, o: &tenant{word: "alpha"}}
	h.o.org = w.must(t, "POST", "/v1/organizations", `{"name":"alpha"}`)
	h.o.project = w.must(t, "POST", h.o.path()+"/projects", `{"name":"alpha"}`)
	h.o.role = w.must(t, "POST", h.o.path()+"/roles", `{"name":"alpha"}`)
	h.o.operator = w.operator(t, h.o, keyward.Viewer)
	h.o.key = w.key(t, h.o, "")
	h.o.seq = h.o.key.seq
	h.who = w.holding(t, "who may everything", w.manager(t, h.o, keyPermissions()...))
	h.who.operator = w.operator(t, nil, keyward.Owner).Secret
	h.values = w.values(t, h.o)
	w.restart(t)
	h.head, h.state = w.head(t), w.snapshot(t, h.o)
	return h
}

// end fails if anything was written, or the server is not well.
func (h *trial) end(atLeast int) {
	h.t.Helper()
	if got := h.as(h.t, "", "GET", "/readyz", ""); got.status != 200 || got.body != `{"status":"ok","database":"ok"}` {
		h.t.Errorf("the server is not well: %d %s", got.status, got.body)
	}
	h.restart(h.t)
	if got := lastUsed.ReplaceAllString(h.snapshot(h.t, h.o), ""); got != lastUsed.ReplaceAllString(h.state, "") {
		h.t.Errorf("the organization has changed.\nbefore: %s\nafter:  %s", h.state, got)
	}
	if h.tried < atLeast {
		h.t.Errorf("only %d hostile requests were sent", h.tried)
	}
	h.t.Logf("%d hostile requests", h.tried)
}

// lastUsed is of the credential that the requests were sent with.
var lastUsed = regexp.MustCompile(`"lastUsed(Time|Ip)":[^,}]*`)

// credential is what gets through to a surface.
func (h *trial) credential(s surface) []string {
	if s.name == "native" {
		return bearer(h.who.operator)
	}
	return s.present(h.who)
}

// inner is what no answer may show: how the server is made, and what it knows.
var inner = regexp.MustCompile(`(?i)goroutine|runtime error|\.go:\d|panic|sqlite|sqlstate|pgx|syntax error at|\bselect \S+ from\b|insert into|no such (table|column)|` +
	`/tmp/|/home/|keyward\.db|internal/|go1\.\d|nil pointer|json: cannot|json: unknown|strconv|invalid character|unexpected EOF|kw_live_[0-9A-Za-z]{50}|kwop_live_[0-9A-Za-z]{50}`)

// judge holds an answer against what all must be; want 0 is anything but a server
// error.
func (h *trial) judge(at string, s surface, got answer, want int, names string) {
	h.t.Helper()
	h.tried++
	at = fmt.Sprintf("%.300s", at)
	switch {
	case got.took > patience:
		h.t.Errorf("%s: took %s", at, got.took)
	case got.status >= 500 && got.status != 501:
		h.t.Errorf("%s: %d %s", at, got.status, got.body)
	case (s.name == "native" || want > 412) && want != 0 && got.status != want: // 413, 414 and 415 are so everywhere
		h.t.Errorf("%s: %d %.500s, want %d", at, got.status, got.body, want)
	case got.status >= 300 && got.status < 400 || got.header.Get("Location") != "" || got.header.Get("Set-Cookie") != "":
		h.t.Errorf("%s: leads elsewhere: %d %v", at, got.status, got.header)
	case s.name == "native" && !strings.Contains(got.body, names):
		h.t.Errorf("%s: does not name %q: %d %s", at, names, got.status, got.body)
	case got.status >= 400 && inner.MatchString(got.body):
		h.t.Errorf("%s: shows %q: %s", at, inner.FindString(got.body), got.body)
	case got.header.Get("X-Request-Id") == "" || got.header.Get("Cache-Control") == "":
		h.t.Errorf("%s: headers = %v", at, got.header)
	}
}

// unwritten fails if something was written since the trial began.
func (h *trial) unwritten(at string) {
	h.t.Helper()
	if head := h.head; h.world.head(h.t) != head {
		h.head = h.world.head(h.t)
		h.t.Errorf("%.300s: something was written", at)
	}
}

func TestHostileQueriesAreRefused(t *testing.T) {
	h := newTrial(t)
	for _, s := range surfaces() {
		for _, route := range s.kinds() {
			if !strings.HasPrefix(route.Pattern, "GET ") {
				continue
			}
			h.tryQueries(s, route)
		}
	}
	h.end(2000)
}

func (h *trial) tryQueries(s surface, route api.Route) {
	h.t.Helper()
	for _, q := range queries {
		name, _, _ := strings.Cut(q.text, "=")
		want, names := q.want, q.names
		switch {
		case want == 414:
		case !slices.Contains(route.Query, name) && want != 0:
			want, names = 400, "" // any parameter that the route does not know
		case unsortable(route, name):
			want, names = 0, ""
		}
		a := askings(route)[0]
		a.query = q.text
		at := q.abuse + " " + route.Pattern + "?" + q.text
		h.judge(at, s, h.send(h.t, rawQuery(a), h.values, h.credential(s)), want, names)
	}
	h.unwritten(route.Pattern)
}

// unsortable reports whether a list has other fields than those that the corpus is
// written for: it names those of keys.
func unsortable(route api.Route, name string) bool {
	return (name == "sort" || name == "filter") && !strings.HasSuffix(route.Pattern, "/api-keys")
}

// rawQuery keeps what looks like a placeholder in the query.
func rawQuery(a asking) asking {
	a.query = strings.NewReplacer("{", "%7B", "}", "%7D").Replace(a.query)
	return a
}

func TestHostilePathsAreNotFound(t *testing.T) {
	h := newTrial(t)
	for _, s := range surfaces() {
		for _, route := range s.kinds() {
			a := askings(route)[0]
			for _, position := range placeholder.FindAllStringSubmatch(a.path, -1) {
				for _, p := range pathIDs {
					if takesID(route) && keyward.ValidKeyID(p.text) {
						continue // odd, but a client may choose it
					}
					v := values{}
					for name, value := range h.values {
						v[name] = value
					}
					v[position[1]] = p.text
					got := h.ask(h.t, a.method, v.fill(a.path), h.values.fill(a.body), h.credential(s)...)
					h.judge(p.abuse+" "+route.Pattern+" "+p.text, s, got, p.want, p.names)
				}
			}
			h.unwritten(route.Pattern)
		}
	}
	h.end(500)
}

// takesID reports whether a route makes a key with the id in its path.
func takesID(route api.Route) bool {
	return strings.HasPrefix(route.Pattern, "PUT /rebilly/") && strings.Contains(route.Pattern, "/{keyId}")
}

func TestHostileBodiesAreRefused(t *testing.T) {
	h := newTrial(t)
	for _, s := range surfaces() {
		for _, route := range s.kinds() {
			if !writes(route) {
				continue
			}
			for _, b := range bodies {
				h.tryBody(s, route, b)
			}
			h.unwritten(route.Pattern)
		}
	}
	const create, update = "POST /v1/organizations/{organizationId}/api-keys", "PATCH /v1/organizations/{organizationId}/api-keys/{keyId}"
	for _, route := range []string{create, update} {
		for _, k := range hostileKeys {
			k.text = `{"name":"x",` + k.text + `}`
			h.tryNative(route, k)
		}
	}
	for _, route := range []string{
		create, update, "POST /v1/organizations", "PATCH /v1/organizations/{organizationId}",
		"POST /v1/organizations/{organizationId}/projects", "PATCH /v1/organizations/{organizationId}/projects/{projectId}",
		"POST /v1/organizations/{organizationId}/roles", "PATCH /v1/organizations/{organizationId}/roles/{number}",
	} {
		for _, n := range names {
			n.text = `{"name":"` + n.text + `"}`
			h.tryNative(route, n)
		}
	}
	for _, n := range names {
		n.text = `{"role":"viewer","name":"` + n.text + `"}`
		h.tryNative("POST /v1/operators", n)
	}
	for _, v := range verifications {
		h.tryNative("POST /v1/verify", v)
	}
	for _, b := range batches {
		h.tryNative("POST /v1/verify/batch", b)
	}
	h.unwritten("bodies")
	h.end(800)
}

// writes reports whether a route reads a body.
func writes(route api.Route) bool {
	method, _, _ := strings.Cut(route.Pattern, " ")
	return !route.Unread && slices.Contains([]string{"POST", "PATCH", "PUT"}, method)
}

// tryBody sends a body that no route takes. Which member is wrong depends on the
// route, but one is named.
func (h *trial) tryBody(s surface, route api.Route, b hostile) {
	h.t.Helper()
	if s.name == "gjirafa" && b.text == `{"NAME":"a"}` {
		return // which is no abuse there: that vendor's clients write members in any case
	}
	a := askings(route)[0]
	names := b.names
	if b.want == 400 {
		names = ""
	} else if route.MaxBody > 0 || b.want == 413 {
		names = "larger than"
	}
	got := h.ask(h.t, a.method, h.values.fill(a.path), b.text, h.credential(s)...)
	h.judge(b.abuse+" "+route.Pattern+" "+b.text, s, got, b.want, names)
}

func (h *trial) tryNative(pattern string, b hostile) {
	h.t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	got := h.ask(h.t, method, h.values.fill(path), b.text, bearer(h.who.operator)...)
	h.judge(b.abuse+" "+pattern+" "+b.text, surface{name: "native"}, got, b.want, b.names)
}

// Whatever is presented to be verified, it is found or it is not: never an error, and
// never an answer that tells the kinds of garbage apart.
func TestWhatIsNoKeyIsNotFound(t *testing.T) {
	h := newTrial(t)
	for _, text := range unknownKeys(h.o.key.Secret) {
		body, err := json.Marshal(map[string]any{"key": text, "explain": true})
		if err != nil {
			t.Fatal(err)
		}
		got := h.as(t, h.who.operator, "POST", "/v1/verify", string(body))
		h.judge("A32 "+text, surface{name: "native"}, got, 200, "")
		if got.body != `{"valid":false,"code":"not_found"}` {
			t.Errorf("%.80q: %s", text, got.body)
		}
	}
	h.unwritten("verify")
	h.end(30)
}
