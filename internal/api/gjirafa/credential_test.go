package gjirafa_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"keyward"
	"keyward/internal/keyring"
	"keyward/internal/token"
	"keyward/keywardtest"
)

// forms returns the ways to present a key.
func forms(k key) map[string][]string {
	return map[string][]string{
		"Bearer":                {"Authorization", "Bearer " + k.Secret},
		"bearer":                {"Authorization", "bearer " + k.Secret},
		"Authorization alone":   {"Authorization", k.Secret},
		"ApiKey":                {"Authorization", "ApiKey " + k.Secret},
		"x-api-key":             {"x-api-key", k.Secret},
		"the same in two forms": {"Authorization", "ApiKey " + k.Secret, "X-API-Key", k.Secret},
	}
}

func TestAKeyHasTheSameRightsInEveryForm(t *testing.T) {
	w := newWorld(t, keywardtest.Options{TrustedProxies: "127.0.0.0/8"})
	sports := w.newProject("Sports")
	elsewhere := managing("keys.read")
	elsewhere["allowedIps"] = []string{"203.0.113.0/24"}
	keys := map[string]struct {
		key
		status int
		text   string // of the error
	}{
		"a reader":       {w.newKey("reader", managing("keys.read")), 200, ""},
		"no reader":      {w.newKey("no reader", nil), 403, "needs the permission keys.read"},
		"a project's":    {w.newKey("project's", managingIn(map[string]any{"projectId": []string{sports.ID}}, "keys.read")), 403, "needs keys.read in the whole organization"},
		"a publishable":  {w.newKey("publishable", map[string]any{"type": "publishable"}), 401, "the credential is not accepted"},
		"wrong address":  {w.newKey("elsewhere", elsewhere), 403, "the key may not be used from this address"},
		"another tenant": {w.newKeyOf(w.NewOrganization(map[string]any{"name": "Other"}), "foreign", managing("keys.*")), 404, "Result Not Found"},
		"unknown":        {key{Secret: "kw_live_unknown"}, 401, "the credential is not accepted"},
		"an operator":    {key{Secret: w.RootToken}, 401, "the credential is not accepted"},
	}
	body := w.list("X-Api-Key", keys["a reader"].Secret).Body
	for name, k := range keys {
		want := body
		if k.status != http.StatusOK {
			want = refuses(strconv.Itoa(k.status), k.text)
		}
		for form, header := range forms(k.key) {
			t.Run(name+" by "+form, func(t *testing.T) { w.list(header...).Is(t, k.status, want) })
		}
	}
}

func TestATokenIsTheKeyThatItWasIssuedFor(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	reader, other := w.newKey("reader", managing("keys.read")), w.newKey("other", nil)
	body := w.list("X-Api-Key", reader.Secret).Body
	text := w.Token(reader)
	w.list("Authorization", "Bearer "+text).Is(t, http.StatusOK, body)
	w.list("Authorization", "Bearer "+w.Token(other)).
		Is(t, http.StatusForbidden, refuses("403", "needs the permission keys.read"))
	w.Native("POST", w.path(reader)+"/revoke", map[string]any{}, nil)
	w.list("Authorization", "Bearer "+text).
		Is(t, http.StatusUnauthorized, refuses("401", "the credential is not accepted"))
}

func TestATokenComesByBearerOnly(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	text := w.Token(w.newKey("reader", managing("keys.read")))
	want := refuses("401", "the credential is not accepted")
	w.list("Authorization", text).Is(t, http.StatusUnauthorized, want)
	w.list("Authorization", "ApiKey "+text).Is(t, http.StatusUnauthorized, want)
	w.list("X-Api-Key", text).Is(t, http.StatusUnauthorized, want)
}

