package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
	"keyward/keywardtest"
)

// Rights that are good in one project only are so in every form: the answers to a key
// are those to its token.
func TestRightsInOneProjectAreTheSameInEveryForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, keywardtest.Options{})
	o := w.tenant(t, "alpha")
	who := w.holding(t, "a key of one project", w.key(t, o, fmt.Sprintf(
		`"management":[{"scope":{"projectId":[%q]},"permissions":["keys.*","projects.*","organizations.read"]}]`, o.project.ID)))
	who.stronger = w.manager(t, o, keyPermissions()...).Secret
	open := 0
	for _, s := range dialects() {
		for _, route := range s.kinds() {
			r := &right{world: w, t: t, o: o, who: who, s: s, a: askings(route)[0]}
			if !route.Open && r.same() < 300 {
				open++
			}
		}
	}
	if open < 10 {
		t.Errorf("only %d routes were open to it", open)
	}
}

// same asks in all accepted forms for what is in the project, fails if the answers
// differ, and returns the status of the first.
func (r *right) same() int {
	r.t.Helper()
	want := 0
	for _, header := range r.s.accepted(r.who) {
		key := r.key(r.t, r.o, fmt.Sprintf(`"projectIds":[%q]`, r.o.project.ID))
		one := *r.o
		one.key, one.seq = key, key.seq
		v := r.values(r.t, &one)
		for _, a := range r.places() {
			got := r.send(r.t, a, v, header).status
			if want == 0 {
				want = got
			}
			if got != want && (a.method != http.MethodDelete || got != 404) { // it is gone by then
				r.t.Errorf("%q with %q %q: %d, and first it was %d", a.pattern, header, a.header, got, want)
			}
		}
	}
	return want
}

// accepted returns all headers with which somebody is accepted.
func (s surface) accepted(who credential) [][]string {
	var all [][]string
	for _, way := range s.ways {
		if header := way.present(who); way.accepted && header != nil {
			all = append(all, header)
		}
	}
	return all
}

// What a client may put under an id of its own choice takes the right to create where
// that is new, and the right to update where it is not. Neither stands for the other.
func TestPuttingAKeyTakesTheRightOfWhatItDoes(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	o := w.tenant(t, "alpha")
	stronger := w.manager(t, o, keyPermissions()...).Secret
	ids := 0
	for name, test := range map[string]struct {
		permissions       []keyward.Permission
		onNew, onExisting int
	}{
		"nothing":           {nil, 403, 403},
		"reading":           {[]keyward.Permission{keyward.KeysRead}, 403, 403},
		"deleting":          {[]keyward.Permission{keyward.KeysDelete, keyward.KeysRead}, 403, 403},
		"creating":          {[]keyward.Permission{keyward.KeysCreate}, 201, 403},
		"updating":          {[]keyward.Permission{keyward.KeysUpdate}, 403, 200},
		"both":              {[]keyward.Permission{keyward.KeysCreate, keyward.KeysUpdate}, 201, 200},
		"creating, reading": {[]keyward.Permission{keyward.KeysCreate, keyward.KeysRead}, 201, 403},
	} {
		who := w.holding(t, name, w.manager(t, o, test.permissions...))
		who.stronger = stronger
		for _, header := range rebillySurface().accepted(who) {
			ids++
			for id, want := range map[string]int{fmt.Sprintf("mine-%d", ids): test.onNew, w.key(t, o, "").Key.ID: test.onExisting} {
				got := w.ask(t, "PUT", "/rebilly/api-keys/"+id, `{"description":"x","acl":[]}`, header...)
				if got.status != want {
					t.Errorf("%s, with %q: PUT %s: %d %s, want %d", name, header, id, got.status, got.body, want)
				}
			}
		}
	}
}

// grantForms are the ways to ask a token endpoint for a token: what the body is, and
// the headers.
func grantForms(id, secret string) map[string][2]string {
	form := url.Values{"grant_type": {"client_credentials"}}
	bare := form.Encode()
	form.Set("client_id", id)
	form.Set("client_secret", secret)
	text, err := json.Marshal(map[string]string{"grant_type": "client_credentials", "client_id": id, "client_secret": secret})
	if err != nil {
		panic(err)
	}
	authorization := basic(asBasic(credential{clientID: url.QueryEscape(id), secret: url.QueryEscape(secret)}))[1]
	return map[string][2]string{
		"a form": {form.Encode(), ""}, "JSON": {string(text), ""}, "Basic and a form": {bare, authorization},
		"Basic and JSON": {`{"grant_type":"client_credentials"}`, authorization}, "Basic and its id in the form": {bare + "&client_id=" + id, authorization},
	}
}

// grant asks a token endpoint for a token.
func (w *world) grant(t testing.TB, path string, form [2]string) answer {
	t.Helper()
	var header []string
	if !strings.HasPrefix(form[0], "{") {
		header = []string{"Content-Type", api.MediaForm}
	}
	if form[1] != "" {
		header = append(header, "Authorization", form[1])
	}
	return w.ask(t, "POST", path, form[0], header...)
}

