package gjirafa_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api/apitest"
	"keyward/internal/api/gjirafa"
	"keyward/internal/control"
	"keyward/internal/keyring"
	"keyward/internal/store"
)

// newOwner returns the surface for the owner of a deployment, whom no credential of
// this dialect stands for yet.
func newOwner(t *testing.T) http.Handler {
	t.Helper()
	ring, err := keyring.New(bytes.Repeat([]byte{7}, keyring.MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "keyward.db"),
		store.Config{Chain: ring.AuditMAC, ChainKeyID: ring.AuditKeyID()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	owner := keyward.Operator{Role: keyward.Owner}
	by := keyward.Actor{Type: keyward.SystemActor, ID: "system", Management: owner.Management()}
	return gjirafa.For(by, control.New(s, ring))
}

func ask(surface http.Handler, method, path, body string) answer {
	recorder := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	surface.ServeHTTP(recorder, r)
	return answer{apitest.Recorded(recorder)}
}

func TestAnOrganizationKeepsWhatOnlyTheVendorKnowsOfIt(t *testing.T) {
	owner := newOwner(t)
	made := ask(owner, "POST", "/gjirafa/api/organizations",
		`{"name":"Acme","addressLine1":"1 Main St","addressLine2":"","state":"KS","country":"XK","city":"Prishtina","VatNumber":"81"}`)
	var body struct{ Result struct{ PublicID string } }
	made.read(t, &body)
	want := holds(`{"publicId":"` + body.Result.PublicID + `","isDefault":true,"name":"Acme","addressLine1":"1 Main St",` +
		`"addressLine2":"","state":"KS","country":"XK","city":"Prishtina","vatNumber":"81"}`)
	made.Is(t, http.StatusOK, want)
	if made.Header.Get("Keyward-Propagation") == "" {
		t.Error("the answer does not say how far the change has come")
	}
	ask(owner, "GET", "/gjirafa/api/organizations/"+body.Result.PublicID, "").Is(t, http.StatusOK, want)
}

func TestAllOfAnOrganizationMustBeGiven(t *testing.T) {
	owner := newOwner(t)
	ask(owner, "POST", "/gjirafa/api/organizations", `{"name":"Acme","city":null,"state":""}`).Is(t, http.StatusBadRequest, refuses("400",
		`addressLine1 is missing","addressLine2 is missing","country is missing","city is missing","vatNumber is missing`))
	ask(owner, "POST", "/gjirafa/api/organizations",
		`{"name":" ","addressLine1":"","addressLine2":"","state":"","country":"","city":"","vatNumber":""}`).Is(t, http.StatusBadRequest,
		refuses("400", "name must have at least one character that is not a space"))
}
