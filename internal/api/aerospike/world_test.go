package aerospike_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"keyward/internal/api/apitest"
	"keyward/keywardtest"
)

// world is a server with one organization.
type world struct {
	apitest.World
	organization string
}

type (
	key    = apitest.Key
	answer = apitest.Answer
)

func newWorld(t *testing.T, options keywardtest.Options) *world {
	t.Helper()
	return worldOn(t, keywardtest.Start(t, options), "Acme")
}

// worldOn is an organization of its own on a server that there is.
func worldOn(t *testing.T, kw *keywardtest.Server, name string) *world {
	t.Helper()
	w := &world{World: apitest.World{TB: t, Server: kw}}
	w.organization = w.newOrganization(name)
	return w
}

func (w *world) newOrganization(name string) string {
	w.Helper()
	return w.NewOrganization(map[string]any{"name": name}).ID
}

// newKey makes a key; with are members beside its name.
func (w *world) newKey(organization, name string, with map[string]any) key {
	w.Helper()
	body := map[string]any{"name": name}
	maps.Copy(body, with)
	return w.NewKey(organization, body)
}

// keyPath is where a key of the organization is natively.
func (w *world) keyPath(k key) string {
	return "/v1/organizations/" + w.organization + "/api-keys/" + k.ID
}

func (w *world) revoke(k key) {
	w.Helper()
	w.Native("POST", w.keyPath(k)+"/revoke", map[string]any{}, nil)
}

// nativeKey is what the native API shows of a key.
type nativeKey struct {
	ID, Name, Type, Environment string
	Enabled                     bool
	ACL                         []any
	Management                  []struct{ Permissions []string }
}

// permissions returns the key's management, in the order of the alphabet.
func (k nativeKey) permissions() string {
	var all []string
	for _, grant := range k.Management {
		all = append(all, grant.Permissions...)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// nativeKey finds a key by its client id.
func (w *world) nativeKey(k key) nativeKey {
	w.Helper()
	var found struct{ Items []nativeKey }
	w.Native("GET", "/v1/organizations/"+w.organization+"/api-keys?filter=clientId:"+k.ClientID, nil, &found)
	if len(found.Items) != 1 {
		w.Fatalf("natively there are %d keys with the client id %s", len(found.Items), k.ClientID)
	}
	return found.Items[0]
}

// reader is the management of a key that may read keys.
func reader() map[string]any { return managing(map[string]any{}, "keys.read") }

// managing is the management of a key with these permissions.
func managing(scope map[string]any, permissions ...string) map[string]any {
	return map[string]any{"management": []any{map[string]any{"scope": scope, "permissions": permissions}}}
}

// token gets an access token, in the form that the vendor documents.
func (w *world) token(k key, header ...string) string {
	w.Helper()
	return w.send("POST", "/aerospike/oauth/token", grant(k, "client_credentials"),
		append(header, "Content-Type", "application/json")...).Token(w)
}

func grant(k key, kind string) string {
	text, _ := json.Marshal(map[string]string{"grant_type": kind, "client_id": k.ClientID, "client_secret": k.Secret})
	return string(text)
}

// as asks with a token, and a body that is JSON if there is one.
func (w *world) as(token, method, path, body string, header ...string) answer {
	w.Helper()
	if body != "" {
		header = append(header, "Content-Type", "application/json")
	}
	return w.send(method, path, body, append(header, "Authorization", "Bearer "+token)...)
}

// send sends a request, and checks what is promised of every answer. The header is
// pairs of name and value.
func (w *world) send(method, path, body string, header ...string) answer {
	w.Helper()
	got := w.Send(method, path, body, header...)
	if media := got.Header.Get("Content-Type"); strings.HasPrefix(path, "/aerospike") && media != wantMedia(path, got.Status) {
		w.Errorf("%s %s: Content-Type = %q", method, path, media)
	}
	return got
}

// sendTo is send to a host name, "" for the server's own.
func (w *world) sendTo(host, method, path, body string, header ...string) answer {
	w.Helper()
	return w.send(method, path, body, append(header, "Host", host)...)
}

// wantMedia returns the media type that an answer of this surface has.
func wantMedia(path string, status int) string {
	switch {
	case status == http.StatusNoContent:
		return ""
	case status >= 400 && strings.HasPrefix(path, "/aerospike/v1/"):
		return "application/problem+json"
	case status == http.StatusOK && strings.HasSuffix(path, "/openapi.yaml"):
		return "application/yaml"
	}
	return "application/json"
}
