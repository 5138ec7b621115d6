package server_test

import (
	"fmt"
	"strings"
	"testing"

	"keyward"
)

// Each vendor's API refuses what its own form does not allow with its own status, names
// what was wrong, at its mount and at its host name, and changes nothing.
func TestWhatAVendorRefusesIsRefused(t *testing.T) {
	h := newTrial(t)
	other := h.tenant(t, "bravo")
	for other.key.Key.Number <= 10 { // which is none of the trial's
		other.key = h.key(t, other, "")
	}
	member := h.key(t, h.o, fmt.Sprintf(`"projectIds":[%q]`, h.o.project.ID))
	someone := h.person(t, h.o, keyward.Viewer)
	for name, value := range map[string]string{
		"foreignOrganization": other.org.ID, "foreignProject": other.project.ID, "foreignPublic": other.project.PublicID, "foreignRole": "77",
		"foreignClient": other.key.Key.ClientID, "foreignNumber": fmt.Sprint(other.key.Key.Number), "email": someone.email,
		"memberNumber": fmt.Sprint(member.Key.Number), "wrapped": fmt.Sprint(1<<32 + h.o.key.Key.Number),
	} {
		h.values[name] = value
	}
	h.head, h.state = h.world.head(t), h.snapshot(t, h.o)
	corpora := map[string][]misuse{
		"aerospike": aerospikeMisuses(), "rebilly": append(rebillyMisuses(), signInMisuses()...), "gjirafa": gjirafaMisuses(),
	}
	for _, s := range surfaces() {
		for _, m := range corpora[s.name] {
			h.tryMisuse(s, m)
		}
	}
	h.end(2000)
}

func (h *trial) tryMisuse(s surface, m misuse) {
	h.t.Helper()
	method, target, _ := strings.Cut(m.target, " ")
	path, query, _ := strings.Cut(target, "?")
	a := asking{method: method, form: form{path: path, query: query}}
	header := h.credential(s)
	if strings.HasSuffix(path, "/signin") {
		header = nil
	}
	hosted, _ := s.atHost(a)
	for _, a := range []asking{a, hosted} {
		at := fmt.Sprintf("%.200s %.200s", m.target, m.body)
		target := h.values.fill(a.path)
		if a.query != "" {
			target += "?" + h.values.fill(a.query)
		}
		got := h.ask(h.t, a.method, target, h.known(m.body), append(header, a.header...)...)
		h.judge(at, s, got, 0, "")
		if got.status != m.want || !strings.Contains(got.body, m.names) {
			h.t.Errorf("%s: %d %.300s, want %d that names %q", at, got.status, got.body, m.want, m.names)
		}
		if (got.status == 405) != (got.header.Get("Allow") != "") {
			h.t.Errorf("%s: %d, Allow %q", at, got.status, got.header.Get("Allow"))
		}
	}
	h.unwritten(m.target + " " + m.body)
}

// known fills in the names that the trial has values of, and leaves other braces alone.
func (h *trial) known(body string) string {
	return placeholder.ReplaceAllStringFunc(body, func(name string) string {
		if value, ok := h.values[strings.Trim(name, "{}")]; ok {
			return value
		}
		return name
	})
}

// A parameter that is there twice has no one meaning, and a broken escape has none, on
// any surface, whether or not the route knows the parameter. A semicolon is data.
func TestOddQueriesAreReadInOneWay(t *testing.T) {
	h := newTrial(t)
	for _, s := range surfaces() {
		for _, route := range s.routes {
			a := askings(route)[0]
			if a.method != "GET" || a.status != 200 || route.Unread || strings.Contains(route.Pattern, "/docs/") {
				continue
			}
			queries := map[string]int{
				"api-version=1&api-version=2": 400, "x=1&%78=1": 400, "x=%zz": 400, "%zz=1": 400, "x=%": 400, "x=%00": 400, "x=%ff": 400, "=1": 400, "x": 0, "api-version=1.0": 0, "x=a;y=b": 0,
			}
			for query, want := range queries {
				a.query = query
				got := h.send(t, a, h.values, h.credential(s))
				h.judge(route.Pattern+"?"+query, s, got, 0, "")
				loose := s.name != "native" && s.name != "root" && strings.Contains(query, "=")
				if want != 0 && got.status != want || want == 0 && loose && got.status == 400 {
					t.Errorf("GET %s?%s: %d %s, want %d", a.path, query, got.status, got.body, want)
				}
			}
		}
	}
	h.unwritten("queries")
	h.end(400)
}
