package server_test

import (
	"fmt"
	"net/http"
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

// strongest reports whether nobody of its kind may more.
func (h holder) strongest() bool {
	return h.key && len(h.permissions) == len(keyPermissions()) || h.everywhere && len(h.permissions) == len(keyward.Permissions())
}

// credential makes the holder, in the tenant if it is of one.
func (h holder) credential(t *testing.T, w *world, o *tenant) credential {
	var who credential
	switch role, _, _ := strings.Cut(h.name, " "); {
	case h.key:
		who = w.holding(t, h.name, w.manager(t, o, h.permissions...))
	case h.everywhere:
		who = w.person(t, nil, keyward.Role(role)).credential(h.name)
	default:
		who = w.person(t, o, keyward.Role(role)).credential(h.name)
	}
	who.stronger = w.manager(t, o, keyPermissions()...).Secret
	return who
}

// Each role and each permission gives exactly what the route table says, in each form
// in which it can be presented, at the mount and at the host name of a dialect: a check
// that was forgotten shows here, and one too many as well.
func TestAPermissionGivesItsRoutesAndNoOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, keywardtest.Options{})
	number := 0
	for _, h := range holders() {
		t.Run(h.name, func(t *testing.T) {
			o := w.tenant(t, "alpha")
			who := h.credential(t, w, o)
			for _, s := range lastThingsLast(surfaces()) {
				kinds := s.kinds()
				for _, route := range s.routes {
					number++
					r := &right{world: w, t: t, o: o, who: who, s: s, a: askings(route)[0], number: number, strongest: h.strongest()}
					r.like = !slices.ContainsFunc(kinds, func(k api.Route) bool { return k.Pattern == route.Pattern })
					if h.everywhere && s.name == "rebilly" { // where such a person has no organization
						r.a.header = append(slices.Clone(r.a.header), "Organization-Id", o.org.ID)
					}
					r.try(route, h.may(route))
				}
			}
		})
	}
}

// right is what somebody may do at one route.
type right struct {
	*world
	t   *testing.T
	o   *tenant
	who credential
	s   surface
	a   asking

	number    int  // of the trial: what is tried by turns goes by it
	strongest bool // whether nobody may more
	like      bool // whether the route is like another one
}

func (r *right) try(route api.Route, may bool) {
	r.t.Helper()
	if route.Open {
		r.tryOpen()
		return
	}
	r.refused(may)
	if !may {
		return
	}
	v := r.freshValues(r.t, r.o, r.a)
	for i, way := range r.s.ways {
		header := way.present(r.who)
		if header == nil || !way.accepted || r.like && i > 1 && (i+r.number)%4 != 0 {
			continue
		}
		if i > 0 && r.a.method != http.MethodGet {
			v = r.freshValues(r.t, r.o, r.a) // it may have ended them
		}
		a := r.place(i)
		got := r.send(r.t, a, v, header)
		if got.status != r.a.status {
			r.t.Errorf("%q with %s %q: %d %s, want %d", a.pattern, way.name, a.header, got.status, got.body, r.a.status)
		}
		if got.status == http.StatusNoContent && r.s.name == "the end" {
			return // there is but one
		}
	}
}

// tryOpen asks without a credential where the body is one, since a client says who it is
// in one way only.
func (r *right) tryOpen() {
	r.t.Helper()
	var header []string
	if r.a.method == http.MethodGet {
		header = r.s.present(r.who)
	}
	if got := r.send(r.t, r.a, r.freshValues(r.t, r.o, r.a), header); got.status != r.a.status {
		r.t.Errorf("%q: %d %s, want %d", r.a.pattern, got.status, got.body, r.a.status)
	}
}

// refused tries what is to be refused: the forms that are none with 401, and, of whom
// may not, the others with 403. The forms that are none are so for the strongest at every
// route; of the others each tries some.
func (r *right) refused(may bool) {
	r.t.Helper()
	var v values
	var head position
	for i, way := range r.s.ways {
		header, want := way.present(r.who), http.StatusForbidden
		if !way.accepted {
			want = http.StatusUnauthorized
		}
		if header == nil || way.accepted && may || (!way.accepted && !r.strongest || r.like) && (i+r.number)%8 != 0 {
			continue
		}
		if v == nil {
			v, head = r.freshValues(r.t, r.o, r.a), r.head(r.t)
		}
		a := r.place(i)
		if got := r.send(r.t, a, v, header); got.status != want {
			r.t.Errorf("%q with %s %q: %d %s, want %d", a.pattern, way.name, a.header, got.status, got.body, want)
		}
	}
	if v != nil && r.head(r.t) != head {
		r.t.Errorf("%q was refused, and yet something was written", r.a.pattern)
	}
}

// place is where to try the way with this number: by turns at the path of the route and
// at the surface's host name.
func (r *right) place(way int) asking {
	all := r.places()
	return all[(way+r.number)%len(all)]
}

// places are where the route is asked for: at its path, and at the surface's host name.
func (r *right) places() []asking {
	if hosted, ok := r.s.atHost(r.a); ok {
		return []asking{r.a, hosted}
	}
	return []asking{r.a}
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
