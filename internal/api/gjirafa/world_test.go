package gjirafa_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"keyward"
	"keyward/keywardtest"
)

// masterKey is that of servers on PostgreSQL.
var masterKey = base64.StdEncoding.EncodeToString([]byte("32 bytes for the gjirafa dialect"))

// world is a server with one organization.
type world struct {
	*keywardtest.Server
	t            *testing.T
	organization named
}

// named is an organization or a project.
type named struct{ ID, PublicID string }

func newWorld(t *testing.T, options keywardtest.Options) *world {
	t.Helper()
	w := &world{Server: keywardtest.Start(t, options), t: t}
	w.organization = w.newOrganization(map[string]any{"name": "Acme"})
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

func (w *world) newOrganization(body map[string]any) (o named) {
	w.t.Helper()
	w.native("POST", "/v1/organizations", body, &o)
	return o
}

func (w *world) newProject(name string) (p named) {
	w.t.Helper()
	w.native("POST", "/v1/organizations/"+w.organization.ID+"/projects", map[string]any{"name": name}, &p)
	return p
}

// key is a key as its owner knows it.
type key struct {
	ID, ClientID, Hint, CreatedTime string
	Number                          int
	secret                          string
}

// newKey makes a key of the world's organization; with are members beside its name.
func (w *world) newKey(name string, with map[string]any) key {
	w.t.Helper()
	return w.newKeyOf(w.organization, name, with)
}

func (w *world) newKeyOf(organization named, name string, with map[string]any) key {
	w.t.Helper()
	body := map[string]any{"name": name}
	for member, value := range with {
		body[member] = value
	}
	var made struct {
		Key    key
		Secret string
	}
	w.native("POST", "/v1/organizations/"+organization.ID+"/api-keys", body, &made)
	made.Key.secret = made.Secret
	return made.Key
}

// path is the native path of a key of the world's organization.
func (w *world) path(k key) string {
	return "/v1/organizations/" + w.organization.ID + "/api-keys/" + k.ID
}

// managing is the management of a key with these permissions, everywhere.
func managing(permissions ...string) map[string]any {
	return managingIn(map[string]any{}, permissions...)
}

func managingIn(scope map[string]any, permissions ...string) map[string]any {
	return map[string]any{"management": []any{map[string]any{"scope": scope, "permissions": permissions}}}
}

// token gets a native access token.
func (w *world) token(k key) string {
	w.t.Helper()
	body := url.Values{"grant_type": {"client_credentials"}, "client_id": {k.ClientID}, "client_secret": {k.secret}}
	got := w.send("POST", "/oauth/token", body.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	var issued struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(got.body), &issued); err != nil || issued.AccessToken == "" {
		w.t.Fatalf("token = %d %s", got.status, got.body)
	}
	return issued.AccessToken
}

// list asks for the keys of the world's organization.
func (w *world) list(header ...string) answer {
	w.t.Helper()
	return w.listOf(w.organization.ID, header...)
}

func (w *world) listOf(organizationID string, header ...string) answer {
	w.t.Helper()
	return w.send("GET", "/gjirafa/api/organizations/"+organizationID+"/api-keys", "", header...)
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
	return w.sendBy(http.DefaultClient, method, path, body, header...)
}

func (w *world) sendBy(client *http.Client, method, path, body string, header ...string) answer {
	w.t.Helper()
	r, err := http.NewRequest(method, w.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	got := answer{response.StatusCode, string(bytes.TrimSpace(text)), response.Header}
	if id := got.header.Get("X-Request-Id"); !uuid.MatchString(id) {
		w.t.Errorf("%s %s: X-Request-Id = %q, want a UUID v4", method, path, id)
	}
	if strings.HasPrefix(path, "/gjirafa") {
		got.hasEnvelope(w.t)
	}
	return got
}

// hasEnvelope checks that all six members are there, and no others.
func (a answer) hasEnvelope(t *testing.T) {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(a.body), &members); err != nil {
		t.Fatalf("answer = %d %s: %v", a.status, a.body, err)
	}
	for _, name := range []string{"success", "errors", "messages", "result", "resultInfo", "statusCode"} {
		if _, ok := members[name]; !ok {
			t.Errorf("answer = %d %s, without %s", a.status, a.body, name)
		}
	}
	if len(members) != 6 || members["statusCode"] != float64(a.status) || members["success"] != (a.status < 300) {
		t.Errorf("answer = %d %s, which is not the envelope", a.status, a.body)
	}
	if media := a.header.Get("Content-Type"); media != "application/json" {
		t.Errorf("Content-Type = %q", media)
	}
}

// is compares an answer, body byte by byte.
func (a answer) is(t *testing.T, status int, body string) {
	t.Helper()
	if a.status != status || a.body != body {
		t.Errorf("answer = %d %s\nwant     %d %s", a.status, a.body, status, body)
	}
}

// holds is the body of a good answer.
func holds(result string) string {
	return `{"success":true,"errors":[],"messages":[],"result":` + result + `,"resultInfo":null,"statusCode":200}`
}

// refuses is the body of an error.
func refuses(status, text string) string {
	return `{"success":false,"errors":["` + text + `"],"messages":[],"result":null,"resultInfo":null,"statusCode":` + status + `}`
}

// read reads the body of a good answer.
func (a answer) read(t *testing.T, into any) {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("answer = %d %s", a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

// at is a path of this dialect in the world's organization.
func (w *world) at(rest string) string {
	return "/gjirafa/api/organizations/" + w.organization.ID + rest
}

// one is a key in an answer of this dialect that is no list.
type one struct {
	ID     int
	APIKey string
	RoleID int
}

// make makes a key as a key would.
func (w *world) make(by key, body string) one {
	w.t.Helper()
	var made struct{ Result one }
	w.send("POST", w.at("/api-keys"), body, "X-Api-Key", by.secret, "Content-Type", "application/json").read(w.t, &made)
	return made.Result
}

// update changes a key as a key would.
func (w *world) update(by key, body string) answer {
	w.t.Helper()
	return w.send("PUT", w.at("/api-keys"), body, "X-Api-Key", by.secret, "Content-Type", "application/json")
}

// seen is a key as the root operator sees it, member by member.
func (w *world) seen(number int) map[string]json.RawMessage {
	w.t.Helper()
	var list struct{ Items []map[string]json.RawMessage }
	w.native("GET", "/v1/organizations/"+w.organization.ID+"/api-keys?filter=number:"+strconv.Itoa(number), nil, &list)
	if len(list.Items) != 1 {
		w.t.Fatalf("there are %d keys with the number %d", len(list.Items), number)
	}
	return list.Items[0]
}

// id is the native id of the key with a number.
func (w *world) id(number int) (id string) {
	w.t.Helper()
	if err := json.Unmarshal(w.seen(number)["id"], &id); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// management is what a key may do: a permission each, and where it holds, sorted.
func (w *world) management(number int) []string {
	w.t.Helper()
	var grants []keyward.Grant
	if err := json.Unmarshal(w.seen(number)["management"], &grants); err != nil {
		w.t.Fatal(err)
	}
	may := []string{}
	for _, g := range grants {
		for _, permission := range g.Permissions {
			may = append(may, strings.TrimSpace(permission+" "+strings.Join(g.Scope["projectId"], " ")))
		}
	}
	slices.Sort(may)
	return may
}

// newRole makes a role of the world's organization and returns its number.
func (w *world) newRole(name string, permissions ...string) int {
	w.t.Helper()
	body := managing(permissions...)
	body["name"] = name
	var made struct{ Number int }
	w.native("POST", "/v1/organizations/"+w.organization.ID+"/roles", body, &made)
	return made.Number
}
