package gateway_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"keyward/keywardtest"
)

func TestAnAllowedRequestIsToldWhoseItIs(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.key(t, `,"ownerId":"user 42"`)
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"} {
		got := w.ask(t, method, "/authz/verify", "", "Keyward-Authorization", "Bearer "+w.verifier, "Authorization", "Bearer "+k.Secret)
		for name, want := range map[string]string{
			"X-Keyward-Key-Id": k.Key.ID, "X-Keyward-Organization-Id": w.org, "X-Keyward-Owner-Id": "user%2042",
			"X-Keyward-Project-Ids": "", "X-Keyward-Environment": "live",
		} {
			if values := got.header.Values(name); got.status != 200 || len(values) != 1 || values[0] != want {
				t.Errorf("%s: %d, %s is %q, want %q", method, got.status, name, values, want)
			}
		}
	}
}

func TestAKeyIsTakenFromWhereClientsPutIt(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.key(t, "").Secret
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, test := range map[string]struct {
		header []string
		want   int
	}{
		"Bearer":                           {[]string{"Authorization", "Bearer " + k}, 200},
		"Bearer in other letters":          {[]string{"Authorization", "bEARER " + k}, 200},
		"X-API-Key":                        {[]string{"X-API-Key", k}, 200},
		"the user of Basic":                {[]string{"Authorization", basic(k + ":")}, 200},
		"the password of Basic":            {[]string{"Authorization", basic(":" + k)}, 200},
		"the password of the user key":     {[]string{"Authorization", basic("key:" + k)}, 200},
		"the password of another user":     {[]string{"Authorization", basic("me:" + k)}, 401},
		"two keys in Basic":                {[]string{"Authorization", basic(k + ":" + k)}, 401},
		"Basic that is no base64":          {[]string{"Authorization", "Basic " + k}, 401},
		"no scheme":                        {[]string{"Authorization", k}, 401},
		"another scheme":                   {[]string{"Authorization", "Token " + k}, 401},
		"no key":                           {nil, 401},
		"an empty one":                     {[]string{"X-Api-Key", ""}, 401},
		"a wrong one":                      {[]string{"X-Api-Key", k[:len(k)-1] + "!"}, 401},
		"the credential of an operator":    {[]string{"X-Api-Key", w.verifier}, 401},
		"two headers":                      {[]string{"Authorization", "Bearer " + k, "X-Api-Key", k}, 401},
		"two headers, one of them wrong":   {[]string{"Authorization", "Bearer nonsense", "X-Api-Key", k}, 401},
		"two headers, one of another kind": {[]string{"Authorization", "Digest a=b", "X-Api-Key", k}, 401},
		"two lines":                        {[]string{"X-Api-Key", k, "X-Api-Key", k}, 401},
		"an underscore":                    {[]string{"X_API_Key", k}, 401},
		"a cookie":                         {[]string{"Cookie", "X-Api-Key=" + k}, 401},
		"20 KB":                            {[]string{"X-Api-Key", strings.Repeat("k", 20<<10)}, 401},
		"20 KB in Bearer":                  {[]string{"Authorization", "Bearer " + strings.Repeat("k", 20<<10)}, 401},
		"a query while that is off": {[]string{
			"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/?api_key=" + k + "&key=" + k + "&access_token=" + k,
		}, 401},
		"a query while that is off beside a key": {[]string{
			"X-Api-Key", k, "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/?api_key=" + k,
		}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.verify(t, test.header...)
			if got.status != test.want {
				t.Errorf("%d %s, want %d", got.status, got.body, test.want)
			}
			if got.status == 401 && got.header.Get("Www-Authenticate") != `Bearer realm="api"` {
				t.Errorf("WWW-Authenticate is %q", got.header.Get("Www-Authenticate"))
			}
			if strings.Contains(got.body+fmt.Sprint(got.header), k) {
				t.Errorf("the answer holds the key: %s", got.body)
			}
		})
	}
}

