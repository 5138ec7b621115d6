package keyward_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"keyward"

	"pgregory.net/rapid"
)

// TestWhatRolesMayDo is the published table of roles.
func TestWhatRolesMayDo(t *testing.T) {
	const table = `
		permission           owner admin editor viewer verifier
		organizations.read   yes   yes   yes    yes    -
		organizations.write  yes   yes   -      -      -
		projects.read        yes   yes   yes    yes    -
		projects.write       yes   yes   yes    -      -
		keys.read            yes   yes   yes    yes    -
		keys.create          yes   yes   yes    -      -
		keys.update          yes   yes   yes    -      -
		keys.revoke          yes   yes   yes    -      -
		keys.delete          yes   yes   yes    -      -
		keys.reveal          yes   yes   -      -      -
		keys.verify          yes   yes   yes    -      yes
		operators.read       yes   -     -      -      -
		operators.write      yes   -     -      -      -
		audit.read           yes   yes   -      yes    -
		usage.read           yes   yes   yes    yes    -
		system.read          yes   -     -      -      -`
	lines := strings.Split(strings.TrimSpace(table), "\n")
	roles := strings.Fields(lines[0])[1:]
	var listed []keyward.Permission
	for _, line := range lines[1:] {
		columns := strings.Fields(line)
		permission := keyward.Permission(columns[0])
		listed = append(listed, permission)
		for i, role := range roles {
			by, want := operator("org_a", keyward.Role(role)), columns[i+1] == "yes"
			if got := by.May(permission, "org_a") == nil; got != want {
				t.Errorf("%s: May(%s) = %t, want %t", role, permission, got, want)
			}
			if got := slices.Contains(keyward.Role(role).Permissions(), permission); got != want {
				t.Errorf("%s: Permissions has %s: %t, want %t", role, permission, got, want)
			}
		}
	}
	if !slices.Equal(listed, keyward.Permissions()) {
		t.Errorf("Permissions = %q, want %q", keyward.Permissions(), listed)
	}
	for _, role := range []keyward.Role{"", "root", "OWNER"} {
		if got := role.Permissions(); got != nil {
			t.Errorf("role %q has %q, want none", role, got)
		}
	}
}

