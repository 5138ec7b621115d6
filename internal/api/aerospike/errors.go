package aerospike

import (
	"errors"
	"net/http"
	"strings"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/oauth"
	"keyward/internal/token"
)

// writeError writes err as v2 does, as the vendor's generic error.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	api.WriteJSON(w, r, challenge(w, err), api.MediaJSON, word(r, err))
}

// challenge returns the status of err, and asks for a token where that is missing.
func challenge(w http.ResponseWriter, err error) int {
	status := api.StatusOf(err)
	if status == http.StatusUnauthorized {
		w.Header().Set("Www-Authenticate", `Bearer realm="aerospike"`)
	}
	return status
}

// word says what went wrong in the vendor's codes and sentences.
func word(r *http.Request, err error) failure {
	switch code := keyward.CodeOf(err); code {
	case keyward.Unauthenticated:
		return refused(err)
	case keyward.Invalid:
		return failure{"invalid_input", sentence(err)}
	case keyward.Forbidden:
		return failure{"permission_denied", sentence(err)}
	case keyward.NotFound:
		if r.PathValue(clientID) != "" {
			return failure{"not_found", "API key not found."}
		}
		return failure{"not_found", "Resource not found."}
	case keyward.Internal:
		return failure{"internal_error", "Internal Server Error"}
	case api.NotImplemented:
		return failure{Message: keyward.MessageOf(err)} // the one error without a code
	default:
		return failure{string(code), sentence(err)}
	}
}

// refused tells apart what the vendor's clients tell apart: a token that is missing,
// one that was good, and any other.
func refused(err error) failure {
	switch {
	case errors.Is(err, api.ErrNoCredential):
		return failure{"missing_token", "The access token is missing."}
	case errors.Is(err, token.ErrExpired):
		return failure{"invalid_token", "The access token expired."}
	}
	return failure{"invalid_token", "The access token is invalid."}
}

// sentence is the message of err as the vendor punctuates. A message that begins with
// the name of a member, which is a pointer, keeps its first letter.
func sentence(err error) string {
	text := keyward.MessageOf(err)
	if _, ok := errors.AsType[breach](err); ok {
		return text + "."
	}
	if member, ok := strings.CutPrefix(text, "/"); ok {
		text = member
	} else if text != "" {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	if strings.HasSuffix(text, "?") {
		return text
	}
	return strings.TrimSuffix(text, ".") + "."
}

// writeTokenError writes err as the token endpoint does.
func writeTokenError(w http.ResponseWriter, r *http.Request, err error) {
	api.WriteJSON(w, r, api.StatusOf(err), api.MediaJSON, tokenFailure{oauth.ErrorCode(err), word(r, err).Message})
}
