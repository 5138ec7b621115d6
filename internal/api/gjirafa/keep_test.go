package gjirafa_test

import (
	"fmt"
	"testing"

	"keyward/keywardtest"
)

// everything is a key that uses all that this dialect has no words for.
func everything(project place) map[string]any {
	return map[string]any{
		"type": "secret", "environment": "test", "enabled": false, "ownerId": "user_42",
		"projectIds": []string{project.ID},
		"acl":        []any{map[string]any{"scope": map[string]any{"region": []string{"eu"}}, "permissions": []string{"docs.*"}}},
		"management": []any{map[string]any{"scope": map[string]any{"projectId": []string{project.ID}}, "permissions": []string{"keys.read"}}},
		"allowedIps": []string{"203.0.113.0/24", "2001:db8::/32"},
		"metadata":   map[string]any{"plan": "pro", "nested": []int{1}},
		"startTime":  nil,
		"expireTime": "2099-01-01T00:00:00Z",
	}
}

func TestWhatTheVendorCannotExpressIsKept(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	sports, news := w.newProject("Sports"), w.newProject("News")
	owner := w.newKey("owner", managing("keys.*"))
	native := w.newKey("native", everything(sports))
	before := w.seen(native.Number)
	shown := fmt.Sprintf(`{"id":%d,"name":"%%s","apiKey":%q,"startDate":%q,"expireDate":"2099-01-01T00:00:00.000Z","hasExpireTime":true,"roleId":0}`,
		native.Number, native.Hint, native.CreatedTime)
	path := w.at(fmt.Sprint("/api-keys/", native.Number))
	w.send("GET", path, "", "X-Api-Key", owner.Secret).Is(t, 200, holds(fmt.Sprintf(shown, "native")))
	// A client sends back what it has read, but for the name.
	w.update(owner, fmt.Sprintf(shown, "renamed")).Is(t, 200, holds(fmt.Sprintf(shown, "renamed")))
	w.send("POST", w.at("/api-keys/projects"), fmt.Sprintf(`{"apiKeyId":%d,"projectIds":[%q]}`, native.Number, news.PublicID),
		"X-Api-Key", owner.Secret, "Content-Type", "application/json").Is(t, 200, holds("true"))
	w.send("PUT", path+"/projects?projectId="+news.ID, "", "X-Api-Key", owner.Secret).Is(t, 200, holds("true"))

	after := w.seen(native.Number)
	if len(after) != len(before) {
		t.Errorf("the key has %d members, had %d", len(after), len(before))
	}
	for member, was := range before {
		switch is := string(after[member]); {
		case member == "name" && is != `"renamed"`:
			t.Errorf("name = %s", is)
		case member != "name" && member != "updatedTime" && is != string(was):
			t.Errorf("%s = %s, was %s", member, is, was)
		}
	}
}

func TestKeysMadeElsewhereAreChangedAndDeletedHere(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	owner := w.newKey("owner", managing("keys.*"))
	publishable := w.newKey("publishable", map[string]any{"type": "publishable"})
	w.update(owner, fmt.Sprintf(`{"id":%d,"name":"in pages","roleId":4}`, publishable.Number)).read(t, new(any))
	if got := w.management(publishable.Number); len(got) != 0 {
		t.Errorf("a publishable key may %q", got)
	}
	w.send("DELETE", w.at(fmt.Sprint("/api-keys/", publishable.Number)), "", "X-Api-Key", owner.Secret).Is(t, 200, holds("true"))
	if got := w.send("GET", w.path(publishable), "", "Authorization", "Bearer "+w.RootToken); got.Status != 404 {
		t.Errorf("natively, the key that was deleted here is %d %s", got.Status, got.Body)
	}
	revoked := w.newKey("revoked", nil)
	w.Native("POST", w.path(revoked)+"/revoke", map[string]any{}, nil)
	for method, path := range map[string]string{
		"GET": fmt.Sprint("/api-keys/", revoked.Number), "DELETE": fmt.Sprint("/api-keys/", revoked.Number), "PUT": "/api-keys",
	} {
		got := w.send(method, w.at(path), fmt.Sprintf(`{"id":%d}`, revoked.Number), "X-Api-Key", owner.Secret, "Content-Type", "application/json")
		got.Is(t, 404, refuses("404", "Result Not Found"))
	}
}