// However a client says who it is, the token is one and the same but for its number
// and its times; and who is not a client is none in any form.
func TestATokenIsTheSameHoweverItIsAskedFor(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	o := w.tenant(t, "alpha")
	good, revoked, disabled, deleted := w.manager(t, o, keyward.KeysRead), w.key(t, o, ""), w.key(t, o, ""), w.key(t, o, "")
	w.must(t, "POST", o.path()+"/api-keys/"+revoked.Key.ID+"/revoke", "")
	w.must(t, "PATCH", o.path()+"/api-keys/"+disabled.Key.ID, `{"enabled":false}`)
	w.must(t, "DELETE", o.path()+"/api-keys/"+deleted.Key.ID, "")
	publishable, someone := w.key(t, o, `"type":"publishable"`), w.person(t, o, keyward.Owner)
	id := good.Key.ClientID
	refused := map[string][2]string{
		"a publishable key": {publishable.Key.ClientID, publishable.Secret}, "a revoked key": {revoked.Key.ClientID, revoked.Secret},
		"a disabled key": {disabled.Key.ClientID, disabled.Secret}, "a deleted key": {deleted.Key.ClientID, deleted.Secret},
		"another's secret": {id, o.key.Secret}, "a key's id": {good.Key.ID, good.Secret}, "its own token": {id, w.token(t, "/oauth/token", good)},
		"an operator": {someone.made.Operator.ID, someone.made.Secret}, "a person's password": {someone.email, passphrase},
		"a person's session": {someone.made.Operator.ID, someone.session}, "root": {"root", w.RootToken},
	}
	for _, path := range []string{"/oauth/token", "/aerospike/oauth/token"} {
		claims := map[string]string{}
		for form, text := range grantForms(id, good.Secret) {
			issued := w.succeed(t, w.grant(t, path, text), path+" with "+form)
			claims[changingClaims.ReplaceAllString(decoded(t, strings.Split(issued.AccessToken, ".")[1]), "")] = form
		}
		if len(claims) != 1 {
			t.Errorf("the claims of %s differ: %v", path, claims)
		}
		head := w.head(t)
		for name, who := range refused {
			for form, text := range grantForms(who[0], who[1]) {
				if got := w.grant(t, path, text); got.status != 401 || strings.Contains(got.body, "access_token") {
					t.Errorf("%s, %s with %s: %d %s, want 401", path, name, form, got.status, got.body)
				}
			}
		}
		if w.head(t) != head {
			t.Errorf("%s has written something", path)
		}
	}
}

// sameDeeds are what is done natively, and the same on the dialect where people sign in.
var sameDeeds = []struct{ native, rebilly, body, as string }{
	{"GET {organizationId}/api-keys", "GET /api-keys", "", ""},
	{"GET {organizationId}/api-keys/{keyId}", "GET /api-keys/{keyId}", "", ""},
	{"POST {organizationId}/api-keys", "POST /api-keys", `{"name":"x"}`, `{"description":"x"}`},
	{"PATCH {organizationId}/api-keys/{keyId}", "PUT /api-keys/{keyId}", `{"name":"x"}`, `{"description":"x"}`},
	{"DELETE {organizationId}/api-keys/{keyId}", "DELETE /api-keys/{keyId}", "", ""},
	{"GET {organizationId}", "GET /organizations/{organizationId}", "", ""},
	{"PATCH {organizationId}", "PATCH /organizations/{organizationId}", `{"name":"x"}`, `{"name":"x"}`},
}

// A person's session is who signed in: what a role is refused natively, it is refused
// in a session, whatever key is beside it; and nothing is lost.
func TestRolesAreTheSameInASessionAsInACredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t, keywardtest.Options{})
	o := w.tenant(t, "alpha")
	stronger := w.manager(t, o, keyPermissions()...).Secret
	for _, role := range []keyward.Role{keyward.Owner, keyward.Admin, keyward.Editor, keyward.Viewer} {
		for place, of := range map[string]*tenant{"of the organization": o, "of the deployment": nil} {
			p := w.person(t, of, role)
			header := append(bearer(p.session), "Organization-Id", o.org.ID)
			for _, deed := range sameDeeds {
				want := w.do(t, o, "/v1/organizations/", deed.native, deed.body, bearer(p.made.Secret))
				for _, more := range [][]string{nil, rebAPIKey(stronger), rebAPIKey(keyOfNobody)} {
					got := w.do(t, o, "/rebilly", deed.rebilly, deed.as, slices.Concat(header, more))
					if got.status/100 != want.status/100 {
						t.Errorf("%s %s, %s: %d, and natively %d", role, place, deed.rebilly, got.status, want.status)
					}
				}
			}
		}
	}
}

// do does something to a new key of the tenant.
func (w *world) do(t *testing.T, o *tenant, prefix, target, body string, header []string) answer {
	t.Helper()
	method, path, _ := strings.Cut(target, " ")
	v := values{"organizationId": o.org.ID, "keyId": w.key(t, o, "").Key.ID}
	return w.ask(t, method, prefix+v.fill(path), body, header...)
}

// changingClaims are the claims in which two tokens of one key differ.
var changingClaims = regexp.MustCompile(`"(jti":"[^"]*"|iat":\d+|exp":\d+)`)
