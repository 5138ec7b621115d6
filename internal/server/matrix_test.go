package server_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
	"keyward/keywardtest"
)

// values returns the ids of a tenant's things.
func (w *world) values(t testing.TB, o *tenant) values {
	return values{
		"organizationId": o.org.ID, "publicId": o.org.PublicID, "projectId": o.project.ID, "operatorId": o.operator.Operator.ID,
		"keyId": o.key.Key.ID, "keyNumber": fmt.Sprint(o.key.Key.Number), "clientId": o.key.Key.ClientID, "secret": o.key.Secret, "seq": o.seq,
		"number": fmt.Sprint(o.role.Number), "accessToken": w.token(t, "/oauth/token", o.key), "userId": o.operator.Operator.ID, "secretId": o.key.Key.ClientID,
	}
}

// missing returns well-formed ids of things that were never there.
func missing() values {
	var ids keyward.IDs
	return values{
		"organizationId": ids.New("org", 1_780_000_000_000), "projectId": ids.New("prj", 1_780_000_000_000),
		"operatorId": ids.New("opr", 1_780_000_000_000), "keyId": ids.New("key", 1_780_000_000_000),
		"publicId": keyward.NewPublicID(), "clientId": keyward.NewClientID(), "seq": "999999", "number": "999999", "keyNumber": "999999",
		"userId": ids.New("opr", 1_780_000_000_000), "secretId": "none",
		"secret": keyward.NewSecret("kw", keyward.Live).Reveal(), "accessToken": "e30.e30.e30",
	}
}

// changing are the parts of an answer that differ between two that are the same.
var changing = regexp.MustCompile(`"(requestId|nextCursor|lastUsedTime|lastUsedIp)":"[^"]*"`)

// repeated is where an answer repeats the id that it was asked for.
var repeated = regexp.MustCompile(`"context":\{"resource":"api-key","id":"[^"]*"\}`)

var nextCursor = regexp.MustCompile(`"nextCursor":"([^"]+)"`)

func same(a, b answer) bool {
	for _, differs := range []*regexp.Regexp{changing, repeated} {
		a.body, b.body = differs.ReplaceAllString(a.body, ""), differs.ReplaceAllString(b.body, "")
	}
	return a.status == b.status && a.body == b.body &&
		a.header.Get("Allow") == b.header.Get("Allow") && a.header.Get("Www-Authenticate") == b.header.Get("Www-Authenticate")
}

// somewhere calls try with every way to put foreign ids in some positions, at least
// one, and one's own in the others.
func somewhere(positions []string, own, foreign values, try func(which string, mixed values)) {
	for set := 1; set < 1<<len(positions); set++ {
		mixed, which := values{}, []string{}
		for i, name := range positions {
			mixed[name] = own[name]
			if set&(1<<i) != 0 {
				mixed[name] = foreign[name]
				which = append(which, name)
			}
		}
		try(strings.Join(which, ","), mixed)
	}
}

// No route, verb, id position or credential lets one organization see or touch the
// other: what is another's is answered as what is not there, to the byte.
func TestWhatIsAnothersIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, keywardtest.Options{})
	ours, theirs := w.tenant(t, "alpha"), w.tenant(t, "bravo")
	// So that not all numbers of one are numbers of the other.
	w.key(t, theirs, "")
	theirs.role = w.must(t, "POST", theirs.path()+"/roles", `{"name":"bravo role"}`)
	w.must(t, "POST", theirs.path()+"/api-keys/"+theirs.key.Key.ID+"/rotate", `{"overlap":"1h"}`, "Idempotency-Key", sharedOnce)
	people := w.credentials(t, ours)
	for last := w.key(t, ours, "").Key.Number; theirs.key.Key.Number <= last; {
		theirs.key = w.key(t, theirs, fmt.Sprintf(`"projectIds":[%q],"ownerId":"bravo owner"`, theirs.project.ID))
	}
	m := matrix{
		world: w, t: t, own: w.values(t, ours), foreign: w.values(t, theirs), missing: missing(),
		words: []string{
			"bravo", theirs.org.ID, theirs.org.PublicID, theirs.project.ID, theirs.key.Key.ID, theirs.key.Key.ClientID,
			theirs.operator.Operator.ID, theirs.key.Secret,
		},
	}
	w.restart(t) // so that even times of last use are as they are
	snapshot, head := w.snapshot(t, theirs), w.head(t)
	for _, s := range surfaces() {
		kinds := s.kinds()
		for _, route := range s.routes {
			like := !slices.ContainsFunc(kinds, func(r api.Route) bool { return r.Pattern == route.Pattern })
			for _, who := range people {
				if !route.Open && (!like || who.strongest) {
					m.tryAll(who, s, askings(route))
				}
			}
		}
	}
	if m.asked < 1000 {
		t.Errorf("the matrix asked %d times, which cannot be all", m.asked)
	}
	w.restart(t)
	if got := w.snapshot(t, theirs); got != snapshot {
		t.Errorf("the other organization has changed.\nbefore: %s\nafter:  %s", snapshot, got)
	}
	w.onlyReveals(t, head)
	t.Logf("asked %d times", m.asked)
}

