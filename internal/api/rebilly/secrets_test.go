package rebilly_test

import (
	"encoding/json"
	"slices"
	"testing"

	"keyward/keywardtest"
)

func TestSecretsAreForThoseWhoMayRevealThem(t *testing.T) {
	w := newWorld(t, keywardtest.Options{PublicURL: "https://keys.example.com/"})
	organization := w.organization(`{"name": "acme", "recoverable": true}`)
	reader := w.reader(organization)
	revealer := w.NewKey(organization, `{"name": "revealer", "management": [{"scope": {}, "permissions": ["keys.read", "keys.reveal"]}]}`)
	stronger := w.NewKey(organization, `{"name": "stronger", "management": [{"scope": {}, "permissions": ["keys.*"]}]}`)
	base := "https://keys.example.com"

	t.Run("whoever only reads sees hints", func(t *testing.T) {
		w.get("/rebilly/api-keys?sort=createdTime", "REB-APIKEY", reader.Secret).expect(t, 200,
			"["+onWire(base, reader, reader.Hint)+","+onWire(base, revealer, revealer.Hint)+","+onWire(base, stronger, stronger.Hint)+"]")
		if ids := w.revealed(organization); len(ids) != 0 {
			t.Errorf("audited = %v, want nothing", ids)
		}
	})
	t.Run("whoever reveals sees the secrets of what is no stronger, and one event tells", func(t *testing.T) {
		got := w.get("/rebilly/api-keys?sort=createdTime", "REB-APIKEY", revealer.Secret)
		got.expect(t, 200,
			"["+onWire(base, reader, reader.Secret)+","+onWire(base, revealer, revealer.Secret)+","+onWire(base, stronger, stronger.Hint)+"]")
		if cache := got.Header.Get("Cache-Control"); cache != "no-store" {
			t.Errorf("Cache-Control = %q", cache)
		}
		if events := w.revealed(organization); len(events) != 1 || !slices.Equal(events[0], []string{reader.ID, revealer.ID}) {
			t.Errorf("audited = %v, want one event with the two keys", events)
		}
	})
	t.Run("what is not on the page is not revealed", func(t *testing.T) {
		w.get("/rebilly/api-keys?limit=0", "REB-APIKEY", stronger.Secret).expect(t, 200, "[]")
		w.get("/rebilly/api-keys?limit=1", "REB-APIKEY", stronger.Secret).expect(t, 200, "["+onWire(base, stronger, stronger.Secret)+"]")
		if events := w.revealed(organization); len(events) != 2 || !slices.Equal(events[0], []string{stronger.ID}) {
			t.Errorf("audited = %v, want one event more, with one key", events)
		}
	})
}

func TestOrganizationsThatKeepNoSecretsShowHints(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	strong := w.NewKey(organization, `{"name": "strong", "management": [{"scope": {}, "permissions": ["keys.*"]}]}`)
	w.get("/rebilly/api-keys", "REB-APIKEY", strong.Secret).expect(t, 200, "["+onWire("", strong, strong.Hint)+"]")
	if ids := w.revealed(organization); len(ids) != 0 {
		t.Errorf("audited = %v, want nothing", ids)
	}
}

// revealed returns the key ids of each audit event that tells of revealed secrets, the
// newest event first.
func (w world) revealed(organization string) [][]string {
	w.Helper()
	var list struct {
		Items []struct {
			Changes []struct{ After json.RawMessage }
		}
	}
	w.Native("GET", "/v1/organizations/"+organization+"/audit-events?filter=action:key.revealed&sort=-seq", "", &list)
	var events [][]string
	for _, event := range list.Items {
		var ids []string
		if err := json.Unmarshal(event.Changes[0].After, &ids); err != nil {
			w.Fatal(err)
		}
		events = append(events, ids)
	}
	return events
}

// strength is an ACL, and those of whose keys it may read the secret.
type strength struct {
	acl    string
	covers []string
}

// strengths are of every kind: some keys may not read others at all, and all but the
// last are weaker than some other.
func strengths() map[string]strength {
	acl := func(operations string) string { return `[{"scope": {}, "permissions": ` + operations + `}]` }
	weak := []string{"nothing", "elsewhere", "lister", "reader"}
	return map[string]strength{
		"nothing":   {acl(`["GetTransaction"]`), nil},
		"elsewhere": {`[{"scope": {"organizationId": ["org_x"]}, "permissions": ["*"]}]`, nil},
		"creator":   {acl(`["PostApiKey"]`), nil},
		"lister":    {acl(`["GetApiKeyCollection"]`), weak},
		"reader":    {acl(`["GetApiKey", "GetApiKeyCollection"]`), weak},
		"maker":     {acl(`["GetApiKey", "PostApiKey"]`), append([]string{"maker", "creator"}, weak...)},
		"putter":    {acl(`["GetApiKey", "PutApiKey"]`), append([]string{"maker", "creator", "putter"}, weak...)},
		"deleter":   {acl(`["GetApiKey", "DeleteApiKey"]`), append([]string{"deleter"}, weak...)},
		"all":       {acl(`["*"]`), append([]string{"creator", "maker", "putter", "deleter", "all"}, weak...)},
	}
}

func TestNobodyReadsTheSecretOfAStrongerKey(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme", "recoverable": true}`)
	creator := w.manager(organization, "first", "keys.*", "organizations.read")
	secrets := map[string]string{}
	for name, of := range strengths() {
		secrets[name] = w.put(creator.Secret, name, `{"description": "x", "acl": `+of.acl+`}`).SecretKey
	}
	for name, of := range strengths() {
		for target := range strengths() {
			t.Run(name+" reads "+target, func(t *testing.T) {
				shown := w.shownTo(secrets[name], target)
				covered := slices.Contains(of.covers, target)
				switch {
				case of.covers == nil && shown != nil:
					t.Errorf("a key that may read nothing reads %v", shown)
				case of.covers == nil:
				case len(shown) != 2 || (shown[0] == secrets[target]) != covered || (shown[1] == secrets[target]) != covered:
					t.Errorf("the secret is shown as %v, covered: %v", shown, covered)
				}
			})
		}
	}
}

// shownTo returns the member secretKey of a key, when it is read alone and in the
// list; nil if it is not shown at all.
func (w world) shownTo(secret, id string) []string {
	w.Helper()
	one := w.get("/rebilly/api-keys/"+id, "REB-APIKEY", secret)
	list := w.get("/rebilly/api-keys?filter=id:"+id, "REB-APIKEY", secret)
	if one.Status == 403 && list.Status == 403 {
		return nil
	}
	var key struct{ SecretKey string }
	var keys []struct{ SecretKey string }
	if json.Unmarshal([]byte(one.Body), &key) != nil || json.Unmarshal([]byte(list.Body), &keys) != nil || len(keys) != 1 {
		w.Fatalf("answers = %d %s and %d %s", one.Status, one.Body, list.Status, list.Body)
	}
	return []string{key.SecretKey, keys[0].SecretKey}
}
