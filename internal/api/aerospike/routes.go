// Package aerospike is the key API of Aerospike Cloud, under /aerospike: its v2 and its
// v1, of which v1 is the newer one, and the token endpoint that goes with both.
//
// It renames and reshapes. What a key may do is its management, which this surface
// calls by the vendor's scopes; the services enforce it. It authenticates by access
// tokens of its own audience and by nothing else: neither operators nor keys
// themselves are let in. README.md says what is compatible and what was chosen; the
// contract is openapi.json, beside the code.
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
	pages  map[string]page // of the contract, by what its links begin with
}

// New returns the surface.
func New(plane *control.Plane, engine *verify.Engine, tokens *oauth.Tokens) http.Handler {
	h := newHandler(plane, engine, tokens)
	issuing := api.Surface{Name: "aerospike token", Error: writeTokenError, LooseQuery: true}
	first := api.Surface{
		Name: "aerospike v1", Authenticate: h.authenticate, Error: writeProblem, LooseQuery: true, LooseJSON: true,
	}
	second := first
	second.Name, second.Error = "aerospike v2", writeError
	return api.Surfaces{
		Mounts: map[string]http.Handler{
			tokenPath: issuing.Handler(h.tokenRoutes()),
			v1 + "/":  first.Handler(h.firstRoutes()),
		},
		Fallback: second.Handler(h.secondRoutes()),
	}.Handler()
}

func newHandler(plane *control.Plane, engine *verify.Engine, tokens *oauth.Tokens) *handler {
	return &handler{plane: plane, engine: engine, tokens: tokens, pages: contractPages()}
}

// Routes returns the table of routes, for those who read it: nothing in it can be
// called.
func Routes() []api.Route {
	h := newHandler(nil, nil, nil)
	return append(append(h.tokenRoutes(), h.firstRoutes()...), h.secondRoutes()...)
}

const (
	root      = "/aerospike"
	tokenPath = root + "/oauth/token"
	v1        = root + "/v1"
	v2        = root + "/v2"
)

func (h *handler) tokenRoutes() []api.Route {
	return []api.Route{{
		Pattern: "POST " + tokenPath, Open: true, Media: []string{api.MediaJSON, api.MediaForm},
		MaxBody: 64 << 10, Handle: h.token,
	}}
}

// firstRoutes are those of v1, whose lists have pages.
func (h *handler) firstRoutes() []api.Route {
	return append(h.routes(v1), api.Route{
		Pattern: "GET " + v1 + "/api-keys", Permission: keyward.KeysRead, Query: []string{"limit", "offset"}, Handle: h.listPage,
	})
}

// secondRoutes are those of v2, whose lists are whole.
func (h *handler) secondRoutes() []api.Route {
	return append(h.routes(v2), api.Route{
		Pattern: "GET " + v2 + "/api-keys", Permission: keyward.KeysRead, Handle: api.Few(h.listKeys),
	})
}

// routes are what both versions have.
func (h *handler) routes(version string) []api.Route {
	keys, members, secrets := version+"/api-keys", version+"/organization/members", version+"/secrets"
	return []api.Route{
		{Pattern: "POST " + keys, Permission: keyward.KeysCreate, Handle: h.createKey},
		{Pattern: "DELETE " + keys + "/{clientId}", Permission: keyward.KeysDelete, Handle: h.deleteKey},
		{Pattern: "GET " + version + "/organization", Permission: keyward.OrganizationsRead, Handle: h.getOrganization},
		{Pattern: "GET " + version + "/openapi.yaml", Open: true, Handle: h.getContract},

		{Pattern: "GET " + members, Unread: true, Handle: notImplemented},
		{Pattern: "DELETE " + members + "/{userId}", Unread: true, Handle: notImplemented},
		{Pattern: "GET " + secrets, Unread: true, Handle: notImplemented},
		{Pattern: "POST " + secrets, Unread: true, Handle: notImplemented},
		{Pattern: "GET " + secrets + "/{secretId}", Unread: true, Handle: notImplemented},
		{Pattern: "DELETE " + secrets + "/{secretId}", Unread: true, Handle: notImplemented},
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
	return h.tokens.Actor(text, []string{oauth.AudienceAerospike}, api.ClientIPOf(r.Context()))
}

// notImplemented is what the vendor says of endpoints that it has announced only. It
// needs no scope.
func notImplemented(context.Context, *api.Call) (api.Answer, error) {
	return api.Answer{}, keyward.Errorf(api.NotImplemented, "This endpoint has not been implemented yet.")
}
