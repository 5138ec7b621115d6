package aerospike_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"keyward/keywardtest"
)

func TestTheListHoldsTheKeysOfTheOrganizationAsTheVendorSpellsThem(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	long := strings.Repeat("x", 255)
	first := w.newKey(w.organization, "ci <runner> & co", reader())
	gone := w.newKey(w.organization, "gone", nil)
	second := w.newKey(w.organization, long, map[string]any{"enabled": false})
	third := w.newKey(w.organization, "a", map[string]any{"type": "publishable", "environment": "test"})
	deleted := w.newKey(w.organization, "deleted", nil)
	w.newKey(w.newOrganization("Other"), "foreign", reader())
	w.revoke(gone)
	w.Native("DELETE", w.keyPath(deleted), nil, nil)

	token := w.token(first)
	keys := fmt.Sprintf(`"apiKeys":[{"name":"ci <runner> & co","clientId":%q},{"name":%q,"clientId":%q},{"name":"a","clientId":%q}]}`,
		first.ClientID, long, second.ClientID, third.ClientID)
	w.as(token, "GET", "/aerospike/v2/api-keys", "").Is(t, http.StatusOK, `{"count":3,`+keys)
	w.as(token, "GET", "/aerospike/v1/api-keys", "").Is(t, http.StatusOK,
		`{"count":3,"meta":{"total":3,"limit":10,"offset":0},`+keys)
}

func TestTheListOfV2HasNoPagesAndThoseOfV1MakeAWhole(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.newKey(w.organization, "first", reader())
	const keys, makers = 1100, 11
	var group sync.WaitGroup
	for range makers {
		group.Go(func() {
			for range keys / makers {
				w.newKey(w.organization, "one of many", nil)
			}
		})
	}
	group.Wait()
	token := w.token(k)
	whole := w.keys(token, "/aerospike/v2/api-keys")
	if len(whole) != keys+1 || whole[0] != k.ClientID {
		t.Errorf("v2 lists %d keys, want %d, oldest first", len(whole), keys+1)
	}
	var pages []string
	for offset := 0; offset <= keys; offset += 100 {
		pages = append(pages, w.keys(token, fmt.Sprintf("/aerospike/v1/api-keys?limit=100&offset=%d", offset))...)
	}
	if strings.Join(pages, ",") != strings.Join(whole, ",") {
		t.Errorf("the pages of v1 are not the list of v2: %d and %d keys", len(pages), len(whole))
	}
}

// keys lists, and returns the client ids.
func (w *world) keys(token, path string) []string {
	w.Helper()
	var list struct {
		Count   int
		APIKeys []struct{ ClientID string }
	}
	if err := json.Unmarshal([]byte(w.as(token, "GET", path, "").Body), &list); err != nil {
		w.Fatal(err)
	}
	var ids []string
	seen := map[string]bool{}
	for _, key := range list.APIKeys {
		ids = append(ids, key.ClientID)
		seen[key.ClientID] = true
	}
	if list.Count != len(ids) || len(seen) != len(ids) {
		w.Errorf("GET %s: count = %d, keys = %d, different ones = %d", path, list.Count, len(ids), len(seen))
	}
	return ids
}

func TestAnEmptyListIsAnArray(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	token := w.token(w.newKey(w.organization, "sees nothing", managing(w.inProject(), "keys.read")))
	w.as(token, "GET", "/aerospike/v2/api-keys", "").Is(t, http.StatusOK, `{"count":0,"apiKeys":[]}`)
	w.as(token, "GET", "/aerospike/v1/api-keys", "").Is(t, http.StatusOK,
		`{"count":0,"meta":{"total":0,"limit":10,"offset":0},"apiKeys":[]}`)
}

// inProject makes a project, and returns the scope that names it.
func (w *world) inProject() map[string]any {
	w.Helper()
	var project struct{ ID string }
	w.Native("POST", "/v1/organizations/"+w.organization+"/projects", map[string]any{"name": "Sports"}, &project)
	return map[string]any{"projectId": []string{project.ID}}
}

