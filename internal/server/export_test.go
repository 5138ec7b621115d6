package server

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"keyward/internal/api"
	"keyward/internal/gateway"
	"keyward/internal/oauth"
	"keyward/internal/store"
	"keyward/internal/verify"
)

// Routes returns the table of what belongs to the server as a whole, for tests that
// read it: nothing in it can be called.
func Routes() []api.Route { return new(Server).routes() }

// Mounts returns the prefixes that surfaces are mounted at.
func Mounts() []string {
	s := &Server{tokens: new(oauth.Tokens)}
	return slices.Sorted(maps.Keys(s.mounts(new(gateway.Gateway))))
}

// UsageWriter is usageWriter, for tests that take its store away.
type UsageWriter = usageWriter

// NewUsageWriter returns one that writes to s as node.
func NewUsageWriter(engine *verify.Engine, s *store.Store, node string) *UsageWriter {
	return newUsageWriter(engine, s, node)
}

// Flush is flush.
func (w *UsageWriter) Flush(ctx context.Context) error { return w.flush(ctx, hurry) }

// MoveTo has it write to another store.
func (w *UsageWriter) MoveTo(s *store.Store) { w.store = s }

// Waiting returns how many verifications could not be written.
func (w *UsageWriter) Waiting() int64 { return w.waiting.Load() }

// PlainServer returns what answers on the main listener as net/http alone would do it.
func (s *Server) PlainServer() (*http.Server, error) {
	all, err := s.handlers()
	server := s.newHTTPServer()
	server.Handler = all.all
	return server, err
}
