package api

import (
	"net/http"

	"keyward"
)

// The codes that only HTTP knows, beside those of package keyward.
const (
	MethodNotAllowed  keyward.Code = "method_not_allowed"
	TooLarge          keyward.Code = "body_too_large"
	URITooLong        keyward.Code = "uri_too_long"
	UnsupportedMedia  keyward.Code = "unsupported_media_type"
	ExpectationFailed keyward.Code = "expectation_failed"
	NotImplemented    keyward.Code = "not_implemented"
)

// StatusOf returns the conventional status of err. A surface whose original answers
// otherwise has a mapping of its own.
func StatusOf(err error) int {
	switch keyward.CodeOf(err) {
	case keyward.Invalid:
		return http.StatusBadRequest
	case keyward.Unauthenticated:
		return http.StatusUnauthorized
	case keyward.Forbidden:
		return http.StatusForbidden
	case keyward.NotFound:
		return http.StatusNotFound
	case MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case keyward.Conflict:
		return http.StatusConflict
	case keyward.Stale:
		return http.StatusPreconditionFailed
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case URITooLong:
		return http.StatusRequestURITooLong
	case UnsupportedMedia:
		return http.StatusUnsupportedMediaType
	case ExpectationFailed:
		return http.StatusExpectationFailed
	case keyward.Reused:
		return http.StatusUnprocessableEntity
	case keyward.Throttled:
		return http.StatusTooManyRequests
	case NotImplemented:
		return http.StatusNotImplemented
	case keyward.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
