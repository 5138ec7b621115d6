package server_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/server"
)

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
				_, path := split(r.Pattern)
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
	method, path := split(strings.TrimSuffix(route.Pattern, "{$}"))
	var all []asking
	for _, f := range s.forms {
		if f.path == "" {
			f.path = path
		}
		all = append(all, asking{route.Pattern, method, f, s})
	}
	return all
}

// split returns a method of a pattern, and its path.
func split(pattern string) (method, path string) {
	if strings.HasPrefix(pattern, "/") {
		return "GET", pattern // which serves every method
	}
	method, path, _ = strings.Cut(pattern, " ")
	return method, path
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
