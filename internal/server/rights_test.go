package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/api/native"
	"keyward/keywardtest"
)

// holder is somebody with a set of permissions.
type holder struct {
	name        string
	everywhere  bool // an operator of the whole deployment
	key         bool
	permissions []keyward.Permission
}

// holders are the roles, of one organization and of the deployment, and a key for
// each permission that keys can hold.
func holders() []holder {
	var all []holder
	for _, role := range roles() {
		all = append(all, holder{name: string(role), permissions: role.Permissions()},
			holder{name: string(role) + " of the deployment", everywhere: true, permissions: role.Permissions()})
	}
	for _, p := range keyPermissions() {
		all = append(all, holder{name: "key with " + string(p), key: true, permissions: []keyward.Permission{p}})
	}
	return append(all, holder{name: "key with nothing", key: true},
		holder{name: "key with everything", key: true, permissions: keyPermissions()})
}

// may reports whether the holder is to be let through to a route.
func (h holder) may(route api.Route) bool {
	return route.Open || route.Permission == "" || slices.Contains(h.permissions, route.Permission) && (h.everywhere || !samples[route.Pattern].everywhere)
}

// credential makes the holder, in the tenant if it is of one.
func (h holder) credential(t *testing.T, w *world, o *tenant) credential {
	if h.key {
		return w.holding(t, h.name, w.manager(t, o, h.permissions...))
	}
	role, _, _ := strings.Cut(h.name, " ")
	if h.everywhere {
		o = nil
	}
	return credential{name: h.name, operator: w.operator(t, o, keyward.Role(role)).Secret}
}

// Each role and each permission gives exactly what the route table says: a check
// that was forgotten shows here, and one too many as well.
func TestAPermissionGivesItsRoutesAndNoOthers(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	for _, h := range holders() {
		t.Run(h.name, func(t *testing.T) {
			o := w.tenant(t, "alpha")
			who := h.credential(t, w, o)
			for _, s := range lastThingsLast(surfaces()) {
				for _, route := range s.routes {
					w.tryRight(t, h, s.present(who), o, route)
				}
			}
		})
	}
}

// lastThingsLast puts the end of the organization after everything else.
func lastThingsLast(all []surface) []surface {
	const end = "DELETE /v1/organizations/{organizationId}"
	last := surface{name: "the end"}
	for i := range all {
		routes := []api.Route{}
		for _, route := range all[i].routes {
			if route.Pattern == end {
				last.ways, last.routes = all[i].ways, append(last.routes, route)
			} else {
				routes = append(routes, route)
			}
		}
		all[i].routes = routes
	}
	return append(all, last)
}

func (w *world) tryRight(t *testing.T, h holder, header []string, o *tenant, route api.Route) {
	t.Helper()
	if header == nil && !route.Open {
		return // operators are nobody there, as the other matrix shows
	}
	a := askings(route)[0]
	v := w.freshValues(t, o, a)
	head := w.head(t)
	if route.Open && strings.HasPrefix(route.Pattern, "POST ") {
		header = nil // a client says who it is in one way only
	}
	got := w.send(t, a, v, header)
	if h.may(route) {
		if got.status != a.status {
			t.Errorf("%q: %d %s, want %d", route.Pattern, got.status, got.body, a.status)
		}
		return
	}
	if got.status != 403 {
		t.Errorf("%q needs %s: %d %s, want 403", route.Pattern, route.Permission, got.status, got.body)
	}
	if after := w.head(t); after != head {
		t.Errorf("%q was refused, and yet something was written", route.Pattern)
	}
}

// freshValues makes new things for what the asking names, so that it may end them.
func (w *world) freshValues(t *testing.T, o *tenant, a asking) values {
	t.Helper()
	v := values{"organizationId": o.org.ID}
	for _, name := range a.positions() {
		if v[name] != "" {
			continue
		}
		switch name {
		case "projectId":
			v[name] = w.must(t, "POST", o.path()+"/projects", `{"name":"a fresh project"}`).ID
		case "number":
			v[name] = fmt.Sprint(w.must(t, "POST", o.path()+"/roles", `{"name":"a fresh role"}`).Number)
		case "operatorId":
			v[name] = w.operator(t, o, keyward.Viewer).Operator.ID
		case "userId", "secretId":
			v[name] = "any"
		case "keyId", "keyNumber", "clientId", "secret", "accessToken", "seq":
			members := ""
			if v["projectId"] != "" {
				members = fmt.Sprintf(`"projectIds":[%q]`, v["projectId"])
			}
			key := w.key(t, o, members)
			v["keyNumber"] = fmt.Sprint(key.Key.Number)
			v["keyId"], v["clientId"], v["secret"], v["seq"] = key.Key.ID, key.Key.ClientID, key.Secret, key.seq
			v["accessToken"] = w.token(t, "/oauth/token", key)
		}
	}
	return v
}

