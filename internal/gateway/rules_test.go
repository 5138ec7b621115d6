package gateway_test

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"keyward/internal/gateway"
)

func TestOnlyPathsWithOneReadingAreNormal(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/a": "/a", "/a/": "/a/", "/a/b.c/..d": "/a/b.c/..d", "/%61": "/a", "/a%20b": "/a b", "/%C3%BC": "/ü", "/a:b@c,d=e&f": "/a:b@c,d=e&f",
		"": "", "a": "", "*": "", "http://h/a": "", "//": "", "//h/a": "", "/a//b": "", "/.": "", "/..": "", "/a/./b": "", "/a/../b": "",
		"/a/%2e%2e/b": "", "/%2E": "", "/a/.%2e": "", "/a%2fb": "", "/a%2Fb": "", "/a;b": "", "/a;": "", "/a%3bb": "", `/a\b`: "",
		"/a%5cb": "", "/a%00": "", "/a%0a": "", "/a\tb": "", "/a\x7f": "", "/a%c2%85": "", "/a%ff": "", "/a\xff": "", "/%": "", "/%zz": "", "/a#b": "", "/a?b": "",
	} {
		got, ok := gateway.Normal(path)
		if ok != (want != "") || got != want {
			t.Errorf("normal(%q) = %q, %v, want %q", path, got, ok, want)
		}
	}
}

func TestWhatProxiesSayOfTheOriginalRequestMustBeWhole(t *testing.T) {
	for name, test := range map[string]struct {
		header http.Header
		want   string // method, path and query; "" if it cannot be known
	}{
		"Caddy and Traefik": {http.Header{"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/a?b=c?d"}}, "GET /a b=c?d"},
		"nginx":             {http.Header{"X-Original-Method": {"GET"}, "X-Original-Uri": {"/a"}}, "GET /a "},
		"nobody":            {http.Header{"X-Original-Url": {"/a"}, "X-Rewrite-Url": {"/b"}}, "  "},
		"both alike": {http.Header{
			"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/a"}, "X-Original-Method": {"GET"}, "X-Original-Uri": {"/a"},
		}, "GET /a "},
		"two paths": {http.Header{
			"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/a"}, "X-Original-Method": {"GET"}, "X-Original-Uri": {"/b"},
		}, ""},
		"two methods": {http.Header{
			"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/a"}, "X-Original-Method": {"PUT"}, "X-Original-Uri": {"/a"},
		}, ""},
		"half of each":        {http.Header{"X-Forwarded-Method": {"GET"}, "X-Original-Uri": {"/a"}}, ""},
		"no method":           {http.Header{"X-Forwarded-Uri": {"/a"}}, ""},
		"no path":             {http.Header{"X-Original-Method": {"GET"}}, ""},
		"an empty path":       {http.Header{"X-Original-Method": {"GET"}, "X-Original-Uri": {""}}, ""},
		"two lines":           {http.Header{"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/a", "/a"}}, ""},
		"another one half in": {http.Header{"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/a"}, "X-Original-Uri": {"/a"}}, ""},
	} {
		method, path, query, why := gateway.Original(test.header)
		got := method + " " + path + " " + query
		if why != "" {
			got = ""
		}
		if got != test.want {
			t.Errorf("%s: %q (%s), want %q", name, got, why, test.want)
		}
	}
}

func TestBasicHoldsOneKey(t *testing.T) {
	for pair, want := range map[string]string{
		"K:": "K", "K": "K", ":K": "K", "key:K": "K", "key:a:b": "a:b",
		"": "", ":": "", "K:x": "", "user:K": "", "KEY:K": "", "K:K": "",
	} {
		if got, _ := gateway.Basic(pair); got != want {
			t.Errorf("basic(%q) = %q, want %q", pair, got, want)
		}
	}
}

