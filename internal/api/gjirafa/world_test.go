package gjirafa_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api/apitest"
	"keyward/keywardtest"
)

// masterKey is that of servers on PostgreSQL.
var masterKey = base64.StdEncoding.EncodeToString([]byte("32 bytes for the gjirafa dialect"))

// world is a server with one organization.
type world struct {
	apitest.World
	organization place
}

type (
	key    = apitest.Key
	place  = apitest.Place
	answer struct{ apitest.Answer }
)

func newWorld(t *testing.T, options keywardtest.Options) *world {
	t.Helper()
	w := &world{World: apitest.World{TB: t, Server: keywardtest.Start(t, options)}}
	w.organization = w.NewOrganization(map[string]any{"name": "Acme"})
	return w
}

func (w *world) newProject(name string) place {
	w.Helper()
	return w.NewProject(w.organization.ID, name)
}

// newKey makes a key of the world's organization; with are members beside its name.
func (w *world) newKey(name string, with map[string]any) key {
	w.Helper()
	return w.newKeyOf(w.organization, name, with)
}

func (w *world) newKeyOf(organization place, name string, with map[string]any) key {
	w.Helper()
	body := map[string]any{"name": name}
	maps.Copy(body, with)
	return w.NewKey(organization.ID, body)
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

// list asks for the keys of the world's organization.
func (w *world) list(header ...string) answer {
	w.Helper()
	return w.listOf(w.organization.ID, header...)
}

func (w *world) listOf(organizationID string, header ...string) answer {
	w.Helper()
	return w.send("GET", "/gjirafa/api/organizations/"+organizationID+"/api-keys", "", header...)
}

// send sends a request, and checks what is promised of every answer. The header is
// pairs of name and value.
func (w *world) send(method, path, body string, header ...string) answer {
	w.Helper()
	return w.sendBy(nil, method, path, body, header...)
}

func (w *world) sendBy(client *http.Client, method, path, body string, header ...string) answer {
	w.Helper()
	got := answer{apitest.Send(w, client, method, w.URL+path, body, header...)}
	if strings.HasPrefix(path, "/gjirafa") {
		got.hasEnvelope(w)
	}
	return got
}

// hasEnvelope checks that all six members are there, and no others.
func (a answer) hasEnvelope(t testing.TB) {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(a.Body), &members); err != nil {
		t.Fatalf("answer = %d %s: %v", a.Status, a.Body, err)
	}
	for _, name := range []string{"success", "errors", "messages", "result", "resultInfo", "statusCode"} {
		if _, ok := members[name]; !ok {
			t.Errorf("answer = %d %s, without %s", a.Status, a.Body, name)
		}
	}
	if len(members) != 6 || members["statusCode"] != float64(a.Status) || members["success"] != (a.Status < 300) {
		t.Errorf("answer = %d %s, which is not the envelope", a.Status, a.Body)
	}
	if media := a.Header.Get("Content-Type"); media != "application/json" {
		t.Errorf("Content-Type = %q", media)
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
func (a answer) read(t testing.TB, into any) {
	t.Helper()
	if a.Status != http.StatusOK {
		t.Fatalf("answer = %d %s", a.Status, a.Body)
	}
	if err := json.Unmarshal([]byte(a.Body), into); err != nil {
		t.Fatalf("%v in %s", err, a.Body)
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
	w.Helper()
	var made struct{ Result one }
	w.send("POST", w.at("/api-keys"), body, "X-Api-Key", by.Secret, "Content-Type", "application/json").read(w, &made)
	return made.Result
}

// update changes a key as a key would.
func (w *world) update(by key, body string) answer {
	w.Helper()
	return w.send("PUT", w.at("/api-keys"), body, "X-Api-Key", by.Secret, "Content-Type", "application/json")
}

// seen is a key as the root operator sees it, member by member.
func (w *world) seen(number int) map[string]json.RawMessage {
	w.Helper()
	var list struct{ Items []map[string]json.RawMessage }
	w.Native("GET", "/v1/organizations/"+w.organization.ID+"/api-keys?filter=number:"+strconv.Itoa(number), nil, &list)
	if len(list.Items) != 1 {
		w.Fatalf("there are %d keys with the number %d", len(list.Items), number)
	}
	return list.Items[0]
}

// id is the native id of the key with a number.
func (w *world) id(number int) (id string) {
	w.Helper()
	if err := json.Unmarshal(w.seen(number)["id"], &id); err != nil {
		w.Fatal(err)
	}
	return id
}

// management is what a key may do: a permission each, and where it holds, sorted.
func (w *world) management(number int) []string {
	w.Helper()
	var grants []keyward.Grant
	if err := json.Unmarshal(w.seen(number)["management"], &grants); err != nil {
		w.Fatal(err)
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
	w.Helper()
	body := managing(permissions...)
	body["name"] = name
	var made struct{ Number int }
	w.Native("POST", "/v1/organizations/"+w.organization.ID+"/roles", body, &made)
	return made.Number
}
