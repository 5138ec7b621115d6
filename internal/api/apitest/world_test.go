package apitest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keyward/internal/api/apitest"
)

func TestEveryAnswerHasARequestIDOfTheServersOwn(t *testing.T) {
	for name, test := range map[string]struct {
		id   func(*http.Request) string
		want string // of the complaint, empty for none
	}{
		"its own":      {func(*http.Request) string { return "0f8fad5b-d9cb-469f-a165-70867728950e" }, ""},
		"none":         {func(*http.Request) string { return "" }, `X-Request-Id = ""`},
		"no UUID v4":   {func(*http.Request) string { return "0f8fad5b-d9cb-169f-a165-70867728950e" }, "want a UUID v4"},
		"the caller's": {func(r *http.Request) string { return r.Header.Get("X-Request-Id") }, "of the server's own"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Request-Id", test.id(r))
			}))
			defer server.Close()
			found := &recorder{TB: t}
			apitest.Send(found, nil, "GET", server.URL, "")
			all := strings.Join(found.errors, "\n")
			if test.want == "" && all != "" || !strings.Contains(all, test.want) {
				t.Errorf("complaints: %q, want one about %q", all, test.want)
			}
		})
	}
}

func TestSendGoesToTheHostThatIsNamedAndFollowsNobody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "0f8fad5b-d9cb-469f-a165-70867728950e")
		http.Redirect(w, r, "/"+r.Host+r.URL.Path, http.StatusFound)
	}))
	defer server.Close()
	got := apitest.Send(t, nil, "GET", server.URL+"/there", "", "Host", "vendor.localhost")
	if want := "/vendor.localhost/there"; got.Status != http.StatusFound || got.Header.Get("Location") != want {
		t.Errorf("answer = %d %v, want a redirect to %s", got.Status, got.Header, want)
	}
}
