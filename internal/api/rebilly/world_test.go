package rebilly_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"keyward/internal/api/apitest"
	"keyward/keywardtest"
)

// world is a running server, as its callers see it.
type world struct{ apitest.World }

type (
	key    = apitest.Key
	answer struct{ apitest.Answer }
)

func newWorld(t *testing.T, options keywardtest.Options) world {
	return world{apitest.World{TB: t, Server: keywardtest.Start(t, options)}}
}

// do sends a request. The headers are names and values in turn.
func (w world) do(method, path, body string, headers ...string) answer {
	w.Helper()
	return answer{w.Send(method, path, body, headers...)}
}

// send is [world.do] through a client, to any address.
func send(t *testing.T, client *http.Client, method, url, body string, headers ...string) answer {
	t.Helper()
	return answer{apitest.Send(t, client, method, url, body, headers...)}
}

func (w world) get(path string, headers ...string) answer {
	w.Helper()
	return w.do("GET", path, "", headers...)
}

func (w world) organization(members string) string {
	w.Helper()
	return w.NewOrganization(members).ID
}

// reader makes a key that may read keys.
func (w world) reader(organization string) key {
	w.Helper()
	return w.NewKey(organization, `{"name": "reader", "management": [{"scope": {}, "permissions": ["keys.read"]}]}`)
}

// onWire is a key as this surface has to show it, to the byte.
func onWire(base string, k key, secretKey string) string {
	return fmt.Sprintf(`{"id":%q,"description":%q,"type":%q,"acl":%s,"allowedIps":%s,"apiUser":%q,"secretKey":%q,`+
		`"createdTime":%q,"updatedTime":%q,"_links":[{"rel":"self","href":"%s/rebilly/organizations/%s/api-keys/%s"}]}`,
		k.ID, k.Name, k.Type, k.ACL, k.AllowedIPs, k.CreatedBy, secretKey,
		k.CreatedTime, k.UpdatedTime, base, k.OrganizationID, k.ID)
}

// expect holds an answer against a status and a whole body.
func (a answer) expect(t testing.TB, status int, body string) {
	t.Helper()
	a.Is(t, status, body)
	if got := a.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type = %q", got)
	}
}

// names returns the descriptions in a list.
func (a answer) names(t *testing.T) string {
	t.Helper()
	var keys []struct{ Description string }
	if err := json.Unmarshal([]byte(a.Body), &keys); err != nil {
		t.Fatalf("answer = %d %s: %v", a.Status, a.Body, err)
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
