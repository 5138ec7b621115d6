package web_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyward/internal/api"
	"keyward/internal/api/aerospike"
	"keyward/internal/api/apitest"
	"keyward/internal/api/gjirafa"
	"keyward/internal/api/native"
	"keyward/internal/api/rebilly"
	"keyward/internal/oauth"
	"keyward/keywardtest"
)

// tables are the routes that each document describes. The native one also describes
// some of the server's own.
func tables() map[string][]api.Route {
	return map[string][]api.Route{
		"native":    append(native.Routes(), oauth.New(nil, nil).Routes("")...),
		"aerospike": aerospike.Routes(),
		"rebilly":   rebilly.Routes(),
		"gjirafa":   gjirafa.Routes(),
	}
}

// ofServer are the routes of the server itself that the native document describes.
var ofServer = []string{"GET /livez", "GET /readyz", "GET /version", "GET /openapi/native.json"}

var wildcard = regexp.MustCompile(`\{\w+\}`)

// unnamed returns a route as it is compared: its parameters without names. A slash at
// the end is another spelling of the same.
func unnamed(route string) string {
	return strings.TrimSuffix(wildcard.ReplaceAllString(strings.TrimSuffix(route, "{$}"), "{}"), "/")
}

func TestEveryDocumentIsTheTableOfItsSurface(t *testing.T) {
	kw := keywardtest.New(t)
	for name, table := range tables() {
		t.Run(name, func(t *testing.T) {
			got := documented(t, ask(t, "GET", kw.URL+"/openapi/"+name+".json").body)
			want := described(name, table)
			for _, route := range want {
				if !slices.Contains(got, route) {
					t.Errorf("the document lacks %s", route)
				}
			}
			for _, route := range got {
				if !slices.Contains(want, route) {
					t.Errorf("nothing serves %s, which the document has", route)
				}
			}
		})
	}
}

// described are the routes that a document should have.
func described(name string, table []api.Route) []string {
	var routes []string
	for _, route := range table {
		routes = append(routes, unnamed(route.Pattern))
	}
	if name == "native" {
		routes = append(routes, ofServer...)
	}
	return routes
}

// documented returns the operations of a document, which must be valid, as routes of
// the whole server.
func documented(t *testing.T, text []byte) []string {
	t.Helper()
	document := apitest.Load(t, text).Document
	if len(document.Servers) != 1 {
		t.Fatalf("%s names %d servers, not this one alone", document.Info.Title, len(document.Servers))
	}
	server, err := url.Parse(document.Servers[0].URL)
	if err != nil || server.Host != "" || !strings.HasPrefix(server.Path, "/") {
		t.Fatalf("%s is at %q, not wherever it is served", document.Info.Title, document.Servers[0].URL)
	}
	var routes []string
	for path, item := range document.Paths.Map() {
		for method := range item.Operations() {
			routes = append(routes, unnamed(method+" "+strings.TrimSuffix(server.Path, "/")+path))
		}
	}
	return routes
}

func TestTheIndexLeadsToEveryDocument(t *testing.T) {
	kw := keywardtest.New(t)
	index := string(ask(t, "GET", kw.URL+"/docs/api/").body)
	for name := range tables() {
		for _, link := range []string{`href="` + name + `/"`, `href="../../openapi/` + name + `.json"`} {
			if !strings.Contains(index, link) {
				t.Errorf("the index has no %s", link)
			}
		}
	}
	if links := strings.Count(index, "<h2><a "); links != len(tables()) {
		t.Errorf("the index has %d APIs, the tests know %d", links, len(tables()))
	}
}
