package aerospike_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"keyward/keywardtest"
)

// A client whose paths cannot be changed finds them at the root of a host name.
func TestTheDialectIsAtTheRootOfAHost(t *testing.T) {
	const host = "aerospike.localhost"
	w := newWorld(t, keywardtest.Options{})
	k := w.newKey(w.organization, "ci", reader())
	var issued struct {
		AccessToken string `json:"access_token"`
	}
	got := w.sendTo(host, "POST", "/oauth/token", k.Form(), "Content-Type", asForm)
	if err := json.Unmarshal([]byte(got.Body), &issued); err != nil || got.Status != http.StatusOK {
		t.Fatalf("token = %d %s", got.Status, got.Body)
	}
	for path, want := range map[string]struct {
		status int
		media  string
	}{
		"/v1/api-keys":           {http.StatusOK, "application/json"},
		"/v2/api-keys":           {http.StatusOK, "application/json"},
		"/v1/nothing":            {http.StatusNotFound, "application/problem+json"},
		"/v2/nothing":            {http.StatusNotFound, "application/json"},
		"/aerospike/v2/api-keys": {http.StatusNotFound, "application/json"},
		"/v1/organizations":      {http.StatusNotFound, "application/problem+json"},
	} {
		got := w.sendTo(host, "GET", path, "", "Authorization", "Bearer "+issued.AccessToken)
		if got.Status != want.status || got.Header.Get("Content-Type") != want.media {
			t.Errorf("GET %s = %d %q, want %d %q", path, got.Status, got.Header.Get("Content-Type"), want.status, want.media)
		}
	}
}

// The contract says where it is served.
func TestTheLinksOfTheContractLeadToWhereItIs(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	for _, place := range []struct{ host, path, server, token string }{
		{"", "/aerospike/v1/openapi.yaml", "/aerospike", "/aerospike/oauth/token"},
		{"aerospike.localhost", "/v2/openapi.yaml", "/", "/oauth/token"},
	} {
		got := w.sendTo(place.host, "GET", place.path, "")
		if !strings.Contains(got.Body, "url: "+place.server+"\n") || !strings.Contains(got.Body, "tokenUrl: "+place.token+"\n") {
			t.Errorf("%s%s = %d %.300s…, want it to lead to %s and %s",
				place.host, place.path, got.Status, got.Body, place.server, place.token)
		}
	}
}
