package gjirafa_test

import (
	"fmt"
	"slices"
	"testing"

	"keyward/keywardtest"
)

// strengths are keys that may list, each stronger than the one before, but the first.
var strengths = []struct {
	name        string
	permissions []string
}{
	{"reader", []string{"keys.read", "keys.update", "keys.delete", "audit.read"}}, // may do much, but not reveal
	{"weak", []string{"keys.read", "keys.reveal"}},
	{"middle", []string{"keys.read", "keys.reveal", "keys.update"}},
	{"equal", []string{"keys.read", "keys.reveal", "keys.update"}},
	{"strong", []string{"keys.read", "keys.reveal", "keys.update", "keys.create", "keys.delete", "audit.read"}},
}

// shows reports whether a key reads the secret of another: it may reveal, and holds all
// that the other does.
var shows = map[string][]string{
	"reader": {},
	"weak":   {"weak", "nothing"},
	"middle": {"weak", "middle", "equal", "nothing"},
	"equal":  {"weak", "middle", "equal", "nothing"},
	"strong": {"reader", "weak", "middle", "equal", "strong", "nothing"},
}

func TestAKeyReadsOnlySecretsThatGiveNoMoreThanItsOwn(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	for _, recoverable := range []bool{true, false} {
		w.organization = w.NewOrganization(map[string]any{"name": "Acme", "recoverable": recoverable})
		project := w.newProject("Sports")
		keys := map[string]key{"nothing": w.newKey("nothing", map[string]any{"projectIds": []string{project.ID}})}
		for _, s := range strengths {
			with := managing(s.permissions...)
			with["projectIds"] = []string{project.ID}
			keys[s.name] = w.newKey(s.name, with)
		}
		for _, s := range strengths {
			for other := range keys {
				t.Run(fmt.Sprintf("recoverable %t, %s reads %s", recoverable, s.name, other), func(t *testing.T) {
					want := keys[other].Hint
					if recoverable && slices.Contains(shows[s.name], other) {
						want = keys[other].Secret
					}
					w.readEverywhere(t, keys[s.name], keys[other], project, want)
				})
			}
		}
	}
}

// readEverywhere checks what one key is shown of another in every answer that shows it.
func (w *world) readEverywhere(t *testing.T, by, of key, project place, want string) {
	t.Helper()
	credential := []string{"X-Api-Key", by.Secret}
	for _, at := range []string{w.at(""), "/gjirafa/api/projects/" + project.PublicID} {
		var list struct {
			Result []struct {
				APIKeyID int
				APIKey   string
			}
		}
		w.send("GET", at+"/api-keys", "", credential...).read(t, &list)
		for _, item := range list.Result {
			if item.APIKeyID == of.Number && item.APIKey != want {
				t.Errorf("GET %s: apiKey = %s, want %s", at, item.APIKey, want)
			}
		}
		var single struct{ Result one }
		w.send("GET", fmt.Sprintf("%s/api-keys/%d", at, of.Number), "", credential...).read(t, &single)
		if single.Result.APIKey != want {
			t.Errorf("GET %s: apiKey of one = %s, want %s", at, single.Result.APIKey, want)
		}
		updated := w.send("PUT", at+"/api-keys", fmt.Sprintf(`{"id":%d}`, of.Number), append(credential, "Content-Type", "application/json")...)
		if updated.Status == 403 {
			continue // for want of the right, or because the other is stronger
		}
		updated.read(t, &single)
		if single.Result.APIKey != want {
			t.Errorf("PUT %s: apiKey = %s, want %s", at, single.Result.APIKey, want)
		}
	}
}

func TestANewKeysSecretIsInTheAnswerAndWorks(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	maker := w.newKey("maker", managing("keys.create"))
	made := w.make(maker, `{"roleId":5,"userApiKey":{"apiName":"made"}}`)
	var verdict struct{ Code string }
	w.Native("POST", "/v1/verify", map[string]any{"key": made.APIKey}, &verdict)
	if verdict.Code != "valid" {
		t.Errorf("verify = %s", verdict.Code)
	}
	later := w.make(maker, `{"roleId":5,"userApiKey":{"apiName":"later","startDateTime":"2099-01-01T00:00:00"}}`)
	w.Native("POST", "/v1/verify", map[string]any{"key": later.APIKey}, &verdict)
	if verdict.Code != "not_started" {
		t.Errorf("verify before the start = %s", verdict.Code)
	}
}

func TestAKeyMayEndItself(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	w.organization = w.NewOrganization(map[string]any{"name": "Acme", "recoverable": true})
	self := w.newKey("self", managing("keys.*"))
	var body struct{ Result one }
	w.update(self, fmt.Sprintf(`{"id":%d,"startDate":"2099-01-01T00:00:00Z"}`, self.Number)).read(t, &body)
	if body.Result.APIKey != self.Hint {
		t.Errorf("apiKey = %s, want the hint: who reads it is nobody any more", body.Result.APIKey)
	}
	other := w.newKey("other", managing("keys.*"))
	w.send("DELETE", w.at(fmt.Sprint("/api-keys/", other.Number)), "", "X-Api-Key", other.Secret).Is(t, 200, holds("true"))
	w.list("X-Api-Key", other.Secret).Is(t, 401, refuses("401", "the credential is not accepted"))
}
