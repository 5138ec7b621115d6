// Package native is Keyward's own API, under /v1.
//
// Its JSON is the vocabulary of the root package. It authenticates operators, by
// their credential, and keys that act through their management, by an access token.
// Errors are problem details (RFC 9457). The contract is openapi.json, beside the
// code; a test holds the route table against it.
package native

import (
	"context"
	"net/http"
	"time"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
	"keyward/internal/oauth"
	"keyward/internal/token"
	"keyward/internal/verify"
)

// handler answers the routes.
type handler struct {
	plane  *control.Plane
	engine *verify.Engine
	tokens *oauth.Tokens
	node   string
	now    func() keyward.Time
}

// New returns the surface. The node is what this server calls itself.
func New(plane *control.Plane, engine *verify.Engine, tokens *oauth.Tokens, node string) http.Handler {
	h := newHandler(plane, engine, tokens, node)
	return api.Surface{Name: "native", Authenticate: h.authenticate, Error: Error}.Handler(h.routes())
}

func newHandler(plane *control.Plane, engine *verify.Engine, tokens *oauth.Tokens, node string) *handler {
	return &handler{
		plane: plane, engine: engine, tokens: tokens, node: node,
		now: func() keyward.Time { return keyward.TimeOf(time.Now()) },
	}
}

// Routes returns the table of routes, for those who read it: nothing in it can be
// called.
func Routes() []api.Route { return newHandler(nil, nil, nil, "").routes() }

// listed returns the parameters of lists.
func listed() []string { return []string{"limit", "cursor", "sort", "filter", "q", "count"} }

// usageParameters returns those of usage.
func usageParameters() []string {
	return []string{"from", "to", "interval", "groupBy", "keyId", "limit", "cursor"}
}

// changing returns those of changes.
func changing() []string { return []string{"wait"} }

const (
	organizations = "/v1/organizations"
	organization  = organizations + "/{organizationId}"
	projects      = organization + "/projects"
	project       = projects + "/{projectId}"
	keys          = organization + "/api-keys"
	key           = keys + "/{keyId}"
	roles         = organization + "/roles"
	role          = roles + "/{number}"
	operators     = "/v1/operators"
	operator      = operators + "/{operatorId}"
)

