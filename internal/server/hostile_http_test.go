package server_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"keyward/internal/api"
)

// targets are paths that nobody has.
var targets = []hostile{
	{"A44", "/v1//organizations", 404, ""},
	{"A44", "/V1/Organizations", 404, ""},
	{"A44", "/v1/organizations/.", 404, ""},
	{"A44", "/v1/organizations/..;/operators", 404, ""},
	{"A44", "/v1/organizations%2f..%2foperators", 404, ""},
	{"A44", "/v1/%2e%2e/", 404, ""},
	{"A44", "//evil.test/x", 404, ""},
	{"A44", "/v1/organizations/", 404, ""},
	{"A44", "/v1/../v1/organizations", 404, ""},
	{"A44", "/v1/./operators", 404, ""},
	{"A44", "/v1/organizations\\", 404, ""},
	{"A44", "/v1/organizations%5c", 404, ""},
	{"A44", "/v1", 404, ""},
	{"A44", "/v1/", 404, ""},
	{"A44", "/v1/organizations%00", 404, ""},
	{"A44", "/v1/organizations%0d%0a", 404, ""},
	{"A44", "/v1/organizations;a=b", 404, ""},
	{"A44", "/%76%31//nodes", 404, ""},
	{"A48", "/metrics", 404, ""},
	{"A48", "/debug/pprof/", 404, ""},
	{"A48", "/debug/pprof/heap", 404, ""},
	{"A48", "/.git/config", 404, ""},
	{"A48", "/.env", 404, ""},
	{"A48", "/env", 404, ""},
	{"A48", "/openapi.json", 404, ""},
	{"A48", "/v2/organizations", 404, ""},
	{"A48", "/v0/organizations", 404, ""},
	{"A48", "/master.key", 404, ""},
	{"A48", "/keyward.db", 404, ""},
	{"A48", "/root-token", 404, ""},
	{"A48", "/openapi/../master.key", 404, ""},
	{"A48", "/openapi/secret.json", 404, ""},
	{"A48", "/server-status", 404, ""},
	{"A48", "/wp-login.php", 404, ""},
	{"A48", "/.well-known/", 404, ""},
	{"A48", "/.well-known/security.txt", 404, ""},
	{"A99", "/setup", 404, ""},
	{"A99", "/v1/setup", 404, ""},
	{"A99", "/v1/bootstrap", 404, ""},
	{"A39", "/" + times(4097, "a"), 414, ""},
	{"A39", "/v1/organizations/" + times(5000, "a"), 414, ""},
	{"A44", "/aerospike/", 404, ""},
	{"A44", "/aerospike/v2/api-keys/", 404, ""},
	{"A44", "/aerospike/v3/api-keys", 404, ""},
	{"A44", "/rebilly/", 404, ""},
	{"A44", "/rebilly//api-keys", 404, ""},
	{"A44", "/rebilly/Api-Keys", 404, ""},
	{"A44", "/gjirafa/api/", 404, ""},
	{"A44", "/gjirafa/api/organizations//api-keys", 404, ""},
	{"A44", "/oauth/", 404, ""},
	{"A44", "/oauth/token/", 404, ""},
	{"A44", "/oauth//token", 404, ""},
}

func TestHostileTargetsAreNotFound(t *testing.T) {
	h := newTrial(t)
	for _, target := range targets {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			got := h.ask(t, method, target.text, "", bearer(h.who.operator)...)
			if got.status != target.want {
				t.Errorf("%s %s %.100s: %d %s, want %d", target.abuse, method, target.text, got.status, got.body, target.want)
			}
			h.judge(target.abuse+" "+method+" "+target.text, surface{name: surfaceOf(target.text)}, got, 0, "")
		}
	}
	h.unwritten("targets")
	h.end(100)
}

// surfaceOf names the surface that words the errors of a path.
func surfaceOf(path string) string {
	for prefix, name := range map[string]string{
		"/aerospike/": "aerospike", "/rebilly/": "rebilly", "/gjirafa/": "gjirafa", "/oauth/": "oauth", "/.well-known/": "oauth",
	} {
		if strings.HasPrefix(path, prefix) {
			return name
		}
	}
	return "native"
}

// wildMethods are those that a path has by the wildcard of another route.
var wildMethods = map[string][]string{
	"/gjirafa/api/organizations/{organizationId}/api-keys/projects": {"GET", "HEAD", "DELETE"}, // of a key's id
}

// anyMethod are the paths that proxies ask with whatever method the client used.
var anyMethod = []string{"/authz/verify"}

