package aerospike_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"keyward/keywardtest"
)

func basic(k key) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(k.clientID)+":"+url.QueryEscape(k.secret)))
}

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
)

func TestAKeyGetsATokenInEveryForm(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.newKey(w.organization, "ci runner", reader())
	for name, request := range map[string]struct {
		body   string
		header []string
	}{
		"JSON":                {grant(k, "client_credentials"), []string{"Content-Type", asJSON}},
		"JSON with a charset": {grant(k, "client_credentials"), []string{"Content-Type", asJSON + "; charset=utf-8"}},
		"a form":              {form(k), []string{"Content-Type", asForm}},
		"a form with an audience and a scope": {
			form(k) + "&audience=https%3A%2F%2Fexample.org&scope=read%3Aorg", []string{"Content-Type", asForm},
		},
		"Basic and a form": {
			"grant_type=client_credentials", []string{"Content-Type", asForm, "Authorization", basic(k)},
		},
		"Basic and JSON": {
			`{"grant_type":"client_credentials"}`, []string{"Content-Type", asJSON, "Authorization", basic(k)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.send("POST", "/aerospike/oauth/token", request.body, request.header...)
			var issued struct {
				AccessToken string `json:"access_token"`
			}
			if err := json.Unmarshal([]byte(got.body), &issued); err != nil {
				t.Fatal(err)
			}
			got.is(t, http.StatusOK, `{"access_token":"`+issued.AccessToken+`","token_type":"Bearer","expires_in":28800}`)
			if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Pragma") != "no-cache" {
				t.Errorf("the token may be cached: %v", got.header)
			}
			if status := w.list(issued.AccessToken).status; status != http.StatusOK {
				t.Errorf("listing with the token = %d", status)
			}
		})
	}
}

func TestATokenNamesTheOrganizationAsTheVendorDoes(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.newKey(w.organization, "ci runner", nil)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(w.token(k), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"dbaas.aerospike.com/org_id": w.organization, "aud": "aerospike", "sub": k.clientID}
	for name, value := range want {
		if claims[name] != value {
			t.Errorf("claim %s = %v, want %v", name, claims[name], value)
		}
	}
	if life := claims["exp"].(float64) - claims["iat"].(float64); life != 28800 {
		t.Errorf("the token lives %v s, want 28800", life)
	}
}

func TestTheTokenEndpointRefusesInTheMannerOfAuth0(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	good, revoked := w.newKey(w.organization, "good", nil), w.newKey(w.organization, "revoked", nil)
	w.revoke(revoked)
	publishable := w.newKey(w.organization, "publishable", map[string]any{"type": "publishable"})
	disabled := w.newKey(w.organization, "disabled", map[string]any{"enabled": false})
	elsewhere := w.newKey(w.organization, "elsewhere", map[string]any{"allowedIps": []string{"203.0.113.0/24"}})
	const (
		denied  = `{"error":"access_denied","error_description":"Unauthorized"}`
		noGrant = `{"error":"invalid_request","error_description":"Missing required parameter: grant_type"}`
		noID    = `{"error":"invalid_request","error_description":"Missing required parameter: client_id"}`
	)
	for name, test := range map[string]struct {
		body, media string
		status      int
		want        string
	}{
		"an unknown client id":         {grant(key{clientID: "nobody", secret: good.secret}, "client_credentials"), asJSON, 401, denied},
		"a wrong secret":               {grant(key{clientID: good.clientID, secret: "wrong"}, "client_credentials"), asJSON, 401, denied},
		"no secret":                    {`{"grant_type":"client_credentials","client_id":"` + good.clientID + `"}`, asJSON, 401, denied},
		"another key's secret":         {grant(key{clientID: good.clientID, secret: revoked.secret}, "client_credentials"), asJSON, 401, denied},
		"an operator's credential":     {grant(key{clientID: good.clientID, secret: w.RootToken}, "client_credentials"), asJSON, 401, denied},
		"a revoked key":                {grant(revoked, "client_credentials"), asJSON, 401, denied},
		"a disabled key":               {grant(disabled, "client_credentials"), asJSON, 401, denied},
		"a publishable key":            {grant(publishable, "client_credentials"), asJSON, 401, denied},
		"a key at the wrong address":   {grant(elsewhere, "client_credentials"), asJSON, 401, denied},
		"a form with a wrong secret":   {form(key{clientID: good.clientID, secret: "wrong"}), asForm, 401, denied},
		"an empty form":                {"", "", 400, noGrant},
		"JSON without a grant type":    {`{"client_id":"a","client_secret":"b"}`, asJSON, 400, noGrant},
		"a form without a grant type":  {"client_id=a&client_secret=b", asForm, 400, noGrant},
		"JSON without a client id":     {`{"grant_type":"client_credentials"}`, asJSON, 400, noID},
		"a form without a client id":   {"grant_type=client_credentials&client_secret=b", asForm, 400, noID},
		"another grant type":           {grant(good, "password"), asJSON, 403, `{"error":"unsupported_grant_type","error_description":"Unsupported grant type: password"}`},
		"a grant type that is too big": {grant(good, strings.Repeat("x", 999)), asJSON, 403, `{"error":"unsupported_grant_type","error_description":"Unsupported grant type: unknown"}`},
	} {
		t.Run(name, func(t *testing.T) {
			var header []string
			if test.media != "" {
				header = []string{"Content-Type", test.media}
			}
			w.send("POST", "/aerospike/oauth/token", test.body, header...).is(t, test.status, test.want)
		})
	}
}

