// Package gjirafa is the key API of Gjirafa VP, under /gjirafa/api: keys, of whole
// organizations and of single projects, and what the vendor's clients ask for beside
// them: organizations, projects and roles.
//
// It renames and reshapes, and wraps every answer in the vendor's envelope. What a key
// may do is its management; the services enforce it. It authenticates keys, in the
// four ways that the vendor's clients might present them, and their access tokens;
// operators are not let in. README.md says what is compatible and what was chosen.
package gjirafa

import (
	"net/http"
	"slices"
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
	return h.surface(h.authenticate)
}

func (h *handler) surface(authenticate func(*http.Request) (keyward.Actor, error)) http.Handler {
	return api.Surface{
		Name: "gjirafa", Authenticate: authenticate, Error: writeError,
		LooseQuery: true, // older clients send api-version
		LooseJSON:  true, FoldJSON: true,
	}.Handler(h.routes())
}

// Routes returns the table of routes, for those who read it: nothing in it can be
// called.
func Routes() []api.Route { return new(handler).routes() }

const (
	root             = "/gjirafa/api"
	organizations    = root + "/organizations"
	organization     = organizations + "/{organizationId}"
	organizationKeys = organization + "/api-keys"
	project          = root + "/projects/{projectId}"
	projectKeys      = project + "/api-keys"
	accounts         = root + "/accounts"
)

// paged returns the parameters of lists that come in pages.
func paged(more ...string) []string {
	return append([]string{"search", "page", "take", "order", "insertedDate"}, more...)
}

func (h *handler) routes() []api.Route {
	return slices.Concat(h.keyRoutes(), []api.Route{
		{Pattern: "POST " + organizations, Permission: keyward.OrganizationsWrite, Handle: h.createOrganization},
		{Pattern: "GET " + organization, Permission: keyward.OrganizationsRead, Handle: h.getOrganization},
		{Pattern: "GET " + accounts + "/users/organization", Permission: keyward.OrganizationsRead, Query: paged(), Handle: h.listOrganizations},

		{Pattern: "GET " + accounts + "/organizations/{organizationId}/projects", Permission: keyward.ProjectsRead, Query: paged(), Handle: h.listProjects},
		{Pattern: "POST " + organization + "/projects", Permission: keyward.ProjectsWrite, Handle: h.createProject},
		{Pattern: "POST /gjirafa/organizations/{organizationId}/projects", Permission: keyward.ProjectsWrite, Handle: h.createProject},
		{Pattern: "GET " + project, Permission: keyward.ProjectsRead, Handle: h.getProject},
		{Pattern: "PUT " + project + "/external-projects", Permission: keyward.ProjectsWrite, Handle: h.putExternalProjects},

		{Pattern: "GET " + root + "/roles", Permission: keyward.OrganizationsRead, Query: paged("projectId", "organizationId"), Handle: h.listRoles},
		{Pattern: "GET " + root + "/roles/{id}", Permission: keyward.OrganizationsRead, Handle: h.getRole},
		{Pattern: "GET " + project + "/roles", Permission: keyward.OrganizationsRead, Query: paged(), Handle: h.listRoles},
		{Pattern: "GET " + project + "/roles/{id}", Permission: keyward.OrganizationsRead, Handle: h.getRole},
	})
}

// keyRoutes are about keys: of an organization, and of one project of it.
func (h *handler) keyRoutes() []api.Route {
	list := api.Few(h.listKeys)
	return []api.Route{
		{Pattern: "GET " + organizationKeys, Permission: keyward.KeysRead, Handle: list},
		{Pattern: "GET " + organizationKeys + "/{id}", Permission: keyward.KeysRead, Handle: h.getKey},
		{Pattern: "POST " + organizationKeys, Permission: keyward.KeysCreate, Handle: h.createKey},
		{Pattern: "PUT " + organizationKeys, Permission: keyward.KeysUpdate, Handle: h.updateKey},
		{Pattern: "DELETE " + organizationKeys + "/{id}", Permission: keyward.KeysDelete, Handle: h.deleteKey},
		{Pattern: "POST " + organizationKeys + "/projects", Permission: keyward.KeysUpdate, Handle: h.addToProjects},
		{Pattern: "PUT " + organizationKeys + "/{id}/projects", Permission: keyward.KeysUpdate, Query: []string{"projectId"}, Handle: h.removeFromProject},

		{Pattern: "GET " + projectKeys, Permission: keyward.KeysRead, Handle: list},
		{Pattern: "GET " + projectKeys + "/{id}", Permission: keyward.KeysRead, Handle: h.getKey},
		{Pattern: "POST " + projectKeys, Permission: keyward.KeysCreate, Handle: h.createKey},
		{Pattern: "PUT " + projectKeys, Permission: keyward.KeysUpdate, Handle: h.updateKey},
		{Pattern: "DELETE " + projectKeys + "/{id}", Permission: keyward.KeysDelete, Handle: h.deleteKey},
	}
}
