package rebilly_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"keyward"
	"keyward/internal/keyring"
	"keyward/internal/token"
	"keyward/keywardtest"
)

func TestCredentials(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	reader := w.reader(organization)
	const reads = `"management": [{"scope": {}, "permissions": ["keys.read"]}]`
	powerless := w.NewKey(organization, `{"name": "powerless", "acl": [{"scope": {}, "permissions": ["*"]}]}`)
	creator := w.NewKey(organization, `{"name": "creator", "management": [{"scope": {}, "permissions": ["keys.create"]}]}`)
	publishable := w.NewKey(organization, `{"name": "browser", "type": "publishable"}`)
	elsewhere := w.NewKey(organization, `{"name": "elsewhere", "allowedIps": ["203.0.113.7"], `+reads+`}`)
	here := w.NewKey(organization, `{"name": "here", "allowedIps": ["127.0.0.0/8"], `+reads+`}`)
	revoked := w.NewKey(organization, `{"name": "revoked", `+reads+`}`)
	revokedToken := w.Token(revoked)
	w.Native("POST", "/v1/organizations/"+organization+"/api-keys/"+revoked.ID+"/revoke", "", nil)
	signer := newSigner(t, w.Data)
	good := w.Token(reader)

	const forbidden = `{"status":403,"title":"Forbidden","detail":"needs the permission keys.read"}`
	const wrongAddress = `{"status":403,"title":"Forbidden","detail":"the key may not be used from this address"}`
	for sentence, test := range map[string]struct {
		headers []string
		status  int
		body    string // of an error
	}{
		"nothing":                               {nil, 401, unauthorized},
		"a secret key":                          {[]string{"REB-APIKEY", reader.Secret}, 200, ""},
		"a token":                               {[]string{"Authorization", "Bearer " + good}, 200, ""},
		"a token for this surface":              {[]string{"Authorization", "Bearer " + signer.issue(reader, "rebilly", time.Hour)}, 200, ""},
		"a token for another surface":           {[]string{"Authorization", "Bearer " + signer.issue(reader, "aerospike", time.Hour)}, 401, unauthorized},
		"a token that has expired":              {[]string{"Authorization", "Bearer " + signer.issue(reader, "rebilly", -time.Hour)}, 401, unauthorized},
		"no key of ours":                        {[]string{"REB-APIKEY", "sk_sandbox_x7Qk2mVb9TzR4nLc8WdY3hJs6PfA1uGe0iKo5xT"}, 401, unauthorized},
		"an empty key":                          {[]string{"REB-APIKEY", ""}, 401, unauthorized},
		"two keys":                              {[]string{"REB-APIKEY", reader.Secret, "REB-APIKEY", reader.Secret}, 401, unauthorized},
		"two tokens":                            {[]string{"Authorization", "Bearer " + good, "Authorization", "Bearer " + good}, 401, unauthorized},
		"a key where a token belongs":           {[]string{"Authorization", "Bearer " + reader.Secret}, 401, unauthorized},
		"a raw key in Authorization":            {[]string{"Authorization", reader.Secret}, 401, unauthorized},
		"a token where a key belongs":           {[]string{"REB-APIKEY", good}, 401, unauthorized},
		"a publishable key":                     {[]string{"REB-APIKEY", publishable.Secret}, 401, unauthorized},
		"a publishable key in Authorization":    {[]string{"Authorization", publishable.Secret}, 401, unauthorized},
		"a publishable key as a token":          {[]string{"Authorization", "Bearer " + publishable.Secret}, 401, unauthorized},
		"a token for a publishable key":         {[]string{"Authorization", "Bearer " + signer.issue(publishable, "rebilly", time.Hour)}, 401, unauthorized},
		"an operator's credential":              {[]string{"REB-APIKEY", w.RootToken}, 401, unauthorized},
		"an operator's credential as a token":   {[]string{"Authorization", "Bearer " + w.RootToken}, 401, unauthorized},
		"a revoked key":                         {[]string{"REB-APIKEY", revoked.Secret}, 401, unauthorized},
		"the token of a revoked key":            {[]string{"Authorization", "Bearer " + revokedToken}, 401, unauthorized},
		"both":                                  {[]string{"REB-APIKEY", reader.Secret, "Authorization", "Bearer " + good}, 200, ""},
		"a bad key beside a good token":         {[]string{"REB-APIKEY", "x", "Authorization", "Bearer " + good}, 200, ""},
		"a bad token beside a good key":         {[]string{"REB-APIKEY", reader.Secret, "Authorization", "Bearer x.y.z"}, 401, unauthorized},
		"another scheme beside a good key":      {[]string{"REB-APIKEY", reader.Secret, "Authorization", "Basic eDp5"}, 401, unauthorized},
		"a publishable key beside a good one":   {[]string{"REB-APIKEY", reader.Secret, "Authorization", publishable.Secret}, 401, unauthorized},
		"the token decides, not the key beside": {[]string{"REB-APIKEY", reader.Secret, "Authorization", "Bearer " + w.Token(powerless)}, 403, forbidden},
		"a key without management":              {[]string{"REB-APIKEY", powerless.Secret}, 403, forbidden},
		"a key that may do something else":      {[]string{"REB-APIKEY", creator.Secret}, 403, forbidden},
		"the token of one that may not":         {[]string{"Authorization", "Bearer " + w.Token(creator)}, 403, forbidden},
		"a key from the wrong address":          {[]string{"REB-APIKEY", elsewhere.Secret}, 403, wrongAddress},
		"a token from the wrong address":        {[]string{"Authorization", "Bearer " + signer.issue(elsewhere, "rebilly", time.Hour)}, 403, wrongAddress},
		"a key from the right address":          {[]string{"REB-APIKEY", here.Secret}, 200, ""},
		"a token from the right address":        {[]string{"Authorization", "Bearer " + w.Token(here)}, 200, ""},
	} {
		t.Run(sentence, func(t *testing.T) {
			for _, path := range []string{"/rebilly/api-keys", "/rebilly/organizations/" + organization + "/api-keys/"} {
				got := w.get(path, test.headers...)
				if test.status != 200 {
					got.expect(t, test.status, test.body)
				} else if got.Status != 200 {
					t.Errorf("answer = %d %s", got.Status, got.Body)
				}
				if challenge := got.Header.Get("Www-Authenticate"); (challenge != "") != (test.status == 401) {
					t.Errorf("Www-Authenticate = %q at %d", challenge, test.status)
				}
			}
		})
	}
}