func (h *handler) routes() []api.Route {
	return []api.Route{
		{Pattern: "POST " + organizations, Permission: keyward.OrganizationsWrite, Query: changing(), Handle: h.createOrganization},
		{Pattern: "GET " + organizations, Permission: keyward.OrganizationsRead, Query: listed(), Handle: h.listOrganizations},
		{Pattern: "GET " + organization, Permission: keyward.OrganizationsRead, Handle: h.getOrganization},
		{Pattern: "PATCH " + organization, Permission: keyward.OrganizationsWrite, Query: changing(), Handle: h.updateOrganization},
		{Pattern: "DELETE " + organization, Permission: keyward.OrganizationsWrite, Query: changing(), Handle: h.deleteOrganization},

		{Pattern: "POST " + projects, Permission: keyward.ProjectsWrite, Query: changing(), Handle: h.createProject},
		{Pattern: "GET " + projects, Permission: keyward.ProjectsRead, Query: listed(), Handle: h.listProjects},
		{Pattern: "GET " + project, Permission: keyward.ProjectsRead, Handle: h.getProject},
		{Pattern: "PATCH " + project, Permission: keyward.ProjectsWrite, Query: changing(), Handle: h.updateProject},
		{Pattern: "DELETE " + project, Permission: keyward.ProjectsWrite, Query: changing(), Handle: h.deleteProject},

		{Pattern: "POST " + keys, Permission: keyward.KeysCreate, Query: changing(), Handle: h.createKey},
		{Pattern: "GET " + keys, Permission: keyward.KeysRead, Query: listed(), Handle: h.listKeys},
		{Pattern: "GET " + key, Permission: keyward.KeysRead, Handle: h.getKey},
		{Pattern: "PATCH " + key, Permission: keyward.KeysUpdate, Query: changing(), Handle: h.updateKey},
		{Pattern: "DELETE " + key, Permission: keyward.KeysDelete, Query: changing(), Handle: h.deleteKey},
		{Pattern: "POST " + key + "/rotate", Permission: keyward.KeysUpdate, Query: changing(), Handle: h.rotateKey},
		{Pattern: "POST " + key + "/revoke", Permission: keyward.KeysRevoke, Query: changing(), Handle: h.revokeKey},
		{Pattern: "POST " + key + "/reveal", Permission: keyward.KeysReveal, Handle: h.revealKey},

		{Pattern: "POST " + roles, Permission: keyward.OrganizationsWrite, Query: changing(), Handle: h.createRole},
		{Pattern: "GET " + roles, Permission: keyward.OrganizationsRead, Query: listed(), Handle: h.listRoles},
		{Pattern: "GET " + role, Permission: keyward.OrganizationsRead, Handle: h.getRole},
		{Pattern: "PATCH " + role, Permission: keyward.OrganizationsWrite, Query: changing(), Handle: h.updateRole},
		{Pattern: "DELETE " + role, Permission: keyward.OrganizationsWrite, Query: changing(), Handle: h.deleteRole},

		{Pattern: "POST " + operators, Permission: keyward.OperatorsWrite, Query: changing(), Handle: h.createOperator},
		{Pattern: "GET " + operators, Permission: keyward.OperatorsRead, Query: listed(), Handle: h.listOperators},
		{Pattern: "GET " + operator, Permission: keyward.OperatorsRead, Handle: h.getOperator},
		{Pattern: "PATCH " + operator, Permission: keyward.OperatorsWrite, Query: changing(), Handle: h.updateOperator},
		{Pattern: "DELETE " + operator, Permission: keyward.OperatorsWrite, Query: changing(), Handle: h.deleteOperator},
		{Pattern: "POST " + operator + "/rotate", Permission: keyward.OperatorsWrite, Query: changing(), Handle: h.rotateOperator},

		{Pattern: "POST " + VerifyPath, Permission: keyward.KeysVerify, MaxBody: MaxVerifyBody, Quiet: true, Handle: h.verify},
		{Pattern: "POST " + BatchPath, Permission: keyward.KeysVerify, MaxBody: MaxBatchBody, Quiet: true, Handle: h.verifyBatch},

		{Pattern: "GET /v1/audit-events", Permission: keyward.AuditRead, Query: listed(), Handle: h.listAudit},
		{Pattern: "GET " + organization + "/audit-events", Permission: keyward.AuditRead, Query: listed(), Handle: h.listAudit},
		{Pattern: "GET " + organization + "/usage", Permission: keyward.UsageRead, Query: usageParameters(), Handle: h.listUsage},
		{Pattern: "GET /v1/changes/{seq}", Permission: keyward.OrganizationsRead, Handle: h.getChange},
		{Pattern: "GET /v1/nodes", Permission: keyward.SystemRead, Handle: h.listNodes},
	}
}

// authenticate takes an operator's credential or the access token of a key. A key
// itself is neither.
func (h *handler) authenticate(r *http.Request) (keyward.Actor, error) {
	text, err := api.Bearer(r)
	if err != nil {
		return keyward.Actor{}, err
	}
	if token.LooksLike(text) {
		return h.tokens.Actor(text, []string{oauth.AudienceKeyward}, api.ClientIPOf(r.Context()))
	}
	if by, ok := h.engine.Operator(text, h.now()); ok {
		return by, nil
	}
	if !h.engine.Ready() {
		return keyward.Actor{}, keyward.Errorf(keyward.Unavailable, "the server is starting")
	}
	return keyward.Actor{}, keyward.Errorf(keyward.Unauthenticated, "the credential is not accepted")
}

// waited checks the wait parameter: this node has applied a change before it
// answers, and there is no other to wait for.
func waited(c *api.Call) error {
	switch wait := c.Query.Text("wait"); {
	case !c.Query.Has("wait"), wait == "all", wait == "local":
		return nil
	}
	return keyward.Faults{{Pointer: "/wait", Detail: "must be all or local"}}.Err()
}

// deleted answers a change that leaves nothing to show.
func deleted(out control.Outcome, err error) (api.Answer, error) {
	return api.Answer{Header: api.Propagated(out.Propagation)}, err
}

// listNodes tells of this server: the only one that answers from its database.
func (h *handler) listNodes(_ context.Context, c *api.Call) (api.Answer, error) {
	if err := c.By.MayEverywhere(keyward.SystemRead); err != nil {
		return api.Answer{}, err
	}
	return api.Answer{Body: list[node]{Items: []node{{ID: h.node, AppliedSeq: h.engine.Applied(), Self: true}}}}, nil
}

type node struct {
	ID         string `json:"id"`
	AppliedSeq int64  `json:"appliedSeq"`
	Self       bool   `json:"self"`
}
