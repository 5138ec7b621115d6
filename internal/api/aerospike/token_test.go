package aerospike_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"keyward/keywardtest"
)

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
)

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
	want := map[string]any{"dbaas.aerospike.com/org_id": w.organization, "aud": "aerospike", "sub": k.ClientID}
	for name, value := range want {
		if claims[name] != value {
			t.Errorf("claim %s = %v, want %v", name, claims[name], value)
		}
	}
	if life := claims["exp"].(float64) - claims["iat"].(float64); life != 28800 {
		t.Errorf("the token lives %v s, want 28800", life)
	}
}

// Who may not use a key is not told that it exists.
func TestTheTokenEndpointDeniesAllAlike(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	good, revoked := w.newKey(w.organization, "good", nil), w.newKey(w.organization, "revoked", nil)
	w.revoke(revoked)
	deleted := w.newKey(w.organization, "deleted", nil)
	w.Native("DELETE", w.keyPath(deleted), nil, nil)
	for name, presented := range map[string]key{
		"another key's secret":       {ClientID: good.ClientID, Secret: revoked.Secret},
		"an operator's credential":   {ClientID: good.ClientID, Secret: w.RootToken},
		"a native id":                {ClientID: good.ID, Secret: good.Secret},
		"a client id in other case":  {ClientID: strings.ToLower(good.ClientID), Secret: good.Secret},
		"a revoked key":              revoked,
		"a deleted key":              deleted,
		"a disabled key":             w.newKey(w.organization, "disabled", map[string]any{"enabled": false}),
		"a key that is yet to start": w.newKey(w.organization, "scheduled", map[string]any{"startTime": "2099-01-01T00:00:00Z"}),
		"a publishable key":          w.newKey(w.organization, "publishable", map[string]any{"type": "publishable"}),
		"a key at the wrong address": w.newKey(w.organization, "elsewhere", map[string]any{"allowedIps": []string{"203.0.113.0/24"}}),
	} {
		t.Run(name, func(t *testing.T) {
			w.send("POST", "/aerospike/oauth/token", grant(presented, "client_credentials"), "Content-Type", asJSON).
				Is(t, http.StatusUnauthorized, `{"error":"access_denied","error_description":"Unauthorized"}`)
		})
	}
}

func TestTheTokenEndpointAnswersMalformedRequestsInItsOwnShape(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	good := grant(w.newKey(w.organization, "ci", nil), "client_credentials")
	for name, test := range map[string]struct {
		query, body string
		header      []string
		status      int
	}{
		"a member of wrong type": {"", `{"grant_type":1}`, []string{"Content-Type", asJSON}, 400},
		"no HTTP Basic":          {"", good, []string{"Content-Type", asJSON, "Authorization", "Bearer x"}, 400},
		"Basic that is no text":  {"", good, []string{"Content-Type", asJSON, "Authorization", "Basic ???"}, 400},
		"a repeated query":       {"?a=1&a=2", good, []string{"Content-Type", asJSON}, 400},
		"a body without type":    {"", good, nil, 415},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.send("POST", "/aerospike/oauth/token"+test.query, test.body, test.header...)
			var body map[string]string
			if err := json.Unmarshal([]byte(got.Body), &body); err != nil {
				t.Fatalf("body = %s: %v", got.Body, err)
			}
			if got.Status != test.status || len(body) != 2 || body["error"] != "invalid_request" || body["error_description"] == "" {
				t.Errorf("answer = %d %s, want %d and an OAuth error", got.Status, got.Body, test.status)
			}
		})
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
				ClientID: k.ClientID, ClientSecret: k.Secret, TokenURL: w.URL + "/aerospike/oauth/token", AuthStyle: style,
			}
			client := config.Client(t.Context())
			for _, version := range []string{"v1", "v2"} {
				response, err := client.Get(w.URL + "/aerospike/" + version + "/api-keys")
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				want := `"apiKeys":[{"name":"ci runner","clientId":"` + k.ClientID + `"}]}`
				if err != nil || !strings.HasPrefix(string(body), `{"count":1,`) || !strings.HasSuffix(string(body), want) {
					t.Errorf("list = %d %s, %v, want one key, %s", response.StatusCode, body, err, want)
				}
			}
		})
	}
}
