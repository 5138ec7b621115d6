package gjirafa

import (
	"net/http"
	"strings"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/oauth"
	"keyward/internal/token"
)

// credential is what a request presents.
type credential struct {
	text  string
	token bool // whether it is an access token
}

// authenticate takes a key or an access token of the audience keyward. In whichever
// form a key comes, it has the same rights.
func (h *handler) authenticate(r *http.Request) (keyward.Actor, error) {
	presented, err := readCredential(r.Header)
	if err != nil {
		return keyward.Actor{}, err
	}
	if !h.engine.Ready() {
		return keyward.Actor{}, keyward.Errorf(keyward.Unavailable, "the server is starting")
	}
	ip := api.ClientIPOf(r.Context())
	if presented.token {
		return h.tokens.Actor(presented.text, []string{oauth.AudienceKeyward}, ip)
	}
	by, _, err := h.engine.Key(presented.text, ip, h.now())
	return by, err
}

// readCredential finds the one credential of a request, which may be there twice: in
// Authorization and in x-api-key. All errors are Unauthenticated.
func readCredential(header http.Header) (credential, error) {
	authorizations, apiKeys := header.Values("Authorization"), header.Values("X-Api-Key")
	switch {
	case len(authorizations) == 0 && len(apiKeys) == 0:
		return credential{}, api.ErrNoCredential
	case len(authorizations) > 1 || len(apiKeys) > 1:
		return credential{}, keyward.Errorf(keyward.Unauthenticated, "a credential is given more than once")
	case len(authorizations) == 0:
		return credential{text: apiKeys[0]}, nil
	}
	presented, err := parseAuthorization(authorizations[0])
	if err == nil && len(apiKeys) == 1 && apiKeys[0] != presented.text {
		err = keyward.Errorf(keyward.Unauthenticated, "Authorization and x-api-key hold different credentials")
	}
	return presented, err
}

// parseAuthorization reads "Bearer x", "ApiKey x", and a key without a scheme.
func parseAuthorization(header string) (credential, error) {
	scheme, text, hasScheme := strings.Cut(header, " ")
	switch {
	case !hasScheme:
		return credential{text: header}, nil
	case strings.EqualFold(scheme, "ApiKey"):
		return credential{text: text}, nil
	case strings.EqualFold(scheme, "Bearer"):
		return credential{text: text, token: token.LooksLike(text)}, nil
	}
	return credential{}, keyward.Errorf(keyward.Unauthenticated,
		"the Authorization header must hold a key, or Bearer or ApiKey and one")
}
