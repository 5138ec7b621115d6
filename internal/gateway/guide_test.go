package gateway_test

import (
	"os"
	"strings"
	"testing"
)

func TestTheRulesInTheGuideAreRules(t *testing.T) {
	page, err := os.ReadFile("../../docs/guide/gateways.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n```yaml\n")
	text, _, found := strings.Cut(rest, "\n```\n")
	if !found {
		t.Fatal("the guide has no rules")
	}
	w := withRules(t, text)
	k := w.key(t, `,"acl":[{"scope":{"region":["eu"]},"permissions":["docs.read"]}]`).Secret
	for target, want := range map[string]int{
		"GET /health": 200, "GET /v1/eu/docs/1": 200, "GET /v1/us/docs/1": 403, "POST /v1/eu/docs": 403,
		"GET /sandbox/x": 401, "GET /": 403,
	} {
		method, uri, _ := strings.Cut(target, " ")
		if got := w.verify(t, "X-Acme-Key", k, "X-Forwarded-Method", method, "X-Forwarded-Uri", uri); got.status != want {
			t.Errorf("%s: %d %s, want %d", target, got.status, got.body, want)
		}
	}
}
