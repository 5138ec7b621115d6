package keyward

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code says what kind of thing went wrong. Each surface maps it once to its own
// status and body.
type Code string

// The codes. What is not an [*Error] is Internal.
const (
	Invalid         Code = "invalid_request"        // the input breaks a rule; Fields says which
	Unauthenticated Code = "unauthenticated"        // no credential, or one that is not accepted
	Forbidden       Code = "forbidden"              // the actor may not do this
	NotFound        Code = "not_found"              // missing, or another tenant's: never told apart
	Conflict        Code = "conflict"               // the state of the thing does not allow it
	Stale           Code = "precondition_failed"    // it changed since the caller read it
	Reused          Code = "idempotency_key_reused" // the same idempotency key with another request
	Throttled       Code = "too_many_requests"      // the caller asked too often; [RetryOf] says when to come again
	Unavailable     Code = "unavailable"            // try again later: the database is away, or a node is starting
	Internal        Code = "internal_error"         // a bug; the caller learns nothing more
)

// Error is the one error type that callers are meant to see. Message and Fields
// are safe to show to whoever made the request.
type Error struct {
	Code    Code
	Message string
	Fields  []FieldError // what is wrong with the input, if Code is Invalid
	cause   error
	retry   time.Duration
}

// FieldError names one wrong member of the input.
type FieldError struct {
	Pointer string `json:"pointer"` // RFC 6901, such as /allowedIps/0
	Detail  string `json:"detail"`
}

// Errorf returns an error with the given code. A %w verb keeps the cause for
// logs; its text is not part of what the caller is shown, wherever the verb stands.
func Errorf(code Code, format string, args ...any) error {
	cause := errors.Unwrap(fmt.Errorf(format, args...))
	shown := strings.ReplaceAll(format, "%w", "%.0s") // a cause cut to nothing
	message := strings.TrimSuffix(fmt.Sprintf(shown, args...), ": ")
	return &Error{Code: code, Message: message, cause: cause}
}

// Throttle returns an error with the code Throttled: the caller may try again after wait.
func Throttle(wait time.Duration, format string, args ...any) error {
	return &Error{Code: Throttled, Message: fmt.Sprintf(format, args...), retry: wait}
}

// RetryOf returns how long to wait before the request that failed with err is tried
// again, 0 if err does not say.
func RetryOf(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.retry
	}
	return 0
}

// Error is for logs; callers are shown [MessageOf].
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	b.WriteString(": ")
	b.WriteString(e.Message)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s %s", f.Pointer, f.Detail)
	}
	if e.cause != nil {
		b.WriteString(": ")
		b.WriteString(e.cause.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.cause }

// CodeOf returns the code of err, and Internal for errors that carry none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// MessageOf returns what the caller may read about err. Of an internal error that is
// nothing but that it is one: the details are for logs.
func MessageOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Code != Internal {
		return e.Message
	}
	return "internal error"
}

// FieldsOf returns the wrong fields that err names, if any.
func FieldsOf(err error) []FieldError {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Fields
	}
	return nil
}

// Faults collects what is wrong with an input, so that one answer names all of it.
type Faults []FieldError

// maxFaults bounds how much one answer says about one input.
const maxFaults = 100

// Add notes that the member at pointer is wrong, unless a hundred are noted already.
func (f *Faults) Add(pointer, format string, args ...any) {
	if len(*f) >= maxFaults {
		return
	}
	*f = append(*f, FieldError{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

// Err returns nil if nothing was noted, else an error with code Invalid.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	message := strings.TrimPrefix(f[0].Pointer+" "+f[0].Detail, " ")
	if len(f) > 1 {
		message = fmt.Sprintf("%s (and %d more)", message, len(f)-1)
	}
	return &Error{Code: Invalid, Message: message, Fields: f}
}
