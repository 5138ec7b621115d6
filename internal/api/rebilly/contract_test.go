package rebilly_test

import (
	"slices"
	"strings"
	"testing"

	"keyward/internal/api/apitest"
	"keyward/internal/api/rebilly"

	"github.com/getkin/kin-openapi/openapi3"
)

// operations returns the operations of the document by method and path, in which the
// table calls keyId what the vendor calls id, as everything else.
func operations(t *testing.T) map[string]*openapi3.Operation {
	found := map[string]*openapi3.Operation{}
	for path, item := range apitest.Load(t, rebilly.Contract()).Document.Paths.Map() {
		for method, operation := range item.Operations() {
			found[method+" /rebilly"+strings.Replace(path, "{id}", "{keyId}", 1)] = operation
		}
	}
	return found
}

func TestTheContractHasTheRoutesOfTheTable(t *testing.T) {
	documented := operations(t)
	known := map[string]bool{}
	for _, route := range rebilly.Routes() {
		pattern, slashed := strings.CutSuffix(route.Pattern, "/{$}")
		if slashed {
			known[pattern+"/"] = true // said once for all, but where the vendor's client needs it
		}
		known[pattern] = true
		operation := documented[pattern]
		if operation == nil {
			t.Errorf("the contract lacks %s", pattern)
			continue
		}
		if permission, _ := operation.Extensions["x-permission"].(string); permission != string(route.Permission) {
			t.Errorf("%s: the contract says permission %q, the table %q", pattern, permission, route.Permission)
		}
		if open := operation.Security != nil && len(*operation.Security) == 0; open != route.Open {
			t.Errorf("%s: open by the contract: %v, by the table: %v", pattern, open, route.Open)
		}
		query, path := parameters(operation)
		if want := slices.Sorted(slices.Values(route.Query)); !slices.Equal(query, want) {
			t.Errorf("%s: the contract's query parameters are %q, the table's %q", pattern, query, want)
		}
		if strings.Count(pattern, "{") != len(path) {
			t.Errorf("%s: the contract's path parameters are %q", pattern, path)
		}
	}
	for pattern := range documented {
		if !known[pattern] {
			t.Errorf("no table has %s", pattern)
		}
	}
}

// parameters returns the names of an operation's parameters, sorted.
func parameters(operation *openapi3.Operation) (query, path []string) {
	for _, p := range operation.Parameters {
		switch p.Value.In {
		case openapi3.ParameterInQuery:
			query = append(query, p.Value.Name)
		case openapi3.ParameterInPath:
			path = append(path, p.Value.Name)
		}
	}
	slices.Sort(query)
	return query, path
}

func TestEveryOperationSaysWhatItIs(t *testing.T) {
	seen := map[string]string{}
	for pattern, operation := range operations(t) {
		if operation.OperationID == "" || operation.Summary == "" || len(operation.Tags) != 1 {
			t.Errorf("%s has no operationId, summary or tag", pattern)
		}
		if other, ok := seen[operation.OperationID]; ok {
			t.Errorf("%s and %s are both called %s", pattern, other, operation.OperationID)
		}
		seen[operation.OperationID] = pattern
		for status, response := range operation.Responses.Map() {
			if response.Value.Headers["X-Request-Id"] == nil {
				t.Errorf("%s: the answer %s has no X-Request-Id", pattern, status)
			}
		}
	}
}
