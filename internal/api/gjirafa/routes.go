// Package gjirafa is the key API of Gjirafa VP, under /gjirafa/api: so far, the list
// of an organization's keys.
//
// It renames and reshapes, and wraps every answer in the vendor's envelope. What a key
// may do is its management; the services enforce it. It authenticates keys, in the
// four ways that the vendor's clients might present them, and their access tokens;
// operators are not let in. README.md says what is compatible and what was chosen.
package gjirafa

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
}

// New returns the surface.
func New(plane *control.Plane, engine *verify.Engine, tokens *oauth.Tokens) http.Handler {
	h := &handler{
		plane: plane, engine: engine, tokens: tokens,
		now: func() keyward.Time { return keyward.TimeOf(time.Now()) },
	}
	// Unknown parameters are ignored: older clients send api-version.
	return api.Surface{Name: "gjirafa", Authenticate: h.authenticate, Error: Error, LooseQuery: true}.
		Handler(h.routes())
}

// Routes returns the table of routes, for those who read it: nothing in it can be
// called.
func Routes() []api.Route { return new(handler).routes() }

const (
	organization     = "/gjirafa/api/organizations/{organizationId}"
	organizationKeys = organization + "/api-keys"
)

func (h *handler) routes() []api.Route {
	return []api.Route{
		{Pattern: "GET " + organizationKeys, Permission: keyward.KeysRead, Handle: h.listOrganizationKeys},
	}
}
