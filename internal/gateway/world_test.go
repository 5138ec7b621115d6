package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyward/keywardtest"
)

// world is a running server with an organization, and a verifier of it.
type world struct {
	*keywardtest.Server
	org      string // its id
	verifier string // its credential
}

func newWorld(t *testing.T, options keywardtest.Options) *world {
	t.Helper()
	w := &world{Server: keywardtest.Start(t, options)}
	var org struct{ ID string }
	w.make(t, "/v1/organizations", `{"name":"acme"}`, &org)
	w.org = org.ID
	w.verifier = w.operator(t, "verifier", w.org)
	return w
}

// withRules is a world with a file of rules.
func withRules(t *testing.T, text string) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return newWorld(t, keywardtest.Options{AuthzRules: path})
}

// make makes something as the root operator.
func (w *world) make(t *testing.T, path, body string, into any) {
	t.Helper()
	got := w.ask(t, "POST", path, body, "Authorization", "Bearer "+w.RootToken, "Content-Type", "application/json")
	if got.status != http.StatusCreated {
		t.Fatalf("POST %s: %d %s", path, got.status, got.body)
	}
	if err := json.Unmarshal([]byte(got.body), into); err != nil {
		t.Fatal(err)
	}
}

// operator returns the credential of a new one, of an organization or of all.
func (w *world) operator(t *testing.T, role, org string) string {
	t.Helper()
	body := fmt.Sprintf(`{"name":"gate","role":%q}`, role)
	if org != "" {
		body = fmt.Sprintf(`{"name":"gate","role":%q,"organizationId":%q}`, role, org)
	}
	var made struct{ Secret string }
	w.make(t, "/v1/operators", body, &made)
	return made.Secret
}

// key is a new key and its secret.
type key struct {
	Key    struct{ ID, ClientID string }
	Secret string
}

// key makes one with further members, such as `,"ownerId":"o"`.
func (w *world) key(t *testing.T, members string) key {
	t.Helper()
	var made key
	w.make(t, "/v1/organizations/"+w.org+"/api-keys", `{"name":"k"`+members+`}`, &made)
	return made
}

type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends headers as pairs.
func (w *world) ask(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header[header[i]] = append(r.Header[header[i]], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// verify asks as the verifier does.
func (w *world) verify(t *testing.T, header ...string) answer {
	t.Helper()
	return w.ask(t, "GET", "/authz/verify", "", append([]string{"Keyward-Authorization", "Bearer " + w.verifier}, header...)...)
}