func TestAnAccessTokenIsTheKeyThatItWasIssuedFor(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.key(t, `,"management":[{"scope":{},"permissions":["keys.read"]}]`)
	got := w.ask(t, "POST", "/oauth/token", "grant_type=client_credentials&client_id="+k.Key.ClientID+"&client_secret="+k.Secret,
		"Content-Type", "application/x-www-form-urlencoded")
	var token struct {
		Text string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(got.body), &token); err != nil || token.Text == "" {
		t.Fatalf("the token endpoint: %d %s", got.status, got.body)
	}
	got = w.verify(t, "Authorization", "Bearer "+token.Text)
	if got.status != 200 || got.header.Get("X-Keyward-Key-Id") != k.Key.ID {
		t.Errorf("with a token: %d %v %s, want 200 and the key", got.status, got.header, got.body)
	}
	if got := w.ask(t, "GET", "/authz/verify", "", "Keyward-Authorization", "Bearer "+token.Text, "X-Api-Key", k.Secret); got.status != 401 {
		t.Errorf("a token of a key as the gateway's: %d %s, want 401", got.status, got.body)
	}
}

func TestAKeyIsTakenFromWhereTheRulesSay(t *testing.T) {
	w := withRules(t, "key: {header: x-acme-key, query: api_key}\n")
	k := w.key(t, "").Secret
	from := func(uri string, header ...string) []string {
		return append([]string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", uri}, header...)
	}
	for name, test := range map[string]struct {
		header []string
		want   int
	}{
		"the header":              {[]string{"X-Acme-Key", k}, 200},
		"a usual one":             {[]string{"X-Api-Key", k}, 200},
		"the header and a usual":  {[]string{"X-Acme-Key", k, "X-Api-Key", k}, 401},
		"the parameter":           {from("/a?x=%zz&api_key=" + k + "&y"), 200},
		"the parameter, escaped":  {from("/a?%61pi_key=" + strings.ReplaceAll(k, "_", "%5f")), 200},
		"the parameter twice":     {from("/a?api_key=" + k + "&api_key=" + k), 401},
		"the parameter, empty":    {from("/a?api_key="), 401},
		"the parameter, broken":   {from("/a?api_key=" + k + "%"), 401},
		"in other letters":        {from("/a?API_KEY=" + k), 401},
		"behind a semicolon":      {from("/a?x=1;api_key=" + k), 401},
		"the parameter and a key": {from("/a?api_key="+k, "X-Api-Key", k), 401},
		"our own query":           {nil, 401},
	} {
		got := w.verify(t, test.header...)
		if name == "our own query" {
			got = w.ask(t, "GET", "/authz/verify?api_key="+k, "", "Keyward-Authorization", "Bearer "+w.verifier)
		}
		if got.status != test.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, test.want)
		}
	}
}

func TestTheGatewayProvesWhoItIs(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.key(t, "").Secret
	viewer := w.operator(t, "viewer", w.org)
	var other struct{ ID string }
	w.make(t, "/v1/organizations", `{"name":"other"}`, &other)
	elsewhere, everywhere := w.operator(t, "verifier", other.ID), w.operator(t, "verifier", "")
	for name, test := range map[string]struct {
		header []string
		want   int
		realm  string
	}{
		"with its credential":               {[]string{"Keyward-Authorization", "Bearer " + w.verifier}, 200, ""},
		"of the whole deployment":           {[]string{"Keyward-Authorization", "Bearer " + everywhere}, 200, ""},
		"of another organization":           {[]string{"Keyward-Authorization", "Bearer " + elsewhere}, 401, "api"},
		"without":                           {nil, 401, "keyward gateway"},
		"with a wrong one":                  {[]string{"Keyward-Authorization", "Bearer kwop_nonsense"}, 401, "keyward gateway"},
		"with a key":                        {[]string{"Keyward-Authorization", "Bearer " + k}, 401, "keyward gateway"},
		"with another scheme":               {[]string{"Keyward-Authorization", w.verifier}, 401, "keyward gateway"},
		"twice":                             {[]string{"Keyward-Authorization", "Bearer " + w.verifier, "Keyward-Authorization", "Bearer " + w.verifier}, 401, "keyward gateway"},
		"where the key belongs":             {[]string{"Authorization", "Bearer " + w.verifier}, 401, "keyward gateway"},
		"without the right to verify":       {[]string{"Keyward-Authorization", "Bearer " + viewer}, 403, ""},
		"with headers that claim a socket":  {[]string{"X-Forwarded-For", "@", "X-Real-Ip", "unix:"}, 401, "keyward gateway"},
		"with headers, and no credential":   {[]string{"Keyward-Permission", "a", "X-Keyward-Key-Id", "key_1"}, 401, "keyward gateway"},
		"with nonsense, and no credential ": {[]string{"Keyward-Cost", "x"}, 401, "keyward gateway"},
	} {
		got := w.ask(t, "GET", "/authz/verify", "", append(test.header, "X-Api-Key", k)...)
		if got.status != test.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, test.want)
		}
		if realm := got.header.Get("Www-Authenticate"); test.realm != "" && realm != `Bearer realm="`+test.realm+`"` {
			t.Errorf("%s: WWW-Authenticate is %q, want the realm %q", name, realm, test.realm)
		}
		if about := strings.Contains(got.body, "gateway"); about != (test.realm == "keyward gateway") {
			t.Errorf("%s: the body is about the gateway: %v: %s", name, about, got.body)
		}
	}
}

