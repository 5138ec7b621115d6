package gateway

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"keyward"
)

// Rules say where keys are, and what each route of an API takes. The zero value has no
// rules: callers say what it takes. Rules do not change once they are read.
type Rules struct {
	keyHeader string         // canonical; "" for none beside the usual ones
	keyQuery  string         // a parameter; "" for none
	mux       *http.ServeMux // of *rule; nil without rules
}

// rule is what the routes of one pattern take.
type rule struct {
	open        bool
	environment keyward.Environment // "" for whatever the caller says
	permissions []string
	scope       map[string]string // dimension to value
	wildcards   map[string]string // dimension to the wildcard of the pattern that is the value
	cost        int64
}

// ServeHTTP is how a mux says that it has found a rule.
func (r *rule) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if m, ok := w.(*match); ok {
		m.rule = r
	}
}

// match is what a mux finds. Redirects, by which it corrects paths, leave it empty.
type match struct{ rule *rule }

// Header, Write and WriteHeader implement [http.ResponseWriter].
func (m *match) Header() http.Header            { return http.Header{} }
func (m *match) Write(text []byte) (int, error) { return len(text), nil }
func (m *match) WriteHeader(int)                {}

// lookAtURI reports whether it matters what the client asked for.
func (r *Rules) lookAtURI() bool { return r.mux != nil || r.keyQuery != "" }

// demand returns what a request takes, whether it takes nothing at all, or why it is
// refused whatever its key.
func (r *Rules) demand(q *Question) (wanted keyward.Request, open bool, why string) {
	wanted = q.Wanted
	if r.mux == nil {
		return wanted, false, ""
	}
	path, ok := normal(q.Path)
	if !ok || q.Method == "" || q.Method == http.MethodConnect {
		return wanted, false, "not a normal path"
	}
	request := &http.Request{Method: q.Method, URL: &url.URL{Path: path, RawPath: q.Path}}
	var found match
	r.mux.ServeHTTP(&found, request)
	rule := found.rule
	if rule == nil {
		return wanted, false, "no rule matches"
	}
	if rule.environment != "" {
		if wanted.Environment != "" && wanted.Environment != rule.environment {
			return wanted, false, "the gateway is for another environment than the route"
		}
		wanted.Environment = rule.environment
	}
	wanted.Permissions, wanted.Cost = rule.permissions, rule.cost
	wanted.Scope = rule.scope
	if len(rule.wildcards) > 0 {
		wanted.Scope = maps.Clone(rule.scope)
		if wanted.Scope == nil {
			wanted.Scope = map[string]string{}
		}
		for dimension, wildcard := range rule.wildcards {
			wanted.Scope[dimension] = request.PathValue(wildcard)
		}
	}
	return wanted, rule.open, ""
}

// normal decodes a path that has one reading only, whoever reads it. It is false for one
// that is not absolute, has empty or dot segments, holds a semicolon, a slash or a
// backslash in disguise, or a control character, or is not UTF-8 in percent-escapes.
func normal(escaped string) (string, bool) {
	path, err := url.PathUnescape(escaped)
	if err != nil || !strings.HasPrefix(escaped, "/") || !utf8.ValidString(path) ||
		strings.Contains(escaped, "//") || strings.Count(path, "/") != strings.Count(escaped, "/") ||
		strings.ContainsAny(escaped, "#?") || strings.ContainsAny(path, `;\`) || strings.ContainsFunc(path, unicode.IsControl) {
		return "", false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return "", false
		}
	}
	return path, true
}
