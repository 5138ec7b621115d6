package rebilly_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"keyward/internal/keyring"
	"keyward/internal/pgtest"
	"keyward/keywardtest"
)

// shown is a key on this surface's wire.
type shown struct {
	ID, Description, Type, APIUser, SecretKey string
	ACL                                       json.RawMessage
	AllowedIPs                                []string
	CreatedTime, UpdatedTime                  string
}

// put puts a key with a secret, and wants it done.
func (w world) put(secret, id, body string) shown {
	w.Helper()
	a := w.do("PUT", "/rebilly/api-keys/"+id, body, "REB-APIKEY", secret, "Content-Type", "application/json")
	var key shown
	if err := json.Unmarshal([]byte(a.Body), &key); err != nil || a.Status/100 != 2 {
		w.Fatalf("put %s: %d %s", id, a.Status, a.Body)
	}
	return key
}

// members are those of a key as the native API shows it.
func (w world) members(organization, id string) map[string]any {
	w.Helper()
	var members map[string]any
	w.Native("GET", "/v1/organizations/"+organization+"/api-keys/"+id, "", &members)
	return members
}

func TestWhatThisSurfaceCannotExpressStaysAsItIs(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	all := w.manager(organization, "all", "keys.*", "projects.read")
	var project struct{ ID string }
	w.Native("POST", "/v1/organizations/"+organization+"/projects", `{"name": "p"}`, &project)
	full := w.NewKey(organization, fmt.Sprintf(`{"name": "full", "environment": "sandbox", "projectIds": [%q],
		"acl": [{"scope": {"region": ["eu"]}, "permissions": ["docs.read", "reports.*"]}],
		"management": [{"scope": {"projectId": [%q]}, "permissions": ["keys.read", "keys.verify"]}],
		"allowedIps": ["10.0.0.0/8"], "ownerId": "user_42", "metadata": {"plan": "pro"}, "enabled": false,
		"startTime": "2020-01-01T00:00:00Z", "expireTime": "2099-01-01T00:00:00Z"}`, project.ID, project.ID))
	before := w.members(organization, full.ID)

	got := w.put(all.Secret, full.ID, `{"description": "renamed"}`)
	if got.SecretKey != full.Hint || got.Description != "renamed" || len(got.AllowedIPs) != 1 {
		t.Errorf("put = %+v", got)
	}
	after := w.members(organization, full.ID)
	if after["name"] != "renamed" || after["updatedTime"] == before["updatedTime"] {
		t.Errorf("the key is %v", after)
	}
	after["name"], after["updatedTime"] = before["name"], before["updatedTime"]
	if !reflect.DeepEqual(after, before) {
		t.Errorf("more than the name has changed:\n%v\n%v", before, after)
	}

	t.Run("but an ACL says anew what the key may do", func(t *testing.T) {
		w.put(all.Secret, full.ID, `{"description": "renamed", "acl": [{"scope": {}, "permissions": ["GetApiKey"]}]}`)
		after := w.members(organization, full.ID)
		if got := fmt.Sprint(after["management"]); got != "[map[permissions:[keys.read] scope:map[]]]" {
			t.Errorf("management = %s", got)
		}
		if got, want := fmt.Sprint(after["projectIds"], after["ownerId"]), fmt.Sprint(before["projectIds"], before["ownerId"]); got != want {
			t.Errorf("projects and owner = %s, want %s", got, want)
		}
	})
}

// The vendor's PHP client sends back the whole object that it read. What of it did not
// change is not written: it neither gives nor takes rights, and may be what this surface
// itself would refuse.
func TestWhatIsSentBackAsItWasReadIsNotWritten(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	all := w.manager(organization, "all", "keys.*", "organizations.read", "usage.read")
	for name, members := range map[string]string{
		"rights and no ACL":            `{"name": "k", "management": [{"scope": {}, "permissions": ["keys.read", "usage.read"]}]}`,
		"every permission, no rights":  `{"name": "k", "acl": [{"scope": {}, "permissions": ["*"]}]}`,
		"a scope of another API":       `{"name": "k", "acl": [{"scope": {"region": ["eu"], "a/b": []}, "permissions": ["docs.*"]}]}`,
		"addresses in private subnets": `{"name": "k", "allowedIps": ["10.0.0.0/8", "::1"]}`,
	} {
		t.Run(name, func(t *testing.T) {
			key := w.NewKey(organization, members)
			before := w.members(organization, key.ID)
			read := w.get("/rebilly/api-keys/"+key.ID, "REB-APIKEY", all.Secret)
			var loaded map[string]any
			if err := json.Unmarshal([]byte(read.Body), &loaded); err != nil {
				t.Fatal(err)
			}
			loaded["description"] = "renamed"
			body, err := json.Marshal(loaded)
			if err != nil {
				t.Fatal(err)
			}
			w.put(all.Secret, key.ID, string(body))
			after := w.members(organization, key.ID)
			if after["name"] != "renamed" {
				t.Errorf("the name is %v", after["name"])
			}
			after["name"], after["updatedTime"] = before["name"], before["updatedTime"]
			if !reflect.DeepEqual(after, before) {
				t.Errorf("more than the name has changed:\n%v\n%v", before, after)
			}
		})
	}
}

