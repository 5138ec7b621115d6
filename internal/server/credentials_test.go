package server_test

import (
	"fmt"
	"strings"
	"testing"

	"keyward"
)

// credential is somebody of a tenant, with whatever it could present.
type credential struct {
	name     string
	operator string // the credential of an operator
	token    string // an access token of the audience keyward
	vendor   string // an access token of the audience aerospike
	secret   string // of a key
	// refused says that nobody is behind it, so that every closed route answers 401.
	refused bool
	// another says that there are others like it, so that the usual ways will do.
	another bool
}

// holding is a key with everything that it can be exchanged for.
func (w *world) holding(t testing.TB, name string, key made) credential {
	t.Helper()
	return credential{
		name: name, secret: key.Secret,
		token: w.token(t, "/oauth/token", key), vendor: w.token(t, "/aerospike/oauth/token", key),
	}
}

// credentials makes one of each kind for a tenant.
func (w *world) credentials(t *testing.T, o *tenant) []credential {
	t.Helper()
	var all []credential
	for _, role := range roles() {
		all = append(all, credential{name: "an operator, " + string(role), operator: w.operator(t, o, role).Secret})
	}
	for _, p := range keyPermissions() {
		who := w.holding(t, "a key that may "+string(p), w.manager(t, o, p))
		who.another = true
		all = append(all, who)
	}
	for name, members := range rawKeys() {
		if !strings.Contains(members, "publishable") {
			all = append(all, w.holding(t, name, w.key(t, o, members)))
		}
	}
	all = append(all,
		w.holding(t, "a key that may all that keys can", w.manager(t, o, keyPermissions()...)),
		w.holding(t, "a key that may all in one project", w.key(t, o, fmt.Sprintf(
			`"management":[{"scope":{"projectId":[%q]},"permissions":["keys.*","projects.*","organizations.read"]}]`, o.project.ID))),
	)
	return append(all, w.refusedCredentials(t, o)...)
}

// refusedCredentials are of those whom nobody lets in, whatever else they hold.
func (w *world) refusedCredentials(t *testing.T, o *tenant) []credential {
	t.Helper()
	const all = `"management":[{"scope":{},"permissions":["keys.*","projects.*","organizations.read","audit.read"]}]`
	revoked, disabled, deleted := w.key(t, o, all), w.key(t, o, all), w.key(t, o, all)
	refused := []credential{
		{name: "nobody"},
		{name: "garbage", operator: "garbage", token: "e30.e30.e30", vendor: "e30.e30.e30", secret: "garbage"},
		{
			name: "a secret that was never given out", operator: keyward.NewSecret("kwop", keyward.Live).Reveal(),
			secret: keyward.NewSecret("kw", keyward.Live).Reveal(),
		},
		{name: "a publishable key", secret: w.key(t, o, `"type":"publishable"`).Secret},
		w.holding(t, "a revoked key", revoked),
		w.holding(t, "a disabled key", disabled),
		w.holding(t, "a deleted key", deleted),
	}
	w.must(t, "POST", o.path()+"/api-keys/"+revoked.Key.ID+"/revoke", "")
	w.must(t, "PATCH", o.path()+"/api-keys/"+disabled.Key.ID, `{"enabled":false}`)
	w.must(t, "DELETE", o.path()+"/api-keys/"+deleted.Key.ID, "")
	off, gone, turned := w.operator(t, o, keyward.Owner), w.operator(t, o, keyward.Owner), w.operator(t, o, keyward.Owner)
	w.must(t, "PATCH", "/v1/operators/"+off.Operator.ID, `{"enabled":false}`)
	w.must(t, "DELETE", "/v1/operators/"+gone.Operator.ID, "")
	w.must(t, "POST", "/v1/operators/"+turned.Operator.ID+"/rotate", "")
	refused = append(refused,
		credential{name: "a disabled operator", operator: off.Secret}, credential{name: "a deleted operator", operator: gone.Secret},
		credential{name: "an operator from before its rotation", operator: turned.Secret})
	for i := range refused {
		refused[i].refused = true
	}
	return refused
}

// rawKeys are keys that are named like operators, which they are not.
func rawKeys() map[string]string {
	var names []string
	for _, p := range keyward.Permissions() {
		names = append(names, fmt.Sprintf("%q", p))
	}
	return map[string]string{
		"a key":                        ``,
		"a key whose acl is *":         `"acl":[{"scope":{},"permissions":["*"]}]`,
		"a key with an owner's acl":    `"acl":[{"scope":{},"permissions":[` + strings.Join(names, ",") + `]}]`,
		"a publishable key with acl *": `"type":"publishable","acl":[{"scope":{},"permissions":["*"]}]`,
		"a key named owner":            `"environment":"test","ownerId":"owner","metadata":{"role":"owner"}`,
	}
}
