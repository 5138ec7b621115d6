package gateway

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"keyward"
)

// The headers of a proxy's own. They count because the proxy has proved who it is, and
// a client's must not get among them; so each may be there once, and others that look
// like them not at all.
const (
	authorizationHeader = "Keyward-Authorization"
	organizationHeader  = "Keyward-Organization"
	permissionHeader    = "Keyward-Permission"
	scopeHeader         = "Keyward-Scope"
	costHeader          = "Keyward-Cost"
	keyEnvHeader        = "Keyward-Environment"
	denyStatusHeader    = "Keyward-Deny-Status"
)

var ownHeaders = []string{
	authorizationHeader, organizationHeader, permissionHeader, scopeHeader, costHeader, keyEnvHeader, denyStatusHeader,
}

// Check answers for a request of which a proxy passes on the headers, with its own among
// them, and whose client is at ip. Beside the errors of [Gateway.Decide], it is Invalid
// if the proxy's own headers are wrong.
func (g *Gateway) Check(by *keyward.Actor, header http.Header, ip netip.Addr) (Outcome, error) {
	q := Question{Header: header}
	if err := g.Terms(&q, header); err != nil {
		return Outcome{}, err
	}
	q.Wanted.IP = ip
	if g.rules.lookAtURI() {
		var why string
		if q.Method, q.Path, q.Query, why = original(header); why != "" {
			return refused(http.StatusForbidden, why), nil
		}
	}
	return g.Decide(by, &q)
}

// Terms reads into q what the headers of a proxy's own say that a request takes. Errors
// are Invalid; they name all that is wrong.
func (g *Gateway) Terms(q *Question, header http.Header) error {
	t := terms{header: header}
	t.strangers()
	q.Wanted = keyward.Request{
		OrganizationID: t.one(organizationHeader), Environment: keyward.Environment(t.one(keyEnvHeader)),
		Permissions: t.list(permissionHeader), Scope: t.scope(), Cost: t.cost(),
	}
	if e := q.Wanted.Environment; e != "" && !e.Valid() {
		t.fault(keyEnvHeader, "must be live, test or sandbox")
	}
	keyward.ValidateWanted(&t.faults, q.Wanted.Permissions, q.Wanted.Scope)
	switch t.one(denyStatusHeader) {
	case "":
	case "403":
		q.RefuseWith = http.StatusForbidden
	default:
		t.fault(denyStatusHeader, "can only be 403")
	}
	for _, name := range []string{permissionHeader, scopeHeader, costHeader} {
		if g.rules.mux != nil && header[name] != nil {
			t.fault(name, "is not for gateways while there are route rules: they say what a request takes")
		}
	}
	return t.faults.Err()
}

// terms reads the headers of a proxy's own, and collects what is wrong with them.
type terms struct {
	header http.Header
	faults keyward.Faults
}

func (t *terms) fault(name, format string, args ...any) { t.faults.Add("/"+name, format, args...) }

// strangers finds headers that are not known, so that a misspelt one is not taken for
// none, and those with an underscore that others may take for a hyphen.
func (t *terms) strangers() {
	const prefix = "keyward"
	for name := range t.header {
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) &&
			(name[len(prefix)] == '-' || name[len(prefix)] == '_') && !slices.Contains(ownHeaders, name) {
			t.faults.Add("", "there is a Keyward- header that no gateway sends: a misspelt one, or the client's, which the gateway must remove")
		}
	}
}

// one returns the value of a header that may be there once.
func (t *terms) one(name string) string {
	lines := t.header[name]
	switch {
	case len(lines) == 0:
		return ""
	case len(lines) > 1:
		t.fault(name, "is there more than once: the gateway must replace the client's")
	case strings.TrimSpace(lines[0]) == "":
		t.fault(name, "is empty")
	}
	return strings.Trim(lines[0], " \t")
}

// list returns the elements of a header that holds a list with commas between.
func (t *terms) list(name string) []string {
	text := t.one(name)
	if text == "" {
		return nil
	}
	var elements []string
	for element := range strings.SplitSeq(text, ",") {
		elements = append(elements, strings.Trim(element, " \t"))
	}
	return elements
}

// scope reads a list of dimension=value, both percent-encoded.
func (t *terms) scope() map[string]string {
	pairs := t.list(scopeHeader)
	if pairs == nil {
		return nil
	}
	scope := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		rawName, rawValue, ok := strings.Cut(pair, "=")
		name, wrongName := url.PathUnescape(rawName)
		value, wrongValue := url.PathUnescape(rawValue)
		_, twice := scope[name]
		if !ok || name == "" || wrongName != nil || wrongValue != nil || twice {
			t.fault(scopeHeader, "must be like region=eu,tier=gold, each dimension once")
			return nil
		}
		scope[name] = value
	}
	return scope
}

// cost reads what a request counts for, by default 1.
func (t *terms) cost() int64 {
	text := t.one(costHeader)
	if t.header[costHeader] == nil {
		return 1
	}
	cost, ok := whole(text)
	if !ok {
		t.fault(costHeader, wholeNumber)
	}
	return cost
}

const wholeNumber = "must be a whole number from 0 to 9223372036854775807"

// whole reads a number of decimal digits only.
func whole(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && strings.Trim(text, "0123456789") == ""
}

// families are the headers in which proxies say what the client asked for. A client can
// send those that its proxy does not set: so a family counts only if it is complete, and
// if there are two they must agree.
var families = [][2]string{
	{"X-Forwarded-Method", "X-Forwarded-Uri"}, // Caddy, Traefik
	{"X-Original-Method", "X-Original-Uri"},   // nginx
}

// original returns what the client asked for, nothing if the proxy does not say, or why
// it cannot be known.
func original(header http.Header) (method, path, query, why string) {
	var uri string
	for _, family := range families {
		methods, uris := header[family[0]], header[family[1]]
		if len(methods) == 0 && len(uris) == 0 {
			continue
		}
		if len(methods) != 1 || len(uris) != 1 || methods[0] == "" || uris[0] == "" {
			return "", "", "", "not one " + family[0] + " and one " + family[1]
		}
		if method != "" && (method != methods[0] || uri != uris[0]) {
			return "", "", "", "two different original requests"
		}
		method, uri = methods[0], uris[0]
	}
	path, query, _ = strings.Cut(uri, "?")
	return method, path, query, ""
}