func TestAKeyIsTheSameOnEverySurface(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	all := w.manager(organization, "all", "keys.*", "organizations.read")

	t.Run("one that was made here is managed natively", func(t *testing.T) {
		made := w.put(all.Secret, "here", `{"description": "here", "allowedIps": ["203.0.113.7"]}`)
		native := w.members(organization, "here")
		want := "[map[permissions:[organizations.read keys.read keys.create keys.update keys.revoke keys.delete] scope:map[]]]"
		if got := fmt.Sprint(native["management"]); got != want {
			t.Errorf("management = %s, want %s", got, want)
		}
		if got := fmt.Sprint(native["name"], " ", native["allowedIps"], " ", native["environment"], " ", native["enabled"]); got != "here [203.0.113.7] live true" {
			t.Errorf("the key is %s", got)
		}
		var verdict struct{ Code string }
		question := fmt.Sprintf(`{"key": %q, "ip": "203.0.113.7", "permissions": ["docs.read"]}`, made.SecretKey)
		w.Native("POST", "/v1/verify", question, &verdict)
		if verdict.Code != "valid" {
			t.Errorf("without an ACL a key may do everything, but docs.read is %s", verdict.Code)
		}
		w.Native("PATCH", "/v1/organizations/"+organization+"/api-keys/here", `{"name": "there"}`, nil)
		if got := w.put(all.Secret, "here", `{"description": "again"}`); got.CreatedTime != made.CreatedTime {
			t.Errorf("put = %+v", got)
		}
	})
	t.Run("one that was made natively is managed here", func(t *testing.T) {
		native := w.NewKey(organization, `{"name": "native"}`)
		path := "/rebilly/organizations/" + organization + "/api-keys/" + native.ID
		w.get(path, "REB-APIKEY", all.Secret).expect(t, 200, onWire("", native, native.Hint))
		if got := w.put(all.Secret, native.ID, `{"description": "renamed"}`); got.Description != "renamed" || string(got.ACL) != "[]" {
			t.Errorf("put = %+v", got)
		}
		if got := w.do("DELETE", path, "", "REB-APIKEY", all.Secret); got.Status != 204 || got.Body != "" {
			t.Errorf("delete = %d %s", got.Status, got.Body)
		}
		var verdict struct{ Code string }
		w.Native("POST", "/v1/verify", fmt.Sprintf(`{"key": %q}`, native.Secret), &verdict)
		if verdict.Code != "not_found" {
			t.Errorf("after it was deleted the key is %s", verdict.Code)
		}
	})
	t.Run("one that was revoked natively is not here, and its id stays taken", func(t *testing.T) {
		w.put(all.Secret, "revoked", `{"description": "x"}`)
		w.Native("POST", "/v1/organizations/"+organization+"/api-keys/revoked/revoke", "", nil)
		w.get("/rebilly/api-keys/revoked", "REB-APIKEY", all.Secret).expect(t, 404, notFound)
		w.do("DELETE", "/rebilly/api-keys/revoked", "", "REB-APIKEY", all.Secret).expect(t, 404, notFound)
		got := w.do("PUT", "/rebilly/api-keys/revoked", `{"description": "x"}`, "REB-APIKEY", all.Secret, "Content-Type", "application/json")
		if got.Status != 409 {
			t.Errorf("put = %d %s", got.Status, got.Body)
		}
	})
}

// However many put a new id at once, one makes the key, and the others update it.
func TestAnIDIsMadeOnce(t *testing.T) {
	for name, options := range map[string]keywardtest.Options{
		"SQLite":     {},
		"PostgreSQL": {MasterKey: keyring.Generate(), Database: pgtest.Database(t)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options)
			all := w.manager(w.organization(`{"name": "acme"}`), "all", "keys.*", "organizations.read")
			const clients = 8
			statuses := make([]int, clients)
			var wait sync.WaitGroup
			for i := range statuses {
				wait.Go(func() {
					statuses[i] = w.do("PUT", "/rebilly/api-keys/one", `{"description": "x"}`,
						"REB-APIKEY", all.Secret, "Content-Type", "application/json").Status
				})
			}
			wait.Wait()
			slices.Sort(statuses)
			if statuses[clients-2] != 200 || statuses[clients-1] != 201 || statuses[0] != 200 {
				t.Errorf("the answers are %v, want one 201 and 200 else", statuses)
			}
		})
	}
}

// A client that knows nothing of prefixes finds the surface at the root of a host, and
// links that lead there.
func TestLinksBeginWhereTheSurfaceIs(t *testing.T) {
	for public, want := range map[string]string{"": "/rebilly", "https://keys.example.com": "https://keys.example.com/rebilly"} {
		w := newWorld(t, keywardtest.Options{PublicURL: public})
		organization := w.organization(`{"name": "acme"}`)
		all := w.manager(organization, "all", "keys.*", "organizations.read")
		got := w.do("PUT", "/rebilly/api-keys/x", `{"description": "x"}`, "REB-APIKEY", all.Secret, "Content-Type", "application/json")
		link := "/organizations/" + organization + "/api-keys/x"
		if location := got.Header.Get("Location"); got.Status != 201 || location != want+link {
			t.Errorf("Location = %q, want %q", location, want+link)
		}
		at := w.get("/organizations/"+organization+"/api-keys/x", "REB-APIKEY", all.Secret, "Host", "rebilly.localhost")
		var key struct {
			Links []struct{ Href string } `json:"_links"`
		}
		if err := json.Unmarshal([]byte(at.Body), &key); err != nil || at.Status != 200 || key.Links[0].Href != link {
			t.Errorf("at the root of a host: %d %s, want the link %q", at.Status, at.Body, link)
		}
	}
}
