package native_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/control"
	"keyward/keywardtest"
)

func TestEveryListIsWalkedToItsEnd(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *keywardtest.Server{
		"SQLite": startSQLite, "PostgreSQL": startPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, start(t))
			organization := c.organization("Long")
			keys := "/v1/organizations/" + organization + "/api-keys"
			for i := range 17 {
				c.key(organization, fmt.Sprintf(`{"name": "key %d", "environment": %q, "ownerId": %q}`,
					i%5, []string{"live", "test"}[i%2], fmt.Sprint("user ", i%3)))
			}
			sorts := []string{"", "-environment,name,-number"}
			for _, field := range control.KeyFields() {
				if field.Sortable {
					sorts = append(sorts, field.Name, "-"+field.Name)
				}
			}
			for _, sort := range sorts {
				if got := c.walk(keys, sort); len(got) != 17 {
					t.Errorf("sorted by %q there are %d different keys, want 17", sort, len(got))
				}
			}
			for _, path := range []string{"/v1/audit-events", "/v1/organizations/" + organization + "/audit-events"} {
				if got := c.walk(path, ""); len(got) < 18 {
					t.Errorf("%s has %d different events, want 18 or more", path, len(got))
				}
			}
		})
	}
}

// walk reads a list page by page, and returns the ids in it. One that comes twice
// fails the test.
func (c client) walk(path, sort string) []string {
	c.t.Helper()
	query := url.Values{"limit": {"4"}, "count": {"true"}}
	if sort != "" {
		query.Set("sort", sort)
	}
	var ids []string
	for {
		var page struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
			NextCursor *string `json:"nextCursor"`
			Total      int     `json:"total"`
		}
		c.must(http.StatusOK, "GET", path+"?"+query.Encode(), "", &page)
		for _, item := range page.Items {
			if slices.Contains(ids, item.ID) {
				c.t.Fatalf("%s sorted by %q: %s comes twice", path, sort, item.ID)
			}
			ids = append(ids, item.ID)
		}
		if page.NextCursor == nil {
			if page.Total != len(ids) {
				c.t.Errorf("%s sorted by %q: %d entries, counted as %d", path, sort, len(ids), page.Total)
			}
			return ids
		}
		query.Set("cursor", *page.NextCursor)
	}
}

func TestAuditEventsAreNewestFirst(t *testing.T) {
	c := newClient(t, startSQLite(t))
	organization := c.organization("Audited")
	made := c.key(organization, `{"name": "one"}`)
	c.must(http.StatusOK, "POST", "/v1/organizations/"+organization+"/api-keys/"+made.Key.ID+"/revoke", "", nil)
	for path, want := range map[string][]keyward.Action{
		"/v1/organizations/" + organization + "/audit-events":          {keyward.KeyRevoked, keyward.KeyCreated, keyward.OrganizationCreated},
		"/v1/organizations/" + organization + "/audit-events?sort=seq": {keyward.OrganizationCreated, keyward.KeyCreated, keyward.KeyRevoked},
		"/v1/audit-events?limit=2":                                     {keyward.KeyRevoked, keyward.KeyCreated},
	} {
		var page struct{ Items []keyward.Change }
		c.must(http.StatusOK, "GET", path, "", &page)
		var got []keyward.Action
		for _, event := range page.Items {
			got = append(got, event.Action)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestAKeyThatIsLimitedToProjectsSeesNoMore(t *testing.T) {
	c := newClient(t, startSQLite(t))
	organization := c.organization("Split")
	projects, keys := "/v1/organizations/"+organization+"/projects", "/v1/organizations/"+organization+"/api-keys"
	var mine, theirs keyward.Project
	c.must(http.StatusCreated, "POST", projects, `{"name": "mine"}`, &mine)
	c.must(http.StatusCreated, "POST", projects, `{"name": "theirs"}`, &theirs)
	inMine := c.key(organization, fmt.Sprintf(`{"name": "a", "projectIds": [%q]}`, mine.ID))
	inBoth := c.key(organization, fmt.Sprintf(`{"name": "b", "projectIds": [%q, %q]}`, mine.ID, theirs.ID))
	inTheirs := c.key(organization, fmt.Sprintf(`{"name": "c", "projectIds": [%q]}`, theirs.ID))
	robot := c.key(organization, fmt.Sprintf(`{"name": "robot", "management": [{"scope": {"projectId": [%q]},
		"permissions": ["keys.*", "projects.*"]}]}`, mine.ID))
	c.token = c.accessToken(robot)

	if got, want := c.walk(keys, ""), []string{inMine.Key.ID, inBoth.Key.ID}; !slices.Equal(got, want) {
		t.Errorf("the keys are %q, want %q", got, want)
	}
	if got, want := c.walk(projects, ""), []string{mine.ID}; !slices.Equal(got, want) {
		t.Errorf("the projects are %q, want %q", got, want)
	}
	for path, want := range map[string]int{
		"GET " + keys + "/" + inMine.Key.ID:              http.StatusOK,
		"GET " + keys + "/" + inBoth.Key.ID:              http.StatusOK,
		"GET " + keys + "/" + inTheirs.Key.ID:            http.StatusNotFound,
		"DELETE " + keys + "/" + inBoth.Key.ID:           http.StatusForbidden,
		"DELETE " + keys + "/" + inTheirs.Key.ID:         http.StatusNotFound,
		"GET " + projects + "/" + theirs.ID:              http.StatusNotFound,
		"DELETE " + projects + "/" + theirs.ID:           http.StatusNotFound,
		"GET /v1/organizations/" + organization:          http.StatusForbidden,
		"POST " + keys + "/" + inMine.Key.ID + "/revoke": http.StatusOK,
	} {
		method, path, _ := strings.Cut(path, " ")
		if got, _, answer := c.ask(method, path, "", nil); got != want {
			t.Errorf("%s %s: %d %s, want %d", method, path, got, answer, want)
		}
	}
	if got := c.verify(inTheirs.Secret, "").Code; got != keyward.Unknown {
		t.Errorf("a key of another project verifies as %s", got)
	}
	if got := c.verify(inBoth.Secret, "").Code; got != keyward.Valid {
		t.Errorf("a key of the project verifies as %s", got)
	}
}
