package native_test

import (
	"fmt"
	"maps"
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

// served returns what the document describes: the permission of each route, "" if it
// is open, by method and path.
func served() map[string]string {
	routes := map[string]string{
		"GET /livez": "", "GET /readyz": "", "GET /version": "", "GET /openapi/native.json": "",
	}
	for _, route := range slices.Concat(native.Routes(), oauth.New(nil, nil).Routes("")) {
		routes[route.Pattern] = string(route.Permission)
	}
	return routes
}

// operations returns the operations of the document by method and path.
func operations(t *testing.T) map[string]*openapi3.Operation {
	found := map[string]*openapi3.Operation{}
	for path, item := range apitest.Load(t, native.Contract()).Document.Paths.Map() {
		for method, operation := range item.Operations() {
			found[method+" "+path] = operation
		}
	}
	return found
}

func TestTheContractHasTheRoutesOfTheTable(t *testing.T) {
	documented := map[string]string{}
	for route, operation := range operations(t) {
		permission, _ := operation.Extensions["x-permission"].(string)
		documented[route] = permission
		open := operation.Security != nil
		if open != (permission == "") {
			t.Errorf("%s: security is overridden: %v, with the permission %q", route, open, permission)
		}
	}
	served := served()
	for route, permission := range served {
		if got, ok := documented[route]; !ok {
			t.Errorf("the contract lacks %s", route)
		} else if got != permission {
			t.Errorf("%s: the contract says permission %q, the table %q", route, got, permission)
		}
	}
	for route := range documented {
		if _, ok := served[route]; !ok {
			t.Errorf("no table has %s", route)
		}
	}
}

func TestTheContractHasTheParametersOfTheTable(t *testing.T) {
	operations := operations(t)
	for _, route := range native.Routes() {
		operation := operations[route.Pattern]
		if operation == nil {
			continue // another test says so
		}
		var query, path []string
		for _, p := range operation.Parameters {
			switch p.Value.In {
			case openapi3.ParameterInQuery:
				query = append(query, p.Value.Name)
			case openapi3.ParameterInPath:
				path = append(path, p.Value.Name)
			}
		}
		if want := slices.Sorted(slices.Values(route.Query)); !slices.Equal(slices.Sorted(slices.Values(query)), want) {
			t.Errorf("%s: the contract's query parameters are %q, the table's %q", route.Pattern, query, want)
		}
		if strings.Count(route.Pattern, "{") != len(path) {
			t.Errorf("%s: the contract's path parameters are %q", route.Pattern, path)
		}
	}
}

func TestTheContractNamesTheFieldsOfLists(t *testing.T) {
	operations := operations(t)
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

func TestEveryOperationSaysWhatItIs(t *testing.T) {
	seen := map[string]string{}
	operations := operations(t)
	for _, route := range slices.Sorted(maps.Keys(operations)) {
		operation := operations[route]
		if operation.OperationID == "" || operation.Summary == "" || len(operation.Tags) != 1 {
			t.Errorf("%s has no operationId, summary or tag", route)
		}
		if other, ok := seen[operation.OperationID]; ok {
			t.Errorf("%s and %s are both called %s", route, other, operation.OperationID)
		}
		seen[operation.OperationID] = route
		for status, response := range operation.Responses.Map() {
			if response.Value.Headers["X-Request-Id"] == nil {
				t.Errorf("%s: the answer %s has no X-Request-Id", route, status)
			}
		}
	}
}

func TestTheReferenceNamesEveryRoute(t *testing.T) {
	page, err := os.ReadFile("../../../docs/api/native.md")
	if err != nil {
		t.Fatal(err)
	}
	for route := range served() {
		if !strings.Contains(string(page), "`"+route+"`") {
			t.Errorf("docs/api/native.md does not name `%s`", route)
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
