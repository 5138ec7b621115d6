package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	"keyward"
)

// Error is what the server answered instead of doing what it was asked (RFC 9457).
// For [keyward.CodeOf] and [keyward.FieldsOf] it is as an error of that package.
type Error struct {
	Status    int // of HTTP
	Code      keyward.Code
	Detail    string               // for people
	RequestID string               // under which the server logged it
	Errors    []keyward.FieldError // the members that are wrong, if Code is Invalid

	retryAfter time.Duration // -1 if the server did not say
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s", e.Code, e.Detail)
	if e.RequestID != "" {
		text += fmt.Sprintf(" (request %s)", e.RequestID)
	}
	return text
}

// Unwrap returns the error in the vocabulary of package keyward.
func (e *Error) Unwrap() error {
	return &keyward.Error{Code: e.Code, Message: e.Detail, Fields: e.Errors}
}

// refusal reads the error in an answer. The credential is cut out, should something
// on the way have repeated it.
func (c *Client) refusal(answer *http.Response, body []byte) error {
	e := &Error{
		Status: answer.StatusCode, RequestID: answer.Header.Get("X-Request-Id"),
		retryAfter: retryAfter(answer.Header.Get("Retry-After")),
	}
	var problem struct {
		Detail string               `json:"detail"`
		Code   keyward.Code         `json:"code"`
		Errors []keyward.FieldError `json:"errors"`
	}
	body = bytes.ReplaceAll(body, []byte(c.token.Reveal()), []byte("[redacted]"))
	media, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if media == "application/problem+json" && json.Unmarshal(body, &problem) == nil && problem.Code != "" {
		e.Code, e.Detail, e.Errors = problem.Code, problem.Detail, problem.Errors
		return e
	}
	e.Code = codeOf(e.Status)
	e.Detail = fmt.Sprintf("%s answered %d %s, and not as Keyward does", c.base.Host, e.Status, http.StatusText(e.Status))
	if place, err := answer.Location(); err == nil {
		e.Detail += fmt.Sprintf("; it points to %s://%s", place.Scheme, place.Host)
	}
	return e
}

// codeOf returns the code for a status that came without one: from a proxy, or from
// another program altogether.
func codeOf(status int) keyward.Code {
	switch status {
	case http.StatusUnauthorized:
		return keyward.Unauthenticated
	case http.StatusForbidden:
		return keyward.Forbidden
	case http.StatusNotFound:
		return keyward.NotFound
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return keyward.Unavailable
	}
	return keyward.Internal
}

// retryAfter reads the header of that name (RFC 9110, section 10.2.3): -1 if there is
// none.
func retryAfter(text string) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 3600)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0)
	}
	return -1
}
