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
	"encoding/json"
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

// organization is a tenant with a key that manages the others.
type organization struct {
	ID       string
	PublicID string
	Client   string // the key's clientId
	Secret   string // the key's secret
}

// everything is the management of the key of an organization.
const everything = `[{"scope": {}, "permissions": ["keys.*", "projects.*", "organizations.read"]}]`

// root makes things by the native API for a test.
func (w *world) root(t *testing.T) apitest.World { return apitest.World{TB: t, Server: w.Server} }

// organization makes an organization.
func (w *world) organization(t *testing.T, name string, recoverable bool) organization {
	t.Helper()
	made := w.root(t).NewOrganization(map[string]any{"name": name, "recoverable": recoverable})
	key := w.key(t, made.ID, "manager", everything)
	return organization{made.ID, made.PublicID, key.ClientID, key.Secret}
}

// dialect starts a proxy in front of a dialect and returns where it is. Exchanges are
// held against the vendor's contract and against the document that the server serves.
func (w *world) dialect(t *testing.T, name string) string {
	t.Helper()
	served := apitest.Send(t, nil, "GET", w.document(name), "")
	if served.Status != http.StatusOK {
		t.Fatalf("the document of %s: %d %s", name, served.Status, served.Body)
	}
	return apitest.Proxy(t, w.URL, apitest.Vendor(t, name), apitest.Load(t, []byte(served.Body))) + "/" + name
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

// key makes a key.
func (w *world) key(t *testing.T, organizationID, name, management string) apitest.Key {
	t.Helper()
	return w.root(t).NewKey(organizationID, map[string]any{"name": name, "management": json.RawMessage(management)})
}

// project makes a project and returns its public id.
func (w *world) project(t *testing.T, organizationID, name string) string {
	t.Helper()
	return w.root(t).NewProject(organizationID, name).PublicID
}

// person makes an operator who signs in with an address and a password.
func (w *world) person(t *testing.T, organizationID, email, password string) {
	t.Helper()
	var made struct{ Operator struct{ ID string } }
	w.root(t).Native("POST", "/v1/operators", map[string]any{
		"name": "administrator", "role": "admin", "organizationId": organizationID, "email": email,
	}, &made)
	w.root(t).Native("PATCH", "/v1/operators/"+made.Operator.ID, map[string]any{"password": password}, nil)
}
