// Package rebilly serves the API keys of the Rebilly API on the wire, below /rebilly/:
// a client of that API needs another base URL and nothing else.
//
// It translates. Who may see what, and what a key is, is decided where the native
// API has it decided; what was chosen where the vendor says nothing is in
// README.md. It is not a place for rules, nor for the vendor's other
// resources.
package rebilly

import (
	"net/http"
	"time"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
	"keyward/internal/oauth"
	"keyward/internal/verify"
)

// handler answers the routes.
type handler struct {
	plane  *control.Plane
	engine *verify.Engine
	tokens *oauth.Tokens
	now    func() keyward.Time
	base   string // of links
}

// New returns the surface. Links begin with base, the public URL without a slash at
// its end; if that is empty they are paths.
func New(plane *control.Plane, engine *verify.Engine, tokens *oauth.Tokens, base string) http.Handler {
	h := newHandler(plane, engine, tokens, base)
	return api.Surface{
		Name: "rebilly", Authenticate: h.authenticate, Error: writeError, LooseQuery: true, LooseJSON: true,
	}.Handler(h.routes())
}

func newHandler(plane *control.Plane, engine *verify.Engine, tokens *oauth.Tokens, base string) *handler {
	return &handler{
		plane: plane, engine: engine, tokens: tokens, base: base,
		now: func() keyward.Time { return keyward.TimeOf(time.Now()) },
	}
}

// Routes returns the table of routes, for those who read it: nothing in it can be
// called.
func Routes() []api.Route { return newHandler(nil, nil, nil, "").routes() }

// The vendor's JavaScript client writes some collections with a slash at the end, and
// leaves the organization out if it was not told one.
const (
	prefix       = "/rebilly"
	organization = prefix + "/organizations/{organizationId}"
	keys         = "/api-keys"
	slash        = "/{$}"
)

func (h *handler) routes() []api.Route {
	var routes []api.Route
	for _, path := range []string{prefix + keys, prefix + keys + slash, organization + keys, organization + keys + slash} {
		routes = append(routes, api.Route{
			Pattern: "GET " + path, Permission: keyward.KeysRead,
			Query: []string{"limit", "offset", "sort", "filter"}, Handle: h.listKeys,
		})
	}
	return routes
}
