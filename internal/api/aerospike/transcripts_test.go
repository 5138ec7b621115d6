package aerospike_test

import (
	"encoding/base64"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/api/aerospike"
	"keyward/internal/api/apitest"
	"keyward/internal/keyring"
	"keyward/internal/pgtest"
	"keyward/internal/token"
	"keyward/keywardtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// masterKey is that of the servers whose tokens the tests sign themselves.
var masterKey = base64.StdEncoding.EncodeToString([]byte("32 bytes for tests of aerospike!"))

// Everything that is documented goes over the wire and back, and is as it is documented:
// by us on the one database, by the vendor on the other.
func TestTranscripts(t *testing.T) {
	t.Run("SQLite, by our contract", func(t *testing.T) {
		kw := keywardtest.Start(t, keywardtest.Options{MasterKey: masterKey})
		contract := apitest.Load(t, aerospike.Contract())
		transcripts(t, kw, contract)
		t.Run("refusals", func(t *testing.T) { refusals(t, kw, contract) })
		contract.HasSeenAll(t, unreached)
	})
	t.Run("PostgreSQL, by the vendor's", func(t *testing.T) {
		kw := keywardtest.Start(t, keywardtest.Options{MasterKey: masterKey, Database: pgtest.Database(t)})
		contract := apitest.Vendor(t, "aerospike")
		transcripts(t, kw, contract)
		contract.HasSeenAll(t, func(answer string) bool {
			return unreached(answer) || strings.HasSuffix(answer, " 501") // lists of keys are implemented
		})
	})
}

// unreached reports whether an answer cannot be had from a healthy server over
// HTTP/1.1.
func unreached(answer string) bool {
	operation, status, _ := strings.Cut(answer, " ")
	switch status {
	case "409", "417", "500", "503":
		return true
	case "404": // an organization ends with its last token
		return strings.HasPrefix(operation, "getOrganization")
	}
	return false
}

// transcripts runs every file against the server, each in an organization of its own.
func transcripts(t *testing.T, kw *keywardtest.Server, contract *apitest.Contract) {
	apitest.RunAll(t, func(t *testing.T, name string) apitest.Target {
		w := worldOn(t, kw, "Organization of "+name)
		target := apitest.Target{URL: kw.URL, Contract: contract, Vars: w.variables()}
		target.Vars["orgName"] = "Organization of " + name
		return target
	})
}

// variables are what transcripts know of the world: the id, the client id, the secret
// and the access token of a key that has every scope; tokens of others that have one
// scope, or none; tokens that are none; and ids.
func (w *world) variables() map[string]string {
	w.Helper()
	all := w.newKey(w.organization, "everything",
		managing(map[string]any{}, "keys.read", "keys.create", "keys.delete", "organizations.read"))
	vars := map[string]string{
		"org": w.organization, "keyId": all.ID, "clientId": all.ClientID, "secret": all.Secret, "token": w.token(all),
		"powerless": w.token(w.newKey(w.organization, "powerless", nil)),
		"foreign":   w.newKey(w.newOrganization("Other"), "foreign", nil).ClientID,
		"idle":      w.newKey(w.organization, "idle", nil).ClientID,
		"unknown":   keyward.NewClientID(),
		"full":      strings.Repeat("ä", 100), "long": strings.Repeat("ä", 101), "huge": strings.Repeat("x", 1<<20),
	}
	for name, permission := range map[string]string{"reader": "keys.read", "creator": "keys.create", "deleter": "keys.delete"} {
		vars[name] = w.token(w.newKey(w.organization, name, managing(map[string]any{}, permission)))
	}
	now := time.Now()
	vars["expired"] = w.signed(masterKey, all, "aerospike", now.Add(-time.Hour))
	vars["elsewhere"] = w.signed(masterKey, all, "keyward", now.Add(time.Hour))
	vars["forged"] = w.signed(keyring.Generate(), all, "aerospike", now.Add(time.Hour))
	_, payload, _ := strings.Cut(vars["token"], ".")
	payload, _, _ = strings.Cut(payload, ".")
	vars["unsigned"] = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + payload + "."
	return vars
}

// signed returns a token for the key as a server with this master key would sign it.
func (w *world) signed(master string, k key, audience string, expires time.Time) string {
	w.Helper()
	ring, err := keyring.Parse(master)
	if err != nil {
		w.Fatal(err)
	}
	signer, err := token.New(ring.TokenKey(), "keyward")
	if err != nil {
		w.Fatal(err)
	}
	text, err := signer.Issue(token.Claims{
		Subject: k.ClientID, OrganizationID: w.organization, Audience: audience, ID: "tok", Version: 1,
		IssuedTime: keyward.TimeOf(expires.Add(-8 * time.Hour)), ExpireTime: keyward.TimeOf(expires),
	})
	if err != nil {
		w.Fatal(err)
	}
	return text
}

// refusals asks every route in every way that it must refuse, whatever it does.
func refusals(t *testing.T, kw *keywardtest.Server, contract *apitest.Contract) {
	w := worldOn(t, kw, "Refusals")
	caller := func(name string, permissions ...string) string {
		return w.token(w.newKey(w.organization, name, managing(map[string]any{}, permissions...)))
	}
	everything := caller("everything", "keys.read", "keys.create", "keys.delete", "organizations.read")
	bound := w.newKey(w.organization, "bound", nil)
	elsewhere := w.token(bound)
	w.Native("PATCH", "/v1/organizations/"+w.organization+"/api-keys/"+bound.ID,
		map[string]any{"allowedIps": []string{"203.0.113.0/24"}}, nil)

	client := contract.Client(t)
	for _, route := range aerospike.Routes() {
		method, path, _ := strings.Cut(route.Pattern, " ")
		path = strings.NewReplacer("{clientId}", "none", "{userId}", "none", "{secretId}", "none").Replace(path)
		must := func(status int, token, query, body string, header ...string) {
			t.Helper()
			if token != "" {
				header = append(header, "Authorization", "Bearer "+token)
			}
			request, err := http.NewRequest(method, kw.URL+path+query, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(header); i += 2 {
				request.Header.Set(header[i], header[i+1])
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != status {
				t.Errorf("%s%.20s: %s, want %d", route.Pattern, query, response.Status, status)
			}
		}
		must(http.StatusRequestURITooLong, everything, "?q="+strings.Repeat("x", 16<<10), "")
		if !route.Open {
			must(http.StatusUnauthorized, "", "?novalue", "hello")
			must(http.StatusForbidden, elsewhere, "?novalue", "hello")
		}
		if route.Unread {
			continue
		}
		must(http.StatusBadRequest, everything, "?novalue", "")
		if method == "POST" {
			must(http.StatusUnsupportedMediaType, everything, "", "hello", "Content-Type", "text/plain")
			must(http.StatusRequestEntityTooLarge, everything, "", strings.Repeat(" ", 1<<20+1), "Expect", "100-continue")
		}
	}
}
