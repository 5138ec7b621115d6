package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/keywardtest"
)

// A key is one thing, whichever surface it was made at: every other one lists, shows,
// changes and deletes it, and leaves alone what it has no words for.
func TestAKeyIsOneThingOnAllSurfaces(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	for kind, recoverable := range map[string]bool{"ordinary": false, "recoverable": true} {
		for _, maker := range doors() {
			s := w.site(t, recoverable)
			for _, other := range doors() {
				t.Run(kind+"/"+maker.name+" then "+other.name, func(t *testing.T) { s.cross(t, maker, other) })
			}
		}
	}
}

func (s *site) cross(t *testing.T, maker, other door) {
	k := s.make(t, maker, maker.name+" then "+other.name)
	for _, d := range []door{maker, other} {
		s.sees(t, d, k)
	}
	s.verifies(t, k, "valid")
	who := s.itself(t, k)
	s.alive(t, who, true)
	if other.change.there() {
		k = s.changed(t, maker, other, k)
	}
	s.done(t, other, other.remove, k)
	s.gone(t, k, doors())
	s.verifies(t, k, "not_found")
	s.alive(t, who, false)
	if got := s.as(t, s.RootToken, "GET", "/v1/organizations/"+s.org.ID+"/api-keys/"+k.id, ""); got.status != 404 {
		t.Errorf("natively it is %d %s", got.status, got.body)
	}
}

// itself is the key as somebody who asks.
func (s *site) itself(t *testing.T, k handle) credential {
	t.Helper()
	key := made{Secret: k.secret}
	key.Key.ClientID = k.clientID
	return s.holding(t, "the key itself", key)
}

// make makes a key at a surface, and gives it natively all that only the native API can.
func (s *site) make(t *testing.T, d door, name string) handle {
	t.Helper()
	k := handle{name: name}
	created := s.done(t, d, d.create, k)
	named := find(created, func(object map[string]any) bool { return object[d.one.name] == name })
	secrets := find(created, func(object map[string]any) bool { return object[d.born] != nil })
	if len(named) != 1 || len(secrets) != 1 {
		t.Fatalf("%s: not one new key: %v", d.name, created)
	}
	k.secret, _ = secrets[0][d.born].(string)
	k = s.natively(t, k)
	if k.key(t, created, d.one) == nil {
		t.Errorf("%s: the new key is called otherwise than %+v: %v", d.name, k, created)
	}
	s.must(t, "PATCH", s.path(k), s.values(k).fill(natively))
	return k
}

func (s *site) path(k handle) string { return s.values(k).fill(nativeKeys + "/{keyId}") }

// natively finds a key by its name.
func (s *site) natively(t *testing.T, k handle) handle {
	t.Helper()
	listed := s.as(t, s.RootToken, "GET", s.values(k).fill(nativeKeys)+"?limit=1000", "")
	var page struct{ Items []keyward.Key }
	if err := json.Unmarshal([]byte(listed.body), &page); err != nil {
		t.Fatalf("%v in %s", err, listed.body)
	}
	i := slices.IndexFunc(page.Items, func(key keyward.Key) bool { return key.Name == k.name && key.Status != keyward.StatusRevoked })
	if i < 0 {
		t.Fatalf("there is no key %q in the native list", k.name)
	}
	key := page.Items[i]
	k.id, k.clientID, k.number = key.ID, key.ClientID, int(key.Number)
	return k
}

// sees fails if a surface does not show the key in its list, and alone where it can,
// under its name, and with its secret or its hint where it shows such a thing.
func (s *site) sees(t *testing.T, d door, k handle) {
	t.Helper()
	shown := map[*spelling]map[string]any{&d.many: k.key(t, s.done(t, d, d.list, k), d.many)}
	if d.read.there() {
		shown[&d.one] = k.key(t, s.done(t, d, d.read, k), d.one)
	}
	secret := s.native(t, k)["hint"]
	if s.recoverable && d.name != "native" {
		secret = k.secret
	}
	for spelled, key := range shown {
		if key == nil || key[spelled.name] != k.name {
			t.Errorf("%s shows %v, want the key %q", d.name, key, k.name)
		}
		if spelled.secret != "" && key[spelled.secret] != secret {
			t.Errorf("%s shows %v in %s, want %v", d.name, key[spelled.secret], spelled.secret, secret)
		}
	}
}

