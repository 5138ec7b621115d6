package aerospike

import (
	"errors"
	"net/http"
	"regexp"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/token"
)

// mediaProblem is the media type of v1's errors.
const mediaProblem = "application/problem+json"

// The types of problem that this surface has, of the vendor's nine.
const (
	unauthorized  = "urn:aerospike:errors:auth:unauthorized"
	tokenExpired  = "urn:aerospike:errors:auth:token-expired"
	notFound      = "urn:aerospike:errors:resource:not-found"
	alreadyExists = "urn:aerospike:errors:resource:already-exists"
	invalid       = failed
	internal      = "urn:aerospike:errors:system:internal"
	unavailable   = "urn:aerospike:errors:system:unavailable"
	limited       = "urn:aerospike:errors:ratelimit:exceeded"
)

// writeProblem writes err as v1 does, as a problem (RFC 9457).
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	status := challenge(w, err)
	p := problem{Status: status, Detail: occurrence(r, err)}
	p.Type, p.Title = typed(status, err)
	p.Message = p.Detail
	switch {
	case p.Type == invalid:
		p.Context = validationOf(err)
	case p.Type == notFound:
		p.Context = wanted(r)
	}
	api.WriteJSON(w, r, status, mediaProblem, p)
}

// typed returns the type and the title of an error. The vendor's types are few: what is
// wrong with a request before anybody understands it is a failed validation.
func typed(status int, err error) (of, title string) {
	switch status {
	case http.StatusBadRequest:
		return invalid, "Validation Error"
	case http.StatusUnauthorized:
		if errors.Is(err, token.ErrExpired) {
			return tokenExpired, "Token Expired"
		}
		return unauthorized, "Unauthorized"
	case http.StatusForbidden:
		return unauthorized, "Unauthorized" // as the vendor has it
	case http.StatusNotFound:
		return notFound, "Resource Not Found"
	case http.StatusConflict:
		return alreadyExists, "Resource Already Exists"
	case http.StatusTooManyRequests:
		return limited, "Rate Limit Exceeded"
	case http.StatusInternalServerError:
		return internal, "Internal Server Error"
	case http.StatusNotImplemented, http.StatusServiceUnavailable:
		return unavailable, http.StatusText(status)
	}
	return invalid, http.StatusText(status)
}

// occurrence is the sentence of this occurrence.
func occurrence(r *http.Request, err error) string {
	if keyward.CodeOf(err) != keyward.NotFound {
		return word(r, err).Message
	}
	if r.PathValue(clientID) != "" {
		return "No such API key."
	}
	return "No such resource."
}

// repeatable is what an answer may repeat of an id that nobody knows.
var repeatable = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

// wanted says what a request was for that found nothing, nil if that is a path.
func wanted(r *http.Request) any {
	id := r.PathValue(clientID)
	switch {
	case id == "":
		return nil
	case !repeatable.MatchString(id):
		return resource{Resource: "api-key"}
	}
	return resource{Resource: "api-key", ID: id}
}
