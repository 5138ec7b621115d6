package aerospike_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"keyward/internal/api/aerospike"
	"keyward/internal/api/apitest"
	"keyward/keywardtest"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

// operations returns the operations of our document by method and path.
func operations(t *testing.T) map[string]*openapi3.Operation {
	found := map[string]*openapi3.Operation{}
	for path, item := range apitest.Load(t, aerospike.Contract()).Document.Paths.Map() {
		for method, operation := range item.Operations() {
			found[method+" /aerospike"+path] = operation
		}
	}
	return found
}

func TestTheContractHasTheRoutesOfTheTable(t *testing.T) {
	operations := operations(t)
	for _, route := range aerospike.Routes() {
		operation := operations[route.Pattern]
		delete(operations, route.Pattern)
		if operation == nil {
			t.Errorf("the contract lacks %s", route.Pattern)
			continue
		}
		if permission, _ := operation.Extensions["x-permission"].(string); permission != string(route.Permission) {
			t.Errorf("%s: the contract says permission %q, the table %q", route.Pattern, permission, route.Permission)
		}
		if open := operation.Responses.Status(401) == nil; open != route.Open && route.Pattern != "POST /aerospike/oauth/token" {
			t.Errorf("%s: open is %v in the contract, %v in the table", route.Pattern, open, route.Open)
		}
		var query, path []string
		for _, p := range operation.Parameters {
			if p.Value.In == openapi3.ParameterInQuery {
				query = append(query, p.Value.Name)
			} else {
				path = append(path, p.Value.Name)
			}
		}
		if !slices.Equal(query, route.Query) {
			t.Errorf("%s: the contract's query parameters are %q, the table's %q", route.Pattern, query, route.Query)
		}
		if strings.Count(route.Pattern, "{") != len(path) {
			t.Errorf("%s: the contract's path parameters are %q", route.Pattern, path)
		}
	}
	for route := range operations {
		t.Errorf("the table lacks %s", route)
	}
}

// Generic clients call operations by their ids.
func TestTheContractNamesOperationsAsTheVendorDoes(t *testing.T) {
	named := map[string]bool{}
	for route, operation := range operations(t) {
		if operation.OperationID == "" || operation.Summary == "" || len(operation.Tags) != 1 {
			t.Errorf("%s has no operationId, summary or tag", route)
		}
		if named[operation.OperationID] {
			t.Errorf("%s is called %s, as another", route, operation.OperationID)
		}
		named[operation.OperationID] = true
		for status, response := range operation.Responses.Map() {
			if response.Value.Headers["X-Request-Id"] == nil {
				t.Errorf("%s: the answer %s has no X-Request-Id", route, status)
			}
		}
	}
	for _, item := range apitest.Vendor(t, "aerospike").Document.Paths.Map() {
		for _, operation := range item.Operations() {
			if !named[operation.OperationID] {
				t.Errorf("the vendor's operation %s is missing", operation.OperationID)
			}
		}
	}
}

// What the vendor's clients may be answered by its own document, they may by ours.
func TestTheContractHasTheVendorsScopesAndAnswers(t *testing.T) {
	ours := map[string]*openapi3.Operation{}
	for _, operation := range operations(t) {
		ours[operation.OperationID] = operation
	}
	for _, item := range apitest.Vendor(t, "aerospike").Document.Paths.Map() {
		for _, theirs := range item.Operations() {
			own := ours[theirs.OperationID]
			if own == nil {
				continue // another test says so
			}
			if theirs.OperationID != "getToken" && !reflect.DeepEqual(own.Security, theirs.Security) {
				t.Errorf("%s: security is %v, the vendor's %v", own.OperationID, own.Security, theirs.Security)
			}
			for status := range theirs.Responses.Map() {
				if own.Responses.Value(status) == nil && status != "501" { // what is implemented is
					t.Errorf("%s: the contract lacks the vendor's answer %s", own.OperationID, status)
				}
			}
		}
	}
}

func TestTheContractIsTheSameInYAML(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	got := w.send("GET", "/aerospike/v1/openapi.yaml", "")
	var written, want any
	if err := yaml.Unmarshal([]byte(got.body), &written); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(aerospike.Contract(), &want); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(written)
	if err != nil {
		t.Fatal(err)
	}
	var have any
	if err := json.Unmarshal(again, &have); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(have, want) {
		t.Error("the YAML is not the document")
	}
	apitest.Load(t, []byte(got.body))
	if strings.Contains(got.body, `{"`) || !strings.HasPrefix(got.body, "openapi: 3.0.3\ninfo:\n  title:") {
		t.Errorf("the YAML is not as people write it: %.200s", got.body)
	}
}
