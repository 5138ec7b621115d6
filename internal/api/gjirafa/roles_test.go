package gjirafa_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"keyward/keywardtest"
)

const (
	owns   = "keys.create keys.delete keys.read keys.revoke keys.update organizations.read projects.read projects.write"
	admins = "keys.create keys.delete keys.read keys.revoke keys.update projects.read"
)

func TestARoleSaysWhatAKeyMayDo(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	for name, test := range map[string]struct {
		recoverable bool
		role        int
		listed      bool   // in a project
		by          string // what its maker may do, if not everything
		want        string
	}{
		"Owner":                        {role: 4, want: owns},
		"Owner of a project":           {role: 4, listed: true, want: owns},
		"Admin":                        {role: 5, want: admins},
		"Admin of a project":           {role: 5, listed: true, want: admins},
		"Content Editor":               {role: 39, listed: true},
		"a role of the organization's": {role: 1001, want: "audit.read keys.read"},
		"Admin, made by less":          {role: 5, by: "keys.create keys.read", want: "keys.create keys.read"},
		"an own role, made by less":    {role: 1001, by: "keys.create audit.read", want: "audit.read"},
		"Admin where secrets are kept": {role: 5, recoverable: true, want: strings.Replace(admins, "keys.revoke", "keys.reveal keys.revoke", 1)},
		"an own role there":            {role: 1001, recoverable: true, want: "audit.read keys.read"},
	} {
		t.Run(name, func(t *testing.T) {
			w.organization = w.NewOrganization(map[string]any{"name": "Acme", "recoverable": test.recoverable})
			w.newRole("Auditor", "keys.read", "audit.read")
			by, project := managing("keys.*", "projects.*", "organizations.read", "audit.read"), w.newProject("Sports")
			if test.by != "" {
				by = managing(strings.Fields(test.by)...)
			}
			want, listed := strings.Fields(test.want), ""
			if test.listed {
				listed = fmt.Sprintf("%q", project.PublicID)
				for i := range want {
					want[i] += " " + project.ID
				}
			}
			made := w.make(w.newKey("maker", by),
				fmt.Sprintf(`{"roleId":%d,"listProjectsId":[%s],"userApiKey":{"apiName":"made"}}`, test.role, listed))
			if got := w.management(made.ID); !slices.Equal(got, want) || made.RoleID != test.role {
				t.Errorf("the role %d gives %q, want %q", made.RoleID, got, want)
			}
		})
	}
}

func TestAnUpdateDerivesManagementOnlyIfItCarriesAnotherRole(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	sports := w.newProject("Sports")
	owner := w.newKey("owner", managing("keys.*", "projects.*", "organizations.read"))
	made := w.make(owner, fmt.Sprintf(`{"roleId":5,"listProjectsId":[%q],"userApiKey":{"apiName":"made"}}`, sports.ID))
	here := make([]string, 0, 6)
	for permission := range strings.FieldsSeq(admins) {
		here = append(here, permission+" "+sports.ID)
	}
	expect := func(what string, role int, want []string) {
		t.Helper()
		var body struct{ Result one }
		w.send("GET", w.at(fmt.Sprint("/api-keys/", made.ID)), "", "X-Api-Key", owner.Secret).read(t, &body)
		if got := w.management(made.ID); !slices.Equal(got, want) || body.Result.RoleID != role {
			t.Errorf("after %s: the role is %d and gives %q, want %d, %q", what, body.Result.RoleID, got, role, want)
		}
	}
	expect("it was made", 5, here)
	w.update(owner, fmt.Sprintf(`{"id":%d,"name":"renamed","hasExpireTime":false}`, made.ID)).read(t, new(any))
	expect("a new name", 5, here)
	news := w.newProject("News")
	w.send("POST", w.at("/api-keys/projects"), fmt.Sprintf(`{"apiKeyId":%d,"projectIds":[%q]}`, made.ID, news.ID),
		"X-Api-Key", owner.Secret, "Content-Type", "application/json").read(t, new(any))
	w.send("PUT", w.at(fmt.Sprintf("/api-keys/%d/projects?projectId=%s", made.ID, sports.ID)), "", "X-Api-Key", owner.Secret).read(t, new(any))
	expect("other projects", 5, here)
	w.update(owner, fmt.Sprintf(`{"id":%d,"roleId":39}`, made.ID)).read(t, new(any))
	expect("the role 39", 39, []string{})
	w.update(owner, fmt.Sprintf(`{"id":%d,"roleId":4}`, made.ID)).read(t, new(any))
	here = here[:0]
	for permission := range strings.FieldsSeq(owns) {
		here = append(here, permission+" "+news.ID)
	}
	expect("the role 4", 4, here)
	w.Native("PATCH", fmt.Sprintf("/v1/organizations/%s/api-keys/%s", w.organization.ID, w.id(made.ID)),
		managing("keys.read"), nil)
	w.update(owner, fmt.Sprintf(`{"id":%d,"name":"again","roleId":4}`, made.ID)).read(t, new(any))
	expect("the same role", 4, []string{"keys.read"})
}

func TestARoleThatIsOffIsListedAndNotGiven(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	owner := w.newKey("owner", managing("keys.*", "projects.*", "organizations.read"))
	tester := w.newRole("Tester", "keys.read")
	w.Native("PATCH", fmt.Sprintf("/v1/organizations/%s/roles/%d", w.organization.ID, tester),
		map[string]any{"enabled": false, "description": "Tests"}, nil)
	want := fmt.Sprintf(`{"id":%d,"name":"Tester","description":"Tests","isActive":false,"organizationId":null}`, tester)
	w.send("GET", fmt.Sprint("/gjirafa/api/roles/", tester), "", "X-Api-Key", owner.Secret).Is(t, http.StatusOK, holds(want))
	w.send("GET", "/gjirafa/api/roles?order=desc&take=1", "", "X-Api-Key", owner.Secret).Is(t, http.StatusOK,
		holds(`{"currentPage":1,"totalPages":4,"pageSize":1,"totalCount":4,"items":[`+want+`]}`))
	w.send("POST", w.at("/api-keys"), fmt.Sprintf(`{"roleId":%d,"userApiKey":{"apiName":"x"}}`, tester), "X-Api-Key", owner.Secret,
		"Content-Type", "application/json").Is(t, http.StatusBadRequest, refuses("400", "roleId is no role that a key can have"))
}

func TestRolesOfAnotherOrganizationAreNotThere(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	number := w.newRole("Tester", "keys.read")
	w.organization = w.NewOrganization(map[string]any{"name": "Other"})
	owner := w.newKey("owner", managing("keys.*", "organizations.read"))
	w.send("GET", fmt.Sprint("/gjirafa/api/roles/", number), "", "X-Api-Key", owner.Secret).Is(t, http.StatusNotFound, refuses("404", "Result Not Found"))
	w.send("POST", w.at("/api-keys"), fmt.Sprintf(`{"roleId":%d,"userApiKey":{"apiName":"x"}}`, number), "X-Api-Key", owner.Secret,
		"Content-Type", "application/json").Is(t, http.StatusBadRequest, refuses("400", "roleId is no role that a key can have"))
}
