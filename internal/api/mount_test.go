package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"keyward/internal/api"
)

// named answers with its name and the path that reached it.
func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", name, r.URL.EscapedPath())
	})
}

func TestSurfacesAreFoundByPathAndHost(t *testing.T) {
	h := api.Surfaces{
		Mounts: map[string]http.Handler{
			"/v1/": named("native"), "/livez": named("health"), "/aerospike/": named("aerospike"),
			"/aerospike/oauth/": named("token"), "/rebilly/": named("rebilly"),
		},
		Hosts:    map[string]string{"aerospike.localhost": "/aerospike/", "Keys.Example.com": "/rebilly/"},
		Fallback: named("rest"),
	}.Handler()
	for name, test := range map[string]struct{ host, path, want string }{
		"below a prefix":                         {"localhost", "/v1/organizations", "native /v1/organizations"},
		"the prefix itself":                      {"localhost", "/v1/", "native /v1/"},
		"the prefix without its slash":           {"localhost", "/v1", "native /v1"},
		"another word with the same start":       {"localhost", "/v1x", "rest /v1x"},
		"another case":                           {"localhost", "/V1/", "rest /V1/"},
		"one path":                               {"localhost", "/livez", "health /livez"},
		"below one path":                         {"localhost", "/livez/x", "rest /livez/x"},
		"the longest prefix":                     {"localhost", "/aerospike/oauth/token", "token /aerospike/oauth/token"},
		"the shorter prefix":                     {"localhost", "/aerospike/oauthx", "aerospike /aerospike/oauthx"},
		"nothing is stripped, nor decoded":       {"localhost", "/v1/a%2Fb", "native /v1/a%2Fb"},
		"an encoded prefix":                      {"localhost", "/%761/x", "native /%761/x"},
		"an encoded slash ends no other surface": {"localhost", "/v1%2Fx", "native /v1%2Fx"},
		"the root":                               {"localhost", "/", "rest /"},
		"a double slash":                         {"localhost", "//v1/x", "rest //v1/x"},
		"a host of a dialect":                    {"aerospike.localhost", "/v2/api-keys", "aerospike /aerospike/v2/api-keys"},
		"with a port":                            {"aerospike.localhost:8080", "/v2/api-keys", "aerospike /aerospike/v2/api-keys"},
		"in another case":                        {"Aerospike.LOCALHOST:8080", "/v2", "aerospike /aerospike/v2"},
		"with the dot of the root":               {"aerospike.localhost.", "/v2", "aerospike /aerospike/v2"},
		"mapped in another case":                 {"keys.example.com", "/x", "rebilly /rebilly/x"},
		"its root":                               {"keys.example.com", "/", "rebilly /rebilly/"},
		"its longest prefix":                     {"aerospike.localhost", "/oauth/token", "token /aerospike/oauth/token"},
		"the native API is not there":            {"aerospike.localhost", "/v1/verify", "aerospike /aerospike/v1/verify"},
		"health is not there":                    {"aerospike.localhost", "/livez", "aerospike /aerospike/livez"},
		"dots do not lead out":                   {"aerospike.localhost", "/../v1/verify", "aerospike /aerospike/../v1/verify"},
		"encoded dots do not lead out":           {"aerospike.localhost", "/%2e%2e/v1/x", "aerospike /aerospike/%2e%2e/v1/x"},
		"escapes stay":                           {"aerospike.localhost", "/a%2Fb", "aerospike /aerospike/a%2Fb"},
		"a host below that one":                  {"x.aerospike.localhost", "/v1/x", "native /v1/x"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", test.path, nil)
			r.Host = test.host
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Body.String() != test.want {
				t.Errorf("%s%s = %q, want %q", test.host, test.path, w.Body, test.want)
			}
			if got := r.URL.EscapedPath(); got != test.path {
				t.Errorf("the request itself was changed to %s", got)
			}
		})
	}
}

func TestDialectHostsServeTheirSurfaceAlone(t *testing.T) {
	h := api.Surfaces{
		Mounts:   map[string]http.Handler{"/d/": echo().Handler([]api.Route{{Pattern: "GET /d/open", Open: true, Handle: said("open")}})},
		Hosts:    map[string]string{"d.localhost": "/d/"},
		Fallback: named("rest"),
	}.Handler()
	for target, want := range map[string]int{"/open": 200, "/d/open": 404, "/../d/open": 404, "//open": 404, "*": 404} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host, r.URL.Path, r.RequestURI = "d.localhost", target, target
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want || w.Header().Get("Location") != "" {
			t.Errorf("GET %s = %d %s, want %d", target, w.Code, w.Body, want)
		}
	}
}
