package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
	"keyward/keywardtest"
)

// shaped returns what is wrong with how an error is written, given where it was asked
// for. Every surface has a form of its own, and answers everything in it: no member of
// another's is there, and none of its own is missing.
func shaped(host, path string, got answer) error {
	shape := shapeOf(host, path)
	media, members := got.header.Get("Content-Type"), map[string]json.RawMessage{}
	if media != shape.media {
		return fmt.Errorf("the media type is %q, want %q", media, shape.media)
	}
	decoder := json.NewDecoder(strings.NewReader(got.body))
	if err := decoder.Decode(&members); err != nil || decoder.More() {
		return fmt.Errorf("it is not one JSON object: %w", err)
	}
	for _, name := range shape.always {
		if _, ok := members[name]; !ok {
			return fmt.Errorf("the member %q is missing", name)
		}
	}
	for name := range members {
		if !slices.Contains(shape.always, name) && !slices.Contains(shape.sometimes, name) {
			return fmt.Errorf("the member %q is not in its form", name)
		}
	}
	return shape.check(got, []byte(got.body))
}

// shape is the form of a surface's errors.
type shape struct {
	media             string
	always, sometimes []string
	check             func(got answer, body []byte) error
}

// shapeOf returns the form of errors of a path, at a host name if that is a dialect's.
func shapeOf(host, path string) shape {
	if name, ok := strings.CutSuffix(strings.Split(host, ":")[0], ".localhost"); ok {
		path = "/" + name + path
	}
	switch {
	case path == "/aerospike/oauth/token", strings.HasPrefix(path, "/oauth/"), strings.HasPrefix(path, "/.well-known/"):
		return shape{api.MediaJSON, []string{"error", "error_description"}, nil, checkOAuth}
	case strings.HasPrefix(path+"/", "/aerospike/v1/"):
		return shape{mediaProblem, []string{"type", "title", "status", "detail", "message"}, []string{"instance", "context"}, checkAerospikeV1}
	case strings.HasPrefix(path, "/aerospike/"):
		return shape{api.MediaJSON, []string{"message"}, []string{"code"}, checkAerospikeV2}
	case strings.HasPrefix(path, "/rebilly/"):
		return shape{api.MediaJSON, []string{"status", "title", "detail"}, []string{"invalidFields"}, checkRebilly}
	case strings.HasPrefix(path, "/gjirafa/"):
		return shape{api.MediaJSON, []string{"success", "errors", "messages", "result", "resultInfo", "statusCode"}, nil, checkGjirafa}
	}
	return shape{mediaProblem, []string{"type", "title", "status", "detail", "code", "requestId"}, []string{"errors"}, checkNative}
}

const mediaProblem = "application/problem+json"

func checkOAuth(_ answer, body []byte) error {
	var e struct {
		Error       string
		Description string `json:"error_description"`
	}
	err := json.Unmarshal(body, &e)
	if err != nil || !oauthCode.MatchString(e.Error) || e.Description == "" {
		return fmt.Errorf("it is no OAuth error: %w", err)
	}
	return nil
}

var oauthCode = regexp.MustCompile(`^[a-z_]+$`)

func checkAerospikeV1(got answer, body []byte) error {
	var e struct {
		Type, Title, Detail, Message string
		Status                       int
		Context                      *struct {
			Resource, ID string
			Missing      []string
			Invalid      []struct{ Field, Type, Description string }
		}
	}
	err := strictly(body, &e)
	if err != nil || !aerospikeType.MatchString(e.Type) || e.Title == "" || e.Status != got.status || e.Detail == "" || e.Message != e.Detail {
		return fmt.Errorf("it is no problem of the vendor's: %w", err)
	}
	if e.Context == nil {
		return nil
	}
	for _, wrong := range e.Context.Invalid {
		if !strings.HasPrefix(wrong.Type, "urn:aerospike:errors:validation:") {
			return fmt.Errorf("the context holds the type %q", wrong.Type)
		}
	}
	return nil
}

var aerospikeType = regexp.MustCompile(`^urn:aerospike:errors:(auth:(unauthorized|token-expired)|resource:(not-found|already-exists)|` +
	`validation:failed|system:(internal|unavailable)|ratelimit:exceeded)$`)

func checkAerospikeV2(got answer, body []byte) error {
	var e struct{ Code, Message *string }
	err := strictly(body, &e)
	switch {
	case err != nil || e.Message == nil || *e.Message == "":
		return fmt.Errorf("it is no generic error of the vendor's: %w", err)
	case (e.Code == nil) != (got.status == http.StatusNotImplemented):
		return fmt.Errorf("its code is %v", e.Code)
	}
	return nil
}

func checkRebilly(got answer, body []byte) error {
	var e struct {
		Status        int
		Title, Detail string
		InvalidFields []struct{ Field, Message string }
	}
	err := strictly(body, &e)
	if err != nil || e.Status != got.status || e.Title == "" || e.Detail == "" {
		return fmt.Errorf("it is no problem of the vendor's: %w", err)
	}
	for _, wrong := range e.InvalidFields {
		if wrong.Message == "" {
			return fmt.Errorf("nothing is said of the field %q", wrong.Field)
		}
	}
	if got.status == http.StatusUnprocessableEntity && len(e.InvalidFields) == 0 {
		return fmt.Errorf("it names no field")
	}
	return nil
}

func checkGjirafa(got answer, body []byte) error {
	var e struct {
		Success            *bool
		Errors, Messages   []string
		Result, ResultInfo json.RawMessage
		StatusCode         int
	}
	err := strictly(body, &e)
	if err != nil || e.Success == nil || *e.Success || len(e.Errors) == 0 || slices.Contains(e.Errors, "") || e.Messages == nil ||
		len(e.Messages) > 0 || string(e.Result) != "null" || string(e.ResultInfo) != "null" || e.StatusCode != got.status {
		return fmt.Errorf("it is no envelope of an error: %w", err)
	}
	return nil
}

func checkNative(got answer, body []byte) error {
	var e struct {
		Type, Title, Detail, Code, RequestID string
		Status                               int
		Errors                               []struct{ Pointer, Detail string }
	}
	err := strictly(body, &e)
	if err != nil || e.Type == "" || e.Title == "" || e.Detail == "" || e.Code == "" || e.Status != got.status ||
		e.RequestID != got.header.Get("X-Request-Id") {
		return fmt.Errorf("it is no problem: %w", err)
	}
	if e.Code == string(keyward.Invalid) && len(e.Errors) == 0 && !unpointed.MatchString(e.Detail) {
		return fmt.Errorf("it does not point at what is wrong")
	}
	return nil
}

// unpointed are errors of what has no pointer: headers, and bodies that end early.
var unpointed = regexp.MustCompile(`Idempotency-Key|If-Match|body could not be read`)

func strictly(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// The judges are worth nothing if they let another surface's errors pass.
func TestNoErrorHasTheShapeOfAnotherSurface(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	paths := []string{"/v1/nothing", "/oauth/nothing", "/aerospike/v1/nothing", "/aerospike/v2/nothing", "/rebilly/nothing", "/gjirafa/api/nothing"}
	for _, path := range paths {
		got := w.ask(t, "GET", path, "")
		if got.status != http.StatusNotFound {
			t.Errorf("GET %s: %d %s", path, got.status, got.body)
		}
		for _, other := range paths {
			if err := shaped("", other, got); (err == nil) != (path == other) {
				t.Errorf("the error of %s, taken for one of %s: %v", path, other, err)
			}
		}
	}
}
