// Package clienttest_test runs real clients of the vendors' APIs, unmodified and of
// pinned versions, against a real server: the vendor's own one where there is one,
// OAuth libraries, and a generic client that knows a dialect only from the document
// that the server serves. Between them and the server stands a proxy that holds every
// exchange against the vendor's contract.
//
// The clients for Node are in package.json; scripts/setup-clients.sh installs them.
// What each client does is in the scripts beside this file, one promise after the
// other; each is a subtest here.
package clienttest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"keyward/internal/api/apitest"
	"keyward/keywardtest"
)

// world is a running server and the people and keys that clients begin with.
type world struct{ *keywardtest.Server }

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{keywardtest.New(t)}
}

// organization is a tenant with an administrator, a project and a key that manages
// the others.
type organization struct {
	ID       string
	PublicID string
	Client   string // the key's clientId
	Secret   string // the key's secret
}

// everything is the management of the key of an organization.
const everything = `[{"scope": {}, "permissions": ["keys.*", "projects.*", "organizations.read"]}]`

// organization makes an organization by the native API.
func (w *world) organization(t *testing.T, name string, recoverable bool) organization {
	t.Helper()
	made := w.post(t, "/v1/organizations", map[string]any{"name": name, "recoverable": recoverable})
	org := organization{ID: made["id"].(string), PublicID: made["publicId"].(string)}
	key, secret := w.key(t, org.ID, "manager", everything)
	org.Client, org.Secret = key["clientId"].(string), secret
	return org
}

// dialect starts a proxy in front of a dialect and returns where it is. Exchanges are
// held against the vendor's contract and against the document that the server serves.
func (w *world) dialect(t *testing.T, name string) string {
	t.Helper()
	response, err := http.Get(w.document(name))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	served, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("the document of %s: %d %s %v", name, response.StatusCode, served, err)
	}
	return apitest.Proxy(t, w.URL, apitest.Vendor(t, name), apitest.Load(t, served)) + "/" + name
}

// host starts a proxy in front of the name at whose root a dialect is served, and
// returns where it is. Exchanges are held against the vendor's contract.
func (w *world) host(t *testing.T, dialect string) string {
	t.Helper()
	named := strings.Replace(w.URL, "127.0.0.1", dialect+".localhost", 1)
	return apitest.Proxy(t, named, apitest.Vendor(t, dialect))
}

// document returns where the server serves the document of a dialect.
func (w *world) document(dialect string) string { return w.URL + "/openapi/" + dialect + ".json" }

// key makes a key by the native API.
func (w *world) key(t *testing.T, organizationID, name, management string) (map[string]any, string) {
	t.Helper()
	made := w.post(t, "/v1/organizations/"+organizationID+"/api-keys",
		map[string]any{"name": name, "management": json.RawMessage(management)})
	return made["key"].(map[string]any), made["secret"].(string)
}

// project makes a project by the native API and returns its public id.
func (w *world) project(t *testing.T, organizationID, name string) string {
	t.Helper()
	made := w.post(t, "/v1/organizations/"+organizationID+"/projects", map[string]any{"name": name})
	return made["publicId"].(string)
}

// person makes an operator who signs in with an address and a password.
func (w *world) person(t *testing.T, organizationID, email, password string) {
	t.Helper()
	made := w.post(t, "/v1/operators", map[string]any{
		"name": "administrator", "role": "admin", "organizationId": organizationID, "email": email,
	})
	id := made["operator"].(map[string]any)["id"].(string)
	w.send(t, http.MethodPatch, "/v1/operators/"+id, map[string]any{"password": password})
}

func (w *world) post(t *testing.T, path string, body any) map[string]any {
	t.Helper()
	return w.send(t, http.MethodPost, path, body)
}

// send calls the native API as the root operator. What is refused fails the test.
func (w *world) send(t *testing.T, method, path string, body any) map[string]any {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(method, w.URL+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+w.RootToken)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, answer, err)
	}
	var made map[string]any
	if err := json.Unmarshal(answer, &made); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return made
}