func TestWhereActorsMay(t *testing.T) {
	in := func(projects ...string) keyward.Scope { return keyward.Scope{"projectId": projects} }
	for name, test := range map[string]struct {
		by           keyward.Actor
		may, all     keyward.Code // in org_a; in the whole deployment; "": allowed
		read1, writ1 keyward.Code // a key in prj_1
		read2, writ2 keyward.Code // a key in prj_1 and prj_2
		read0, writ0 keyward.Code // a key in no project
	}{
		"an owner of the deployment": {by: operator("", keyward.Owner)},
		"an owner of the organization": {
			by: operator("org_a", keyward.Owner), all: keyward.Forbidden,
		},
		"an owner of another organization": {
			by: operator("org_b", keyward.Owner), may: keyward.NotFound, all: keyward.Forbidden,
		},
		"a verifier": {
			by: operator("", keyward.Verifier), may: keyward.Forbidden, all: keyward.Forbidden,
			read1: keyward.NotFound, read2: keyward.NotFound, read0: keyward.NotFound,
			writ1: keyward.Forbidden, writ2: keyward.Forbidden, writ0: keyward.Forbidden,
		},
		"a key that may, in all projects": {
			by: key("org_a", nil, "keys.update"), all: keyward.Forbidden,
		},
		"a key that may by a pattern": {
			by: key("org_a", nil, "keys.*"), all: keyward.Forbidden,
		},
		"a key that may, in the first project": {
			by: key("org_a", in("prj_1"), "keys.update"), all: keyward.Forbidden,
			writ2: keyward.Forbidden, read0: keyward.NotFound, writ0: keyward.Forbidden,
		},
		"a key that may, in both projects": {
			by: key("org_a", in("prj_1", "prj_2"), "keys.update"), all: keyward.Forbidden,
			read0: keyward.NotFound, writ0: keyward.Forbidden,
		},
		"a key that may, in both by two grants": {
			by: keyward.Actor{OrganizationID: "org_a", Management: []keyward.Grant{
				{Scope: in("prj_1"), Permissions: []string{"keys.update"}},
				{Scope: in("prj_2"), Permissions: []string{"keys.*"}},
				{Scope: in("prj_3"), Permissions: []string{"keys.read"}},
			}}, all: keyward.Forbidden, read0: keyward.NotFound, writ0: keyward.Forbidden,
		},
		"a key that may, in a third project": {
			by: key("org_a", in("prj_3"), "keys.update"), all: keyward.Forbidden,
			read1: keyward.NotFound, read2: keyward.NotFound, read0: keyward.NotFound,
			writ1: keyward.Forbidden, writ2: keyward.Forbidden, writ0: keyward.Forbidden,
		},
		"a key limited to no project": {
			by: key("org_a", in(), "keys.update"), may: keyward.Forbidden, all: keyward.Forbidden,
			read1: keyward.NotFound, read2: keyward.NotFound, read0: keyward.NotFound,
			writ1: keyward.Forbidden, writ2: keyward.Forbidden, writ0: keyward.Forbidden,
		},
		"a key limited by a dimension that management has not": {
			by:  key("org_a", keyward.Scope{"region": {"eu"}}, "keys.update"),
			may: keyward.Forbidden, all: keyward.Forbidden,
			read1: keyward.NotFound, read2: keyward.NotFound, read0: keyward.NotFound,
			writ1: keyward.Forbidden, writ2: keyward.Forbidden, writ0: keyward.Forbidden,
		},
		"a key limited in one grant and not in the next": {
			by: keyward.Actor{OrganizationID: "org_a", Management: []keyward.Grant{
				{Scope: in("prj_1"), Permissions: []string{"keys.update"}}, {Permissions: []string{"keys.update"}},
			}}, all: keyward.Forbidden,
		},
		"a key with another right": {
			by: key("org_a", nil, "keys.read"), may: keyward.Forbidden, all: keyward.Forbidden,
			read1: keyward.NotFound, read2: keyward.NotFound, read0: keyward.NotFound,
			writ1: keyward.Forbidden, writ2: keyward.Forbidden, writ0: keyward.Forbidden,
		},
		"nobody": {
			may: keyward.Forbidden, all: keyward.Forbidden,
			read1: keyward.NotFound, read2: keyward.NotFound, read0: keyward.NotFound,
			writ1: keyward.Forbidden, writ2: keyward.Forbidden, writ0: keyward.Forbidden,
		},
	} {
		t.Run(name, func(t *testing.T) {
			const p = keyward.KeysUpdate
			one, both := []string{"prj_1"}, []string{"prj_1", "prj_2"}
			for what, got := range map[string]struct {
				err  error
				want keyward.Code
			}{
				"May":                          {test.by.May(p, "org_a"), test.may},
				"MayEverywhere":                {test.by.MayEverywhere(p), test.all},
				"MayRead in one project":       {test.by.MayRead(p, one), test.read1},
				"MayWrite in one project":      {test.by.MayWrite(p, one), test.writ1},
				"MayRead in two projects":      {test.by.MayRead(p, both), test.read2},
				"MayWrite in two projects":     {test.by.MayWrite(p, both), test.writ2},
				"MayRead in the organization":  {test.by.MayRead(p, nil), test.read0},
				"MayWrite in the organization": {test.by.MayWrite(p, nil), test.writ0},
			} {
				if (got.err == nil) != (got.want == "") || got.err != nil && keyward.CodeOf(got.err) != got.want {
					t.Errorf("%s = %v, want %q", what, got.err, got.want)
				}
			}
		})
	}
}

func TestARightSaysWhichOneIsMissing(t *testing.T) {
	by := operator("org_a", keyward.Verifier)
	for _, err := range []error{
		by.May(keyward.KeysRead, "org_a"), by.MayEverywhere(keyward.KeysRead), by.MayWrite(keyward.KeysRead, nil),
	} {
		if !strings.Contains(keyward.MessageOf(err), "keys.read") {
			t.Errorf("%q does not name the right", keyward.MessageOf(err))
		}
	}
}

// ceiling is somebody who gives management away.
type ceiling struct {
	t  *testing.T
	by keyward.Actor
}

func (c ceiling) allow(grants ...keyward.Grant) {
	c.t.Helper()
	if err := c.by.Covers(grants); err != nil {
		c.t.Errorf("Covers(%v) = %v, want allowed", grants, err)
	}
}

func (c ceiling) deny(grants ...keyward.Grant) {
	c.t.Helper()
	if err := c.by.Covers(grants); err == nil || keyward.CodeOf(err) != keyward.Forbidden {
		c.t.Errorf("Covers(%v) = %v, want %s", grants, err, keyward.Forbidden)
	}
}

