package main

import (
	"fmt"
	"io"
	"strings"

	"keyward/internal/server"
)

// greet prints where the server is and what to try first. The commands work as
// pasted into any shell on this machine.
func greet(out io.Writer, s *server.Server) {
	fmt.Fprintf(out, "Keyward is ready at %s\n", s.URL)
	if s.OpsURL != "" {
		fmt.Fprintf(out, "Metrics are at %s/metrics\n", s.OpsURL)
	}
	if s.GRPCAddress != "" {
		fmt.Fprintf(out, "Envoy is answered at %s\n", s.GRPCAddress)
	}
	if s.VerifyURL != "" {
		fmt.Fprintf(out, "Verification alone is at %s\n", s.VerifyURL)
	}
	if !s.RootToken.Empty() {
		fmt.Fprintf(out, "\nThe root token, shown this once and kept in %s:\n\n  %s\n", s.RootTokenPath, s.RootToken.Reveal())
	}
	fmt.Fprintf(out, `
Try it from another shell:

  KEYWARD_URL=%s KEYWARD_TOKEN=%s
  api() { curl -sS -X "$1" "$KEYWARD_URL$2" -H "Authorization: Bearer $KEYWARD_TOKEN" -H 'Content-Type: application/json' -d "$3"; echo; }
  pick() { sed -E "s/.*\"$1\":\"([^\"]*)\".*/\1/"; }

  # An organization, and a key that may read documents.
  ORG=$(api POST /v1/organizations '{"name":"Acme"}' | pick id)
  KEY=$(api POST /v1/organizations/$ORG/api-keys '{"name":"ci","acl":[{"scope":{},"permissions":["docs.read"]}]}' | pick secret)

  # May it? Yes; and for another permission, no.
  api POST /v1/verify "{\"key\":\"$KEY\",\"permissions\":[\"docs.read\"]}"
  api POST /v1/verify "{\"key\":\"$KEY\",\"permissions\":[\"docs.write\"]}"

  # A new secret for the same key, while the old one works for another day; then the end.
  ID=$(api POST /v1/verify "{\"key\":\"$KEY\"}" | pick keyId)
  api POST /v1/organizations/$ORG/api-keys/$ID/rotate '{"overlap":"24h"}'
  api POST /v1/organizations/$ORG/api-keys/$ID/revoke '{"reason":"tried it"}'
  api POST /v1/verify "{\"key\":\"$KEY\"}"

`, s.URL, credential(s.RootTokenPath))
}

// credential returns how a shell gets the root token.
func credential(path string) string {
	if path == "" {
		return `"${KEYWARD_ROOT_TOKEN:?is what the server was first started with}"`
	}
	return "$(cat '" + strings.ReplaceAll(path, "'", `'\''`) + "')"
}
