package server

import (
	"maps"
	"slices"

	"keyward/internal/api"
	"keyward/internal/gateway"
	"keyward/internal/oauth"
)

// Routes returns the table of what belongs to the server as a whole, for tests that
// read it: nothing in it can be called.
func Routes() []api.Route { return new(Server).routes() }

// Mounts returns the prefixes that surfaces are mounted at.
func Mounts() []string {
	s := &Server{tokens: new(oauth.Tokens)}
	return slices.Sorted(maps.Keys(s.mounts(new(gateway.Gateway))))
}
