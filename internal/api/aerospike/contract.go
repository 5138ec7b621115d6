package aerospike

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"keyward"
	"keyward/internal/api"
)

//go:embed openapi.json
var contract []byte

// Contract returns the OpenAPI 3.0 document of the surface.
func Contract() json.RawMessage { return contract }

// page returns the contract as YAML. It is made when somebody first asks for it.
type page func() ([]byte, error)

// contractPages returns the contract as it is served below /aerospike, and at the root
// of a host name.
func contractPages() map[string]page {
	pages := map[string]page{}
	for _, base := range []string{root, ""} {
		pages[base] = sync.OnceValues(func() ([]byte, error) { return asYAML(contract, base) })
	}
	return pages
}

// getContract answers with the contract, as the vendor's own server does.
func (h *handler) getContract(ctx context.Context, _ *api.Call) (api.Answer, error) {
	text, err := h.pages[api.Base(ctx, "", root)]()
	if err != nil {
		return api.Answer{}, keyward.Errorf(keyward.Internal, "write the contract as YAML: %w", err)
	}
	return api.Answer{Body: text, Header: http.Header{"Content-Type": {"application/yaml"}}}, nil
}

// asYAML returns the document as YAML, its members in their order, with links that
// begin with base instead of /aerospike.
func asYAML(document []byte, base string) ([]byte, error) {
	var tree yaml.Node // JSON is YAML
	if err := yaml.Unmarshal(document, &tree); err != nil {
		return nil, err
	}
	rewrite(&tree, base)
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&tree); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

// rewrite lets everything below node be written as people write YAML, and moves links
// to base.
func rewrite(node *yaml.Node, base string) {
	node.Style = 0
	if rest, ok := strings.CutPrefix(node.Value, root); ok && node.Kind == yaml.ScalarNode {
		switch {
		case base+rest == "":
			node.Value = "/"
		case rest == "" || strings.HasPrefix(rest, "/"):
			node.Value = base + rest
		}
	}
	for _, child := range node.Content {
		rewrite(child, base)
	}
}
