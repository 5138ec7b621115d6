package aerospike_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/api/aerospike"
	"keyward/keywardtest"
)

// generic and problem are errors as v2 and v1 word them.
func generic(code, message string) string {
	return fmt.Sprintf(`{"code":%q,"message":%q}`, code, message)
}

func problem(of, title string, status int, detail string) string {
	return fmt.Sprintf(`{"type":"urn:aerospike:errors:%s","title":%q,"status":%d,"detail":%q,"message":%q}`, of, title, status, detail, detail)
}

var (
	invalidToken = generic("invalid_token", "The access token is invalid.")
	missingToken = generic("missing_token", "The access token is missing.")
)

func TestOnlyTokensOfThisSurfaceAreLetIn(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.newKey(w.organization, "ci", reader())
	good := w.token(k)
	for name, test := range map[string]struct {
		header []string
		want   string
	}{
		"an API key header":         {[]string{"X-Api-Key", k.Secret}, missingToken},
		"a key in another dialect":  {[]string{"Reb-Apikey", k.Secret}, missingToken},
		"an empty header":           {[]string{"Authorization", ""}, invalidToken},
		"another scheme":            {[]string{"Authorization", "Basic " + good}, invalidToken},
		"a token with another end":  {[]string{"Authorization", "Bearer " + good + "A"}, invalidToken},
		"a token with two spaces":   {[]string{"Authorization", "Bearer  " + good}, invalidToken},
		"an operator's credential":  {[]string{"Authorization", "Bearer " + w.RootToken}, invalidToken},
		"a token that has no parts": {[]string{"Authorization", "Bearer eyJ.."}, invalidToken},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.send("GET", "/aerospike/v2/api-keys", "", test.header...)
			got.Is(t, http.StatusUnauthorized, test.want)
			if !strings.HasPrefix(got.Header.Get("Www-Authenticate"), "Bearer ") {
				t.Errorf("WWW-Authenticate = %q", got.Header.Get("Www-Authenticate"))
			}
		})
	}
}

// A token is as good as its key, and its organization, at that moment.
func TestTokensEndWithTheirKey(t *testing.T) {
	for name, end := range map[string]func(*world, key){
		"revoked": func(w *world, k key) { w.revoke(k) },
		"deleted": func(w *world, k key) { w.Native("DELETE", w.keyPath(k), nil, nil) },
		"deleted by another here": func(w *world, k key) {
			token := w.token(w.newKey(w.organization, "deleter", managing(map[string]any{}, "keys.*")))
			w.as(token, "DELETE", "/aerospike/v1/api-keys/"+k.ClientID, "").Is(w, http.StatusNoContent, "")
		},
		"disabled": func(w *world, k key) { w.Native("PATCH", w.keyPath(k), map[string]any{"enabled": false}, nil) },
		"rotated":  func(w *world, k key) { w.Native("POST", w.keyPath(k)+"/rotate", map[string]any{}, nil) },
		"of a disabled organization": func(w *world, _ key) {
			w.Native("PATCH", "/v1/organizations/"+w.organization, map[string]any{"enabled": false}, nil)
		},
		"of a deleted organization": func(w *world, _ key) { w.Native("DELETE", "/v1/organizations/"+w.organization, nil, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, keywardtest.Options{})
			k := w.newKey(w.organization, "ci", reader())
			token := w.token(k)
			end(w, k)
			w.as(token, "GET", "/aerospike/v2/api-keys", "").Is(t, http.StatusUnauthorized, invalidToken)
			w.as(token, "GET", "/aerospike/v1/api-keys", "").Is(t, http.StatusUnauthorized,
				problem("auth:unauthorized", "Unauthorized", 401, "The access token is invalid."))
			if got := w.send("POST", "/aerospike/oauth/token", k.Form(), "Content-Type", asForm).Status; got != http.StatusUnauthorized {
				t.Errorf("another token = %d, want 401", got)
			}
		})
	}
}

func TestTokensAreBoundToTheAddressesOfTheirKey(t *testing.T) {
	w := newWorld(t, keywardtest.Options{TrustedProxies: "127.0.0.0/8"})
	with := reader()
	with["allowedIps"] = []string{"203.0.113.0/24"}
	token := w.token(w.newKey(w.organization, "ci", with), "X-Forwarded-For", "203.0.113.9")
	const elsewhere = "The key may not be used from this address."
	for version, want := range map[string]string{
		"v1": problem("auth:unauthorized", "Unauthorized", 403, elsewhere), "v2": generic("permission_denied", elsewhere),
	} {
		path := "/aerospike/" + version + "/api-keys"
		if status := w.as(token, "GET", path, "", "X-Forwarded-For", "203.0.113.9").Status; status != http.StatusOK {
			t.Errorf("from its own address = %d", status)
		}
		w.as(token, "GET", path, "", "X-Forwarded-For", "198.51.100.1").Is(t, http.StatusForbidden, want)
	}
}

