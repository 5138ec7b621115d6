package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"keyward"
)

// The media types of requests.
const (
	MediaJSON       = "application/json"
	MediaMergePatch = "application/merge-patch+json"
	MediaForm       = "application/x-www-form-urlencoded"
)

// DefaultMaxBody is how long a body may be where a route does not say, in bytes.
const DefaultMaxBody = 1 << 20

// Handler answers one call: it translates in, calls a service, translates out. An
// error that is not a *keyward.Error is logged and shown as an internal one.
type Handler func(context.Context, *Call) (Answer, error)

// Route is one line of a surface's table.
type Route struct {
	// Pattern is a method and a path in the syntax of [http.ServeMux], such as
	// "POST /v1/organizations/{organizationId}/api-keys". GET serves HEAD too. Without a
	// method it serves every one but CONNECT and TRACE.
	Pattern string
	// Open routes need no credential: health, contracts and token endpoints.
	Open bool
	// Permission is what the route needs. The services enforce it; documentation
	// and tests read it here.
	Permission keyward.Permission
	// Query names the parameters that the route knows.
	Query []string
	// MaxBody limits the body in bytes. If zero, DefaultMaxBody.
	MaxBody int64
	// Media are the types that a body may have. If nil, MediaJSON; for PATCH,
	// MediaMergePatch too.
	Media []string
	// Unread routes answer without looking at the query and the body, right after
	// authentication: nothing that these could say makes a difference.
	Unread bool
	// Quiet routes are asked all the time: their answers are logged at level Debug.
	// Errors are logged as everywhere.
	Quiet bool
	// Handle answers.
	Handle Handler
}

// methods returns those that the route serves.
func (r Route) methods() []string {
	if strings.HasPrefix(r.Pattern, "/") {
		return []string{
			http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions,
			http.MethodPatch, http.MethodPost, http.MethodPut,
		}
	}
	method, path, _ := strings.Cut(r.Pattern, " ")
	if !strings.HasPrefix(path, "/") {
		panic("api: the pattern " + r.Pattern + " is neither a path nor a method and a path")
	}
	return []string{method}
}

func (r Route) withDefaults() Route {
	if r.MaxBody == 0 {
		r.MaxBody = DefaultMaxBody
	}
	if r.Media == nil {
		r.Media = []string{MediaJSON}
		if slices.Contains(r.methods(), http.MethodPatch) {
			r.Media = append(r.Media, MediaMergePatch)
		}
	}
	r.Media = slices.Clone(r.Media)
	return r
}

// endpoint serves one route.
type endpoint struct {
	Route
	table *table
}

// ServeHTTP implements [http.Handler].
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	NoteRoute(r.Context(), e.Pattern)
	if e.Quiet {
		noteQuiet(r.Context())
	}
	answer, err := e.answer(w, r)
	if err == nil {
		err = answer.write(w, r)
	}
	if err != nil {
		e.table.fail(w, r, err)
	}
}

func (e *endpoint) answer(w http.ResponseWriter, r *http.Request) (Answer, error) {
	call := &Call{Request: r, reader: e.table.reader}
	if err := e.identify(call); err != nil {
		return Answer{}, err
	}
	if e.Unread {
		return e.Handle(r.Context(), call)
	}
	var err error
	if call.Query, err = parsePairs(r.URL.RawQuery, e.Query, e.table.LooseQuery); err != nil {
		return Answer{}, err
	}
	if err := call.readBody(w, &e.Route); err != nil {
		return Answer{}, err
	}
	return e.Handle(r.Context(), call)
}

func (e *endpoint) identify(call *Call) error {
	if e.Open {
		return nil
	}
	by, err := e.table.Authenticate(call.Request)
	if err != nil {
		return err
	}
	ctx := call.Request.Context()
	if !by.IP.IsValid() {
		by.IP = ClientIPOf(ctx)
	}
	if by.RequestID == "" {
		by.RequestID = RequestIDOf(ctx)
	}
	call.By = by
	NoteActor(ctx, by)
	return nil
}
