package aerospike_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/api/aerospike"
	"keyward/internal/keyring"
	"keyward/internal/token"
	"keyward/keywardtest"
)

func TestTheListHoldsTheKeysOfTheOrganizationAsTheVendorSpellsThem(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	first := w.newKey(w.organization, "ci <runner> & co", reader())
	gone := w.newKey(w.organization, "gone", nil)
	second := w.newKey(w.organization, "b", map[string]any{"enabled": false})
	third := w.newKey(w.organization, "a", map[string]any{"type": "publishable", "environment": "test"})
	deleted := w.newKey(w.organization, "deleted", nil)
	w.newKey(w.newOrganization("Other"), "foreign", reader())
	w.revoke(gone)
	w.native("DELETE", "/v1/organizations/"+w.organization+"/api-keys/"+deleted.id, nil, nil)

	w.list(w.token(first)).is(t, http.StatusOK, fmt.Sprintf(
		`{"count":3,"apiKeys":[{"name":"ci <runner> & co","clientId":%q},{"name":"b","clientId":%q},{"name":"a","clientId":%q}]}`,
		first.clientID, second.clientID, third.clientID))
}

func TestTheListHasNoPages(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.newKey(w.organization, "first", reader())
	const keys, makers = 1100, 11
	var group sync.WaitGroup
	for range makers {
		group.Go(func() {
			for range keys / makers {
				w.newKey(w.organization, "one of many", nil)
			}
		})
	}
	group.Wait()
	var list struct {
		Count   int
		APIKeys []struct{ ClientID string }
	}
	if err := json.Unmarshal([]byte(w.list(w.token(k)).body), &list); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, key := range list.APIKeys {
		seen[key.ClientID] = true
	}
	if list.Count != keys+1 || len(seen) != keys+1 || list.APIKeys[0].ClientID != k.clientID {
		t.Errorf("count = %d, different keys = %d, want %d of each, oldest first", list.Count, len(seen), keys+1)
	}
}

func TestAnEmptyListIsAnArray(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	var project struct{ ID string }
	w.native("POST", "/v1/organizations/"+w.organization+"/projects", map[string]any{"name": "Sports"}, &project)
	k := w.newKey(w.organization, "sees nothing", managing(map[string]any{"projectId": []string{project.ID}}, "keys.read"))
	w.list(w.token(k)).is(t, http.StatusOK, `{"count":0,"apiKeys":[]}`)
}

func TestQueriesAreReadStrictlyAndOtherwiseIgnored(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	text := w.token(w.newKey(w.organization, "ci", reader()))
	for query, want := range map[string]int{
		"?limit=1":         200,
		"?limit=0&color=x": 200,
		"?a=b;a=c":         200,
		"?a=1&a=2":         400,
		"?a":               400,
		"?a=%zz":           400,
	} {
		got := w.send("GET", "/aerospike/v2/api-keys"+query, "", "Authorization", "Bearer "+text)
		if got.status != want {
			t.Errorf("%s = %d %s, want %d", query, got.status, got.body, want)
		}
	}
	w.send("GET", "/aerospike/v2/api-keys?a=1&a=2", "", "Authorization", "Bearer "+text).
		is(t, 400, `{"code":"invalid_input","message":"a is given more than once."}`)
}

const (
	invalidToken = `{"code":"invalid_token","message":"The access token is invalid."}`
	missingToken = `{"code":"missing_token","message":"The access token is missing."}`
	noScope      = `{"code":"permission_denied","message":"Missing scope read:api-key."}`
)

