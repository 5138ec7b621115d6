package envoy

import (
	"net/http"
	"net/netip"
	"strings"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"

	"keyward"
	"keyward/internal/gateway"
)

// removeKey is the context extension that has the key taken out of the request.
const removeKey = "Keyward-Remove-Key"

// question turns what Envoy says of a request into what package gateway is asked.
func (c *checker) question(attributes *authv3.AttributeContext) (*gateway.Question, error) {
	request := attributes.GetRequest().GetHttp()
	if request == nil {
		return nil, keyward.Errorf(keyward.Invalid, "there is no HTTP request: the filter must be that of HTTP")
	}
	q := &gateway.Question{Method: request.GetMethod(), Header: headers(request)}
	q.Path, q.Query, _ = strings.Cut(request.GetPath(), "?")
	terms := extensions(attributes)
	switch terms.Get(removeKey) {
	case "", "true", "false":
	default:
		return nil, keyward.Errorf(keyward.Invalid, "the context extension keyward-remove-key must be true or false")
	}
	terms.Del(removeKey)
	if err := c.gate.Terms(q, terms); err != nil {
		return nil, err
	}
	// Envoy says who opened the connection; whom that one speaks for stands in the headers.
	source, _ := netip.ParseAddr(attributes.GetSource().GetAddress().GetSocketAddress().GetAddress())
	q.Wanted.IP = keyward.ClientAddress(source, q.Header["X-Forwarded-For"], c.config.Proxies)
	return q, nil
}

// headers returns the request's headers, from whichever of its two members Envoy uses: a
// map in which the lines of one name are joined, or a list of lines.
func headers(request *authv3.AttributeContext_HttpRequest) http.Header {
	header := make(http.Header, len(request.GetHeaders()))
	add := func(name, value string) {
		if name != "" && name[0] != ':' { // a pseudo-header says what other members do
			canonical := http.CanonicalHeaderKey(name)
			header[canonical] = append(header[canonical], value)
		}
	}
	for name, value := range request.GetHeaders() {
		add(name, value)
	}
	for _, line := range request.GetHeaderMap().GetHeaders() {
		if raw := line.GetRawValue(); len(raw) > 0 {
			add(line.GetKey(), string(raw))
		} else {
			add(line.GetKey(), line.GetValue())
		}
	}
	return header
}

// extensions returns the context extensions that are for Keyward, as the headers that other
// proxies say the same with. They come from the configuration of a route; no client can
// write them.
func extensions(attributes *authv3.AttributeContext) http.Header {
	header := http.Header{}
	for name, value := range attributes.GetContextExtensions() {
		if ours(name) {
			canonical := http.CanonicalHeaderKey(name)
			header[canonical] = append(header[canonical], value)
		}
	}
	return header
}

// ours reports whether a header or an extension has a name of Keyward's, in any spelling
// that somebody might read as one.
func ours(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	return strings.HasPrefix(name, "keyward-") || strings.HasPrefix(name, "x-keyward-")
}
