package apitest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keyward/internal/api/apitest"
)

const (
	rebillyKey   = `{"description": "ci", "allowedIps": ["192.0.2.7", "2001:db8::/32", "76.*.*.*"]}`
	rebillyError = `{"status": 404, "title": "Not Found"}`
	envelope     = `{"success": false, "errors": [], "messages": [], "result": null, "resultInfo": null, "statusCode": 404}`
	problem      = `{"type": "urn:aerospike:errors:validation:failed", "title": "Validation Error", "status": 400}`
)

func TestAVendorsContractIsHeldAgainstItsDialect(t *testing.T) {
	allow := http.Header{"Allow": {"GET"}}
	for name, test := range map[string]struct {
		vendor, method, path, body string
		answer                     answer
		want                       string // of the complaint, empty for none
	}{
		"a key": {"rebilly", "GET", "/rebilly/organizations/org_1/api-keys/a", "", answer{200, "application/json", rebillyKey, nil}, ""},
		"an address that is none": {
			"rebilly", "GET", "/rebilly/api-keys/a", "",
			answer{200, "application/json", `{"description": "x", "allowedIps": ["here"]}`, nil},
			"address",
		},
		"at the root of a host":         {"rebilly", "GET", "/api-keys/a", "", answer{200, "application/json", `{}`, nil}, "description"},
		"the slash at the end":          {"rebilly", "POST", "/rebilly/organizations/o/api-keys/", rebillyKey, answer{201, "application/json", `{}`, nil}, "description"},
		"read-only members may be sent": {"rebilly", "POST", "/api-keys", `{"id": "x", "description": "x"}`, answer{201, "application/json", rebillyKey, nil}, ""},
		"what was accepted is valid":    {"rebilly", "POST", "/api-keys", `{"type": "x", "description": "x"}`, answer{201, "application/json", rebillyKey, nil}, "accepts"},
		"beside keys all is well":       {"rebilly", "GET", "/rebilly/organizations/org_1", "", answer{200, "application/json", `{}`, nil}, ""},
		"an error beside keys is in form": {
			"rebilly", "GET", "/rebilly/organizations/org_1", "",
			answer{404, "text/plain", `no`, nil},
			"none of the contract's errors",
		},
		"an error that is not listed":    {"rebilly", "GET", "/rebilly/api-keys", "", answer{404, "application/json", rebillyError, nil}, ""},
		"a success that is not listed":   {"rebilly", "GET", "/rebilly/api-keys", "", answer{202, "application/json", `[]`, nil}, "not documented"},
		"a method that is not there":     {"gjirafa", "DELETE", "/gjirafa/api/projects/p/api-keys", "", answer{405, "application/json", envelope, allow}, ""},
		"an envelope lacks nothing":      {"gjirafa", "GET", "/gjirafa/api/projects/p/api-keys", "", answer{404, "application/json", `{"success": false}`, nil}, "property"},
		"problems are of the first path": {"aerospike", "GET", "/aerospike/v1/api-keys", "", answer{400, "application/problem+json", problem, nil}, ""},
		"problems are not of the second": {"aerospike", "DELETE", "/aerospike/v2/api-keys/x", "", answer{400, "application/problem+json", problem, nil}, "Content-Type"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			found := &recorder{TB: t}
			proxy := apitest.Proxy(found, server.URL, apitest.Vendor(t, test.vendor))
			request, err := http.NewRequest(test.method, proxy+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if test.body != "" {
				request.Header.Set("Content-Type", "application/json")
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if test.want == "" && len(found.errors) > 0 {
				t.Errorf("complaints: %q, want none", found.errors)
			}
			if test.want != "" && !strings.Contains(strings.Join(found.errors, "\n"), test.want) {
				t.Errorf("complaints: %q, want one about %q", found.errors, test.want)
			}
		})
	}
}

func TestWhatIsAskedOnPurposeIsLetPass(t *testing.T) {
	server := httptest.NewServer(answer{201, "application/json", rebillyKey, nil})
	defer server.Close()
	client := apitest.Vendor(t, "rebilly").Answers().Client(t)
	body := strings.NewReader(`{"description": "x", "acl": [{"scope": [], "permissions": ["*"]}]}`)
	response, err := client.Post(server.URL+"/rebilly/api-keys", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

func TestAProxyFindsNamesBelowLocalhost(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Asked", r.Host+r.URL.RequestURI())
	}))
	defer server.Close()
	named := strings.Replace(server.URL, "127.0.0.1", "vendor.localhost", 1)
	response, err := http.Get(apitest.Proxy(t, named) + "/a%2Fb?q=1;2&q")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	want := strings.TrimPrefix(named, "http://") + "/a%2Fb?q=1;2&q"
	if got := response.Header.Get("X-Asked"); got != want {
		t.Errorf("the server was asked for %q, want %q", got, want)
	}
}
