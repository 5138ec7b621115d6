package keyward_test

import (
	"slices"
	"strings"
	"testing"

	"keyward"

	"github.com/google/go-cmp/cmp"
)

func TestBuiltInRolesAreWellFormedAndInTheOrderOfTheirNumbers(t *testing.T) {
	var numbers []int32
	for _, role := range keyward.BuiltInRoles("org_1") {
		numbers = append(numbers, role.Number)
		if err := role.Validate(); err != nil {
			t.Errorf("role %d: %v", role.Number, err)
		}
		if !role.BuiltIn || !role.Enabled || role.OrganizationID != "org_1" || role.Management == nil {
			t.Errorf("role %d is %+v", role.Number, role)
		}
		if role.Number > 1000 {
			t.Errorf("role %d has a number of an organization's own", role.Number)
		}
	}
	if want := []int32{keyward.KeyRoleOwner, keyward.KeyRoleAdmin, keyward.KeyRoleContentEditor}; !slices.Equal(numbers, want) {
		t.Errorf("the numbers are %v, want %v", numbers, want)
	}
}

func TestEachBuiltInRoleGivesWhatItsNameSays(t *testing.T) {
	keys := []keyward.Permission{
		keyward.KeysRead, keyward.KeysCreate, keyward.KeysUpdate, keyward.KeysRevoke, keyward.KeysDelete, keyward.ProjectsRead,
	}
	for i, want := range [][]keyward.Permission{
		append([]keyward.Permission{keyward.ProjectsWrite, keyward.OrganizationsRead}, keys...), keys, nil,
	} {
		role := keyward.BuiltInRoles("org_1")[i]
		for _, p := range keyward.Permissions() {
			if got := keyward.Allows(role.Management, []string{string(p)}, nil); got != slices.Contains(want, p) {
				t.Errorf("the role %s gives %s: %t", role.Name, p, got)
			}
		}
	}
}

func TestARoleInTheProjectsOfAKey(t *testing.T) {
	grants := func(scope keyward.Scope) []keyward.Grant {
		return []keyward.Grant{{Scope: scope, Permissions: []string{"keys.read"}}}
	}
	everywhere, in := keyward.Scope{}, func(ids ...string) keyward.Scope { return keyward.Scope{"projectId": ids} }
	for name, c := range map[string]struct {
		builtIn  bool
		written  keyward.Scope
		projects []string
		want     keyward.Scope
	}{
		"a built-in role of a key in no project holds everywhere": {true, everywhere, nil, everywhere},
		"a built-in role of a key in projects holds in those":     {true, everywhere, []string{"prj_1", "prj_2"}, in("prj_1", "prj_2")},
		"another role is as it is written, everywhere":            {false, everywhere, []string{"prj_1"}, everywhere},
		"another role is as it is written, in a project":          {false, in("prj_9"), []string{"prj_1"}, in("prj_9")},
		"another role of a key in no project":                     {false, in("prj_9"), nil, in("prj_9")},
	} {
		t.Run(name, func(t *testing.T) {
			role := keyward.KeyRole{BuiltIn: c.builtIn, Management: grants(c.written)}
			got := role.In(c.projects)
			if diff := cmp.Diff(grants(c.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			got[0].Permissions[0], got[0].Scope["projectId"] = "changed", []string{"changed"}
			if diff := cmp.Diff(grants(c.written), role.Management); diff != "" {
				t.Errorf("what was returned is the role's own (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrongMembersOfARole(t *testing.T) {
	granting := func(scope keyward.Scope, permission string) func(*keyward.KeyRole) {
		return func(r *keyward.KeyRole) {
			r.Management = []keyward.Grant{{Scope: scope, Permissions: []string{permission}}}
		}
	}
	for name, c := range map[string]struct {
		edit func(*keyward.KeyRole)
		want string // the pointer of the fault, "" if there is none
	}{
		"no management":                {func(r *keyward.KeyRole) { r.Management = nil }, ""},
		"no description":               {func(r *keyward.KeyRole) { r.Description = "" }, ""},
		"a long description":           {func(r *keyward.KeyRole) { r.Description = strings.Repeat("ü", 1000) }, ""},
		"a description that is longer": {func(r *keyward.KeyRole) { r.Description = strings.Repeat("ü", 1001) }, "/description"},
		"a control in the description": {func(r *keyward.KeyRole) { r.Description = "a\u202eb" }, "/description"},
		"no name":                      {func(r *keyward.KeyRole) { r.Name = "" }, "/name"},
		"a name that does not show":    {func(r *keyward.KeyRole) { r.Name = "  " }, "/name"},
		"a pattern that keys can hold": {granting(nil, "keys.*"), ""},
		"a project":                    {granting(keyward.Scope{"projectId": {"prj_1"}}, "keys.read"), ""},
		"another dimension":            {granting(keyward.Scope{"region": {"eu"}}, "keys.read"), "/management/0/scope/region"},
		"what only operators hold":     {granting(nil, "operators.read"), "/management/0/permissions/0"},
		"what no key can write":        {granting(nil, "organizations.write"), "/management/0/permissions/0"},
		"everything":                   {granting(nil, "*"), "/management/0/permissions/0"},
		"no permission of ours":        {granting(nil, "docs.read"), "/management/0/permissions/0"},
	} {
		t.Run(name, func(t *testing.T) {
			role := &keyward.KeyRole{Name: "a role", Management: []keyward.Grant{}}
			c.edit(role)
			err := role.Validate()
			var want []string
			if c.want != "" {
				want = []string{c.want}
			}
			var got []string
			for _, f := range keyward.FieldsOf(err) {
				got = append(got, f.Pointer)
			}
			if !slices.Equal(got, want) || (err == nil) != (want == nil) {
				t.Errorf("Validate = %v, want faults at %q", err, want)
			}
		})
	}
}

func TestANormalRoleHasNoNulls(t *testing.T) {
	role := &keyward.KeyRole{}
	role.Normalize()
	if role.Management == nil {
		t.Error("the management of nothing is null")
	}
	role.Management = []keyward.Grant{{}}
	role.Normalize()
	if g := role.Management[0]; g.Scope == nil || g.Permissions == nil {
		t.Errorf("the empty grant is %+v", g)
	}
}
