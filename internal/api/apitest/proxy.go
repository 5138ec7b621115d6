package apitest

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// Proxy starts a server that passes everything on to target, a URL that may have a
// path, and holds each exchange against every contract. It is for clients that are not
// written in Go. It returns where it is; it stops when the test ends.
//
// A name below localhost is the loopback address (RFC 6761, 6.3), which resolvers do
// not all know; the server is still told the name.
func Proxy(t testing.TB, target string, contracts ...*Contract) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatalf("the proxy's target: %v", err)
	}
	through := http.DefaultTransport
	for _, contract := range contracts {
		through = &transport{t: t, contract: contract, next: through}
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Transport: through,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.URL.RawQuery = r.In.URL.RawQuery // as it was written, whatever it is
			if strings.HasSuffix(to.Hostname(), ".localhost") {
				r.Out.Host, r.Out.URL.Host = to.Host, net.JoinHostPort("127.0.0.1", to.Port())
			}
		},
	})
	t.Cleanup(proxy.Close)
	return proxy.URL
}