// Every path has its methods, and no header adds one.
func TestOtherMethodsAreRefused(t *testing.T) {
	h := newTrial(t)
	methods := map[string][]string{}
	all := map[string]asking{}
	for _, s := range surfaces() {
		for _, route := range s.routes {
			a := askings(route)[0]
			methods[a.path] = append(methods[a.path], a.method)
			all[a.path] = a
		}
	}
	for path, a := range all {
		if slices.Contains(anyMethod, path) {
			continue
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO", "get", "PROPFIND"} {
			if slices.Contains(methods[path], method) || method == "HEAD" && slices.Contains(methods[path], "GET") ||
				slices.Contains(wildMethods[path], method) {
				continue
			}
			got := h.ask(t, method, h.values.fill(path), "", append(bearer(h.who.operator), "X-HTTP-Method-Override", a.method, "X-Http-Method", a.method)...)
			if got.status != 405 || !slices.Contains(strings.Split(got.header.Get("Allow"), ", "), a.method) {
				t.Errorf("A43 %s %s: %d, Allow %q, want 405", method, path, got.status, got.header.Get("Allow"))
			}
			if method != "HEAD" {
				h.judge("A43 "+method+" "+path, surface{name: surfaceOf(path)}, got, 0, "")
			}
		}
		for _, method := range methods[path] {
			a.method = method
			h.tryOverride(a)
		}
	}
	h.unwritten("methods")
	h.end(200)
}

// tryOverride reads with a header that asks for something else.
func (h *trial) tryOverride(a asking) {
	h.t.Helper()
	if a.method != "GET" {
		return
	}
	credential := h.credential(surface{name: "native"})
	plain := h.send(h.t, a, h.values, credential)
	got := h.send(h.t, a, h.values, append(credential, "X-HTTP-Method-Override", "DELETE", "X-Method-Override", "DELETE"))
	if got.status != plain.status {
		h.t.Errorf("A43 %s with an override: %d, without %d", a.pattern, got.status, plain.status)
	}
	h.tried++
}

// authorizations are no credentials.
func authorizations(operator, key string) []string {
	basic := base64.StdEncoding.EncodeToString([]byte(operator + ":" + operator))
	return []string{
		"", "Bearer", "Bearer ", "Bearer  " + operator, "Bearer " + operator + ", Bearer " + operator, "Bearer " + operator + " ", "Bearer " + operator + "\t",
		"Bearer\t" + operator, "Bearer abc", "abc", operator, "Token " + operator, "Basic " + basic, "Basic " + base64.StdEncoding.EncodeToString([]byte(":"+operator)),
		"Basic " + operator, "Digest username=\"x\"", "Negotiate x", "Bearer " + times(20000, "a"), "Bearer schl\u00fcssel", "Bearer " + operator + "x", "Bearer " + operator[:len(operator)-1],
		"Bearer " + strings.ToUpper(operator), "Bearer \"" + operator + "\"", "Bearer '" + operator + "'", "Bearer <" + operator + ">", "Bearer token=" + operator,
		"Bearer ' OR '1'='1", "Bearer null", "Bearer undefined", "Bearer .", "Bearer ..", "Bearer " + times(5000, "."), "Bearer " + key, "apikey " + operator, "Bearer * ", "Bearer %00",
	}
}

func TestHostileAuthorizationsAreRefused(t *testing.T) {
	h := newTrial(t)
	texts := authorizations(h.who.operator, keyOfNobody)
	for _, s := range surfaces() {
		for _, route := range s.kinds() {
			if route.Open {
				continue
			}
			a := askings(route)[0]
			for _, text := range texts {
				if strings.TrimSpace(text) == "Bearer "+h.who.operator {
					continue // white space at the end of a header is not part of it
				}
				got := h.send(t, a, h.values, []string{"Authorization", text})
				h.refuse("A50 "+route.Pattern+" "+text, s, got)
			}
			for name, header := range map[string][]string{
				"two headers":         {"Authorization", "Bearer " + h.who.operator, "Authorization", "Bearer " + h.who.operator},
				"a cookie":            {"Cookie", "token=" + h.who.operator + "; Authorization=Bearer " + h.who.operator},
				"X-Api-Key":           {"X-Api-Key", h.who.operator},
				"X-Auth-Token":        {"X-Auth-Token", h.who.operator},
				"Proxy-Authorization": {"Proxy-Authorization", "Bearer " + h.who.operator},
				"X-Forwarded-User":    {"X-Forwarded-User", "root", "X-Remote-User", "root", "X-Original-Url", "/livez", "X-Rewrite-Url", "/livez"},
			} {
				h.refuse("A47 "+route.Pattern+" "+name, s, h.send(t, a, h.values, header))
			}
		}
	}
	h.unwritten("authorizations")
	h.end(1000)
}

