package oauth

import (
	"net/http"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/token"
)

// Caller returns who asks what a token is worth (RFC 7662, 2.1): an operator with its
// credential, or a key with an access token of the audience keyward or, in HTTP Basic,
// with its client id and secret. What is none of these is Unauthenticated; a key that may
// not be used from where the request comes from is Forbidden.
func (t *Tokens) Caller(r *http.Request) (keyward.Actor, error) {
	if !t.engine.Ready() {
		return keyward.Actor{}, keyward.Errorf(keyward.Unavailable, "the server is starting")
	}
	ip, now := api.ClientIPOf(r.Context()), t.now()
	text, err := api.Bearer(r)
	if err != nil {
		id, secret, found, wrong := basic(r)
		if !found || wrong != nil {
			return keyward.Actor{}, err
		}
		by, _, err := t.client(id, secret, ip, now)
		return by, err
	}
	if token.LooksLike(text) {
		return t.Actor(text, []string{AudienceKeyward}, ip)
	}
	if by, ok := t.engine.Operator(text, now); ok {
		return by, nil
	}
	return keyward.Actor{}, keyward.Errorf(keyward.Unauthenticated, "the credential is not accepted")
}
