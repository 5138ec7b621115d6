package server_test

import (
	"fmt"
	"strings"
	"testing"

	"keyward/keywardtest"
)

// Who may act in one project of an organization does not learn what is in another.
func TestWhatIsInAnotherProjectIsNotThere(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	ours := w.tenant(t, "alpha")
	theirs := &tenant{word: "bravo", org: ours.org, role: ours.role, operator: ours.operator}
	theirs.project = w.must(t, "POST", ours.path()+"/projects", `{"name":"bravo project"}`)
	theirs.key = w.key(t, theirs, fmt.Sprintf(`"projectIds":[%q],"ownerId":"bravo owner"`, theirs.project.ID))
	large := w.key(t, theirs, `"ownerId":"bravo, in no project"`)
	who := w.holding(t, "a key of one project", w.key(t, ours, fmt.Sprintf(
		`"management":[{"scope":{"projectId":[%q]},"permissions":["keys.*","projects.*","organizations.read"]}]`, ours.project.ID)))
	for name, key := range map[string]made{"in another project": theirs.key, "in no project": large} {
		theirs.key = key
		m := matrix{
			world: w, t: t, own: w.values(t, ours), foreign: w.values(t, theirs), missing: missing(), in: true,
			words: []string{"bravo", theirs.project.ID, theirs.project.PublicID, key.Key.ID, key.Key.ClientID, key.Secret},
		}
		for _, same := range []string{"organizationId", "publicId", "operatorId", "number", "userId", "secretId"} {
			m.missing[same] = m.own[same] // one organization, of which only some things are another's
		}
		head := w.head(t)
		for _, s := range surfaces() {
			if s.present(who) == nil {
				continue // where keys are nobody
			}
			for _, route := range s.routes {
				if route.Open || strings.Contains(route.Pattern, "/changes/") { // which belong to no project
					continue
				}
				for _, a := range askings(route) {
					m.compareSome(name+", "+s.name+" "+a.pattern+" "+a.query+a.body, s.present(who), a)
				}
			}
		}
		w.onlyReveals(t, head)
	}
}

// compareSome is compare where the foreign and the own differ.
func (m *matrix) compareSome(at string, header []string, a asking) {
	m.t.Helper()
	var positions []string
	for _, name := range a.positions() {
		if m.own[name] != m.foreign[name] {
			positions = append(positions, name)
		}
	}
	own := m.own
	somewhere(positions, own, m.foreign, func(which string, mixed values) {
		nowhere := values{}
		for name, value := range own {
			if _, moved := mixed[name]; !moved {
				mixed[name] = value
			}
			nowhere[name] = mixed[name]
			if mixed[name] == m.foreign[name] {
				nowhere[name] = m.missing[name]
			}
		}
		theirs, none := m.send(m.t, a, mixed, header), m.send(m.t, a, nowhere, header)
		m.judge(at+" with another's "+which, a, theirs, none)
	})
	m.look(at, header, a)
}
