package gateway_test

import (
	"net/http/httptest"
	"testing"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/gateway"
	"keyward/internal/verify"
)

func TestWhoComesThroughTheSocketMayVerifyAndNothingElse(t *testing.T) {
	g := gateway.New(nil, verify.New(nil), nil)
	by, err := g.Caller(nil, true)
	if err != nil || by.May(keyward.KeysVerify, "org_1") != nil || by.Type != keyward.SystemActor {
		t.Errorf("Caller = %+v, %v, want one who may verify keys everywhere", by, err)
	}
	for _, p := range keyward.Permissions() {
		if p != keyward.KeysVerify && by.May(p, "org_1") == nil {
			t.Errorf("the socket gives %s", p)
		}
	}
}

func TestACredentialCountsThroughTheSocketToo(t *testing.T) {
	g := gateway.New(nil, verify.New(nil), nil)
	for _, lines := range [][]string{{""}, {"Bearer"}, {"kwop_1"}, {"Bearer kwop_1", "Bearer kwop_1"}} {
		if by, err := g.Caller(lines, true); keyward.CodeOf(err) != keyward.Unauthenticated {
			t.Errorf("Caller(%q) = %+v, %v, want that it is not accepted", lines, by, err)
		}
	}
}

func TestOnlyASocketIsASocket(t *testing.T) {
	handler := gateway.New(nil, verify.New(nil), openRules(t)).Handler()
	for name, want := range map[string]int{"a socket": 200, "a connection": 401} {
		r := httptest.NewRequest("GET", "/authz/verify", nil)
		r.Header.Set("X-Forwarded-Method", "GET")
		r.Header.Set("X-Forwarded-Uri", "/open")
		if name == "a socket" {
			r = r.WithContext(api.WithSocket(r.Context()))
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("through %s: %d %s, want %d", name, w.Code, w.Body, want)
		}
	}
}

// openRules have a route that takes no key, for which nothing need be known.
func openRules(t *testing.T) *gateway.Rules {
	t.Helper()
	rules, err := gateway.ParseRules("rules.yaml", []byte("rules:\n  - match: GET /open\n    open: true\n"))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}
