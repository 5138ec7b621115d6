package rebilly_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"keyward/keywardtest"
)

// world is a running server, as its callers see it.
type world struct {
	*testing.T
	*keywardtest.Server
}

func newWorld(t *testing.T, options keywardtest.Options) world {
	return world{t, keywardtest.Start(t, options)}
}

// answer is what came back, body and all.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request. The headers are names and values in turn.
func (w world) do(method, path, body string, headers ...string) answer {
	w.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return send(w.T, client, method, w.URL+path, body, headers...)
}

// send is [world.do] through a client, to any address.
func send(t *testing.T, client *http.Client, method, url, body string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	request.Host = request.Header.Get("Host")
	response, err := client.Do(request)
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

func (w world) get(path string, headers ...string) answer {
	w.Helper()
	return w.do("GET", path, "", headers...)
}

// native makes a call of the native API as root, and decodes its answer.
func (w world) native(method, path, body string, into any) {
	w.Helper()
	a := w.do(method, path, body, "Authorization", "Bearer "+w.RootToken, "Content-Type", "application/json")
	if a.status >= 300 {
		w.Fatalf("%s %s = %d %s", method, path, a.status, a.body)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		w.Fatal(err)
	}
}

func (w world) organization(members string) string {
	w.Helper()
	var made struct{ ID string }
	w.native("POST", "/v1/organizations", members, &made)
	return made.ID
}

// key is a key as the native API shows it, with its secret.
type key struct {
	ID             string
	OrganizationID string
	ClientID       string
	Name           string
	Type           string
	Hint           string
	ACL            json.RawMessage
	AllowedIPs     json.RawMessage
	CreatedBy      string
	CreatedTime    string
	UpdatedTime    string

	secret string
}

func (w world) key(organization, members string) key {
	w.Helper()
	var made struct {
		Key    key
		Secret string
	}
	w.native("POST", "/v1/organizations/"+organization+"/api-keys", members, &made)
	made.Key.secret = made.Secret
	return made.Key
}

// reader makes a key that may read keys.
func (w world) reader(organization string) key {
	w.Helper()
	return w.key(organization, `{"name": "reader", "management": [{"scope": {}, "permissions": ["keys.read"]}]}`)
}

// token gets an access token for a key.
func (w world) token(k key) string {
	w.Helper()
	a := w.do("POST", "/oauth/token", fmt.Sprintf("grant_type=client_credentials&client_id=%s&client_secret=%s", k.ClientID, k.secret),
		"Content-Type", "application/x-www-form-urlencoded")
	var issued struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(a.body), &issued); err != nil || issued.AccessToken == "" {
		w.Fatalf("token: %d %s", a.status, a.body)
	}
	return issued.AccessToken
}

// onWire is a key as this surface has to show it, to the byte.
func onWire(base string, k key, secretKey string) string {
	return fmt.Sprintf(`{"id":%q,"description":%q,"type":%q,"acl":%s,"allowedIps":%s,"apiUser":%q,"secretKey":%q,`+
		`"createdTime":%q,"updatedTime":%q,"_links":[{"rel":"self","href":"%s/rebilly/organizations/%s/api-keys/%s"}]}`,
		k.ID, k.Name, k.Type, k.ACL, k.AllowedIPs, k.CreatedBy, secretKey,
		k.CreatedTime, k.UpdatedTime, base, k.OrganizationID, k.ID)
}

// expect holds an answer against a status and a whole body.
func (a answer) expect(t *testing.T, status int, body string) {
	t.Helper()
	if a.status != status || a.body != body {
		t.Errorf("answer = %d %s\nwant     %d %s", a.status, a.body, status, body)
	}
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type = %q", got)
	}
	if a.header.Get("X-Request-Id") == "" {
		t.Error("X-Request-Id is missing")
	}
}

// names returns the descriptions in a list.
func (a answer) names(t *testing.T) string {
	t.Helper()
	var keys []struct{ Description string }
	if err := json.Unmarshal([]byte(a.body), &keys); err != nil {
		t.Fatalf("answer = %d %s: %v", a.status, a.body, err)
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Description
	}
	return strings.Join(names, " ")
}

// The errors that are always the same.
const (
	unauthorized = `{"status":401,"title":"Unauthorized","detail":"Invalid credentials used"}`
	notFound     = `{"status":404,"title":"Not Found","detail":"Resource not found"}`
)