// Scopes are management by the vendor's names, and nothing else is.
func TestEachScopeStandsForAPermission(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	everything := `"acl":[{"scope":{},"permissions":["*","read:api-key","keys.*"]}]`
	var acl map[string]any
	if err := json.Unmarshal([]byte("{"+everything+"}"), &acl); err != nil {
		t.Fatal(err)
	}
	target := w.newKey(w.organization, "target", nil)
	for endpoint, scope := range map[string][2]string{
		"GET /api-keys":                       {"read:api-key", "keys.read"},
		"POST /api-keys":                      {"create:api-key", "keys.create"},
		"DELETE /api-keys/" + target.ClientID: {"delete:api-key", "keys.delete"},
		"GET /organization":                   {"read:org", "organizations.read"},
	} {
		var others []string
		for _, p := range []string{
			"keys.read", "keys.create", "keys.update", "keys.revoke", "keys.delete", "keys.reveal", "keys.verify",
			"projects.read", "projects.write", "organizations.read", "audit.read", "usage.read",
		} {
			if p != scope[1] {
				others = append(others, p)
			}
		}
		method, path, _ := strings.Cut(endpoint, " ")
		for name, with := range map[string]map[string]any{
			"nothing": nil, "an acl": acl, "every other permission": managing(map[string]any{}, others...),
		} {
			token := w.token(w.newKey(w.organization, name, with))
			said := "Missing scope " + scope[0] + "."
			w.as(token, method, "/aerospike/v2"+path, `{"name":"x"}`).Is(t, http.StatusForbidden, generic("permission_denied", said))
			w.as(token, method, "/aerospike/v1"+path, `{"name":"x"}`).Is(t, http.StatusForbidden, problem("auth:unauthorized", "Unauthorized", 403, said))
		}
		token := w.token(w.newKey(w.organization, "the one", managing(map[string]any{}, scope[1])))
		if got := w.as(token, method, "/aerospike/v1"+path, `{"name":"x"}`); got.Status >= 300 {
			t.Errorf("%s with %s = %d %s", endpoint, scope[1], got.Status, got.Body)
		}
	}
}

func TestMethodsThatHTTPKnowsButNoPathHasAreRefused(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	for _, method := range []string{"TRACE", "OPTIONS", "PROPFIND", "get"} {
		got := w.send(method, "/aerospike/v2/api-keys", "")
		got.Is(t, http.StatusMethodNotAllowed, generic("method_not_allowed", "This method is not allowed here."))
		if got.Header.Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("%s: Allow = %q", method, got.Header.Get("Allow"))
		}
		w.send(method, "/aerospike/v1/api-keys", "").Is(t, http.StatusMethodNotAllowed,
			problem("validation:failed", "Method Not Allowed", 405, "This method is not allowed here."))
	}
}

func TestEveryErrorHasTheVendorsShape(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		v2, v1 string
	}{
		"a bug": {
			keyward.Errorf(keyward.Internal, "disk is on fire"), 500, generic("internal_error", "Internal Server Error"),
			problem("system:internal", "Internal Server Error", 500, "Internal Server Error"),
		},
		"an error of no kind": {
			fmt.Errorf("disk is on fire"), 500, generic("internal_error", "Internal Server Error"),
			problem("system:internal", "Internal Server Error", 500, "Internal Server Error"),
		},
		"a server that starts": {
			keyward.Errorf(keyward.Unavailable, "the server is starting"), 503, generic("unavailable", "The server is starting."),
			problem("system:unavailable", "Service Unavailable", 503, "The server is starting."),
		},
		"a conflict": {
			keyward.Errorf(keyward.Conflict, "there are no numbers left"), 409, generic("conflict", "There are no numbers left."),
			problem("resource:already-exists", "Resource Already Exists", 409, "There are no numbers left."),
		},
		"too many requests": {
			keyward.Errorf(keyward.Throttled, "slow down"), 429, generic("too_many_requests", "Slow down."),
			problem("ratelimit:exceeded", "Rate Limit Exceeded", 429, "Slow down."),
		},
		"a body that is too large": {
			keyward.Errorf(api.TooLarge, "the body is larger than 5 bytes"), 413, generic("body_too_large", "The body is larger than 5 bytes."),
			problem("validation:failed", "Request Entity Too Large", 413, "The body is larger than 5 bytes."),
		},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			aerospike.WriteError(recorder, httptest.NewRequest("GET", "/aerospike/v2/api-keys", nil), test.err)
			answer{Status: recorder.Code, Body: recorder.Body.String()}.Is(t, test.status, test.v2)
			recorder = httptest.NewRecorder()
			aerospike.WriteProblem(recorder, httptest.NewRequest("GET", "/aerospike/v1/api-keys", nil), test.err)
			answer{Status: recorder.Code, Body: recorder.Body.String()}.Is(t, test.status, test.v1)
		})
	}
}

func TestTheTokenEndpointHidesItsBugs(t *testing.T) {
	for err, want := range map[error]string{
		keyward.Errorf(keyward.Internal, "disk is on fire"):           `{"error":"server_error","error_description":"Internal Server Error"}`,
		keyward.Errorf(keyward.Unavailable, "the server is starting"): `{"error":"temporarily_unavailable","error_description":"The server is starting."}`,
	} {
		recorder := httptest.NewRecorder()
		aerospike.WriteTokenError(recorder, httptest.NewRequest("POST", "/aerospike/oauth/token", nil), err)
		if recorder.Body.String() != want {
			t.Errorf("body = %s, want %s", recorder.Body, want)
		}
	}
}
