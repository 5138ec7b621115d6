package api

import (
	"fmt"
	"net/http"

	"keyward"
)

// Propagated returns the header that every surface's answer to a change carries, and
// says how far the change has come.
func Propagated(p keyward.Propagation) http.Header {
	return http.Header{"Keyward-Propagation": {fmt.Sprintf("seq=%d, nodes=%d, confirmed=%d, pending=%d",
		p.Seq, p.Nodes, p.Confirmed, len(p.Pending))}}
}
