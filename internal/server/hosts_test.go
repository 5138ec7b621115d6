package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"keyward"
	"keyward/keywardtest"
)

// A client whose paths are fixed is given a host name, where the dialect is at the
// root.
func TestADialectIsAtTheRootOfItsHost(t *testing.T) {
	w := newWorld(t, keywardtest.Options{Hosts: []string{"rebilly=Keys.Example.com.", "rebilly=other.example.com"}})
	tenant := w.tenant(t, "alpha")
	reader := w.manager(t, tenant, keyward.KeysRead)
	vendor := w.token(t, "/aerospike/oauth/token", reader)
	for name, test := range map[string]struct{ host, method, path, header, text string }{
		"the Aerospike list, by its name below localhost":      {"aerospike.localhost", "GET", "/v2/api-keys", "Authorization", "Bearer " + vendor},
		"the Rebilly list, by its name below localhost":        {"rebilly.localhost:8080", "GET", "/api-keys", "Reb-Apikey", reader.Secret},
		"the Rebilly list, by a name of the operator's choice": {"keys.example.com", "GET", "/organizations/" + tenant.org.ID + "/api-keys/", "Reb-Apikey", reader.Secret},
		"the Rebilly list, by another one":                     {"OTHER.example.com", "GET", "/api-keys", "Reb-Apikey", reader.Secret},
		"the Gjirafa list, by its name below localhost":        {"gjirafa.localhost", "GET", "/api/organizations/" + tenant.org.PublicID + "/api-keys", "X-Api-Key", reader.Secret},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.ask(t, test.method, test.path, "", "Host", test.host, test.header, test.text)
			if got.status != http.StatusOK || !strings.Contains(got.body, "alpha key") {
				t.Errorf("%d %s", got.status, got.body)
			}
			prefixed := w.ask(t, test.method, "/rebilly"+test.path, "", "Host", test.host, test.header, test.text)
			if prefixed.status != http.StatusNotFound {
				t.Errorf("with the prefix: %d %s", prefixed.status, prefixed.body)
			}
		})
	}
}

// Links at a dialect's host lead back to it, and elsewhere to the public URL: the Host
// header of a request is never part of one.
func TestLinksFitTheHost(t *testing.T) {
	w := newWorld(t, keywardtest.Options{PublicURL: "https://keys.example.com"})
	tenant := w.tenant(t, "alpha")
	reader := w.manager(t, tenant, keyward.KeysRead)
	self := "/organizations/" + tenant.org.ID + "/api-keys/" + tenant.key.Key.ID
	for host, want := range map[string]string{
		"rebilly.localhost": self,
		"":                  "https://keys.example.com/rebilly" + self,
		"evil.example.com":  "https://keys.example.com/rebilly" + self,
	} {
		path := "/rebilly/api-keys"
		if host == "rebilly.localhost" {
			path = "/api-keys"
		}
		header := []string{"Reb-Apikey", reader.Secret}
		if host != "" {
			header = append(header, "Host", host)
		}
		got := w.ask(t, "GET", path+"?filter=id:"+tenant.key.Key.ID, "", header...)
		var keys []struct {
			Links []struct{ Href string } `json:"_links"`
		}
		if err := json.Unmarshal([]byte(got.body), &keys); err != nil || len(keys) != 1 || len(keys[0].Links) != 1 {
			t.Fatalf("at %q: %d %s", host, got.status, got.body)
		}
		if href := keys[0].Links[0].Href; href != want {
			t.Errorf("at %q the link is %s, want %s", host, href, want)
		}
	}
}

// At a dialect's host there is nothing else, and what is missing is so in its words.
func TestNothingElseIsAtADialectsHost(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	shapes := map[string]string{
		"aerospike.localhost": `"code":"not_found"`,
		"rebilly.localhost":   `"title":"Not Found"`,
		"gjirafa.localhost":   `"Result Not Found"`,
	}
	paths := []string{
		"/livez", "/version", "/docs/api/", "/openapi/native.json", "/",
		"/.well-known/jwks.json", "/rebilly/api-keys", "/aerospike/v2/api-keys", "/gjirafa/api/roles",
	}
	for host, shape := range shapes {
		for _, path := range paths {
			got := w.as(t, w.RootToken, "GET", path, "", "Host", host)
			if got.status != http.StatusNotFound || !strings.Contains(got.body, shape) {
				t.Errorf("%s%s: %d %s", host, path, got.status, got.body)
			}
		}
	}
}
