package server

import (
	"context"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/api/aerospike"
	"keyward/internal/api/gjirafa"
	"keyward/internal/api/native"
	"keyward/internal/api/rebilly"
	"keyward/internal/gateway"
	"keyward/internal/oauth"
	"keyward/internal/web"
)

// handlers are what is put on the listeners of the API.
type handlers struct {
	all          *quick
	verification http.Handler // and nothing else
}

func (s *Server) handlers() (handlers, error) {
	proxies, err := s.config.proxies()
	if err != nil {
		return handlers{}, err
	}
	hosts, err := s.config.hosts()
	if err != nil {
		return handlers{}, err
	}
	all := api.Surfaces{
		Mounts:   s.mounts(s.gate),
		Hosts:    hosts,
		Fallback: api.Surface{Name: "root", Error: native.Error}.Handler(s.routes()),
	}
	verification := api.Surfaces{
		Mounts: map[string]http.Handler{
			native.VerifyPath: all.Mounts["/v1/"], native.BatchPath: all.Mounts["/v1/"], gateway.VerifyPath: all.Mounts["/authz/"],
		},
		Fallback: api.Surface{Name: "root", Error: native.Error}.Handler(nil),
	}
	intake := api.Intake{Proxies: proxies, Log: s.config.Log, Observe: s.metrics.observe}
	return handlers{all: s.quickly(all, intake), verification: intake.Handler(verification.Handler())}, nil
}

// mounts are the surfaces. Every path of the API begins with what is named here.
func (s *Server) mounts(gate *gateway.Gateway) map[string]http.Handler {
	tokens := api.Surface{Name: "oauth", Authenticate: s.tokens.Caller, Error: oauth.Error, LooseQuery: true}.
		Handler(s.tokens.Routes(s.config.PublicURL, s.plane))
	return map[string]http.Handler{
		"/v1/":          native.New(s.plane, s.engine, s.tokens, s.node),
		"/aerospike/":   aerospike.New(s.plane, s.engine, s.tokens),
		"/gjirafa/":     gjirafa.New(s.plane, s.engine, s.tokens),
		"/rebilly/":     rebilly.New(s.plane, s.engine, s.tokens, s.config.PublicURL),
		"/authz/":       gate.Handler(),
		"/oauth/":       tokens,
		"/.well-known/": tokens,
	}
}

// routes are what belongs to the server as a whole.
func (s *Server) routes() []api.Route {
	routes := []api.Route{
		{Pattern: "GET /{$}", Open: true, Handle: s.index},
		{Pattern: "GET /livez", Open: true, Handle: s.live},
		{Pattern: "GET /readyz", Open: true, Handle: s.readyz},
		{Pattern: "GET /version", Open: true, Handle: s.version},
	}
	return append(routes, web.Routes(contracts())...)
}

// health is what probes are told.
type health struct{ ready atomic.Bool }

type status struct {
	Status string `json:"status"`
	// Database is "ok", or "unavailable" while the server answers from memory.
	Database string `json:"database,omitempty"`
}

// index tells whoever opens the server's address what it is.
func (s *Server) index(context.Context, *api.Call) (api.Answer, error) {
	return api.Answer{Body: map[string]string{
		"name": "keyward", "version": s.config.Version, "api": "/v1/", "contract": "/openapi/native.json", "docs": "/docs/api/",
	}}, nil
}

// live says that the process answers.
func (s *Server) live(context.Context, *api.Call) (api.Answer, error) {
	return api.Answer{Body: status{Status: "ok"}}, nil
}

// readyz says whether requests should be sent here. Without its database the server
// still verifies, so it stays ready.
func (s *Server) readyz(ctx context.Context, _ *api.Call) (api.Answer, error) {
	if !s.health.ready.Load() || !s.engine.Ready() {
		return api.Answer{}, keyward.Errorf(keyward.Unavailable, "the server is starting or stopping")
	}
	body := status{Status: "ok", Database: "ok"}
	if s.store.Ping(ctx, time.Second) != nil {
		body = status{Status: "degraded", Database: "unavailable"}
	}
	return api.Answer{Body: body}, nil
}

func (s *Server) version(context.Context, *api.Call) (api.Answer, error) {
	return api.Answer{Body: map[string]string{"version": s.config.Version, "go": runtime.Version()}}, nil
}