func TestTheGatewaySaysWhatARequestTakes(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.key(t, `,"environment":"test","acl":[{"scope":{"region":["eu","a,b"]},"permissions":["docs.*"]},{"scope":{},"permissions":["free"]}]`).Secret
	for name, test := range map[string]struct {
		header []string
		want   int
	}{
		"nothing":                            {nil, 200},
		"a permission":                       {[]string{"Keyward-Permission", "free"}, 200},
		"one that it lacks":                  {[]string{"Keyward-Permission", "other"}, 403},
		"two":                                {[]string{"Keyward-Permission", "free,\tfree"}, 200},
		"two of which it lacks one":          {[]string{"Keyward-Permission", "free, other"}, 403},
		"one outside its scope":              {[]string{"Keyward-Permission", "docs.read"}, 403},
		"one in its scope":                   {[]string{"Keyward-Permission", "docs.read", "Keyward-Scope", "region=eu"}, 200},
		"one in its scope, escaped":          {[]string{"Keyward-Permission", "docs.read", "Keyward-Scope", "x=,%72egion=a%2Cb"}, 200},
		"one in another scope":               {[]string{"Keyward-Permission", "docs.read", "Keyward-Scope", "region=us"}, 403},
		"its environment":                    {[]string{"Keyward-Environment", "test"}, 200},
		"another environment":                {[]string{"Keyward-Environment", "live"}, 401},
		"its organization":                   {[]string{"Keyward-Organization", w.org}, 200},
		"another organization":               {[]string{"Keyward-Organization", "org_1"}, 401},
		"a cost":                             {[]string{"Keyward-Cost", "5"}, 200},
		"no cost":                            {[]string{"Keyward-Cost", "0"}, 200},
		"the largest cost":                   {[]string{"Keyward-Cost", "9223372036854775807"}, 200},
		"a cost beyond 64 bits":              {[]string{"Keyward-Cost", "9223372036854775808"}, 400},
		"a negative cost":                    {[]string{"Keyward-Cost", "-1"}, 400},
		"a cost with a plus":                 {[]string{"Keyward-Cost", "+1"}, 400},
		"half a cost":                        {[]string{"Keyward-Cost", "0.5"}, 400},
		"a cost in words":                    {[]string{"Keyward-Cost", "one"}, 400},
		"an empty cost":                      {[]string{"Keyward-Cost", ""}, 400},
		"two costs":                          {[]string{"Keyward-Cost", "5", "Keyward-Cost", "0"}, 400},
		"two costs in one line":              {[]string{"Keyward-Cost", "5, 0"}, 400},
		"two lines of permissions":           {[]string{"Keyward-Permission", "free", "Keyward-Permission", "free"}, 400},
		"an empty permission":                {[]string{"Keyward-Permission", "free,"}, 400},
		"no permission":                      {[]string{"Keyward-Permission", " "}, 400},
		"a wildcard":                         {[]string{"Keyward-Permission", "docs.*"}, 400},
		"a thousand permissions":             {[]string{"Keyward-Permission", "p" + strings.Repeat(",p", 999)}, 400},
		"a dimension twice":                  {[]string{"Keyward-Scope", "a=b,a=c"}, 400},
		"a dimension without a value":        {[]string{"Keyward-Scope", "a"}, 400},
		"a value without a dimension":        {[]string{"Keyward-Scope", "=a"}, 400},
		"a broken escape":                    {[]string{"Keyward-Scope", "a=%zz"}, 400},
		"an environment that is none":        {[]string{"Keyward-Environment", "LIVE"}, 400},
		"a status that it cannot have":       {[]string{"Keyward-Deny-Status", "200"}, 400},
		"the status that nginx knows":        {[]string{"Keyward-Deny-Status", "403"}, 200},
		"a header that is misspelt":          {[]string{"Keyward-Permissions", "other"}, 400},
		"a header with an underscore":        {[]string{"Keyward_Permission", "free"}, 400},
		"a header with an underscore inside": {[]string{"Keyward-Deny_Status", "403"}, 400},
		"a header that only begins alike":    {[]string{"Keywarden", "1"}, 200},
	} {
		got := w.verify(t, append(test.header, "X-Api-Key", k)...)
		if got.status != test.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, test.want)
		}
		if got.status != 200 && got.header.Get("X-Keyward-Key-Id") != "" {
			t.Errorf("%s: a refusal says whose the key is", name)
		}
	}
}

