package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keyward/internal/api"
)

func TestAnUnreadRouteLooksAtNothingButTheCredential(t *testing.T) {
	handler := echo().Handler([]api.Route{{Pattern: "POST /later", Unread: true, MaxBody: 5, Handle: said("later")}})
	for name, test := range map[string]struct {
		token, query, media, body string
		want                      int
	}{
		"a good request":           {"root", "", "application/json", "{}", http.StatusOK},
		"another media type":       {"root", "", "text/plain", "x", http.StatusOK},
		"a body that is too large": {"root", "", "application/json", "too large", http.StatusOK},
		"a malformed query":        {"root", "?a=1&a=2", "", "", http.StatusOK},
		"nobody":                   {"", "?a=1&a=2", "text/plain", "too large", http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/later"+test.query, strings.NewReader(test.body))
			r.Header.Set("Content-Type", test.media)
			if test.token != "" {
				r.Header.Set("Authorization", "Bearer "+test.token)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != test.want {
				t.Errorf("status = %d %s, want %d", w.Code, w.Body, test.want)
			}
		})
	}
}
