package rebilly

import (
	_ "embed"
	"encoding/json"
)

//go:embed openapi.json
var contract []byte

// Contract returns the OpenAPI 3.1 document of the surface.
func Contract() json.RawMessage { return contract }
