package apitest_test

import (
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/api/apitest"
)

// table is what [described] describes.
func table() []api.Route {
	return []api.Route{
		{Pattern: "GET /shop/things", Permission: keyward.KeysRead, Query: []string{"limit", "filter"}},
		{Pattern: "GET /shop/things/{$}", Permission: keyward.KeysRead, Query: []string{"limit", "filter"}},
		{Pattern: "GET /shop/things/{id}", Permission: keyward.KeysRead},
		{Pattern: "GET /shop/about", Open: true},
	}
}

// described is a document of a table with nothing wrong.
const described = `{
  "openapi": "3.1.0", "info": { "title": "Shop", "version": "1" }, "servers": [{ "url": "/shop" }],
  "security": [{ "key": [] }],
  "paths": {
    "/things": { "get": {
      "operationId": "list", "summary": "List.", "tags": ["things"], "x-permission": "keys.read",
      "parameters": [
        { "name": "filter", "in": "query", "schema": { "type": "string" } },
        { "name": "limit", "in": "query", "schema": { "type": "string" } }
      ],
      "responses": { "401": { "$ref": "#/components/responses/Empty" } }
    } },
    "/things/{id}": { "get": {
      "operationId": "read", "summary": "Read.", "tags": ["things"], "x-permission": "keys.read",
      "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
      "responses": { "401": { "$ref": "#/components/responses/Empty" } }
    } },
    "/about": { "get": {
      "operationId": "about", "summary": "About.", "tags": ["shop"], "security": [],
      "responses": { "200": { "$ref": "#/components/responses/Empty" } }
    } }
  },
  "components": {
    "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
    "responses": { "Empty": { "description": "Empty.", "headers": { "X-Request-Id": { "schema": { "type": "string" } } } } }
  }
}`

func TestADocumentIsHeldAgainstTheTableOfItsSurface(t *testing.T) {
	for name, test := range map[string]struct {
		old, new string // of the document
		want     string // of the complaints; "" for none
	}{
		"as it is, all is well":           {"nothing", "nothing", ""},
		"a route is missing":              {`"/about"`, `"/more"`, "the contract lacks GET /shop/about"},
		"nothing serves an operation":     {`"/about"`, `"/more"`, "the table lacks GET /shop/more"},
		"another permission":              {`"x-permission": "keys.read",`, `"x-permission": "keys.update",`, `permission "keys.update", the table "keys.read"`},
		"closed, and said to be open":     {`"tags": ["things"],`, `"tags": ["things"], "security": [{}],`, "open is true in the contract"},
		"open, and said to be closed":     {`, "security": []`, "", "open is false in the contract"},
		"closed, and nobody is refused":   {`"401"`, `"403"`, "lacks the answer 401"},
		"a query parameter of no route":   {`"filter"`, `"filters"`, "query parameters"},
		"no summary":                      {`"summary": "List.",`, "", "no operationId, summary or tag"},
		"two tags":                        {`["things"]`, `["things", "shop"]`, "no operationId, summary or tag"},
		"an answer without a request id":  {"X-Request-Id", "X-Other", "has no X-Request-Id"},
		"it is of another mount":          {`"/shop"`, `"/store"`, "not at"},
		"it is of another server as well": {`[{ "url": "/shop" }]`, `[{ "url": "/shop" }, { "url": "https://example.com/shop" }]`, "not at"},
	} {
		t.Run(name, func(t *testing.T) {
			found := &recorder{TB: t}
			document := strings.NewReplacer(test.old, test.new).Replace(described)
			apitest.HoldsTable(found, []byte(document), "/shop", table())
			all := strings.Join(found.errors, "\n")
			if test.want == "" && all != "" || !strings.Contains(all, test.want) {
				t.Errorf("complaints: %s\nwant some about %q", all, test.want)
			}
		})
	}
}
