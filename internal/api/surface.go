// Package api provides what every HTTP surface shares: a table of routes becomes a
// handler that refuses odd requests, authenticates, reads the query and the body
// strictly, calls, and writes the answer or the error in the surface's own shape.
//
// The order is fixed: what does not exist (404, 405) is answered before anybody is
// authenticated; authentication comes before the query and the body are looked at.
//
// The package decides nothing about keys and knows no surface's JSON. It is not for
// the listener of metrics and profiles, which shares none of this.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"keyward"
)

// Surface is one API on the wire: how it authenticates and how it words its errors.
type Surface struct {
	// Name is what logs call it, such as "native".
	Name string
	// Authenticate says who is asking. It may return [ErrNoCredential]. The address
	// and the request id of the actor are filled in where it leaves them empty.
	Authenticate func(*http.Request) (keyward.Actor, error)
	// Error writes status and body for err, whose code is one of package keyward's
	// or of this one's; see [StatusOf] and [WriteJSON]. The headers Allow and
	// Retry-After are set already.
	Error func(w http.ResponseWriter, r *http.Request, err error)
	// LooseQuery ignores query parameters that a route does not know, and LooseJSON
	// members of bodies, as some dialects need. Natively both are refused.
	LooseQuery bool
	LooseJSON  bool
	// FoldJSON takes members of bodies in any case.
	FoldJSON bool
}

// Handler serves the routes, and the surface's own 404 or 405 for everything else.
// It panics if a pattern is malformed or conflicts with another.
func (s Surface) Handler(routes []Route) http.Handler {
	t := &table{Surface: s, mux: http.NewServeMux(), reader: &Reader{IgnoreUnknown: s.LooseJSON, FoldCase: s.FoldJSON}}
	declared := map[string]bool{}
	for _, route := range routes {
		declared[route.Pattern] = true
		t.add(route)
	}
	for _, route := range routes {
		if bare := withoutSlash(route.Pattern); bare != "" && !declared[bare] {
			declared[bare] = true
			t.mux.HandleFunc(bare, t.unmatched)
		}
	}
	t.mux.HandleFunc("/", t.unmatched)
	return t
}

// withoutSlash returns the pattern that the mux would redirect to the given one, or
// "" if there is none. Registering it keeps the mux from answering by itself.
func withoutSlash(pattern string) string {
	slash := strings.LastIndexByte(pattern, '/')
	last := pattern[slash+1:]
	if last != "" && last != "{$}" && !strings.HasSuffix(last, "...}") || strings.HasSuffix(pattern[:slash], " ") {
		return ""
	}
	return pattern[:slash]
}

// table is a surface with its routes.
type table struct {
	Surface
	mux     *http.ServeMux
	methods []string // that any of the routes has
	reader  *Reader
}

func (t *table) add(route Route) {
	for _, method := range route.methods() {
		if !slices.Contains(t.methods, method) {
			t.methods = append(t.methods, method)
		}
	}
	t.mux.Handle(route.Pattern, &endpoint{Route: route.withDefaults(), table: t})
}

// ServeHTTP implements [http.Handler].
func (t *table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer t.recover(w, r)
	setCommon(w.Header())
	if err := screen(r); err != nil {
		t.fail(w, r, err)
		return
	}
	if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
		t.refuseMethod(w, r, t.allowed(r))
		return
	}
	t.mux.ServeHTTP(w, r)
}

// setCommon sets what every answer of every surface has.
func setCommon(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
}

// Refuse answers a request of the route with the pattern with err, for whoever looks at
// requests before the surface does.
func (s Surface) Refuse(w http.ResponseWriter, r *http.Request, pattern string, err error) {
	NoteRoute(r.Context(), pattern)
	setCommon(w.Header())
	(&table{Surface: s}).fail(w, r, err)
}

// unmatched answers what no route matches: 405 if one would match with another
// method, else 404.
func (t *table) unmatched(w http.ResponseWriter, r *http.Request) {
	if allow := t.allowed(r); len(allow) > 0 {
		t.refuseMethod(w, r, allow)
		return
	}
	t.fail(w, r, keyward.Errorf(keyward.NotFound, "no such path"))
}

func (t *table) refuseMethod(w http.ResponseWriter, r *http.Request, allow []string) {
	w.Header().Set("Allow", strings.Join(allow, ", "))
	t.fail(w, r, keyward.Errorf(MethodNotAllowed, "this method is not allowed here"))
}

// allowed returns the methods that the path of r has, sorted.
func (t *table) allowed(r *http.Request) []string {
	var allow []string
	for _, method := range t.methods {
		probe := *r
		probe.Method = method
		handler, _ := t.mux.Handler(&probe)
		if _, ok := handler.(*endpoint); !ok {
			continue
		}
		allow = append(allow, method)
		if method == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	slices.Sort(allow)
	return slices.Compact(allow)
}

// drainTime is how long the rest of a body that is too large may take.
const drainTime = 500 * time.Millisecond

// fail answers with err and logs what the caller may not see.
func (t *table) fail(w http.ResponseWriter, r *http.Request, err error) {
	noteFailure(r.Context())
	switch keyward.CodeOf(err) {
	case keyward.Internal:
		level := slog.LevelError
		if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
			level = slog.LevelDebug // the client went away; nobody is waiting
		}
		logOf(r.Context()).LogAttrs(r.Context(), level, "request failed",
			slog.String("surface", t.Name), slog.String("requestId", RequestIDOf(r.Context())),
			slog.String("error", err.Error()))
	case keyward.Unauthenticated, keyward.Forbidden:
		NoteRefusal(r.Context(), keyward.MessageOf(err))
	case keyward.Unavailable:
		w.Header().Set("Retry-After", "1")
	case keyward.Throttled:
		if wait := keyward.RetryOf(err); wait > 0 {
			w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
		}
	case TooLarge:
		// net/http drains some of the body, so that a client which is still sending it
		// gets to see the answer; who sends slowly is not waited for. Where deadlines
		// are not supported there is no connection.
		w.Header().Set("Connection", "close")
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(drainTime))
	}
	t.Error(w, r, err)
}

// recover answers a panic as an internal error. The caller learns nothing of it.
func (t *table) recover(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	logOf(r.Context()).LogAttrs(r.Context(), slog.LevelError, "request panicked",
		slog.String("surface", t.Name), slog.String("requestId", RequestIDOf(r.Context())),
		slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
	noteFailure(r.Context())
	t.Error(w, r, keyward.Errorf(keyward.Internal, "internal error"))
}
