package api

import (
	"net/http"
	"strings"

	"keyward"
)

// maxToken is how long a bearer token may be, in bytes.
const maxToken = 8 << 10

// ErrNoCredential says that a request has no Authorization header at all, so that a
// surface may look for another kind of credential. Its code is Unauthenticated.
var ErrNoCredential = keyward.Errorf(keyward.Unauthenticated, "no credential")

// Bearer returns the token of "Authorization: Bearer x" (RFC 6750, 2.1): the scheme in
// any case, one space, and up to 8 KiB of visible ASCII characters. All errors are
// Unauthenticated; without the header it is [ErrNoCredential].
func Bearer(r *http.Request) (string, error) { return BearerIn(r.Header.Values("Authorization")) }

// BearerIn is [Bearer] of the lines of another header that is written alike.
func BearerIn(headers []string) (string, error) {
	if len(headers) == 0 {
		return "", ErrNoCredential
	}
	if len(headers) > 1 {
		return "", keyward.Errorf(keyward.Unauthenticated, "there is more than one Authorization header")
	}
	return BearerToken(headers[0])
}

// BearerToken is [Bearer] for the value of the header.
func BearerToken(header string) (string, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", keyward.Errorf(keyward.Unauthenticated, "the Authorization header has no Bearer token")
	}
	invisible := func(c rune) bool { return c < 0x21 || c > 0x7e }
	if token == "" || len(token) > maxToken || strings.ContainsFunc(token, invisible) {
		return "", keyward.Errorf(keyward.Unauthenticated, "the Bearer token is malformed")
	}
	return token, nil
}