func TestRulesSayWhatARequestTakes(t *testing.T) {
	w := withRules(t, `
rules:
  - match: GET /health
    open: true
  - match: GET /docs/{region}/{id...}
    permissions: [docs.read]
    scope: {region: '{region}'}
  - match: POST /docs/eu/
    permissions: [docs.write]
    scope: {region: eu}
  - match: GET /test/
    environment: test
  - match: /any
    cost: 3
`)
	k := w.key(t, `,"acl":[{"scope":{"region":["eu"]},"permissions":["docs.read"]}]`).Secret
	for name, test := range map[string]struct {
		method, uri, key string
		want             int
	}{
		"an open route":                    {"GET", "/health", "", 200},
		"an open route by HEAD":            {"HEAD", "/health?x=y", "", 200},
		"an open route by another method":  {"POST", "/health", k, 403},
		"an open route with a slash":       {"GET", "/health/", k, 403},
		"a route":                          {"GET", "/docs/eu/1?q=//../", k, 200},
		"a route without a key":            {"GET", "/docs/eu/1", "", 401},
		"a route in another scope":         {"GET", "/docs/us/1", k, 403},
		"a scope in escapes":               {"GET", "/docs/%65u/1", k, 200},
		"a route that takes more":          {"POST", "/docs/eu/1", k, 403},
		"a route of any method":            {"PURGE", "/any", k, 200},
		"a route of another environment":   {"GET", "/test/1", k, 401},
		"a path that the mux would mend":   {"GET", "/docs/eu", k, 403},
		"no route":                         {"GET", "/nowhere", k, 403},
		"no route, and no key":             {"GET", "/nowhere", "", 403},
		"another spelling":                 {"GET", "/Health", "", 403},
		"two slashes":                      {"GET", "//health", k, 403},
		"dots":                             {"GET", "/docs/../health", k, 403},
		"dots in escapes":                  {"GET", "/docs/%2e%2e/health", k, 403},
		"a slash in escapes":               {"GET", "/docs/eu%2f1", k, 403},
		"a semicolon":                      {"GET", "/health;a=b", k, 403},
		"a backslash":                      {"GET", `/docs\eu`, k, 403},
		"a NUL":                            {"GET", "/health%00", k, 403},
		"no path":                          {"OPTIONS", "*", k, 403},
		"a whole URI":                      {"GET", "http://h/health", k, 403},
		"CONNECT":                          {"CONNECT", "/any", k, 403},
		"no method":                        {"", "/any", k, 403},
		"a path of 20 KB with wrong bytes": {"GET", "/docs/eu/" + strings.Repeat("%ff", 7000), k, 403},
	} {
		for _, names := range [][2]string{{"X-Forwarded-Method", "X-Forwarded-Uri"}, {"X-Original-Method", "X-Original-Uri"}} {
			header := []string{names[0], test.method, names[1], test.uri}
			if test.key != "" {
				header = append(header, "X-Api-Key", test.key)
			}
			got := w.verify(t, header...)
			if got.status != test.want {
				t.Errorf("%s: %d %s, want %d", name, got.status, got.body, test.want)
			}
			if _, there := got.header["X-Keyward-Key-Id"]; there != (got.status == 200) {
				t.Errorf("%s: the identity is there: %v", name, there)
			}
		}
	}
	if got := w.verify(t, "X-Api-Key", k); got.status != 403 {
		t.Errorf("a gateway that does not say what was asked for: %d %s, want 403", got.status, got.body)
	}
	for _, name := range []string{"Keyward-Permission", "Keyward-Scope", "Keyward-Cost"} {
		got := w.verify(t, "X-Api-Key", k, "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/any", name, "0")
		if got.status != 400 || !strings.Contains(got.body, name) {
			t.Errorf("%s beside rules: %d %s, want 400", name, got.status, got.body)
		}
	}
	got := w.verify(t, "X-Api-Key", k, "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/test/1", "Keyward-Environment", "live")
	if got.status != 403 {
		t.Errorf("a gateway for another environment than the route: %d %s, want 403", got.status, got.body)
	}
}