// A key, whatever it is called and whatever its acl says, is never an operator: not
// itself, and not by a token, which may what its management says and nothing more.
func TestAKeyIsNeverAnOperator(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	o := w.tenant(t, "alpha")
	v := w.values(t, o)
	for name, members := range rawKeys() {
		key := w.key(t, o, members)
		token := ""
		if !strings.Contains(members, "publishable") {
			token = w.token(t, "/oauth/token", key)
		}
		head := w.head(t)
		for _, route := range native.Routes() {
			if route.Open {
				continue
			}
			a := askings(route)[0]
			if got := w.send(t, a, v, bearer(key.Secret)); got.status != 401 {
				t.Errorf("%s itself at %q: %d %s, want 401", name, route.Pattern, got.status, got.body)
			}
			if token == "" {
				continue
			}
			if got := w.send(t, a, v, bearer(token)); got.status != 403 {
				t.Errorf("the token of %s at %q: %d %s, want 403", name, route.Pattern, got.status, got.body)
			}
		}
		if w.head(t) != head {
			t.Errorf("%s has written something", name)
		}
	}
}

// Cursors belong to a list of one organization: another's is as good as garbage.
func TestACursorIsGoodForItsOwnListOnly(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	ours, theirs := w.tenant(t, "alpha"), w.tenant(t, "bravo")
	owner := w.operator(t, ours, keyward.Owner).Secret
	owners := w.operator(t, theirs, keyward.Owner).Secret
	for range 2 { // so that every list has a second page
		w.key(t, theirs, "")
		w.must(t, "POST", theirs.path()+"/projects", `{"name":"another"}`)
	}
	for _, list := range []string{"%s/projects", "%s/api-keys", "%s/audit-events", "/v1/operators%.0s"} {
		target := fmt.Sprintf(list, theirs.path()) + "?limit=1"
		found := nextCursor.FindStringSubmatch(w.as(t, owners, "GET", target, "").body)
		if found == nil {
			t.Fatalf("GET %s has no second page", target)
		}
		target = fmt.Sprintf(list, ours.path()) + "?limit=1&cursor="
		foreign, garbage := w.as(t, owner, "GET", target+found[1], ""), w.as(t, owner, "GET", target+"garbage", "")
		if !same(foreign, garbage) || foreign.status != 400 || !strings.Contains(foreign.body, `"pointer":"/cursor"`) {
			t.Errorf("GET %s: another's cursor: %d %s, garbage: %d %s", list, foreign.status, foreign.body, garbage.status, garbage.body)
		}
	}
}

// An answer that is kept for an idempotency key is given to none but who asked.
func TestAnIdempotencyKeyBelongsToWhoSentIt(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	ours, theirs := w.tenant(t, "alpha"), w.tenant(t, "bravo")
	body := `{"name":"the same","role":"viewer","organizationId":%q}`
	send := func(o *tenant, owner string) answer {
		return w.as(t, owner, "POST", "/v1/operators", fmt.Sprintf(body, o.org.ID), "Idempotency-Key", sharedOnce)
	}
	first := w.succeed(t, send(theirs, w.operator(t, theirs, keyward.Owner).Secret), "the others' operator")
	for range 2 {
		answered := send(ours, w.operator(t, ours, keyward.Owner).Secret)
		second := w.succeed(t, answered, "one's own operator")
		if second.Secret == first.Secret || second.Operator.ID == first.Operator.ID || answered.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("an Idempotency-Key of another was answered with what the other got: %s", answered.body)
		}
	}
}

// Management that names another's project gives nothing there.
func TestManagementOfAnothersProjectGivesNothing(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	ours, theirs := w.tenant(t, "alpha"), w.tenant(t, "bravo")
	manager := func(project string) credential {
		return w.holding(t, "a key", w.key(t, ours, fmt.Sprintf(
			`"management":[{"scope":{"projectId":[%q]},"permissions":["keys.*","projects.*","organizations.read","audit.read"]}]`, project)))
	}
	who, nobody := manager(theirs.project.ID), manager(missing()["projectId"])
	v := w.values(t, theirs)
	snapshot := w.snapshot(t, theirs)
	for _, s := range surfaces() {
		for _, route := range s.routes {
			if route.Open {
				continue
			}
			a := askings(route)[0]
			if got, want := w.send(t, a, v, s.present(who)), w.send(t, a, v, s.present(nobody)); !same(got, want) {
				t.Errorf("%q: %d %s, with a missing project %d %s", a.pattern, got.status, got.body, want.status, want.body)
			}
		}
	}
	if w.snapshot(t, theirs) != snapshot {
		t.Error("the other organization has changed")
	}
}
