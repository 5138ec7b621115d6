package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// Answer is what a handler wants written.
type Answer struct {
	// Status is 200 if zero, and 204 if there is no body either.
	Status int
	// Header is added to the answer; it may replace the Content-Type, and the
	// Cache-Control, which is "no-store" by default.
	Header http.Header
	// Body is encoded as JSON. A json.RawMessage or []byte is written as it is,
	// []byte as application/octet-stream unless Header says otherwise. Nil is no
	// body.
	Body any
}

// write sends the answer. It returns an error only if nothing was written.
func (a Answer) write(w http.ResponseWriter, r *http.Request) error {
	body, media, err := encode(a.Body)
	if err != nil {
		return err
	}
	header := w.Header()
	if body != nil {
		header.Set("Content-Type", media)
	}
	for name, values := range a.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	status := a.Status
	if status == 0 {
		status = http.StatusOK
		if body == nil {
			status = http.StatusNoContent
		}
	}
	send(w, r, status, body)
	return nil
}

// WriteJSON writes status and body under the given media type, without escaping
// HTML, with its length. It is how surfaces write errors. If body cannot be encoded,
// the answer is an empty 500.
func WriteJSON(w http.ResponseWriter, r *http.Request, status int, media string, body any) {
	text, _, err := encode(body)
	if err != nil {
		send(w, r, http.StatusInternalServerError, nil)
		return
	}
	w.Header().Set("Content-Type", media)
	send(w, r, status, text)
}

func encode(body any) (text []byte, media string, err error) {
	switch body := body.(type) {
	case nil:
		return nil, "", nil
	case json.RawMessage:
		return body, MediaJSON, nil
	case []byte:
		return body, "application/octet-stream", nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, "", fmt.Errorf("encode the answer: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), MediaJSON, nil
}

// send writes status and body. Where the status or the method forbids a body, there
// is none.
func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	bodiless := status < http.StatusOK || status == http.StatusNoContent || status == http.StatusNotModified
	if !bodiless {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if !bodiless && r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client has gone; nobody is left to tell
	}
}