func TestWhoMayReadSomeProjectsSeesAndCountsTheirKeysOnly(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	scope := w.inProject()
	token := w.token(w.newKey(w.organization, "of one project", managing(scope, "keys.read", "keys.create", "keys.delete")))
	seen := w.newKey(w.organization, "in it", map[string]any{"projectIds": scope["projectId"]})
	unseen := w.newKey(w.organization, "elsewhere", nil)
	w.as(token, "GET", "/aerospike/v1/api-keys", "").Is(t, http.StatusOK, fmt.Sprintf(
		`{"count":1,"meta":{"total":1,"limit":10,"offset":0},"apiKeys":[{"name":"in it","clientId":%q}]}`, seen.ClientID))
	if got := w.as(token, "DELETE", "/aerospike/v1/api-keys/"+unseen.ClientID, ""); got.Status != http.StatusNotFound {
		t.Errorf("deleting a key elsewhere = %d %s, want 404", got.Status, got.Body)
	}
	w.as(token, "POST", "/aerospike/v2/api-keys", `{"name":"in no project"}`).Is(t, http.StatusForbidden,
		`{"code":"permission_denied","message":"Needs keys.create in every project of the key."}`)
	w.as(token, "DELETE", "/aerospike/v1/api-keys/"+seen.ClientID, "").Is(t, http.StatusNoContent, "")
}

// A key that is made here has what keys of this vendor have, natively too.
func TestAKeyMadeHereIsAKeyEverywhere(t *testing.T) {
	for _, version := range []string{"v1", "v2"} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, keywardtest.Options{})
			strong := w.token(w.newKey(w.organization, "strong", managing(map[string]any{}, "keys.*", "organizations.read")))
			made := w.create(strong, version, "made here")
			k := w.nativeKey(made)
			if got := k.permissions(); got != "keys.create keys.delete keys.read" {
				t.Errorf("management = %s", got)
			}
			if k.Name != "made here" || k.Type != "secret" || k.Environment != "live" || !k.Enabled || len(k.ACL) != 0 {
				t.Errorf("natively the key is %+v", k)
			}
			var verdict struct{ Code, KeyID string }
			w.Native("POST", "/v1/verify", map[string]any{"key": made.Secret}, &verdict)
			if verdict.Code != "valid" || verdict.KeyID != k.ID {
				t.Errorf("verify = %+v, want valid, of %s", verdict, k.ID)
			}
			w.as(w.token(made), "DELETE", "/aerospike/"+version+"/api-keys/"+made.ClientID, "").Is(t, http.StatusNoContent, "")
			w.Native("POST", "/v1/verify", map[string]any{"key": made.Secret}, &verdict)
			if verdict.Code != "not_found" {
				t.Errorf("after its end, verify = %s, want not_found", verdict.Code)
			}
		})
	}
}

// create makes a key here.
func (w *world) create(token, version, name string) key {
	w.Helper()
	var made struct{ ClientID, ClientSecret string }
	got := w.as(token, "POST", "/aerospike/"+version+"/api-keys", fmt.Sprintf(`{"name":%q}`, name))
	if err := json.Unmarshal([]byte(got.Body), &made); err != nil || got.Status != http.StatusCreated {
		w.Fatalf("create = %d %s", got.Status, got.Body)
	}
	if got.Header.Get("Keyward-Propagation") == "" {
		w.Error("the change does not say how far it has come")
	}
	return key{ClientID: made.ClientID, Secret: made.ClientSecret}
}

func TestAKeyGivesAwayNoMoreThanItHas(t *testing.T) {
	for permissions, want := range map[string]string{
		"keys.create":           "keys.create",
		"keys.create keys.read": "keys.create keys.read",
		"keys.create keys.read keys.update keys.reveal":   "keys.create keys.read",
		"keys.create keys.delete keys.read projects.read": "keys.create keys.delete keys.read",
	} {
		t.Run(permissions, func(t *testing.T) {
			w := newWorld(t, keywardtest.Options{})
			token := w.token(w.newKey(w.organization, "creator", managing(map[string]any{}, strings.Fields(permissions)...)))
			k := w.nativeKey(w.create(token, "v2", "created"))
			if got := k.permissions(); got != want {
				t.Errorf("management = %s, want %s", got, want)
			}
		})
	}
}