func all(permissions ...string) keyward.Grant { return keyward.Grant{Permissions: permissions} }

func within(projects []string, permissions ...string) keyward.Grant {
	return keyward.Grant{Scope: keyward.Scope{"projectId": projects}, Permissions: permissions}
}

func TestNobodyGivesAwayMoreThanTheirOwn(t *testing.T) {
	p1, p2, p12, none := []string{"prj_1"}, []string{"prj_2"}, []string{"prj_1", "prj_2"}, []string{}

	owner := ceiling{t, operator("", keyward.Owner)}
	owner.allow(all("*"))
	owner.allow(all("keys.*", "audit.read"), within(p1, "projects.write"))

	admin := ceiling{t, operator("org_a", keyward.Admin)}
	admin.allow(all("keys.*", "projects.*", "audit.read"))
	admin.deny(all("*")) // includes operators.write
	admin.deny(all("operators.*"))
	admin.deny(all("system.read"))

	editor := ceiling{t, operator("org_a", keyward.Editor)}
	editor.allow(all("keys.read", "keys.verify"))
	editor.deny(all("keys.reveal"))
	editor.deny(all("keys.*")) // includes keys.reveal
	editor.deny(all("keys.read"), all("audit.read"))

	reader := ceiling{t, key("org_a", nil, "keys.read")}
	reader.allow()
	reader.allow(all())
	reader.allow(all("keys.read"))
	reader.allow(within(p1, "keys.read"))
	reader.allow(within(none, "keys.read"))
	reader.deny(all("keys.read", "keys.create"))
	reader.deny(within(p1, "keys.create"))
	reader.deny(within(none, "keys.create"), all("keys.create"))

	limited := ceiling{t, key("org_a", keyward.Scope{"projectId": p1}, "keys.*")}
	limited.allow(within(p1, "keys.*"))
	limited.allow(within(p1, "keys.read"), within(p1, "keys.create"))
	limited.allow(within(none, "keys.read"))
	limited.deny(all("keys.read"))
	limited.deny(within(p2, "keys.read"))
	limited.deny(within(p12, "keys.read"))
	limited.deny(within(p1, "keys.read"), within(p2, "keys.read"))
	limited.deny(keyward.Grant{Scope: keyward.Scope{"region": {"eu"}}, Permissions: []string{"keys.read"}})

	twice := ceiling{t, keyward.Actor{Management: []keyward.Grant{within(p1, "keys.read"), within(p2, "keys.*")}}}
	twice.allow(within(p12, "keys.read"))
	twice.allow(within(p2, "keys.create"))
	twice.deny(within(p12, "keys.create"))
	twice.deny(all("keys.read"))

	nobody := ceiling{t, keyward.Actor{}}
	nobody.allow()
	nobody.deny(all("keys.read"))
	nobody.deny(within(p1, "keys.verify"))
}

func TestWhatIsCoveredIsHeld(t *testing.T) {
	for _, role := range []keyward.Role{keyward.Owner, keyward.Admin, keyward.Editor, keyward.Viewer, keyward.Verifier} {
		by := operator("org_a", role)
		for _, p := range keyward.Permissions() {
			covers := by.Covers([]keyward.Grant{all(string(p))}) == nil
			if held := slices.Contains(role.Permissions(), p); covers != held {
				t.Errorf("%s covers %s: %t, but holds it: %t", role, p, covers, held)
			}
		}
	}
}

// Whatever is derived, the share of it is covered, and nothing more could be given.
func TestAShareIsAllThatCanBeGiven(t *testing.T) {
	projects := rapid.SliceOfN(rapid.SampledFrom([]string{"prj_1", "prj_2", "prj_3"}), 0, 3)
	pattern := rapid.SampledFrom([]string{"keys.read", "keys.create", "keys.*", "projects.read", "*", "unknown"})
	grants := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) keyward.Grant {
		g := keyward.Grant{Scope: keyward.Scope{}, Permissions: rapid.SliceOfN(pattern, 0, 3).Draw(t, "permissions")}
		if rapid.Bool().Draw(t, "limited") {
			g.Scope["projectId"] = projects.Draw(t, "projects")
		}
		return g
	}), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		by, derived := keyward.Actor{Management: grants.Draw(t, "held")}, grants.Draw(t, "derived")
		shared := by.Share(derived)
		if err := by.Covers(shared); err != nil {
			t.Fatalf("the share %v is not covered: %v", shared, err)
		}
		has, asked := keyward.Actor{Management: shared}, keyward.Actor{Management: derived}
		for _, p := range keyward.Permissions() {
			for _, where := range [][]string{nil, {"prj_1"}, {"prj_2"}, {"prj_3"}} {
				want := by.Projects(p).Every(where) && asked.Projects(p).Every(where)
				if got := has.Projects(p).Every(where); got != want {
					t.Fatalf("%s in %v: %t, want %t (the share is %v)", p, where, got, want, shared)
				}
			}
		}
	})
}

