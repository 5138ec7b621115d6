package aerospike_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyward/keywardtest"
)

// world is a server with one organization.
type world struct {
	*keywardtest.Server
	t            *testing.T
	organization string
}

func newWorld(t *testing.T, options keywardtest.Options) *world {
	t.Helper()
	w := &world{Server: keywardtest.Start(t, options), t: t}
	w.organization = w.newOrganization("Acme")
	return w
}

// native makes or changes something as the root operator.
func (w *world) native(method, path string, body, into any) {
	w.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	got := w.send(method, path, string(text), "Authorization", "Bearer "+w.RootToken, "Content-Type", "application/json")
	if got.status >= 300 {
		w.t.Fatalf("%s %s = %d %s", method, path, got.status, got.body)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(got.body), into); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) newOrganization(name string) string {
	w.t.Helper()
	var o struct{ ID string }
	w.native("POST", "/v1/organizations", map[string]any{"name": name}, &o)
	return o.ID
}

// key is a key as its owner knows it.
type key struct{ id, clientID, secret string }

// newKey makes a key; with are members beside its name.
func (w *world) newKey(organization, name string, with map[string]any) key {
	w.t.Helper()
	body := map[string]any{"name": name}
	for member, value := range with {
		body[member] = value
	}
	var made struct {
		Key    struct{ ID, ClientID string }
		Secret string
	}
	w.native("POST", "/v1/organizations/"+organization+"/api-keys", body, &made)
	return key{made.Key.ID, made.Key.ClientID, made.Secret}
}

// keyPath is where a key of the organization is natively.
func (w *world) keyPath(k key) string {
	return "/v1/organizations/" + w.organization + "/api-keys/" + k.id
}

func (w *world) revoke(k key) {
	w.t.Helper()
	w.native("POST", w.keyPath(k)+"/revoke", map[string]any{}, nil)
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
	w.t.Helper()
	var found struct{ Items []nativeKey }
	w.native("GET", "/v1/organizations/"+w.organization+"/api-keys?filter=clientId:"+k.clientID, nil, &found)
	if len(found.Items) != 1 {
		w.t.Fatalf("natively there are %d keys with the client id %s", len(found.Items), k.clientID)
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
	w.t.Helper()
	got := w.send("POST", "/aerospike/oauth/token", grant(k, "client_credentials"),
		append(header, "Content-Type", "application/json")...)
	var issued struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(got.body), &issued); err != nil || got.status != http.StatusOK {
		w.t.Fatalf("token = %d %s", got.status, got.body)
	}
	return issued.AccessToken
}

func grant(k key, kind string) string {
	text, _ := json.Marshal(map[string]string{"grant_type": kind, "client_id": k.clientID, "client_secret": k.secret})
	return string(text)
}

func form(k key) string {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {k.clientID}, "client_secret": {k.secret},
	}.Encode()
}

// as asks with a token, and a body that is JSON if there is one.
func (w *world) as(token, method, path, body string, header ...string) answer {
	w.t.Helper()
	if body != "" {
		header = append(header, "Content-Type", "application/json")
	}
	return w.send(method, path, body, append(header, "Authorization", "Bearer "+token)...)
}

type answer struct {
	status int
	body   string
	header http.Header
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// send sends a request, and checks what is promised of every answer. The header is
// pairs of name and value.
func (w *world) send(method, path, body string, header ...string) answer {
	w.t.Helper()
	return w.sendTo("", method, path, body, header...)
}

// sendTo is send to a host name, "" for the server's own.
func (w *world) sendTo(host, method, path, body string, header ...string) answer {
	w.t.Helper()
	r, err := http.NewRequest(method, w.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Host = host
	const ours = "11111111-1111-4111-8111-111111111111"
	r.Header.Set("X-Request-Id", ours)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if id := response.Header.Get("X-Request-Id"); !uuid.MatchString(id) || id == ours {
		w.t.Errorf("%s %s: X-Request-Id = %q, want a UUID v4 of the server's own", method, path, id)
	}
	if media := response.Header.Get("Content-Type"); strings.HasPrefix(path, "/aerospike") && media != wantMedia(path, response) {
		w.t.Errorf("%s %s: Content-Type = %q", method, path, media)
	}
	return answer{response.StatusCode, string(bytes.TrimSpace(text)), response.Header}
}

// wantMedia returns the media type that an answer of this surface has.
func wantMedia(path string, response *http.Response) string {
	switch {
	case response.StatusCode == http.StatusNoContent:
		return ""
	case response.StatusCode >= 400 && strings.HasPrefix(path, "/aerospike/v1/"):
		return "application/problem+json"
	case response.StatusCode == http.StatusOK && strings.HasSuffix(path, "/openapi.yaml"):
		return "application/yaml"
	}
	return "application/json"
}

// is compares an answer, body byte by byte.
func (a answer) is(t *testing.T, status int, body string) {
	t.Helper()
	if a.status != status || a.body != body {
		t.Errorf("answer = %d %s\nwant     %d %s", a.status, a.body, status, body)
	}
}