// keyOfNobody has the form of a key, with a wrong checksum.
const keyOfNobody = "kw_live_00000000000000000000000000000000000000000000000000"

func (h *trial) refuse(at string, s surface, got answer) {
	h.t.Helper()
	h.judge(at, s, got, 401, "")
	if got.status != 401 {
		h.t.Errorf("%.200s: %d %s, want 401", at, got.status, got.body)
	}
	if got.header.Get("Www-Authenticate") == "" {
		h.t.Errorf("%.200s: no WWW-Authenticate", at)
	}
}

// headers go with requests that would otherwise change something.
var headers = []struct {
	abuse  string
	header []string
	want   int
}{
	{"A28", []string{"Content-Type", ""}, 415},
	{"A28", []string{"Content-Type", "text/plain"}, 415},
	{"A28", []string{"Content-Type", "application/xml"}, 415},
	{"A28", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415},
	{"A28", []string{"Content-Type", "application/json; charset=utf-16"}, 415},
	{"A28", []string{"Content-Type", api.MediaForm}, 415},
	{"A28", []string{"Content-Type", "application/json, text/plain"}, 415},
	{"A28", []string{"Content-Type", "json"}, 415},
	{"A28", []string{"Content-Type", "application/json; charset"}, 415},
	{"A28", []string{"Content-Type", "text/json"}, 415},
	{"A28", []string{"Content-Type", "application/*"}, 415},
	{"A36", []string{"Content-Encoding", "gzip"}, 415},
	{"A36", []string{"Content-Encoding", "gzip, gzip"}, 415},
	{"A36", []string{"Content-Encoding", "br"}, 415},
	{"A36", []string{"Content-Encoding", "identity, gzip"}, 415},
	{"A36", []string{"Content-Encoding", "x"}, 415},
	{"A82", []string{"Idempotency-Key", times(256, "a")}, 400},
	{"A82", []string{"Idempotency-Key", ""}, 400},
	{"A82", []string{"Idempotency-Key", "a b"}, 400},
	{"A82", []string{"Idempotency-Key", "schl\u00fcssel"}, 400},
	{"A82", []string{"Idempotency-Key", "a", "Idempotency-Key", "b"}, 400},
	{"A82", []string{"Idempotency-Key", times(10000, "a")}, 400},
	{"A46", []string{"If-Match", "x"}, 400},
	{"A46", []string{"If-Match", `"99"`}, 412},
	{"A46", []string{"If-Match", `W/"1"`}, 412},
	{"A46", []string{"If-Match", `"1", "2"`}, 400},
	{"A46", []string{"If-Match", ""}, 400},
	{"A46", []string{"If-Match", `"01"`}, 412},
	{"A46", []string{"If-Match", `"-1"`}, 412},
	{"A46", []string{"If-Match", `"` + times(1000, "9") + `"`}, 412},
	{"A46", []string{"If-Match", `"1"`, "If-Match", `"2"`}, 400},
	{"A46", []string{"If-Match", "`1`"}, 400},
	{"A46", []string{"If-Match", `"1`}, 400},
}

func TestHostileHeadersAreRefused(t *testing.T) {
	h := newTrial(t)
	for _, s := range surfaces() {
		for _, route := range s.routes {
			if route.Open || !writes(route) && !strings.HasPrefix(route.Pattern, "DELETE ") {
				continue
			}
			for _, x := range headers {
				h.tryHeader(s, route, x.abuse, x.header, x.want)
			}
			h.unwritten(route.Pattern)
		}
	}
	h.end(150)
}

// tryHeader sends a header with a request that it applies to.
func (h *trial) tryHeader(s surface, route api.Route, abuse string, header []string, want int) {
	h.t.Helper()
	a := askings(route)[0]
	onKey := strings.Contains(route.Pattern, "/api-keys/{keyId}") && !strings.HasSuffix(route.Pattern, "/reveal") && s.name == "native"
	once := s.name == "native" && a.method == http.MethodPost && !strings.Contains(route.Pattern, "/verify") && !strings.HasSuffix(route.Pattern, "/reveal")
	switch header[0] {
	case "If-Match":
		if !onKey {
			return
		}
	case "Idempotency-Key":
		if !once {
			return
		}
	case "Content-Type", "Content-Encoding":
		if a.method == http.MethodDelete || a.body == "" || slices.Contains(route.Media, header[1]) {
			return
		}
	}
	a.header = nil
	credential := h.credential(s)
	h.judge(abuse+" "+route.Pattern+" "+strings.Join(header, ": "), s, h.send(h.t, a, h.values, append(credential, header...)), want, "")
}