func TestKeysOfADisabledOrganizationAreRefused(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	reader := w.reader(organization)
	bearer := "Bearer " + w.Token(reader)
	w.Native("PATCH", "/v1/organizations/"+organization, `{"enabled": false}`, nil)
	w.get("/rebilly/api-keys", "REB-APIKEY", reader.Secret).expect(t, 401, unauthorized)
	w.get("/rebilly/api-keys", "Authorization", bearer).expect(t, 401, unauthorized)
}

// signer signs tokens as the server does, of kinds that it does not issue here.
type signer struct {
	*testing.T
	*token.Signer
}

func newSigner(t *testing.T, data string) signer {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Parse(string(text[:len(text)-1]))
	if err != nil {
		t.Fatal(err)
	}
	s, err := token.New(ring.TokenKey(), "keyward")
	if err != nil {
		t.Fatal(err)
	}
	return signer{t, s}
}

// issue returns a token that ends after the given time.
func (s signer) issue(k key, audience string, left time.Duration) string {
	s.Helper()
	end := keyward.TimeOf(time.Now()).Add(left)
	text, err := s.Issue(token.Claims{
		Subject: k.ClientID, OrganizationID: k.OrganizationID, Version: 1, Audience: audience, ID: "tok_1",
		IssuedTime: end.Add(-2 * time.Hour), ExpireTime: end,
	})
	if err != nil {
		s.Fatal(err)
	}
	return text
}
