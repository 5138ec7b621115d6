package server_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/api/aerospike"
	"keyward/internal/api/gjirafa"
	"keyward/internal/api/native"
	"keyward/internal/api/rebilly"
	"keyward/internal/oauth"
	"keyward/internal/server"
)

// surface is one API as the tests see it: its table of routes, and how callers
// present themselves there. The first way is the ordinary one.
type surface struct {
	name   string
	routes []api.Route
	ways   []way
}

// way is one manner of presenting a credential.
type way struct {
	name     string
	of       func(credential) string // what is presented; "" if there is no such thing
	header   func(text string) []string
	accepted bool // of those who are somebody
}

func asOperator(c credential) string { return c.operator }
func asToken(c credential) string    { return c.token }
func asVendor(c credential) string   { return c.vendor }
func asSecret(c credential) string   { return c.secret }

// bearer, plain, apiKey and xAPIKey are headers that carry a credential.
func bearer(text string) []string  { return optional("Authorization", "Bearer ", text) }
func plain(text string) []string   { return optional("Authorization", "", text) }
func apiKey(text string) []string  { return optional("Authorization", "ApiKey ", text) }
func xAPIKey(text string) []string { return optional("X-Api-Key", "", text) }
func rebAPIKey(text string) []string {
	return optional("Reb-Apikey", "", text)
}

// optional returns no header for no credential.
func optional(name, scheme, text string) []string {
	if text == "" {
		return nil
	}
	return []string{name, scheme + text}
}

// surfaces lists every table of routes that the server has.
func surfaces() []surface {
	ways, vendors := nativeWays(), vendorWays()
	return []surface{
		{"native", native.Routes(), ways},
		{"oauth", new(oauth.Tokens).Routes(""), ways},
		{"root", server.Routes(), ways},
		{"aerospike", aerospike.Routes(), vendors["aerospike"]},
		{"rebilly", rebilly.Routes(), vendors["rebilly"]},
		{"gjirafa", gjirafa.Routes(), vendors["gjirafa"]},
	}
}

// present returns the headers with which somebody is accepted, nil if there is no
// way.
func (s surface) present(who credential) []string {
	for _, way := range s.ways {
		if text := way.of(who); way.accepted && text != "" {
			return way.header(text)
		}
	}
	return nil
}

func nativeWays() []way {
	return []way{
		{"an access token", asToken, bearer, true},
		{"an operator's credential", asOperator, bearer, true},
		{"a key itself", asSecret, bearer, false},
		{"a token of another audience", asVendor, bearer, false},
		{"an operator's credential in x-api-key", asOperator, xAPIKey, false},
	}
}

func vendorWays() map[string][]way {
	return map[string][]way{
		"aerospike": {
			{"an access token", asVendor, bearer, true},
			{"a token of another audience", asToken, bearer, false},
			{"a key itself", asSecret, bearer, false},
			{"an operator's credential", asOperator, bearer, false},
		},
		"rebilly": {
			{"an access token", asToken, bearer, true},
			{"a key", asSecret, rebAPIKey, true},
			{"a key as a token", asSecret, bearer, false},
			{"a token as a key", asToken, rebAPIKey, false},
			{"a token of another audience", asVendor, bearer, false},
			{"an operator's credential", asOperator, bearer, false},
			{"an operator's credential as a key", asOperator, rebAPIKey, false},
		},
		"gjirafa": {
			{"an access token", asToken, bearer, true},
			{"a key in Bearer", asSecret, bearer, true},
			{"a key in ApiKey", asSecret, apiKey, true},
			{"a key alone", asSecret, plain, true},
			{"a key in x-api-key", asSecret, xAPIKey, true},
			{"a token of another audience", asVendor, bearer, false},
			{"an operator's credential", asOperator, bearer, false},
			{"an operator's credential in x-api-key", asOperator, xAPIKey, false},
		},
	}
}

// sample says how a route is asked for, so that a rightful caller gets what it wants.
type sample struct {
	status     int  // of the answer to who may
	everywhere bool // it takes an operator of the whole deployment
	forms      []form
}

// form is one way to ask, in which {name} stands for an id. The first of a sample is
// the ordinary one.
type form struct {
	path        string // if not that of the pattern
	query, body string
	header      []string
	// answers says that ids in the query or the body are questions: they are
	// answered, as if nothing of that id existed.
	answers bool
}

func TestEveryRouteHasASample(t *testing.T) {
	known := map[string]bool{}
	for _, s := range surfaces() {
		for _, route := range s.routes {
			known[route.Pattern] = true
			if _, ok := samples[route.Pattern]; !ok {
				t.Errorf("the %s route %q has no entry in samples: say how it is asked for, and the matrices will try it",
					s.name, route.Pattern)
			}
			if route.Permission != "" && !slices.Contains(keyward.Permissions(), route.Permission) {
				t.Errorf("the %s route %q needs %q, which is no permission", s.name, route.Pattern, route.Permission)
			}
			if !route.Open && route.Permission == "" && s.name == "native" {
				t.Errorf("the %s route %q is closed, but names no permission", s.name, route.Pattern)
			}
		}
	}
	for pattern := range samples {
		if !known[pattern] {
			t.Errorf("samples has an entry for %q, which is no route", pattern)
		}
	}
}

// A surface that is mounted and has no table in surfaces would be tried by nothing.
func TestEveryMountHasATable(t *testing.T) {
	for _, prefix := range server.Mounts() {
		served := slices.ContainsFunc(surfaces(), func(s surface) bool {
			return slices.ContainsFunc(s.routes, func(r api.Route) bool {
				_, path, _ := strings.Cut(r.Pattern, " ")
				return strings.HasPrefix(path, prefix)
			})
		})
		if !served {
			t.Errorf("%s is mounted, but no table in surfaces has a route below it: add the package's Routes()", prefix)
		}
	}
}

// values are what stands for {name} in samples and patterns.
type values map[string]string

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

func (v values) fill(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		value, ok := v[name[1:len(name)-1]]
		if !ok {
			panic("no value for " + name + " in " + text)
		}
		return value
	})
}

// asking is one way to ask for one route.
type asking struct {
	pattern, method string
	form
	sample
}

// askings returns the ways to ask for a route: at least one.
func askings(route api.Route) []asking {
	s := samples[route.Pattern]
	if len(s.forms) == 0 {
		s.forms = []form{{}}
	}
	method, path, _ := strings.Cut(strings.TrimSuffix(route.Pattern, "{$}"), " ")
	var all []asking
	for _, f := range s.forms {
		if f.path == "" {
			f.path = path
		}
		all = append(all, asking{route.Pattern, method, f, s})
	}
	return all
}

// positions returns the names of the ids that the asking holds.
func (a asking) positions() []string {
	var names []string
	for _, found := range placeholder.FindAllStringSubmatch(a.path+a.query+a.body+strings.Join(a.header, ""), -1) {
		if !slices.Contains(names, found[1]) {
			names = append(names, found[1])
		}
	}
	return names
}

// send asks with these ids in place.
func (w *world) send(t testing.TB, a asking, v values, credential []string) answer {
	t.Helper()
	target := v.fill(a.path)
	if a.query != "" {
		target += "?" + v.fill(a.query)
	}
	header := slices.Clone(credential)
	for _, text := range a.header {
		header = append(header, v.fill(text))
	}
	return w.ask(t, a.method, target, v.fill(a.body), header...)
}
