package rebilly

import (
	"errors"
	"net/http"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/oauth"
)

// keyHeader carries a secret key as it is (the vendor's scheme SecretApiKey).
const keyHeader = "Reb-Apikey"

// authenticate takes an access token, of a key or of a person who signed in, or a
// secret key. Of both the token counts: the vendor's client goes on sending its key
// when it was given a token, so a bad token is refused even beside a good key.
func (h *handler) authenticate(r *http.Request) (keyward.Actor, error) {
	by, err := h.identify(r)
	if keyward.CodeOf(err) == keyward.Unauthenticated && !h.engine.Ready() {
		return keyward.Actor{}, keyward.Errorf(keyward.Unavailable, "the server is starting")
	}
	return by, err
}

// identify returns who is asking.
func (h *handler) identify(r *http.Request) (keyward.Actor, error) {
	ip := api.ClientIPOf(r.Context())
	text, err := api.Bearer(r)
	if err == nil {
		return h.tokens.Actor(text, []string{oauth.AudienceKeyward, oauth.AudienceRebilly}, ip)
	}
	secrets := r.Header.Values(keyHeader)
	if !errors.Is(err, api.ErrNoCredential) || len(secrets) == 0 {
		return keyward.Actor{}, err
	}
	if len(secrets) > 1 {
		return keyward.Actor{}, keyward.Errorf(keyward.Unauthenticated, "there is more than one key")
	}
	by, _, err := h.engine.Key(secrets[0], ip, h.now())
	return by, err
}
