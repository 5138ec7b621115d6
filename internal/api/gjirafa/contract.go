package gjirafa

import (
	_ "embed"
	"encoding/json"
)

//go:embed openapi.json
var contract []byte

// Contract returns the OpenAPI 3.0 document of the surface: everything that is served
// under /gjirafa.
func Contract() json.RawMessage { return contract }