// native returns the key as the native API has it, but for when it was used.
func (s *site) native(t *testing.T, k handle) map[string]any {
	t.Helper()
	got := s.as(t, s.RootToken, "GET", s.path(k), "")
	key, _ := parsed(t, lastUsed.ReplaceAllString(got.body, `"lastUsed$1":null`)).(map[string]any)
	if got.status != 200 {
		t.Fatalf("natively: %d %s", got.status, got.body)
	}
	return key
}

// changed renames the key at one surface. Nothing else may change on any.
func (s *site) changed(t *testing.T, maker, at door, k handle) handle {
	t.Helper()
	before := s.views(t, k)
	k.name += ", renamed"
	s.done(t, at, at.change, k)
	after := s.views(t, k)
	for name, was := range before {
		for _, member := range differences(was, after[name]) {
			if !slices.Contains([]string{"name", "description", "apiKeyName", "updatedTime"}, member) {
				t.Errorf("renamed at %s, %s of the key on %s has become %v, from %v",
					at.name, member, name, after[name][member], was[member])
			}
		}
	}
	for _, d := range []door{maker, at} {
		s.sees(t, d, k)
	}
	return k
}

// views returns the key as every surface shows it, by the surface's name, alone and
// in lists.
func (s *site) views(t *testing.T, k handle) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{"the native API": s.native(t, k)}
	for _, d := range doors() {
		if d.name == "native" {
			continue
		}
		all["the list of "+d.name] = k.key(t, s.done(t, d, d.list, k), d.many)
		if d.read.there() {
			all[d.name] = k.key(t, s.done(t, d, d.read, k), d.one)
		}
	}
	return all
}

// differences returns the members that two objects do not have in common.
func differences(a, b map[string]any) []string {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(both)), func(member string) bool {
		was, before := a[member]
		is, after := b[member]
		return before == after && reflect.DeepEqual(was, is)
	})
}

// gone fails if one of the surfaces still knows the key.
func (s *site) gone(t *testing.T, k handle, from []door) {
	t.Helper()
	for _, d := range from {
		if key := k.key(t, s.done(t, d, d.list, k), d.many); key != nil {
			t.Errorf("%s still lists %v", d.name, key)
		}
		for what, a := range map[string]ask{"read": d.read, "deleted": d.remove} {
			if !a.there() {
				continue
			}
			if got := s.ask(t, d, a, k); got.status != 404 {
				t.Errorf("%s at %s: %d %s, want 404", what, d.name, got.status, got.body)
			}
		}
		if !d.change.there() {
			continue
		}
		// Rebilly's change creates what is not there: an id that was used is a conflict.
		if got := s.ask(t, d, d.change, k); got.status != 404 && got.status != 409 {
			t.Errorf("changed at %s: %d %s, want a refusal", d.name, got.status, got.body)
		}
	}
}

func (s *site) verifies(t *testing.T, k handle, code string) {
	t.Helper()
	got := s.as(t, s.RootToken, "POST", "/v1/verify", fmt.Sprintf(`{"key":%q,"ip":"203.0.113.9","dryRun":true}`, k.secret))
	var verdict struct{ Code, KeyID string }
	if err := json.Unmarshal([]byte(got.body), &verdict); err != nil || verdict.Code != code || code == "valid" && verdict.KeyID != k.id {
		t.Errorf("verify says %s, want %s", got.body, code)
	}
}

