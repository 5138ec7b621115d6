// Package aerospike is the key API of Aerospike Cloud, under /aerospike: its v2, and
// the token endpoint that goes with it.
//
// It renames and reshapes. What a key may do is its management, which this surface
// calls by the vendor's scopes; the services enforce it. It authenticates by access
// tokens of its own audience and by nothing else: neither operators nor keys
// themselves are let in. README.md says what is compatible and what was chosen.
package aerospike

import (
	"context"
	"net/http"

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
}

// New returns the surface.
func New(plane *control.Plane, engine *verify.Engine, tokens *oauth.Tokens) http.Handler {
	h := &handler{plane: plane, engine: engine, tokens: tokens}
	resources := api.Surface{Name: "aerospike", Authenticate: h.authenticate, Error: Error, LooseQuery: true}
	issuing := api.Surface{Name: "aerospike token", Error: TokenError, LooseQuery: true}
	return api.Surfaces{
		Mounts:   map[string]http.Handler{tokenPath: issuing.Handler(h.tokenRoutes())},
		Fallback: resources.Handler(h.routes()),
	}.Handler()
}

// Routes returns the table of routes, for those who read it: nothing in it can be
// called.
func Routes() []api.Route {
	h := &handler{}
	return append(h.tokenRoutes(), h.routes()...)
}

const (
	tokenPath = "/aerospike/oauth/token"

	v2           = "/aerospike/v2"
	keys         = v2 + "/api-keys"
	organization = v2 + "/organization"
	members      = organization + "/members"
	secrets      = v2 + "/secrets"
)

func (h *handler) tokenRoutes() []api.Route {
	return []api.Route{{
		Pattern: "POST " + tokenPath, Open: true, Media: []string{api.MediaJSON, api.MediaForm},
		MaxBody: 64 << 10, Handle: h.token,
	}}
}

func (h *handler) routes() []api.Route {
	return []api.Route{
		{Pattern: "GET " + keys, Permission: keyward.KeysRead, Handle: h.listKeys},

		{Pattern: "POST " + keys, Handle: notImplemented},
		{Pattern: "DELETE " + keys + "/{clientId}", Handle: notImplemented},
		{Pattern: "GET " + organization, Handle: notImplemented},
		{Pattern: "GET " + members, Handle: notImplemented},
		{Pattern: "DELETE " + members + "/{userId}", Handle: notImplemented},
		{Pattern: "GET " + secrets, Handle: notImplemented},
		{Pattern: "POST " + secrets, Handle: notImplemented},
		{Pattern: "GET " + secrets + "/{secretId}", Handle: notImplemented},
		{Pattern: "DELETE " + secrets + "/{secretId}", Handle: notImplemented},
	}
}

// authenticate takes an access token of this surface.
func (h *handler) authenticate(r *http.Request) (keyward.Actor, error) {
	text, err := api.Bearer(r)
	if err != nil {
		return keyward.Actor{}, err
	}
	if !h.engine.Ready() {
		return keyward.Actor{}, keyward.Errorf(keyward.Unavailable, "the server is starting")
	}
	by, _, err := h.tokens.Actor(text, []string{oauth.AudienceAerospike}, api.ClientIPOf(r.Context()))
	return by, err
}

// notImplemented is what the vendor says of endpoints that it has announced only. It
// needs no scope.
func notImplemented(context.Context, *api.Call) (api.Answer, error) {
	return api.Answer{}, keyward.Errorf(api.NotImplemented, "This endpoint has not been implemented yet.")
}
