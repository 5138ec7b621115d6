package native_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api/apitest"
	"keyward/internal/api/native"
	"keyward/keywardtest"
)

// client speaks to a server as the holder of a token.
type client struct {
	t     testing.TB
	url   string
	token string
	http  *http.Client
}

func newClient(t testing.TB, kw *keywardtest.Server) client {
	return client{t, kw.URL, kw.RootToken, apitest.Client(t, native.Contract())}
}

// organization makes one and returns its id.
func (c client) organization(name string) string {
	c.t.Helper()
	var o keyward.Organization
	c.must(http.StatusCreated, "POST", "/v1/organizations", fmt.Sprintf(`{"name": %q}`, name), &o)
	return o.ID
}

// issued is a new key or operator, and its secret.
type issued struct {
	Key      keyward.Key      `json:"key"`
	Operator keyward.Operator `json:"operator"`
	Secret   string           `json:"secret"`
}

// key makes a key.
func (c client) key(organizationID, body string) issued {
	c.t.Helper()
	var made issued
	c.must(http.StatusCreated, "POST", "/v1/organizations/"+organizationID+"/api-keys", body, &made)
	return made
}

// operator makes an operator of the whole deployment and returns a client of it.
func (c client) operator(role keyward.Role) client {
	c.t.Helper()
	var made issued
	c.must(http.StatusCreated, "POST", "/v1/operators", fmt.Sprintf(`{"name": "a %[1]s", "role": "%[1]s"}`, role), &made)
	c.token = made.Secret
	return c
}

// verdict is what of the answer to a verification the tests look at.
type verdict struct {
	Valid  bool            `json:"valid"`
	Code   keyward.Reason  `json:"code"`
	Checks []keyward.Check `json:"checks"`
}

// verify asks about a key. The request is JSON without its first member, the key.
func (c client) verify(key, rest string) verdict {
	c.t.Helper()
	var v verdict
	c.must(http.StatusOK, "POST", "/v1/verify", fmt.Sprintf(`{"key": %q%s}`, key, rest), &v)
	return v
}

// must asks, wants the status, and reads the answer into into, unless that is nil.
func (c client) must(status int, method, path, body string, into any) http.Header {
	c.t.Helper()
	got, header, answer := c.ask(method, path, body, nil)
	if got != status {
		c.t.Fatalf("%s %s: %d %s, want %d", method, path, got, answer, status)
	}
	if into == nil {
		return header
	}
	if err := json.Unmarshal([]byte(answer), into); err != nil {
		c.t.Fatalf("%s %s: %v: %s", method, path, err, answer)
	}
	return header
}

// ask makes one request. A body is JSON unless a header says otherwise.
func (c client) ask(method, path, body string, header http.Header) (int, http.Header, string) {
	c.t.Helper()
	request, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := c.http.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(answer)
}
