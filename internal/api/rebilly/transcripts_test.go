package rebilly_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"keyward/internal/api/apitest"
	"keyward/internal/api/rebilly"
	"keyward/internal/keyring"
	"keyward/internal/pgtest"
	"keyward/keywardtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// Everything that is documented goes over the wire and back, and is as the vendor has
// it and as we document it, on either database.
func TestTranscripts(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		w := newWorld(t, keywardtest.Options{})
		ours, theirs := apitest.Load(t, rebilly.Contract()), apitest.Vendor(t, "rebilly")
		w.transcripts(t, ours, theirs)
		t.Run("refusals", func(t *testing.T) { w.refusals(t, ours, theirs) })
		ours.HasSeenAll(t, unreached)
		theirs.HasSeenAll(t, unreached)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		w := newWorld(t, keywardtest.Options{MasterKey: keyring.Generate(), Database: pgtest.Database(t)})
		w.transcripts(t, apitest.Load(t, rebilly.Contract()), apitest.Vendor(t, "rebilly"))
	})
}

// unreached reports whether an answer cannot be had from a healthy server over
// HTTP/1.1, a few requests at a time.
func unreached(answer string) bool {
	_, status, _ := strings.Cut(answer, " ")
	return slices.Contains([]string{"417", "429", "500", "503"}, status)
}

// transcripts runs every file, each in organizations of its own. Their paths are the
// vendor's: what comes before them is the server's address.
func (w world) transcripts(t *testing.T, ours, theirs *apitest.Contract) {
	apitest.RunAll(t, func(t *testing.T, name string) apitest.Target {
		vendors := theirs
		if name == "lenient" {
			vendors = theirs.Answers()
		}
		target := apitest.Target{
			URL: apitest.Proxy(t, w.URL, vendors) + "/rebilly", Contract: ours,
			Vars: world{apitest.World{TB: t, Server: w.Server}}.variables(name),
		}
		if name == "slash" {
			target.Contract = nil // which says once that every path may end so
		}
		return target
	})
}

// variables are what transcripts know of the world: an organization that keeps
// secrets, with a key that may everything, one that may read, create or delete keys
// each, and a publishable one; an organization that keeps none, with a key;
// organizations that are not the callers'; a person of the organization; and a token
// of one who owns the deployment.
func (w world) variables(name string) map[string]string {
	w.Helper()
	organization := w.organization(fmt.Sprintf(`{"name": "Organization of %s", "recoverable": true}`, name))
	plain := w.organization(`{"name": "Plain"}`)
	all := w.manager(organization, "all", "organizations.read", "keys.*")
	person, owner := name+"@example.com", name+"-owner@example.com"
	w.person(person, "admin", organization)
	w.person(owner, "owner", "")
	lister := w.manager(organization, "lister", "keys.read", "keys.reveal")
	return map[string]string{
		"organization": organization, "key": all.Secret, "keyId": all.ID, "token": w.Token(all),
		"lister": lister.Secret, "listerId": lister.ID,
		"creator":     w.manager(organization, "creator", "keys.create").Secret,
		"deleter":     w.manager(organization, "deleter", "keys.delete").Secret,
		"publishable": w.NewKey(organization, `{"name": "browser", "type": "publishable"}`).Secret,
		"person":      person, "password": password, "owner": w.session(owner).Token, "ownerEmail": owner,
		"plain": plain, "plainKey": w.manager(plain, "all", "organizations.read", "keys.*").Secret,
		"elsewhere": w.organization(`{"name": "Elsewhere"}`), "nowhere": "org_00000000000000000000000000",
		"unique": strings.ToLower(rand.Text()[:8]), "fifty": strings.Repeat("x", 42) + strings.ToLower(rand.Text()[:8]),
		"long": strings.Repeat("x", 256),
	}
}

// manager makes a key with these rights everywhere in the organization.
func (w world) manager(organization, name string, permissions ...string) key {
	w.Helper()
	return w.NewKey(organization, fmt.Sprintf(`{"name": %q, "management": [{"scope": {}, "permissions": ["%s"]}]}`,
		name, strings.Join(permissions, `", "`)))
}

// refusals asks every route for what none gives: without a credential or from another
// address, and with paths and bodies that are too long.
func (w world) refusals(t *testing.T, ours, theirs *apitest.Contract) {
	organization := w.organization(`{"name": "Refusals"}`)
	all := w.manager(organization, "all", "organizations.read", "keys.*")
	far := w.NewKey(organization, `{"name": "far", "allowedIps": ["203.0.113.7"]}`)
	client := ours.Client(t)
	url := apitest.Proxy(t, w.URL, theirs)
	for _, route := range rebilly.Routes() {
		method, path, _ := strings.Cut(route.Pattern, " ")
		path, slashed := strings.CutSuffix(path, "{$}")
		if slashed && (method != "POST" || !strings.HasSuffix(path, "/api-keys/")) {
			continue // as it is without the slash
		}
		path = strings.NewReplacer("{organizationId}", organization, "{within}", organization, "{keyId}", far.ID,
			"{memberOf}", "x", "{userId}", "x", "{roleId}", "x").Replace(path)
		for sentence, test := range refused(all, far) {
			body := method == "POST" || method == "PUT" || method == "PATCH"
			switch {
			case test.body != "" && !body, route.Open && test.status < 404:
				continue
			case route.Unread && slices.Contains([]int{400, 413, 415}, test.status):
				test.status = 501
				if strings.HasSuffix(path, "/logout") { // a key is no session
					test.status = 403
				}
			}
			header := slices.Clone(test.header)
			if test.media != "" {
				header = append(header, "Content-Type", test.media)
			}
			got := send(t, client, method, url+path+test.query, test.body, header...)
			if got.Status != test.status {
				t.Errorf("%s: %s %s = %d %s, want %d", sentence, method, path, got.Status, got.Body, test.status)
			}
		}
	}
}

// refusal is what a request holds, and the status that it gets.
type refusal struct {
	header             []string
	query, body, media string
	status             int
}

func refused(all, far key) map[string]refusal {
	good := []string{"REB-APIKEY", all.Secret}
	return map[string]refusal{
		"nobody":                 {status: 401},
		"a key from elsewhere":   {header: []string{"REB-APIKEY", far.Secret}, status: 403},
		"a query that is broken": {header: good, query: "?x", status: 400},
		"a query that is long":   {header: good, query: "?x=" + strings.Repeat("x", 17<<10), status: 414},
		"a body that is long":    {header: good, body: `{"x": "` + strings.Repeat("x", 1<<20) + `"}`, media: "application/json", status: 413},
		"a body of another type": {header: good, body: "x", media: "text/plain", status: 415},
	}
}