// Where secrets are kept, who may read keys may read their secrets in other dialects.
func TestInARecoverableOrganizationReadersMayReveal(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	var o struct{ ID string }
	w.Native("POST", "/v1/organizations", map[string]any{"name": "Kept", "recoverable": true}, &o)
	w.organization = o.ID
	for permissions, want := range map[string]string{
		"keys.create keys.read":             "keys.create keys.read",
		"keys.create keys.read keys.reveal": "keys.create keys.read keys.reveal",
	} {
		token := w.token(w.newKey(w.organization, "creator", managing(map[string]any{}, strings.Fields(permissions)...)))
		k := w.nativeKey(w.create(token, "v1", "created"))
		if got := k.permissions(); got != want {
			t.Errorf("made by who has %s: management = %s, want %s", permissions, got, want)
		}
		if got := w.as(token, "GET", "/aerospike/v1/api-keys", ""); strings.Contains(got.Body, "_live_") {
			t.Errorf("the list shows a secret: %s", got.Body)
		}
	}
}

func TestAKeyMadeNativelyIsDeletedHere(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	token := w.token(w.newKey(w.organization, "deleter", managing(map[string]any{}, "keys.read", "keys.delete")))
	revoked := w.newKey(w.organization, "revoked", nil)
	w.revoke(revoked)
	for name, k := range map[string]key{
		"secret":      w.newKey(w.organization, "secret", nil),
		"publishable": w.newKey(w.organization, "publishable", map[string]any{"type": "publishable"}),
		"disabled":    w.newKey(w.organization, "disabled", map[string]any{"enabled": false}),
	} {
		got := w.as(token, "DELETE", "/aerospike/v1/api-keys/"+k.ClientID, "")
		got.Is(t, http.StatusNoContent, "")
		if got.Header.Get("Keyward-Propagation") == "" {
			t.Errorf("deleting a %s key does not say how far it has come", name)
		}
		if status := w.send("GET", w.keyPath(k), "", "Authorization", "Bearer "+w.RootToken).Status; status != http.StatusNotFound {
			t.Errorf("natively the deleted %s key is %d", name, status)
		}
	}
	w.as(token, "DELETE", "/aerospike/v2/api-keys/"+revoked.ClientID, "").Is(t, http.StatusNotFound,
		`{"code":"not_found","message":"API key not found."}`)
}

// What another organization has is answered as what nobody has, to the byte: the id
// that was asked for aside, which comes from the caller.
func TestAKeyOfAnotherOrganizationIsNotThere(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	foreign := w.newKey(w.newOrganization("Other"), "foreign", nil)
	gone := w.newKey(w.organization, "gone", nil)
	w.Native("DELETE", w.keyPath(gone), nil, nil)
	token := w.token(w.newKey(w.organization, "strong", managing(map[string]any{}, "keys.*")))
	for _, version := range []string{"v1", "v2"} {
		want := w.as(token, "DELETE", "/aerospike/"+version+"/api-keys/"+strings.Repeat("A", 32), "")
		if want.Status != http.StatusNotFound {
			t.Fatalf("an unknown key = %d %s", want.Status, want.Body)
		}
		for _, id := range []string{foreign.ClientID, gone.ClientID} {
			got := w.as(token, "DELETE", "/aerospike/"+version+"/api-keys/"+id, "")
			got.Is(t, want.Status, strings.ReplaceAll(want.Body, strings.Repeat("A", 32), id))
		}
	}
	w.Native("POST", "/v1/verify", map[string]any{"key": foreign.Secret}, nil)
}

func TestEveryChangeIsInTheAuditLogWithItsActor(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	strong := w.newKey(w.organization, "strong", managing(map[string]any{}, "keys.*"))
	token := w.token(strong)
	made := w.create(token, "v1", "made")
	id := w.nativeKey(made).ID
	w.as(token, "DELETE", "/aerospike/v2/api-keys/"+made.ClientID, "").Is(t, http.StatusNoContent, "")
	var log struct {
		Items []struct {
			Action string
			Actor  struct{ Type, ID string }
		}
	}
	w.Native("GET", "/v1/organizations/"+w.organization+"/audit-events?sort=seq&filter=targetId:"+id, nil, &log)
	var actions []string
	for _, event := range log.Items {
		actions = append(actions, event.Action)
		if event.Actor.Type != "key" || event.Actor.ID != strong.ID {
			t.Errorf("%s is by %+v, want the key %s", event.Action, event.Actor, strong.ID)
		}
	}
	if got := strings.Join(actions, " "); got != "key.created key.deleted" {
		t.Errorf("audit events = %s", got)
	}
}