func TestRulesThatCannotHoldAreRefusedWithTheirLine(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"the same route twice":              {"rules:\n  - match: GET /a\n  - match: GET /a\n", "f.yaml:3: GET /a contradicts GET /a on line 2"},
		"the same route by other wildcards": {"rules:\n  - match: /a/{x}\n  - match: /b\n  - match: /a/{y}\n", "f.yaml:4: /a/{y} contradicts /a/{x} on line 2"},
		"neither more specific":             {"rules:\n  - match: GET /a/{x}\n  - match: /a/b\n", "f.yaml:3: /a/b contradicts GET /a/{x} on line 2"},
		"open with a permission":            {"rules:\n\n  - match: /a\n    open: true\n    permissions: [p]\n", "f.yaml:3: /a: an open route takes no key"},
		"open with a cost":                  {"rules:\n  - {match: /a, open: true, cost: 0}\n", "f.yaml:2: /a: an open route"},
		"a negative cost":                   {"rules:\n  - match: /a\n    cost: -1\n", "f.yaml:2: /a: cost must be a whole number"},
		"a cost beyond 64 bits":             {"rules:\n  - match: /a\n    cost: 9223372036854775808\n", "f.yaml:2: /a: cost must be a whole number"},
		"half a cost":                       {"rules:\n  - match: /a\n    cost: 0.5\n", "f.yaml:2: /a: cost must be"},
		"a wildcard in a permission":        {"rules:\n  - match: /a\n    permissions: ['docs.*']\n", `f.yaml:2: /a: /permissions/0 may not contain "*"`},
		"an environment that is none":       {"rules:\n  - match: /a\n    environment: prod\n", "f.yaml:2: /a: environment must be"},
		"a scope of no wildcard":            {"rules:\n  - match: /a/{x}\n    scope: {y: '{y}'}\n", "f.yaml:2: /a/{x}: scope names {y}"},
		"a member that is misspelt":         {"rules:\n  - match: /a\n    permission: [p]\n", "f.yaml:3: field permission not found"},
		"a member twice":                    {"rules:\n  - match: /a\n    cost: 1\n    cost: 2\n", "f.yaml:4: "},
		"no route":                          {"rules:\n  - open: true\n", "f.yaml:2: match must be a normal path"},
		"a host":                            {"rules:\n  - match: GET example.com/a\n", "f.yaml:2: match must be a normal path"},
		"a malformed pattern":               {"rules:\n  - match: GET /a/{x\n", "f.yaml:2: "},
		"a path that no request has":        {"rules:\n  - match: /a//b\n", "f.yaml:2: "},
		"nothing that passes":               {"rules: []\n", "f.yaml:1: there are no rules"},
		"a list at the top":                 {"- match: /a\n", "f.yaml:1: !!seq is not what belongs here"},
		"two documents":                     {"rules:\n  - match: /a\n---\nrules: []\n", "f.yaml:1: there is more than one document"},
		"a route that is merged in":         {"<<: {rules: [{match: /a}, {match: /a}]}\n", "f.yaml:1: /a contradicts /a"},
		"no YAML":                           {"rules:\n\t- match", "f.yaml:2: "},
		"a header of our own for keys":      {"key: {header: X-Forwarded-Uri}\n", `f.yaml:1: keys cannot be in the header "X-Forwarded-Uri"`},
		"a header that is none":             {"key: {header: 'a b'}\n", "f.yaml:1: keys cannot be in the header"},
		"a header with an underscore":       {"key: {header: a_b}\n", "f.yaml:1: keys cannot be in the header"},
		"a parameter that is none":          {"key: {query: 'a=b'}\n", "f.yaml:1: keys cannot be in the parameter"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := gateway.ParseRules("f.yaml", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "gateway.") {
				t.Errorf("ParseRules = %v, want %q", err, test.want)
			}
		})
	}
}

func TestRulesMayBeMoreSpecificThanOthers(t *testing.T) {
	for _, text := range []string{
		"", "# nothing\n", "key: {query: api_key}\n",
		"rules:\n  - match: /\n  - match: GET /a\n  - match: GET /a/{x}\n  - match: GET /a/b\n  - match: PUT /a/{x...}\n  - match: GET /{$}\n",
	} {
		if _, err := gateway.ParseRules("f.yaml", []byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add("rules:\n  - match: GET /a/{x}\n    scope: {x: '{x}'}\n    cost: 2\nkey: {header: A}\n")
	f.Add("rules: &a [*a]\n")
	f.Add("<<: {rules: [{match: /a}]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := gateway.ParseRules("f.yaml", []byte(text))
		if err != nil && !strings.Contains(err.Error(), "f.yaml:") {
			t.Errorf("ParseRules(%q) = %v, which names no line", text, err)
		}
	})
}

// A path that is normal is the same path for whoever cleans, parses or decodes it.
func FuzzNormal(f *testing.F) {
	for _, path := range []string{"/", "/a/b/", "/a%20b", "/a/../b", "/a%2fb", "//", "/%C3%BC;x"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		decoded, ok := gateway.Normal(escaped)
		if !ok {
			return
		}
		if clean := path.Clean(decoded); clean != decoded && clean+"/" != decoded {
			t.Errorf("normal(%q) = %q, which is %q to others", escaped, decoded, clean)
		}
		if u, err := url.ParseRequestURI(escaped); err != nil || u.Path != decoded || u.RawQuery != "" {
			t.Errorf("normal(%q) = %q, which others read as %v (%v)", escaped, decoded, u, err)
		}
	})
}
