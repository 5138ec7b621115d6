package server

import "keyward/internal/api"

// Routes returns the table of what belongs to the server as a whole, for tests that
// read it: nothing in it can be called.
func Routes() []api.Route { return new(Server).routes() }
