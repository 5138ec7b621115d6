package native_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"keyward/internal/api"
	"keyward/internal/api/apitest"
	"keyward/internal/api/native"
	"keyward/internal/control"
	"keyward/internal/filter"
	"keyward/internal/oauth"

	"github.com/getkin/kin-openapi/openapi3"
)

// served returns what the document describes: the routes of the surface, of tokens, and
// some of the server itself.
func served() []api.Route {
	var routes []api.Route
	for _, pattern := range []string{"GET /livez", "GET /readyz", "GET /version", "GET /openapi/native.json"} {
		routes = append(routes, api.Route{Pattern: pattern, Open: true})
	}
	return slices.Concat(routes, native.Routes(), oauth.New(nil, nil).Routes("", nil))
}

func TestTheContractHasTheRoutesOfTheTable(t *testing.T) {
	apitest.HoldsTable(t, native.Contract(), "", served())
}

func TestEveryRouteNeedsAPermissionOrIsOpen(t *testing.T) {
	for _, route := range served() {
		if route.Open != (route.Permission == "") {
			t.Errorf("%s is open: %v, and needs the permission %q", route.Pattern, route.Open, route.Permission)
		}
	}
}

func TestTheContractNamesTheFieldsOfLists(t *testing.T) {
	operations := apitest.Load(t, native.Contract()).Operations()
	const organization = "GET /v1/organizations/{organizationId}"
	for route, fields := range map[string]filter.Schema{
		"GET /v1/organizations":        control.OrganizationFields(),
		organization + "/projects":     control.ProjectFields(),
		organization + "/api-keys":     control.KeyFields(),
		organization + "/roles":        control.RoleFields(),
		organization + "/audit-events": control.ChangeFields(),
		"GET /v1/audit-events":         control.ChangeFields(),
		"GET /v1/operators":            control.OperatorFields(),
	} {
		var filtered, sorted []string
		for _, field := range fields {
			filtered = append(filtered, field.Name)
			if field.Sortable {
				sorted = append(sorted, field.Name)
			}
		}
		for name, want := range map[string][]string{"filter": filtered, "sort": sorted} {
			p := operations[route].Parameters.GetByInAndName(openapi3.ParameterInQuery, name)
			if got := fmt.Sprint(p.Extensions["x-fields"]); got != fmt.Sprint(want) {
				t.Errorf("%s: the contract can %s by %s, the server by %s", route, name, got, want)
			}
			for _, field := range want {
				if !strings.Contains(p.Description, field) {
					t.Errorf("%s: the description of %s lacks %s", route, name, field)
				}
			}
		}
	}
}

func TestTheReferenceNamesEveryRoute(t *testing.T) {
	page, err := os.ReadFile("../../../docs/api/native.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range served() {
		if !strings.Contains(string(page), "`"+route.Pattern+"`") {
			t.Errorf("docs/api/native.md does not name `%s`", route.Pattern)
		}
	}
	for _, code := range codes() {
		if !strings.Contains(string(page), "`"+code+"`") {
			t.Errorf("docs/api/native.md does not name the code %s", code)
		}
	}
}

// codes are those of the errors that the surface answers with.
func codes() []string {
	return []string{
		"invalid_request", "unauthenticated", "forbidden", "not_found", "conflict", "precondition_failed",
		"idempotency_key_reused", "unavailable", "internal_error",
		string(api.MethodNotAllowed), string(api.TooLarge), string(api.URITooLong), string(api.UnsupportedMedia),
		string(api.ExpectationFailed),
	}
}
