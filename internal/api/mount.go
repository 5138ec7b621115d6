package api

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Surfaces says where surfaces are served. Paths reach them whole: nothing is
// stripped.
type Surfaces struct {
	// Mounts maps prefixes to surfaces. "/v1/" is that path, all below it, and
	// "/v1" itself; "/livez" is that path alone. The longest match serves.
	Mounts map[string]http.Handler
	// Hosts maps host names, in any case and without port, to one of the prefixes.
	// At such a host every path is taken below the prefix, and nothing else is
	// reachable: /v2/api-keys at aerospike.localhost is /aerospike/v2/api-keys.
	Hosts map[string]string
	// Fallback serves all other paths.
	Fallback http.Handler
}

// Handler returns the router. It panics if a host is mapped to a prefix that does not
// begin and end with a slash.
func (s Surfaces) Handler() http.Handler {
	m := &mux{mounts: maps.Clone(s.Mounts), hosts: make(map[string]string), fallback: s.Fallback}
	m.prefixes = slices.SortedFunc(maps.Keys(m.mounts), func(a, b string) int { return len(b) - len(a) })
	for host, prefix := range s.Hosts {
		if !strings.HasPrefix(prefix, "/") || !strings.HasSuffix(prefix, "/") {
			panic("api: the prefix " + prefix + " of a host does not begin and end with a slash")
		}
		m.hosts[HostName(host)] = strings.TrimSuffix(prefix, "/")
	}
	return m
}

// mux dispatches by host and prefix.
type mux struct {
	mounts   map[string]http.Handler
	prefixes []string          // of mounts, longest first
	hosts    map[string]string // to prefixes without their last slash
	fallback http.Handler
}

// ServeHTTP implements [http.Handler].
func (m *mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	prefix, ok := m.hosts[HostName(r.Host)]
	if !ok {
		m.at(r.URL.Path).ServeHTTP(w, r)
		return
	}
	inner := r.WithContext(context.WithValue(r.Context(), atRootKey{}, true))
	inner.URL = below(prefix, r.URL)
	m.at(inner.URL.Path).ServeHTTP(w, inner)
}

type atRootKey struct{}

// Base returns what links of a surface below prefix begin with: the public URL and
// the prefix. For a request to a host at whose root the surface is, they are paths
// from there: what the server is called elsewhere does not lead to that host.
func Base(ctx context.Context, publicURL, prefix string) string {
	if atRoot, _ := ctx.Value(atRootKey{}).(bool); atRoot {
		return ""
	}
	return publicURL + prefix
}

// at returns what serves a path. It looks at the decoded path: a surface sees every
// spelling of its paths, and refuses the odd ones.
func (m *mux) at(path string) http.Handler {
	for _, prefix := range m.prefixes {
		if path == prefix || strings.HasSuffix(prefix, "/") &&
			(strings.HasPrefix(path, prefix) || path == strings.TrimSuffix(prefix, "/")) {
			return m.mounts[prefix]
		}
	}
	return m.fallback
}

// below returns u with the prefix before its path. Targets that are no path, such as
// "*", become one that no surface has.
func below(prefix string, u *url.URL) *url.URL {
	moved := *u
	if !strings.HasPrefix(u.Path, "/") {
		moved.Path, moved.RawPath = prefix+"//", ""
		return &moved
	}
	moved.Path = prefix + u.Path
	if u.RawPath != "" {
		moved.RawPath = prefix + u.RawPath
	}
	return &moved
}

// HostName returns a host as it is compared: without port, without the dot of the
// root, and in lower case.
func HostName(host string) string {
	if strings.Contains(host, ":") { // else there is no port, and an error to allocate
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