func TestOnlyTokensOfThisSurfaceAreLetIn(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.newKey(w.organization, "ci", reader())
	good := w.token(k)
	var native struct {
		AccessToken string `json:"access_token"`
	}
	response := w.send("POST", "/oauth/token", form(k), "Content-Type", asForm)
	if err := json.Unmarshal([]byte(response.body), &native); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		header []string
		want   string
	}{
		"nothing":                   {nil, missingToken},
		"an API key header":         {[]string{"X-Api-Key", k.secret}, missingToken},
		"an empty header":           {[]string{"Authorization", ""}, invalidToken},
		"no scheme":                 {[]string{"Authorization", good}, invalidToken},
		"another scheme":            {[]string{"Authorization", "Basic " + good}, invalidToken},
		"two headers":               {[]string{"Authorization", "Bearer " + good, "Authorization", "Bearer " + good}, invalidToken},
		"garbage":                   {[]string{"Authorization", "Bearer garbage"}, invalidToken},
		"a token with another end":  {[]string{"Authorization", "Bearer " + good + "A"}, invalidToken},
		"a native token":            {[]string{"Authorization", "Bearer " + native.AccessToken}, invalidToken},
		"a key":                     {[]string{"Authorization", "Bearer " + k.secret}, invalidToken},
		"an operator's credential":  {[]string{"Authorization", "Bearer " + w.RootToken}, invalidToken},
		"a client in HTTP Basic":    {[]string{"Authorization", basic(k)}, invalidToken},
		"a token that has no parts": {[]string{"Authorization", "Bearer eyJ.."}, invalidToken},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.send("GET", "/aerospike/v2/api-keys", "", test.header...)
			got.is(t, http.StatusUnauthorized, test.want)
			if !strings.HasPrefix(got.header.Get("Www-Authenticate"), "Bearer ") {
				t.Errorf("WWW-Authenticate = %q", got.header.Get("Www-Authenticate"))
			}
		})
	}
}