func TestWithoutRulesNobodyNeedsToKnowThePath(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	got := w.verify(t, "X-Api-Key", w.key(t, "").Secret, "X-Original-Uri", "//", "X-Forwarded-Method", "?")
	if got.status != 200 {
		t.Errorf("%d %s, want 200", got.status, got.body)
	}
}

func TestTheAddressOfTheClientIsWhatTrustedProxiesSay(t *testing.T) {
	const allowed = `,"allowedIps":["198.51.100.7"]`
	worlds := map[string]*world{} // by whom they trust
	for name, test := range map[string]struct {
		trusted string
		header  []string
		want    int
	}{
		"A61 nobody is trusted": {"", []string{
			"X-Forwarded-For", "198.51.100.7", "X-Real-Ip", "198.51.100.7", "Forwarded", "for=198.51.100.7",
			"True-Client-Ip", "198.51.100.7", "Cf-Connecting-Ip", "198.51.100.7",
		}, 403},
		"A62 the proxy is trusted":          {"127.0.0.1", []string{"X-Forwarded-For", "198.51.100.7"}, 200},
		"A62 the rightmost counts":          {"127.0.0.1", []string{"X-Forwarded-For", "198.51.100.7, 203.0.113.1"}, 403},
		"A62 left of trusted ones":          {"127.0.0.1,10.0.0.0/8", []string{"X-Forwarded-For", "203.0.113.1, 198.51.100.7, 10.1.1.1"}, 200},
		"A62 a thousand entries":            {"127.0.0.1", []string{"X-Forwarded-For", strings.Repeat("203.0.113.1,", 1000) + "198.51.100.7"}, 200},
		"A62 a thousand entries left of it": {"127.0.0.1", []string{"X-Forwarded-For", strings.Repeat("198.51.100.7,", 1000) + "203.0.113.1"}, 403},
		"A62 a thousand trusted entries":    {"127.0.0.1", []string{"X-Forwarded-For", "198.51.100.7" + strings.Repeat(",127.0.0.1", 1000)}, 403},
		"A62 two lines":                     {"127.0.0.1", []string{"X-Forwarded-For", "198.51.100.7", "X-Forwarded-For", "203.0.113.1"}, 403},
		"A62 another header":                {"127.0.0.1", []string{"X-Real-Ip", "198.51.100.7"}, 403},
		"A62 an underscore":                 {"127.0.0.1", []string{"X_Forwarded_For", "198.51.100.7"}, 403},
		"A62 a word":                        {"127.0.0.1", []string{"X-Forwarded-For", "unknown"}, 403},
		"A62 a port":                        {"127.0.0.1", []string{"X-Forwarded-For", "198.51.100.7:80"}, 403},
		"A62 an empty entry":                {"127.0.0.1", []string{"X-Forwarded-For", "198.51.100.7,"}, 403},
		"A63 a Connection header":           {"127.0.0.1", []string{"X-Forwarded-For", "198.51.100.7", "Connection", "X-Forwarded-For"}, 200},
	} {
		w := worlds[test.trusted]
		if w == nil {
			w = newWorld(t, keywardtest.Options{TrustedProxies: test.trusted})
			worlds[test.trusted] = w
		}
		got := w.verify(t, append(test.header, "X-Api-Key", w.key(t, allowed).Secret)...)
		if got.status != test.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, test.want)
		}
	}
}