func TestWhatNoKeyCanHold(t *testing.T) {
	refused := []string{
		"operators.read", "operators.write", "operators.*", "system.read", "system.*",
		"organizations.write", "organizations.*", "*",
	}
	for _, pattern := range refused {
		k := validKey()
		k.Management = []keyward.Grant{all("keys.read", pattern), within([]string{"prj_1"}, pattern)}
		want := []string{"/management/0/permissions/1", "/management/1/permissions/0"}
		if got := pointers(k.Validate()); !slices.Equal(got, want) {
			t.Errorf("a key with %s is wrong at %q, want %q", pattern, got, want)
		}
	}
	for _, p := range keyward.Permissions() {
		k := validKey()
		k.Management = []keyward.Grant{all(string(p))}
		if got, want := k.Validate() != nil, slices.Contains(refused, string(p)); got != want {
			t.Errorf("a key with %s is refused: %t, want %t", p, got, want)
		}
	}
	for _, pattern := range []string{"keys.*", "projects.*", "audit.*", "usage.*", "organizations.read"} {
		k := validKey()
		k.Management = []keyward.Grant{all(pattern)}
		if err := k.Validate(); err != nil {
			t.Errorf("a key with %s: %v", pattern, err)
		}
	}
}

func TestManagementNamesFewProjects(t *testing.T) {
	projects := make([]string, 500)
	for i := range projects {
		projects[i] = fmt.Sprintf("prj_%d", i)
	}
	k := validKey()
	k.Management = []keyward.Grant{within(projects, "keys.read"), within(projects, "keys.create")}
	if err := k.Validate(); err != nil {
		t.Errorf("a key that manages 1000 projects: %v", err)
	}
	k.Management = append(k.Management, within([]string{"prj_1"}, "keys.update"))
	if got, want := pointers(k.Validate()), []string{"/management"}; !slices.Equal(got, want) {
		t.Errorf("a key that manages 1001 projects is wrong at %q, want %q", got, want)
	}
}

func TestOddPatternsAreNoManagement(t *testing.T) {
	for _, pattern := range []string{"operators*", "o*", "**", "*.*", "*.write", "operators.**", ".*", "", "keys", "keys.", "Operators.write"} {
		k := validKey()
		k.Management = []keyward.Grant{all(pattern)}
		if got := pointers(k.Validate()); len(got) == 0 {
			t.Errorf("a key may hold %q", pattern)
		}
		by := keyward.Actor{Management: k.Management}
		for _, p := range keyward.Permissions() {
			if !by.Projects(p).None() {
				t.Errorf("%q gives %s", pattern, p)
			}
		}
	}
}

func TestReach(t *testing.T) {
	for name, test := range map[string]struct {
		reach            keyward.Reach
		projects         []string
		none, any, every bool
	}{
		"everywhere, a project":            {keyward.Reach{All: true}, []string{"a"}, false, true, true},
		"everywhere, none":                 {keyward.Reach{All: true}, nil, false, true, true},
		"nowhere, a project":               {keyward.Reach{}, []string{"a"}, true, false, false},
		"nowhere, none":                    {keyward.Reach{}, nil, true, false, false},
		"one project, that one":            {keyward.Reach{ProjectIDs: []string{"a"}}, []string{"a"}, false, true, true},
		"one project, another":             {keyward.Reach{ProjectIDs: []string{"a"}}, []string{"b"}, false, false, false},
		"one project, that and another":    {keyward.Reach{ProjectIDs: []string{"a"}}, []string{"b", "a"}, false, true, false},
		"one project, none":                {keyward.Reach{ProjectIDs: []string{"a"}}, nil, false, false, false},
		"two projects, one of them":        {keyward.Reach{ProjectIDs: []string{"a", "b"}}, []string{"b"}, false, true, true},
		"two projects, both":               {keyward.Reach{ProjectIDs: []string{"a", "b"}}, []string{"b", "a"}, false, true, true},
		"two projects, both and a third":   {keyward.Reach{ProjectIDs: []string{"a", "b"}}, []string{"a", "b", "c"}, false, true, false},
		"a project in another letter case": {keyward.Reach{ProjectIDs: []string{"a"}}, []string{"A"}, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			none, some, every := test.reach.None(), test.reach.Any(test.projects), test.reach.Every(test.projects)
			if none != test.none || some != test.any || every != test.every {
				t.Errorf("None, Any, Every = %t, %t, %t; want %t, %t, %t", none, some, every, test.none, test.any, test.every)
			}
		})
	}
}

