package apitest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"keyward/internal/api"
)

// HoldsTable fails the test where a document does not describe exactly the routes of a
// surface's table, which are below mount, such as "/rebilly": which operations there
// are, who may call each, and with which parameters. Every operation must also say what
// it is, under an id and a tag, and that each of its answers has an X-Request-Id. That
// ids are of one operation each is what [Load] demands.
//
// A route that ends with a slash may be described by the operation without it: a
// document says of all its paths at once that they may end so.
func HoldsTable(t testing.TB, document []byte, mount string, routes []api.Route) {
	t.Helper()
	contract := Load(t, document)
	if servers := contract.Document.Servers; len(servers) != 1 || strings.TrimSuffix(servers[0].URL, "/") != mount {
		t.Errorf("the contract is not at %q of the server that it comes from, and nowhere else", mount)
	}
	documented := contract.Operations()
	lacking := maps.Clone(documented)
	for _, route := range routes {
		pattern, slashed := strings.CutSuffix(route.Pattern, "{$}")
		if slashed && documented[pattern] == nil {
			pattern = strings.TrimSuffix(pattern, "/")
		}
		delete(lacking, pattern)
		if documented[pattern] == nil {
			t.Errorf("the contract lacks %s", pattern)
			continue
		}
		d := described{t, contract.Document, pattern, documented[pattern]}
		d.rights(route)
		d.parameters(route)
	}
	for _, pattern := range slices.Sorted(maps.Keys(lacking)) {
		t.Errorf("the table lacks %s", pattern)
	}
	for pattern, operation := range documented {
		described{t, contract.Document, pattern, operation}.says()
	}
}

// Operations returns the operations by method and path, as a table has them: the path
// begins with that of the server.
func (c *Contract) Operations() map[string]*openapi3.Operation {
	found := map[string]*openapi3.Operation{}
	for path, item := range c.Document.Paths.Map() {
		for method, operation := range item.Operations() {
			found[method+" "+c.base+path] = operation
		}
	}
	return found
}

// described is one operation of a document.
type described struct {
	t         testing.TB
	document  *openapi3.T
	pattern   string
	operation *openapi3.Operation
}

// rights compares who may call the operation.
func (d described) rights(route api.Route) {
	d.t.Helper()
	if permission, _ := d.operation.Extensions["x-permission"].(string); permission != string(route.Permission) {
		d.t.Errorf("%s: the contract says permission %q, the table %q", d.pattern, permission, route.Permission)
	}
	if open := d.open(); open != route.Open {
		d.t.Errorf("%s: open is %v in the contract, %v in the table", d.pattern, open, route.Open)
	}
	if !route.Open && d.operation.Responses.Status(401) == nil {
		d.t.Errorf("%s: the contract lacks the answer 401", d.pattern)
	}
}

// open reports whether the operation can be called without a credential.
func (d described) open() bool {
	security := d.document.Security
	if d.operation.Security != nil {
		security = *d.operation.Security
	}
	return len(security) == 0 ||
		slices.ContainsFunc(security, func(one openapi3.SecurityRequirement) bool { return len(one) == 0 })
}

// parameters compares the names in the query and the number of those in the path.
func (d described) parameters(route api.Route) {
	d.t.Helper()
	var query, path []string
	for _, p := range d.operation.Parameters {
		switch p.Value.In {
		case openapi3.ParameterInQuery:
			query = append(query, p.Value.Name)
		case openapi3.ParameterInPath:
			path = append(path, p.Value.Name)
		}
	}
	slices.Sort(query)
	if want := slices.Sorted(slices.Values(route.Query)); !slices.Equal(query, want) {
		d.t.Errorf("%s: the contract's query parameters are %q, the table's %q", d.pattern, query, want)
	}
	if strings.Count(d.pattern, "{") != len(path) {
		d.t.Errorf("%s: the contract's path parameters are %q", d.pattern, path)
	}
}

// says checks what the operation tells its readers.
func (d described) says() {
	d.t.Helper()
	if d.operation.OperationID == "" || d.operation.Summary == "" || len(d.operation.Tags) != 1 {
		d.t.Errorf("%s has no operationId, summary or tag", d.pattern)
	}
	for status, response := range d.operation.Responses.Map() {
		if response.Value.Headers["X-Request-Id"] == nil {
			d.t.Errorf("%s: the answer %s has no X-Request-Id", d.pattern, status)
		}
	}
}
