package oauth

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Whatever the header holds, what is let pass is HTTP Basic, and a client that wrote
// the same would be the same.
func FuzzBasic(f *testing.F) {
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, header := range []string{
		"Basic " + encode("id:secret"), "basic " + encode("a%3Ab:c+d%20e"), "Basic " + encode("id"), "Basic " + encode(":"), "Basic " + encode("%zz:x"),
		"Basic", "Basic *", "Basic  " + encode("a:b"), "Bearer " + encode("a:b"), "Basic " + encode("a:b:c") + "\n", "Basic " + encode("\xff:\x00"), "",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		id, secret, found, err := basic(&http.Request{Header: http.Header{"Authorization": {header}}})
		if err != nil {
			if found || id != "" || !secret.Empty() {
				t.Errorf("basic(%q) = %q, %t, %v", header, id, found, err)
			}
			return
		}
		scheme, _, _ := strings.Cut(header, " ")
		if !found || !strings.EqualFold(scheme, "Basic") {
			t.Fatalf("basic(%q) = %q, %t", header, id, found)
		}
		again := "Basic " + encode(url.QueryEscape(id)+":"+url.QueryEscape(secret.Reveal()))
		sameID, same, _, err := basic(&http.Request{Header: http.Header{"Authorization": {again}}})
		if err != nil || sameID != id || same.Reveal() != secret.Reveal() {
			t.Errorf("basic(%q) is not basic(%q): %v", header, again, err)
		}
	})
}
