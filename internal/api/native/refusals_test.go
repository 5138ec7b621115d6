package native_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api/apitest"
	"keyward/keywardtest"
)

// refusals asks every route in every way that it must refuse, whatever it does.
func refusals(t *testing.T, kw *keywardtest.Server, contract *apitest.Contract) {
	root := client{t, kw.URL, kw.RootToken, contract.Client(t)}
	organization := root.organization("Refusals")
	key := root.key(organization, `{"name": "refused"}`).Key
	var project keyward.Project
	root.must(http.StatusCreated, "POST", "/v1/organizations/"+organization+"/projects", `{"name": "x"}`, &project)
	var role keyward.KeyRole
	root.must(http.StatusCreated, "POST", "/v1/organizations/"+organization+"/roles", `{"name": "x"}`, &role)
	var made issued
	root.must(http.StatusCreated, "POST", "/v1/operators", `{"name": "x", "role": "viewer"}`, &made)
	places := strings.NewReplacer("{organizationId}", organization, "{projectId}", project.ID,
		"{keyId}", key.ID, "{operatorId}", made.Operator.ID, "{number}", fmt.Sprint(role.Number), "{seq}", "1")
	viewer, verifier := root.operator(keyward.Viewer), root.operator(keyward.Verifier)

	for _, route := range served() {
		method, path, _ := strings.Cut(places.Replace(route.Pattern), " ")
		r := refusal{root, method, path}
		r.must(http.StatusBadRequest, "?novalue", "", nil)
		r.must(http.StatusRequestURITooLong, "?q="+strings.Repeat("x", 16<<10), "", nil)
		if method == "POST" || method == "PATCH" {
			r.must(http.StatusUnsupportedMediaType, "", "hello", http.Header{"Content-Type": {"text/plain"}})
			// Expecting 100-continue keeps a body that is refused from being sent.
			r.must(http.StatusRequestEntityTooLarge, "", strings.Repeat(" ", 1<<20+1), http.Header{"Expect": {"100-continue"}})
		}
		if route.Open {
			continue
		}
		r.must(http.StatusUnauthorized, "?novalue", "hello", http.Header{"Authorization": nil})
		r.client = verifier
		if route.Permission == keyward.KeysVerify {
			r.client = viewer
		}
		r.must(http.StatusForbidden, "", body(route.Pattern), nil)
	}
}

// body is a right body for a route, "" for none.
func body(pattern string) string {
	switch pattern {
	case "POST /v1/verify":
		return `{"key": "x"}`
	case "POST /v1/verify/batch":
		return `{"requests": [{"key": "x"}]}`
	case "POST /v1/operators":
		return `{"name": "x", "role": "viewer"}`
	}
	switch method, _, _ := strings.Cut(pattern, " "); {
	case strings.HasSuffix(pattern, "rotate"), strings.HasSuffix(pattern, "revoke"), strings.HasSuffix(pattern, "reveal"),
		strings.HasSuffix(pattern, "introspect"): // whose body is a form
		return ""
	case method == "POST" || method == "PATCH":
		return `{"name": "x"}`
	}
	return ""
}

// refusal is a route that refuses.
type refusal struct {
	client
	method, path string
}

func (r refusal) must(status int, query, body string, header http.Header) {
	r.t.Helper()
	got, _, answer := r.ask(r.method, r.path+query, body, header)
	if got != status {
		r.t.Errorf("%s %s%.20s: %d %s, want %d", r.method, r.path, query, got, fmt.Sprintf("%.300s", answer), status)
	}
}