// alive fails if what a key holds is not accepted on every surface, whatever it may do
// there, or if it still is, as wanted.
func (s *site) alive(t *testing.T, who credential, want bool) {
	t.Helper()
	for _, d := range doors() {
		if got := s.askAs(t, who, d, d.list, handle{}); (got.status != 401) != want {
			t.Errorf("the key's own credentials at %s: %d %s", d.name, got.status, got.body)
		}
	}
}

// A key that is revoked natively has ended for all vendors' clients, who do not know
// of such keys.
func TestARevokedKeyIsHiddenFromDialects(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	s := w.site(t, true)
	for _, maker := range doors() {
		t.Run("made at "+maker.name, func(t *testing.T) {
			k := s.make(t, maker, "to be revoked, of "+maker.name)
			who := s.itself(t, k)
			s.must(t, "POST", s.path(k)+"/revoke", `{"reason":"leaked"}`)
			s.gone(t, k, doors()[1:])
			s.verifies(t, k, "revoked")
			s.alive(t, who, false)
			if shown := s.native(t, k); shown["status"] != "revoked" || shown["revokeReason"] != "leaked" {
				t.Errorf("natively it is %v", shown)
			}
		})
	}
}

// somebody makes a key with these rights, in the project.
func (s *site) somebody(t *testing.T, name string, permissions ...keyward.Permission) credential {
	t.Helper()
	list, err := json.Marshal(permissions)
	if err != nil {
		t.Fatal(err)
	}
	key := s.must(t, "POST", "/v1/organizations/"+s.org.ID+"/api-keys", fmt.Sprintf(
		`{"name":%q,"projectIds":[%q],"management":[{"scope":{},"permissions":%s}]}`, name, s.project.ID, list))
	return s.holding(t, name, key)
}

// Where secrets are kept, no surface shows one to whom the key is stronger than, or who
// may not reveal.
func TestNoSurfaceShowsTheSecretOfAStrongerKey(t *testing.T) {
	strengths := []struct {
		name        string
		permissions []keyward.Permission
	}{
		{"list only", []keyward.Permission{keyward.KeysRead}},
		{"list and reveal", []keyward.Permission{keyward.KeysRead, keyward.KeysReveal}},
		{"editor", []keyward.Permission{keyward.KeysRead, keyward.KeysCreate, keyward.KeysUpdate, keyward.KeysRevoke, keyward.KeysDelete}},
		{"everything", keyPermissions()},
	}
	s := newWorld(t, keywardtest.Options{}).site(t, true)
	for _, key := range strengths {
		target := s.somebody(t, "the key of "+key.name, key.permissions...)
		k := s.natively(t, handle{name: target.name, secret: target.secret})
		for _, reader := range strengths {
			who := s.somebody(t, "the reader of "+reader.name+" for "+key.name, reader.permissions...)
			may := keyward.Actor{Management: []keyward.Grant{{Permissions: texts(reader.permissions)}}}
			shown := may.May(keyward.KeysReveal, s.org.ID) == nil && may.Covers([]keyward.Grant{{Permissions: texts(key.permissions)}}) == nil
			for _, d := range doors() {
				for _, a := range []ask{d.list, d.read} {
					s.showsSecret(t, who, d, a, k, shown && d.name != "native")
				}
			}
		}
	}
}

// showsSecret fails if the answer holds the key's secret and is not to, or the other
// way round where the surface shows such a thing.
func (s *site) showsSecret(t *testing.T, who credential, d door, a ask, k handle, want bool) {
	t.Helper()
	if !a.there() {
		return
	}
	got := s.askAs(t, who, d, a, k)
	if got.status != a.status {
		t.Fatalf("%s at %s: %s: %d %s", who.name, d.name, a.path, got.status, got.body)
	}
	want = want && d.many.secret != ""
	if strings.Contains(got.body, k.secret) != want {
		t.Errorf("%s at %s: %s shows the secret: %t, want %t", who.name, d.name, a.path, !want, want)
	}
}

func texts(permissions []keyward.Permission) []string {
	var all []string
	for _, p := range permissions {
		all = append(all, string(p))
	}
	return all
}
