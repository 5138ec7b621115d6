package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"keyward"
)

// Call is one request on its way to a handler.
type Call struct {
	Request *http.Request
	By      keyward.Actor // zero on open routes
	Query   Query         // what the route knows of the query

	reader *Reader
	body   []byte
	media  string
}

// Path returns the value of a wildcard of the route's pattern, percent-decoded. It is
// never "." or "..", and holds no slash, backslash or control character.
func (c *Call) Path(name string) string { return c.Request.PathValue(name) }

// Body returns the bytes of the body, empty for methods other than POST, PUT and
// PATCH.
func (c *Call) Body() []byte { return c.body }

// Media returns the media type of the body without parameters, in lower case, and ""
// if there is no body.
func (c *Call) Media() string { return c.media }

// Decode reads the body as [DecodeJSON] does, but for what the surface's LooseJSON and
// FoldJSON let pass.
func (c *Call) Decode(into any) error { return c.reader.Decode(c.body, into) }

// Form reads the body as a form. Parameters other than the known ones are ignored, as
// RFC 6749, 3.2 wants; repeated and malformed ones are Invalid. A body of another
// type is UnsupportedMedia; no body is an empty form.
func (c *Call) Form(known ...string) (Query, error) {
	if c.media != "" && c.media != MediaForm {
		return Query{}, keyward.Errorf(UnsupportedMedia, "the body must be %s", MediaForm)
	}
	return parsePairs(string(c.body), known, true)
}

// readBody reads the whole body, up to the route's limit, and checks what it claims
// to be. net/http drains the bodies of other methods and closes the connection if
// they are long.
func (c *Call) readBody(w http.ResponseWriter, route *Route) error {
	r := c.Request
	if r.Method != http.MethodPost && r.Method != http.MethodPut && r.Method != http.MethodPatch {
		return nil
	}
	if encodings := r.Header.Values("Content-Encoding"); len(encodings) > 1 ||
		len(encodings) == 1 && !strings.EqualFold(encodings[0], "identity") {
		return keyward.Errorf(UnsupportedMedia, "encoded bodies are not accepted")
	}
	if r.ContentLength > route.MaxBody {
		return tooLarge(route)
	}
	body, err := readAll(http.MaxBytesReader(w, r.Body, route.MaxBody), r.ContentLength)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(route)
	}
	if err != nil {
		w.Header().Set("Connection", "close")
		return keyward.Errorf(keyward.Invalid, "the body could not be read to its end: %w", err)
	}
	c.body = body
	return c.readMedia(route)
}

func tooLarge(route *Route) error {
	return keyward.Errorf(TooLarge, "the body is larger than %d bytes", route.MaxBody)
}

// readAll reads to the end. It trusts the announced length for a first guess only,
// so that announcing much costs the announcer, not the server.
func readAll(r io.Reader, length int64) ([]byte, error) {
	var body bytes.Buffer
	if length > 0 {
		body.Grow(int(min(length, 16<<10)) + bytes.MinRead)
	}
	_, err := body.ReadFrom(r)
	return body.Bytes(), err
}

// readMedia checks the Content-Type. A body without one is never guessed at; a
// request without body may say what it likes, once.
func (c *Call) readMedia(route *Route) error {
	types := c.Request.Header.Values("Content-Type")
	if len(types) > 1 {
		return keyward.Errorf(UnsupportedMedia, "there is more than one Content-Type")
	}
	if len(c.body) == 0 {
		return nil
	}
	if len(types) == 0 {
		return wrongMedia(route)
	}
	if slices.Contains(route.Media, types[0]) {
		c.media = types[0]
		return nil
	}
	media, parameters, err := mime.ParseMediaType(types[0])
	if err != nil || !slices.Contains(route.Media, media) {
		return wrongMedia(route)
	}
	if charset, ok := parameters["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return keyward.Errorf(UnsupportedMedia, "the charset of the body must be utf-8")
	}
	c.media = media
	return nil
}

func wrongMedia(route *Route) error {
	return keyward.Errorf(UnsupportedMedia, "the Content-Type must be %s", strings.Join(route.Media, " or "))
}