func TestTokensOfAnotherSurfaceOrTimeAreRefused(t *testing.T) {
	master := keyring.Generate()
	w := newWorld(t, keywardtest.Options{MasterKey: master})
	reader := w.newKey("reader", managing("keys.read"))
	ring, err := keyring.Parse(master)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := token.New(ring.TokenKey(), "keyward")
	if err != nil {
		t.Fatal(err)
	}
	now := keyward.TimeOf(time.Now())
	for name, test := range map[string]struct {
		audience string
		end      keyward.Time
		status   int
		text     string
	}{
		"aerospike": {"aerospike", now.Add(time.Hour), 401, "the access token is not valid"},
		"rebilly":   {"rebilly", now.Add(time.Hour), 401, "the access token is not valid"},
		"expired":   {"keyward", now.Add(-time.Hour), 401, "The access token expired."},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := signer.Issue(token.Claims{
				Subject: reader.ClientID, OrganizationID: w.organization.ID, Audience: test.audience, ID: "tok", Version: 1,
				IssuedTime: now.Add(-2 * time.Hour), ExpireTime: test.end,
			})
			if err != nil {
				t.Fatal(err)
			}
			w.list("Authorization", "Bearer "+text).Is(t, test.status, refuses("401", test.text))
		})
	}
}

func TestKeysThatAreNotValidAreNobody(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	with := func(name string, value any) map[string]any {
		body := managing("keys.read")
		body[name] = value
		return body
	}
	revoked, deleted := w.newKey("revoked", managing("keys.read")), w.newKey("deleted", managing("keys.read"))
	w.Native("POST", w.path(revoked)+"/revoke", map[string]any{}, nil)
	w.Native("DELETE", w.path(deleted), nil, nil)
	expiring := w.newKey("expiring", with("expireTime", time.Now().Add(50*time.Millisecond).Format(time.RFC3339Nano)))
	for expired := false; !expired; { // until the server says so itself
		var k struct{ Status string }
		w.Native("GET", w.path(expiring), nil, &k)
		expired = k.Status == "expired"
	}
	for name, k := range map[string]key{
		"revoked":     revoked,
		"deleted":     deleted,
		"expired":     expiring,
		"disabled":    w.newKey("disabled", with("enabled", false)),
		"not started": w.newKey("not started", with("startTime", time.Now().Add(time.Hour).Format(time.RFC3339))),
	} {
		t.Run(name, func(t *testing.T) {
			w.list("X-Api-Key", k.Secret).Is(t, http.StatusUnauthorized, refuses("401", "the credential is not accepted"))
		})
	}
}

func TestRequestsWithoutOneCredentialAreRefusedClearly(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	one, two := w.newKey("one", managing("keys.read")), w.newKey("two", managing("keys.read"))
	const (
		none      = "Unauthorized: a key or an access token is needed"
		different = "Authorization and x-api-key hold different credentials"
		twice     = "a credential is given more than once"
		unknown   = "the credential is not accepted"
		scheme    = "the Authorization header must hold a key, or Bearer or ApiKey and one"
	)
	for name, test := range map[string]struct {
		header []string
		want   string
	}{
		"nothing":                       {nil, none},
		"two keys":                      {[]string{"Authorization", one.Secret, "X-Api-Key", two.Secret}, different},
		"a token and its key":           {[]string{"Authorization", "Bearer " + w.Token(one), "X-Api-Key", one.Secret}, different},
		"a bad Bearer and a good key":   {[]string{"Authorization", "Bearer bad", "X-Api-Key", one.Secret}, different},
		"a good Bearer and a bad key":   {[]string{"Authorization", "Bearer " + one.Secret, "X-Api-Key", "bad"}, different},
		"a good key and an empty one":   {[]string{"Authorization", one.Secret, "X-Api-Key", ""}, different},
		"two Authorization headers":     {[]string{"Authorization", one.Secret, "Authorization", one.Secret}, twice},
		"two x-api-key headers":         {[]string{"X-Api-Key", one.Secret, "X-Api-Key", one.Secret}, twice},
		"an empty Authorization header": {[]string{"Authorization", ""}, unknown},
		"an empty x-api-key header":     {[]string{"X-Api-Key", ""}, unknown},
		"Basic":                         {[]string{"Authorization", "Basic " + one.Secret}, scheme},
		"Bearer and nothing":            {[]string{"Authorization", "Bearer"}, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.list(test.header...)
			got.Is(t, http.StatusUnauthorized, refuses("401", test.want))
			if got.Header.Get("Www-Authenticate") == "" {
				t.Error("there is no WWW-Authenticate")
			}
		})
	}
}
