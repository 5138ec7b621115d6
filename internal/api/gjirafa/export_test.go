package gjirafa

import (
	"net/http"

	"keyward"
	"keyward/internal/control"
)

// Date is how a date is read.
type Date = date

// WriteError is how errors are written.
var WriteError = writeError

// For returns the surface for somebody who is known already.
func For(by keyward.Actor, plane *control.Plane) http.Handler {
	h := &handler{plane: plane}
	return h.surface(func(*http.Request) (keyward.Actor, error) { return by, nil })
}
