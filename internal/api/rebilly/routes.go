// Package rebilly serves the API keys of the Rebilly API on the wire, below /rebilly/:
// a client of that API needs another base URL and nothing else.
//
// It translates. Who may see what, and what a key is, is decided where the native
// API has it decided; what was chosen where the vendor says nothing is in
// README.md. It is not a place for rules, nor for what of the vendor's API is not
// about keys.
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
	writes *allowance
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
		plane: plane, engine: engine, tokens: tokens, base: base, writes: newAllowance(),
		now: func() keyward.Time { return keyward.TimeOf(time.Now()) },
	}
}

// Routes returns the table of routes, for those who read it: nothing in it can be
// called.
func Routes() []api.Route { return newHandler(nil, nil, nil, "").routes() }

// Paths begin with the organization, or leave it out: the vendor's clients do so if
// they were not told one.
const (
	prefix       = "/rebilly"
	organization = prefix + "/organizations/{organizationId}"
	keys         = "/api-keys"
)

func (h *handler) routes() []api.Route {
	routes := slashed(h.organizationRoutes(prefix+"/organizations", organization))
	for _, at := range []string{prefix, organization} {
		routes = append(routes, slashed(h.keyRoutes(at+keys))...)
		routes = append(routes, missingRoutes(at)...)
	}
	routes = append(routes, h.sessionRoutes()...)
	// The vendor's client puts the organization that it was told before everything.
	const nested = prefix + "/organizations/{within}/organizations"
	return append(routes, h.organizationRoutes(nested, nested+"/{organizationId}")...)
}

func (h *handler) keyRoutes(all string) []api.Route {
	one := all + "/{keyId}"
	return []api.Route{
		{Pattern: "GET " + all, Permission: keyward.KeysRead, Query: []string{"limit", "offset", "sort", "filter"}, Handle: h.listKeys},
		{Pattern: "POST " + all, Permission: keyward.KeysCreate, Handle: h.counted(h.createKey)},
		{Pattern: "GET " + one, Permission: keyward.KeysRead, Handle: h.getKey},
		{Pattern: "PUT " + one, Permission: keyward.KeysUpdate, Handle: h.counted(h.putKey)},
		{Pattern: "DELETE " + one, Permission: keyward.KeysDelete, Handle: h.counted(h.deleteKey)},
	}
}

func (h *handler) organizationRoutes(all, one string) []api.Route {
	return []api.Route{
		{Pattern: "GET " + all, Permission: keyward.OrganizationsRead, Query: []string{"limit", "offset", "sort", "filter", "q"}, Handle: h.listOrganizations},
		{Pattern: "POST " + all, Permission: keyward.OrganizationsWrite, Handle: h.counted(h.createOrganization)},
		{Pattern: "GET " + one, Permission: keyward.OrganizationsRead, Handle: h.getOrganization},
		{Pattern: "PATCH " + one, Permission: keyward.OrganizationsWrite, Handle: h.counted(h.updateOrganization)},
	}
}

// sessionRoutes are for people.
func (h *handler) sessionRoutes() []api.Route {
	return []api.Route{
		{Pattern: "POST " + prefix + "/signin", Open: true, MaxBody: 64 << 10, Handle: h.signIn},
		{Pattern: "POST " + prefix + "/logout", Unread: true, Handle: h.signOut},
	}
}

// slashed adds each route with a slash at its end: the vendor's JavaScript client
// writes one where it leaves the id out.
func slashed(routes []api.Route) []api.Route {
	var all []api.Route
	for _, route := range routes {
		twin := route
		twin.Pattern += "/{$}"
		all = append(all, route, twin)
	}
	return all
}