func TestTheTokenEndpointAnswersMalformedRequestsInItsOwnShape(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.newKey(w.organization, "ci", nil)
	good := grant(k, "client_credentials")
	for name, test := range map[string]struct {
		method, path, body string
		header             []string
		status             int
	}{
		"half a JSON object":     {"POST", "", `{"grant_type":`, []string{"Content-Type", asJSON}, 400},
		"a member of wrong type": {"POST", "", `{"grant_type":1}`, []string{"Content-Type", asJSON}, 400},
		"a repeated member":      {"POST", "", `{"grant_type":"a","grant_type":"b"}`, []string{"Content-Type", asJSON}, 400},
		"a repeated parameter":   {"POST", "", "grant_type=a&grant_type=b", []string{"Content-Type", asForm}, 400},
		"two identifications":    {"POST", "", good, []string{"Content-Type", asJSON, "Authorization", basic(k)}, 400},
		"no HTTP Basic":          {"POST", "", good, []string{"Content-Type", asJSON, "Authorization", "Bearer x"}, 400},
		"a repeated query":       {"POST", "?a=1&a=2", good, []string{"Content-Type", asJSON}, 400},
		"another media type":     {"POST", "", good, []string{"Content-Type", "text/plain"}, 415},
		"a body without type":    {"POST", "", good, nil, 415},
		"a body that is too big": {"POST", "", strings.Repeat(" ", 70<<10), []string{"Content-Type", asJSON}, 413},
		"another method":         {"GET", "", "", nil, 405},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.send(test.method, "/aerospike/oauth/token"+test.path, test.body, test.header...)
			var body map[string]string
			if err := json.Unmarshal([]byte(got.body), &body); err != nil {
				t.Fatalf("body = %s: %v", got.body, err)
			}
			if got.status != test.status || len(body) != 2 || body["error"] != "invalid_request" || body["error_description"] == "" {
				t.Errorf("answer = %d %s, want %d and an OAuth error", got.status, got.body, test.status)
			}
			if allow := got.header.Get("Allow"); test.status == 405 && allow != "POST" {
				t.Errorf("Allow = %q", allow)
			}
		})
	}
}

func TestAWrongClientInBasicIsChallenged(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	got := w.send("POST", "/aerospike/oauth/token", "grant_type=client_credentials",
		"Content-Type", asForm, "Authorization", basic(key{clientID: "nobody", secret: "wrong"}))
	got.is(t, http.StatusUnauthorized, `{"error":"access_denied","error_description":"Unauthorized"}`)
	if challenge := got.header.Get("Www-Authenticate"); !strings.HasPrefix(challenge, "Basic ") {
		t.Errorf("WWW-Authenticate = %q", challenge)
	}
}

func TestAnOAuthClientGetsATokenAndLists(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.newKey(w.organization, "ci runner", reader())
	for name, style := range map[string]oauth2.AuthStyle{
		"by itself":     oauth2.AuthStyleAutoDetect,
		"in the form":   oauth2.AuthStyleInParams,
		"in the header": oauth2.AuthStyleInHeader,
	} {
		t.Run(name, func(t *testing.T) {
			config := clientcredentials.Config{
				ClientID: k.clientID, ClientSecret: k.secret, TokenURL: w.URL + "/aerospike/oauth/token", AuthStyle: style,
			}
			response, err := config.Client(context.Background()).Get(w.URL + "/aerospike/v2/api-keys")
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if want := `{"count":1,"apiKeys":[{"name":"ci runner","clientId":"` + k.clientID + `"}]}`; string(body) != want {
				t.Errorf("list = %d %s\nwant %s", response.StatusCode, body, want)
			}
		})
	}
}