func TestATokenThatWasGoodSaysThatItExpired(t *testing.T) {
	master := keyring.Generate()
	w := newWorld(t, keywardtest.Options{MasterKey: master})
	k := w.newKey(w.organization, "ci", reader())
	ring, err := keyring.Parse(master)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := token.New(ring.TokenKey(), "keyward")
	if err != nil {
		t.Fatal(err)
	}
	now := keyward.TimeOf(time.Now())
	text, err := signer.Issue(token.Claims{
		Subject: k.clientID, OrganizationID: w.organization, Audience: "aerospike", ID: "tok", Version: 1,
		IssuedTime: now.Add(-9 * time.Hour), ExpireTime: now.Add(-time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.list(text).is(t, http.StatusUnauthorized, `{"code":"invalid_token","message":"The access token expired."}`)
}

func TestTokensEndWithTheirKey(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.newKey(w.organization, "ci", reader())
	text := w.token(k)
	w.revoke(k)
	w.list(text).is(t, http.StatusUnauthorized, invalidToken)
}

func TestTokensAreBoundToTheAddressesOfTheirKey(t *testing.T) {
	w := newWorld(t, keywardtest.Options{TrustedProxies: "127.0.0.0/8"})
	with := reader()
	with["allowedIps"] = []string{"203.0.113.0/24"}
	text := w.token(w.newKey(w.organization, "ci", with), "X-Forwarded-For", "203.0.113.9")
	if status := w.list(text, "X-Forwarded-For", "203.0.113.9").status; status != http.StatusOK {
		t.Errorf("from its own address = %d", status)
	}
	w.list(text, "X-Forwarded-For", "198.51.100.1").is(t, http.StatusForbidden,
		`{"code":"permission_denied","message":"The key may not be used from this address."}`)
}

func TestReadingKeysTakesTheScopeThatStandsForKeysRead(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	for name, with := range map[string]map[string]any{
		"no management":       nil,
		"an acl that says so": {"acl": []any{map[string]any{"scope": map[string]any{}, "permissions": []string{"*"}}}},
		"other management":    managing(map[string]any{}, "keys.create", "keys.verify", "projects.read"),
	} {
		t.Run(name, func(t *testing.T) {
			w.list(w.token(w.newKey(w.organization, "ci", with))).is(t, http.StatusForbidden, noScope)
		})
	}
}

func TestDocumentedEndpointsThatAreToComeSaySo(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	powerless := w.token(w.newKey(w.organization, "ci", nil))
	for _, endpoint := range []string{
		"POST /api-keys", "DELETE /api-keys/abc", "GET /organization", "GET /organization/members",
		"DELETE /organization/members/0b0c7c61-8d56-4a3a-9a2a-3f3d3c0c8f10", "GET /secrets", "POST /secrets",
		"GET /secrets/abc", "DELETE /secrets/abc",
	} {
		method, path, _ := strings.Cut(endpoint, " ")
		path = "/aerospike/v2" + path
		w.send(method, path, "").is(t, http.StatusUnauthorized, missingToken)
		w.send(method, path, `{"name":"x"}`, "Authorization", "Bearer "+powerless, "Content-Type", "application/json").
			is(t, http.StatusNotImplemented, `{"message":"This endpoint has not been implemented yet."}`)
	}
}

func TestPathsAndMethodsThatDoNotExistAreAnsweredInTheVendorsShape(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	const notFound = `{"code":"not_found","message":"Resource not found."}`
	for _, path := range []string{
		"/aerospike", "/aerospike/", "/aerospike/v2", "/aerospike/v3/api-keys", "/aerospike/v2/api-keys/",
		"/aerospike/v2//api-keys", "/aerospike/v2/x/../api-keys", "/aerospike/oauth/", "/aerospike/oauth/token/",
	} {
		w.send("GET", path, "").is(t, http.StatusNotFound, notFound)
	}
	for endpoint, allow := range map[string]string{
		"PUT /aerospike/v2/api-keys":         "GET, HEAD, POST",
		"TRACE /aerospike/v2/api-keys":       "GET, HEAD, POST",
		"GET /aerospike/v2/api-keys/abc":     "DELETE",
		"OPTIONS /aerospike/v2/organization": "GET, HEAD",
	} {
		method, path, _ := strings.Cut(endpoint, " ")
		got := w.send(method, path, "")
		got.is(t, http.StatusMethodNotAllowed, `{"code":"method_not_allowed","message":"This method is not allowed here."}`)
		if got.header.Get("Allow") != allow {
			t.Errorf("%s: Allow = %q, want %q", endpoint, got.header.Get("Allow"), allow)
		}
	}
}

func TestEveryErrorHasTheVendorsShape(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		want   string
	}{
		"a bug": {
			keyward.Errorf(keyward.Internal, "disk is on fire"), 500,
			`{"code":"internal_error","message":"Internal Server Error"}`,
		},
		"an error of no kind": {
			fmt.Errorf("disk is on fire"), 500, `{"code":"internal_error","message":"Internal Server Error"}`,
		},
		"a server that starts": {
			keyward.Errorf(keyward.Unavailable, "the server is starting"), 503,
			`{"code":"unavailable","message":"The server is starting."}`,
		},
		"a body that is too large": {
			keyward.Errorf(api.TooLarge, "the body is larger than 5 bytes"), 413,
			`{"code":"body_too_large","message":"The body is larger than 5 bytes."}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			aerospike.Error(recorder, httptest.NewRequest("GET", "/aerospike/v2/api-keys", nil), test.err)
			answer{status: recorder.Code, body: recorder.Body.String()}.is(t, test.status, test.want)
		})
	}
}

func TestTheTokenEndpointHidesItsBugs(t *testing.T) {
	for err, want := range map[error]string{
		keyward.Errorf(keyward.Internal, "disk is on fire"):           `{"error":"server_error","error_description":"Internal Server Error"}`,
		keyward.Errorf(keyward.Unavailable, "the server is starting"): `{"error":"temporarily_unavailable","error_description":"The server is starting."}`,
	} {
		recorder := httptest.NewRecorder()
		aerospike.TokenError(recorder, httptest.NewRequest("POST", "/aerospike/oauth/token", nil), err)
		if recorder.Body.String() != want {
			t.Errorf("body = %s, want %s", recorder.Body, want)
		}
	}
}
