package native_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/keyring"
	"keyward/internal/oauth"
	"keyward/internal/token"
	"keyward/keywardtest"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// accessToken gets a token for a key.
func (c client) accessToken(of issued) string {
	c.t.Helper()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	body := fmt.Sprintf(`{"grant_type": "client_credentials", "client_id": %q, "client_secret": %q}`, of.Key.ClientID, of.Secret)
	status, _, text := c.ask("POST", "/oauth/token", body, http.Header{"Authorization": nil})
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK {
		c.t.Fatalf("no token: %d %s", status, text)
	}
	return answer.AccessToken
}

func TestAnOAuthClientGetsAndUsesATokenByItself(t *testing.T) {
	for name, style := range map[string]oauth2.AuthStyle{
		"finding out how":    oauth2.AuthStyleAutoDetect,
		"with HTTP Basic":    oauth2.AuthStyleInHeader,
		"with form elements": oauth2.AuthStyleInParams,
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, startSQLite(t))
			organization := c.organization("OAuth")
			robot := c.key(organization, `{"name": "robot", "management": [{"scope": {}, "permissions": ["keys.read"]}]}`)
			config := clientcredentials.Config{
				ClientID: robot.Key.ClientID, ClientSecret: robot.Secret, TokenURL: c.url + "/oauth/token",
				Scopes: []string{"anything"}, AuthStyle: style,
			}
			ctx := context.WithValue(t.Context(), oauth2.HTTPClient, c.http)
			got, err := config.Token(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if left := time.Until(got.Expiry); got.Type() != "Bearer" || left < 14*time.Minute || left > 15*time.Minute {
				t.Errorf("the token is of type %s and lasts %s", got.Type(), left)
			}
			response, err := config.Client(ctx).Get(c.url + "/v1/organizations/" + organization + "/api-keys/" + robot.Key.ID)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Errorf("the token reads its own key: %s", response.Status)
			}
			config.ClientSecret += "x"
			if _, err := config.Token(ctx); err == nil {
				t.Error("a wrong secret gets a token")
			}
		})
	}
}

// signer signs as every server here does.
func signer(t *testing.T) *token.Signer {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(masterKey)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.New(key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := token.New(ring.TokenKey(), "keyward")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestATokenThatHasExpiredIsAnExpiredKey(t *testing.T) {
	c := newClient(t, startSQLite(t))
	made := c.key(c.organization("Late"), `{"name": "late", "allowedIps": ["203.0.113.1"]}`)
	now := keyward.TimeOf(time.Now())
	claims := token.Claims{
		Subject: made.Key.ClientID, OrganizationID: made.Key.OrganizationID, Version: 1, Audience: oauth.AudienceRebilly,
		ID: "tok_1", IssuedTime: now.Add(-time.Hour), ExpireTime: now.Add(-time.Minute),
	}
	text, err := signer(t).Issue(claims)
	if err != nil {
		t.Fatal(err)
	}
	v := c.verify(text, `, "ip": "203.0.113.1", "explain": true`)
	if v.Code != keyward.Expired || v.Valid {
		t.Errorf("the token verifies as %s, want expired", v.Code)
	}
	for _, check := range v.Checks {
		if check.Passed == (check.Check == keyward.Expired) {
			t.Errorf("the check %s was passed: %v", check.Check, check.Passed)
		}
	}
	if got := c.verify(text, "").Code; got != keyward.Expired {
		t.Errorf("from nowhere the token verifies as %s, want expired, which comes first", got)
	}
	revoke := "/v1/organizations/" + made.Key.OrganizationID + "/api-keys/" + made.Key.ID + "/revoke"
	c.must(http.StatusOK, "POST", revoke, "", nil)
	if got := c.verify(text, "").Code; got != keyward.Revoked {
		t.Errorf("after revocation the token verifies as %s, want revoked", got)
	}
	c.token = text
	c.must(http.StatusUnauthorized, "GET", "/v1/organizations", "", nil)
}

func TestATokenForAnotherSurfaceIsNoneHere(t *testing.T) {
	c := newClient(t, startSQLite(t))
	organization := c.organization("Elsewhere")
	made := c.key(organization, `{"name": "robot", "management": [{"scope": {}, "permissions": ["keys.read"]}]}`)
	now := keyward.TimeOf(time.Now())
	for audience, want := range map[string]int{
		oauth.AudienceKeyward:   http.StatusOK,
		oauth.AudienceRebilly:   http.StatusUnauthorized,
		oauth.AudienceAerospike: http.StatusUnauthorized,
	} {
		text, err := signer(t).Issue(token.Claims{
			Subject: made.Key.ClientID, OrganizationID: organization, Version: 1, Audience: audience,
			ID: "tok_1", IssuedTime: now, ExpireTime: now.Add(time.Minute),
		})
		if err != nil {
			t.Fatal(err)
		}
		c.token = text
		c.must(want, "GET", "/v1/organizations/"+organization+"/api-keys", "", nil)
	}
}

func TestThePublicURLIsTheIssuerAndTheBaseOfLinks(t *testing.T) {
	kw := keywardtest.Start(t, keywardtest.Options{MasterKey: masterKey, PublicURL: "https://keys.example.com/"})
	c := newClient(t, kw)
	var description struct {
		Issuer   string `json:"issuer"`
		Endpoint string `json:"token_endpoint"`
		Keys     string `json:"jwks_uri"`
	}
	c.must(http.StatusOK, "GET", "/.well-known/oauth-authorization-server", "", &description)
	if description.Issuer != "https://keys.example.com" ||
		description.Endpoint != "https://keys.example.com/oauth/token" ||
		description.Keys != "https://keys.example.com/.well-known/jwks.json" {
		t.Errorf("the server describes itself as %+v", description)
	}
	made := c.key(c.organization("Public"), `{"name": "robot"}`)
	_, payload, _ := strings.Cut(c.accessToken(made), ".")
	payload, _, _ = strings.Cut(payload, ".")
	plain, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(plain, &claims); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"iss": description.Issuer, "sub": made.Key.ClientID, "org": made.Key.OrganizationID, "ver": 1.0, "aud": "keyward",
	} {
		if claims[name] != want {
			t.Errorf("the claim %s is %v, want %v", name, claims[name], want)
		}
	}
	if lasts := claims["exp"].(float64) - claims["iat"].(float64); lasts != 900 || len(claims) != 8 {
		t.Errorf("the token lasts %v seconds and has %d claims, want 900 and 8", lasts, len(claims))
	}
}
