package rebilly

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keyward"
	"keyward/internal/api"
)

// problem is an error on the wire: RFC 7807 in plain JSON. A type that is missing is
// about:blank.
type problem struct {
	Status        int            `json:"status"`
	Title         string         `json:"title"`
	Detail        string         `json:"detail"`
	InvalidFields []invalidField `json:"invalidFields,omitempty"`
}

// invalidField is one parameter or member that breaks a rule, such as acl.0.scope.
type invalidField struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// writeError writes err as the vendor would. When to try again is a Unix time in a
// header of the vendor's, beside the usual Retry-After: its clients differ.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	body := problemOf(err)
	switch body.Status {
	case http.StatusUnauthorized:
		w.Header().Set("Www-Authenticate", `Bearer realm="keyward"`)
	case http.StatusTooManyRequests:
		again := time.Now().Add(keyward.RetryOf(err) + time.Second - 1) // the end of that second
		w.Header().Set("X-RateLimit-Retry-After", strconv.FormatInt(again.Unix(), 10))
		if _, ok := errors.AsType[exceeded](err); ok {
			w.Header().Set("Rate-Limit-Limit", strconv.Itoa(maxWrites))
		}
	}
	api.WriteJSON(w, r, body.Status, api.MediaJSON, body)
}

// problemOf words an error. What is refused or missing is so in one wording, whatever
// the cause.
func problemOf(err error) problem {
	status := api.StatusOf(err)
	if keyward.CodeOf(err) == unprocessable {
		status = http.StatusUnprocessableEntity
	}
	body := problem{
		Status: status, Title: http.StatusText(status), Detail: keyward.MessageOf(err), InvalidFields: invalid(err),
	}
	switch {
	case status == http.StatusUnauthorized:
		body.Detail = "Invalid credentials used"
	case status == http.StatusNotFound:
		body.Detail = "Resource not found"
	case status == http.StatusUnprocessableEntity:
		body.Title = "Validation failed"
	case status == http.StatusTooManyRequests:
		body.Title = "Rate Limit Exceeded"
	}
	if len(body.InvalidFields) > 0 {
		body.Detail = summary(body.InvalidFields)
	}
	return body
}

// unprocessable is the code of a body that can be read and breaks a rule: the vendor
// tells it from a malformed one.
const unprocessable keyward.Code = "unprocessable"

// ofBody makes an error about members of the body what the vendor has for it, in which
// Keyward's "name" is called name. An error that names no member is about a body that
// cannot be read, and stays as it is.
func ofBody(err error, name string) error {
	found, ok := errors.AsType[*keyward.Error](err)
	if !ok || found.Code != keyward.Invalid || len(found.Fields) == 0 {
		return err
	}
	named := &keyward.Error{Code: unprocessable, Message: found.Message}
	for _, f := range found.Fields {
		switch f.Pointer {
		case "":
			return err
		case "/name":
			f.Pointer = "/" + name
		}
		named.Fields = append(named.Fields, f)
	}
	return named
}

// invalid returns the fields that err names.
func invalid(err error) []invalidField {
	var fields []invalidField
	for _, f := range keyward.FieldsOf(err) {
		fields = append(fields, invalidField{Field: dotted(f.Pointer), Message: f.Detail})
	}
	return fields
}

// dotted writes a pointer (RFC 6901) in the vendor's way: acl.0.permissions.
func dotted(pointer string) string {
	path := strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/", ".")
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(path)
}

// summary says in one line what is wrong: the vendor's clients show nothing else.
func summary(fields []invalidField) string {
	text := strings.TrimPrefix(fields[0].Field+" "+fields[0].Message, " ")
	if len(fields) > 1 {
		return fmt.Sprintf("%s (and %d more)", text, len(fields)-1)
	}
	return text
}
