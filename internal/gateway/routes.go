package gateway

import (
	"context"
	"maps"
	"net/http"

	"keyward"
	"keyward/internal/api"
)

// VerifyPath is where proxies ask.
const VerifyPath = "/authz/verify"

// Handler returns the surface: /authz/verify, for any method. It reads no body.
func (g *Gateway) Handler() http.Handler {
	return api.Surface{Name: "gateway", Authenticate: g.authenticate, Error: Error}.Handler(g.routes())
}

// Routes returns the table of routes, for those who read it: nothing in it can be
// called.
func Routes() []api.Route { return new(Gateway).routes() }

func (g *Gateway) routes() []api.Route {
	return []api.Route{{Pattern: VerifyPath, Permission: keyward.KeysVerify, Unread: true, Quiet: true, Handle: g.verify}}
}

func (g *Gateway) authenticate(r *http.Request) (keyward.Actor, error) {
	return g.Caller(r.Header[authorizationHeader], api.ThroughSocket(r.Context()))
}

func (g *Gateway) verify(ctx context.Context, c *api.Call) (api.Answer, error) {
	out, err := g.Check(&c.By, c.Request.Header, api.ClientIPOf(ctx))
	if err != nil {
		return api.Answer{}, err
	}
	header := http.Header{}
	maps.Copy(header, out.Upstream)
	maps.Copy(header, out.Client)
	if out.Status == http.StatusOK {
		return api.Answer{Status: out.Status, Header: header}, nil
	}
	api.NoteRefusal(ctx, out.Why)
	header.Set("Content-Type", problemType)
	return api.Answer{Status: out.Status, Header: header, Body: out.problem(api.RequestIDOf(ctx))}, nil
}

const problemType = "application/problem+json"

// problem is what is said with a refusal (RFC 9457). A proxy may show it to the client.
type problem struct {
	Type      string               `json:"type"`
	Title     string               `json:"title"`
	Status    int                  `json:"status"`
	Detail    string               `json:"detail"`
	Code      keyward.Code         `json:"code"`
	RequestID string               `json:"requestId"`
	Errors    []keyward.FieldError `json:"errors,omitempty"`
}

// details are all that a client is told.
var details = map[int]struct {
	code   keyward.Code
	detail string
}{
	http.StatusUnauthorized:    {keyward.Unauthenticated, "a valid API key is needed"},
	http.StatusForbidden:       {keyward.Forbidden, "the request is not allowed"},
	http.StatusTooManyRequests: {keyward.Throttled, "there were too many requests"},
}

func (o *Outcome) problem(requestID string) problem {
	status := o.Status
	if o.Client.Get(statusHeader) != "" {
		status = http.StatusTooManyRequests
	}
	d := details[status]
	return problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: d.detail, Code: d.code, RequestID: requestID}
}

// Error writes what is wrong with the caller, or with the server. A credential that is
// missing or wrong is the gateway's, and the realm says so.
func Error(w http.ResponseWriter, r *http.Request, err error) {
	status := api.StatusOf(err)
	if status == http.StatusUnauthorized {
		w.Header().Set("Www-Authenticate", `Bearer realm="keyward gateway"`)
	}
	api.WriteJSON(w, r, status, problemType, problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: keyward.MessageOf(err),
		Code: keyward.CodeOf(err), RequestID: api.RequestIDOf(r.Context()), Errors: keyward.FieldsOf(err),
	})
}