func TestOrganizationsOutOfReachDoNotExist(t *testing.T) {
	for organization, reaches := range map[string]bool{"org_a": true, "org_b": false, "org_A": false, "org_": false, "": false} {
		if got := operator("org_a", keyward.Owner).Reaches(organization); got != reaches {
			t.Errorf("Reaches(%q) = %t, want %t", organization, got, reaches)
		}
		if !operator("", keyward.Viewer).Reaches(organization) {
			t.Errorf("an actor of the deployment does not reach %q", organization)
		}
	}
}

func TestAnOperatorIsWrongAt(t *testing.T) {
	for name, test := range map[string]struct {
		role  keyward.Role
		email *string
		want  []string
	}{
		"nothing":                       {keyward.Owner, nil, nil},
		"a verifier":                    {keyward.Verifier, nil, nil},
		"an address":                    {keyward.Admin, new("ops@example.com"), nil},
		"a plus and dots":               {keyward.Admin, new("first.last+tag@mail.example.com"), nil},
		"an address in another script":  {keyward.Admin, new("почта@пример.example"), nil},
		"the shortest address":          {keyward.Admin, new("a@b"), nil},
		"the longest address":           {keyward.Admin, new(strings.Repeat("a", 242) + "@example.com"), nil},
		"a longer address":              {keyward.Admin, new(strings.Repeat("a", 243) + "@example.com"), []string{"/email"}},
		"no role":                       {"", nil, []string{"/role"}},
		"a role in capitals":            {"Owner", nil, []string{"/role"}},
		"a verifier with an address":    {keyward.Verifier, new("ops@example.com"), []string{"/email"}},
		"an empty address":              {keyward.Admin, new(""), []string{"/email"}},
		"no at sign":                    {keyward.Admin, new("example.com"), []string{"/email"}},
		"two at signs":                  {keyward.Admin, new("a@b@c"), []string{"/email"}},
		"nothing before it":             {keyward.Admin, new("@example.com"), []string{"/email"}},
		"nothing after it":              {keyward.Admin, new("ops@"), []string{"/email"}},
		"a space":                       {keyward.Admin, new("o ps@example.com"), []string{"/email"}},
		"a name beside it":              {keyward.Admin, new("Ops <ops@example.com>"), []string{"/email"}},
		"two addresses":                 {keyward.Admin, new("a@example.com,b@example.com"), []string{"/email"}},
		"a line feed, as in a header":   {keyward.Admin, new("a@example.com\nBcc: b@example.com"), []string{"/email"}},
		"an override of the direction":  {keyward.Admin, new("a\u202e@example.com"), []string{"/email"}},
		"what is not UTF-8":             {keyward.Admin, new("\xff@example.com"), []string{"/email"}},
		"a verifier with a bad address": {keyward.Verifier, new("a"), []string{"/email", "/email"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := keyward.Operator{Name: "ops", Role: test.role, Email: test.email}
			if got := pointers(o.Validate()); !slices.Equal(got, test.want) {
				t.Errorf("Validate finds fault at %q, want %q: %v", got, test.want, o.Validate())
			}
		})
	}
}

func TestAnOperatorOfNoOrganizationIsOfAll(t *testing.T) {
	if got := (&keyward.Operator{}).Organization(); got != "" {
		t.Errorf("Organization = %q, want none", got)
	}
	if got := (&keyward.Operator{OrganizationID: new("org_a")}).Organization(); got != "org_a" {
		t.Errorf("Organization = %q, want org_a", got)
	}
	if got := fmt.Sprint((&keyward.Operator{Role: keyward.Verifier}).Management()); got != "[{map[] [keys.verify]}]" {
		t.Errorf("a verifier's management is %s", got)
	}
}
