package apitest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"keyward/keywardtest"
)

// World is a running server, and what a test makes there as the root operator, by the
// native API. What is refused ends the test.
type World struct {
	testing.TB
	*keywardtest.Server
}

// Place is an organization or a project.
type Place struct{ ID, PublicID string }

// Key is a key as the native API shows it to whoever made it.
type Key struct {
	ID             string
	OrganizationID string
	ClientID       string
	Number         int
	Name           string
	Type           string
	Hint           string
	ACL            json.RawMessage
	AllowedIPs     json.RawMessage
	CreatedBy      string
	CreatedTime    string
	UpdatedTime    string

	Secret string `json:"-"`
}

// Form is the key's request for an access token (RFC 6749, 4.4.2).
func (k Key) Form() string {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {k.ClientID}, "client_secret": {k.Secret},
	}.Encode()
}

// Native calls the native API, and reads the answer into into, unless that is nil. The
// body is JSON if it is a string, else what is sent as JSON.
func (w World) Native(method, path string, body, into any) {
	w.Helper()
	text, isJSON := body.(string)
	if !isJSON {
		written, err := json.Marshal(body)
		if err != nil {
			w.Fatal(err)
		}
		text = string(written)
	}
	got := w.Send(method, path, text, "Authorization", "Bearer "+w.RootToken, "Content-Type", "application/json")
	if got.Status >= 300 {
		w.Fatalf("%s %s = %d %s", method, path, got.Status, got.Body)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(got.Body), into); err != nil {
		w.Fatalf("%s %s: %v in %s", method, path, err, got.Body)
	}
}

// NewOrganization makes an organization of a body for [World.Native].
func (w World) NewOrganization(body any) (made Place) {
	w.Helper()
	w.Native("POST", "/v1/organizations", body, &made)
	return made
}

// NewProject makes a project.
func (w World) NewProject(organizationID, name string) (made Place) {
	w.Helper()
	w.Native("POST", "/v1/organizations/"+organizationID+"/projects", map[string]any{"name": name}, &made)
	return made
}

// NewKey makes a key of a body for [World.Native].
func (w World) NewKey(organizationID string, body any) Key {
	w.Helper()
	var made struct {
		Key    Key
		Secret string
	}
	w.Native("POST", "/v1/organizations/"+organizationID+"/api-keys", body, &made)
	made.Key.Secret = made.Secret
	return made.Key
}

// Token gets an access token for a key, from the native endpoint.
func (w World) Token(k Key) string {
	w.Helper()
	return w.Send("POST", "/oauth/token", k.Form(), "Content-Type", "application/x-www-form-urlencoded").Token(w)
}

// Send sends a request to the server, as the function [Send] does.
func (w World) Send(method, path, body string, header ...string) Answer {
	w.Helper()
	return Send(w, nil, method, w.URL+path, body, header...)
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Recorded is an answer that did not go over the wire.
func Recorded(r *httptest.ResponseRecorder) Answer {
	return Answer{r.Code, r.Result().Header, r.Body.String()}
}

// Is compares an answer, the body byte by byte.
func (a Answer) Is(t testing.TB, status int, body string) {
	t.Helper()
	if a.Status != status || a.Body != body {
		t.Errorf("answer = %d %s\nwant     %d %s", a.Status, a.Body, status, body)
	}
}

// Token returns the access token that was issued.
func (a Answer) Token(t testing.TB) string {
	t.Helper()
	var issued struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(a.Body), &issued); err != nil || a.Status != http.StatusOK || issued.AccessToken == "" {
		t.Fatalf("token = %d %s", a.Status, a.Body)
	}
	return issued.AccessToken
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// Send sends a request to a Keyward, and checks what is promised of every answer: an
// X-Request-Id of the server's own. The header is names and values in turn; Host is
// where the request says it goes. A nil client follows no redirects.
func Send(t testing.TB, client *http.Client, method, url, body string, header ...string) Answer {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	const callers = "11111111-1111-4111-8111-111111111111"
	request.Header.Set("X-Request-Id", callers)
	for i := 0; i < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	request.Host = request.Header.Get("Host")
	if client == nil {
		client = &http.Client{CheckRedirect: asItIs}
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if id := response.Header.Get("X-Request-Id"); !uuid.MatchString(id) || id == callers {
		t.Errorf("%s %s: X-Request-Id = %q, want a UUID v4 of the server's own", method, request.URL.Path, id)
	}
	return Answer{response.StatusCode, response.Header, string(text)}
}
