package server_test

import (
	"encoding/json"
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
	clientID string // of the same key
	session  string // an access token of a person who signed in
	stronger string // the secret of another key, which may all that keys can
	// refused says that nobody is behind it, so that every closed route answers 401.
	refused bool
	// another says that there are others like it, so that the usual ways will do.
	another bool
	// strongest says that nobody of its kind may more.
	strongest bool
}

// holding is a key with everything that it can be exchanged for.
func (w *world) holding(t testing.TB, name string, key made) credential {
	t.Helper()
	return credential{
		name: name, secret: key.Secret, clientID: key.Key.ClientID,
		token: w.token(t, "/oauth/token", key), vendor: w.token(t, "/aerospike/oauth/token", key),
	}
}

// person is an operator who has signed in.
type person struct {
	made    made
	email   string
	session string
}

// passphrase is what everybody signs in with.
const passphrase = "correct horse battery staple"

// person makes one of the tenant, or of the whole deployment if there is none. A
// verifier is a program, and does not sign in.
func (w *world) person(t testing.TB, o *tenant, role keyward.Role) *person {
	t.Helper()
	p := &person{made: w.operator(t, o, role)}
	if role == keyward.Verifier {
		return p
	}
	p.email = p.made.Operator.ID + "@example.com"
	w.must(t, "PATCH", "/v1/operators/"+p.made.Operator.ID, fmt.Sprintf(`{"email":%q,"password":%q}`, p.email, passphrase))
	p.session = w.signIn(t, p.email)
	return p
}

// signIn returns a new session.
func (w *world) signIn(t testing.TB, email string) string {
	t.Helper()
	got := w.ask(t, "POST", "/rebilly/signin", fmt.Sprintf(`{"email":%q,"password":%q}`, email, passphrase))
	w.succeed(t, got, "sign in")
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(got.body), &session); err != nil || session.Token == "" {
		t.Fatalf("sign in: %v in %s", err, got.body)
	}
	return session.Token
}

func (p *person) credential(name string) credential {
	return credential{name: name, operator: p.made.Secret, session: p.session}
}

// credentials makes one of each kind for a tenant.
func (w *world) credentials(t *testing.T, o *tenant) []credential {
	t.Helper()
	var all []credential
	for _, role := range roles() {
		all = append(all, w.person(t, o, role).credential("an operator, "+string(role)))
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
	strongest := w.holding(t, "a key that may all that keys can", w.manager(t, o, keyPermissions()...))
	strongest.strongest = true
	all = append(
		all,
		strongest,
		w.holding(t, "a key that may all in one project", w.key(t, o, fmt.Sprintf(
			`"management":[{"scope":{"projectId":[%q]},"permissions":["keys.*","projects.*","organizations.read"]}]`, o.project.ID))),
	)
	all = append(all, w.refusedCredentials(t, o)...)
	stronger := w.manager(t, o, keyPermissions()...)
	for i := range all {
		all[i].stronger = stronger.Secret
	}
	return all
}

// refusedCredentials are of those whom nobody lets in, whatever else they hold.
func (w *world) refusedCredentials(t *testing.T, o *tenant) []credential {
	t.Helper()
	const all = `"management":[{"scope":{},"permissions":["keys.*","projects.*","organizations.read","audit.read"]}]`
	revoked, disabled, deleted := w.key(t, o, all), w.key(t, o, all), w.key(t, o, all)
	refused := []credential{
		{name: "nobody"},
		{name: "garbage", operator: "garbage", token: "e30.e30.e30", vendor: "e30.e30.e30", session: "e30.e30.e30", secret: "garbage"},
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
	return append(markRefused(refused), w.formerPeople(t, o)...)
}

func markRefused(all []credential) []credential {
	for i := range all {
		all[i].refused = true
	}
	return all
}

// formerPeople are operators and sessions that ended.
func (w *world) formerPeople(t *testing.T, o *tenant) []credential {
	t.Helper()
	var former []credential
	end := func(name string, p *person, method, path, body string) {
		t.Helper()
		former = append(former, p.credential(name))
		w.must(t, method, "/v1/operators/"+p.made.Operator.ID+path, body)
	}
	end("a disabled operator", w.person(t, o, keyward.Owner), "PATCH", "", `{"enabled":false}`)
	end("a deleted operator", w.person(t, o, keyward.Owner), "DELETE", "", "")
	end("an operator from before its rotation", w.person(t, o, keyward.Owner), "POST", "/rotate", "")
	changed, out := w.person(t, o, keyward.Owner), w.person(t, nil, keyward.Owner)
	w.must(t, "PATCH", "/v1/operators/"+changed.made.Operator.ID, `{"password":"another horse battery staple"}`)
	w.succeed(t, w.as(t, out.session, "POST", "/rebilly/logout", ""), "log out")
	former = append(former,
		credential{name: "a session from before the password changed", session: changed.session},
		credential{name: "a session after its logout", session: out.session})
	return markRefused(former)
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