func TestWhoAsksTooMuchIsTold429(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	limited := w.key(t, `,"rateLimits":[{"name":"requests","limit":3,"window":"1h"}]`).Secret
	spent := w.key(t, `,"credits":{"remaining":1}`).Secret
	for _, test := range []struct {
		name         string
		header       []string
		status       int
		limit, retry string // expressions
	}{
		{"a use", []string{"X-Api-Key", limited, "Keyward-Cost", "2"}, 200, `^"requests";r=1;t=\d+$`, `^$`},
		{"more than is left", []string{"X-Api-Key", limited, "Keyward-Cost", "2"}, 429, `^"requests";r=1;t=\d+$`, `^\d+$`},
		{"the same for nginx", []string{"X-Api-Key", limited, "Keyward-Cost", "2", "Keyward-Deny-Status", "403"}, 403, `^"requests";r=1;t=\d+$`, `^\d+$`},
		{"more than ever is", []string{"X-Api-Key", limited, "Keyward-Cost", "4"}, 429, `^"requests";r=1;t=\d+$`, `^$`},
		{"what is left", []string{"X-Api-Key", limited}, 200, `^"requests";r=0;t=\d+$`, `^$`},
		{"nothing", []string{"X-Api-Key", limited, "Keyward-Cost", "0"}, 200, `^"requests";r=0;t=\d+$`, `^$`},
		{"a credit", []string{"X-Api-Key", spent}, 200, `^$`, `^$`},
		{"one more credit", []string{"X-Api-Key", spent}, 429, `^$`, `^$`},
		{"refused for no right", []string{"X-Api-Key", limited, "Keyward-Permission", "p", "Keyward-Deny-Status", "403"}, 403, `^$`, `^$`},
	} {
		got := w.verify(t, test.header...)
		if got.status != test.status {
			t.Errorf("%s: %d %s, want %d", test.name, got.status, got.body, test.status)
		}
		for header, want := range map[string]string{"RateLimit": test.limit, "Retry-After": test.retry} {
			if value := got.header.Get(header); !regexp.MustCompile(want).MatchString(value) {
				t.Errorf("%s: %s is %q, want %s", test.name, header, value, want)
			}
		}
		meant := ""
		if test.status == 403 && test.limit != `^$` {
			meant = "429"
		}
		if value := got.header.Get("X-Keyward-Status"); value != meant {
			t.Errorf("%s: X-Keyward-Status is %q, want %q", test.name, value, meant)
		}
	}
}

func TestALongListOfHeadersIsNoBurden(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.key(t, "").Secret
	if got := w.verify(t, "X-Api-Key", k, "X-Long", strings.Repeat("x", 100<<10)); got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("100 KB of headers: %d %s, want 431", got.status, got.body)
	}
	body := strings.Repeat("x", 1<<20)
	got := w.ask(t, "POST", "/authz/verify", body, "Keyward-Authorization", "Bearer "+w.verifier, "X-Api-Key", k, "Content-Type", "a/b", "Content-Encoding", "gzip")
	if got.status != 200 {
		t.Errorf("a body: %d %s, want 200, as nobody reads it", got.status, got.body)
	}
}

func TestTheLogSaysWhyAndHoldsNoKey(t *testing.T) {
	var log strings.Builder
	w := newWorld(t, keywardtest.Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	k := w.key(t, `,"enabled":false`).Secret
	w.verify(t, "X-Api-Key", k)
	w.verify(t, "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/?api_key="+k)
	w.ask(t, "GET", "/authz/verify?api_key="+k, "")
	if err := w.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"refusal=disabled", `refusal="no key"`, `refusal="the gateway sends no Keyward-Authorization"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
	if strings.Contains(log.String(), k) || strings.Contains(log.String(), w.verifier) {
		t.Errorf("the log holds a secret:\n%s", log.String())
	}
}