// onlyReveals fails if anything was written since head but that secrets were read,
// which leaves a trace.
func (w *world) onlyReveals(t *testing.T, head position) {
	t.Helper()
	target := fmt.Sprintf("/v1/audit-events?limit=1&filter=action:!key.revealed;seq:%d..", head.seq+1)
	if others := w.as(t, w.RootToken, "GET", target, ""); !strings.HasPrefix(others.body, `{"items":[]`) {
		t.Errorf("something was written: %d %s", others.status, others.body)
	}
}

// matrix is what the cells have in common.
type matrix struct {
	*world
	t                     *testing.T
	own, foreign, missing values
	words                 []string // that only the others' things contain
	in                    bool     // whether the caller is somebody there
	asked, turn           int
}

// tryAll asks in every way in which somebody is accepted. Who is not let in does not get
// as far as what is asked for, so one request is enough, in the first way and in some of
// the others; the ways that nobody is accepted in are tried beside every right.
func (m *matrix) tryAll(who credential, s surface, asked []asking) {
	m.t.Helper()
	m.in = !who.refused
	for i, way := range s.ways {
		header := way.present(who)
		if header == nil && (who.name != "nobody" || i > 0) || i > 0 && who.another {
			continue
		}
		if m.in && way.accepted {
			for _, a := range asked {
				at := fmt.Sprintf("%s with %s, %q %s", who.name, way.name, a.pattern, a.query)
				m.compare(at, header, a)
				m.look(at, header, a)
			}
		}
		if m.turn++; who.refused && (i == 0 || m.turn%4 == 0) {
			at := fmt.Sprintf("%s with %s, %q", who.name, way.name, asked[0].pattern)
			m.asked++
			if got := m.send(m.t, asked[0], m.foreign, header); got.status != 401 {
				m.t.Errorf("%s: %d %s, want 401", at, got.status, got.body)
			}
		}
	}
}

// compare asks with the others' ids and with missing ones.
func (m *matrix) compare(at string, header []string, a asking) {
	m.t.Helper()
	somewhere(a.positions(), m.own, m.foreign, func(which string, mixed values) {
		at := fmt.Sprintf("%s %s %q with another's %s", at, a.body, a.header, which)
		theirs := m.send(m.t, a, mixed, header)
		nowhere := values{}
		for name, value := range mixed {
			nowhere[name] = value
			if value == m.foreign[name] {
				nowhere[name] = m.missing[name]
			}
		}
		none := m.send(m.t, a, nowhere, header)
		m.asked += 2
		m.judge(at, a, theirs, none)
	})
}

// look reads with one's own ids, and looks for what is not one's own.
func (m *matrix) look(at string, header []string, a asking) {
	m.t.Helper()
	if !strings.HasPrefix(a.pattern, "GET ") {
		return
	}
	got := m.send(m.t, a, m.own, header)
	m.asked++
	m.search(at, got)
	if got.status >= 500 && got.status != 501 {
		m.t.Errorf("%s: %d %s", at, got.status, got.body)
	}
}

// ofKeys is how a gateway is told that a key is not valid, and not its own credential.
const ofKeys = `Bearer realm="api"`

// search fails if an answer holds something of the others.
func (m *matrix) search(at string, got answer) {
	m.t.Helper()
	body := repeated.ReplaceAllString(got.body, "")
	for _, word := range m.words {
		if strings.Contains(body, word) || strings.Contains(fmt.Sprint(got.header), word) {
			m.t.Errorf("%s: the answer holds %q: %s", at, word, got.body)
		}
	}
}

func (m *matrix) judge(at string, a asking, theirs, none answer) {
	m.t.Helper()
	if !same(theirs, none) {
		m.t.Errorf("%s:\nanother's: %d %s\nmissing:   %d %s", at, theirs.status, theirs.body, none.status, none.body)
	}
	switch {
	case theirs.status >= 500 && theirs.status != 501:
		m.t.Errorf("%s: %d %s", at, theirs.status, theirs.body)
	case theirs.status < 300 && !a.answers, theirs.status >= 300 && theirs.status < 400:
		m.t.Errorf("%s: was let in: %d %s", at, theirs.status, theirs.body)
	case !m.in && theirs.status != 401:
		m.t.Errorf("%s: %d %s, want 401", at, theirs.status, theirs.body)
	case m.in && theirs.status == 401 && theirs.header.Get("Www-Authenticate") != ofKeys:
		m.t.Errorf("%s: is not known any more: %s", at, theirs.body)
	}
	m.search(at, theirs)
}
