package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"keyward/internal/api"
)

// resource is a text that never changes while the server runs.
type resource struct {
	header http.Header
	tag    string
	body   []byte
	packed func() []byte // body in gzip, made when first asked for
}

func newResource(media, cache string, body []byte) *resource {
	sum := sha256.Sum256(body)
	// Weak, since both encodings have the same tag (RFC 9110, 8.8.1).
	tag := `W/"` + hex.EncodeToString(sum[:12]) + `"`
	return &resource{
		header: http.Header{
			"Content-Type": {media}, "Cache-Control": {cache}, "Etag": {tag}, "Vary": {"Accept-Encoding"},
		},
		tag:  tag,
		body: body, packed: sync.OnceValue(func() []byte { return pack(body) }),
	}
}

// answer implements [api.Handler]: the text, or 304 to who has it already.
func (r *resource) answer(_ context.Context, call *api.Call) (api.Answer, error) {
	header := r.header.Clone()
	if known(call.Request.Header.Values("If-None-Match"), r.tag) {
		header.Del("Content-Type")
		return api.Answer{Status: http.StatusNotModified, Header: header}, nil
	}
	if !acceptsGzip(call.Request.Header.Values("Accept-Encoding")) {
		return api.Answer{Header: header, Body: r.body}, nil
	}
	header.Set("Content-Encoding", "gzip")
	return api.Answer{Header: header, Body: r.packed()}, nil
}

// answering returns a handler that always answers the same.
func answering(answer api.Answer) api.Handler {
	return func(context.Context, *api.Call) (api.Answer, error) { return answer, nil }
}

// known reports whether If-None-Match names the tag, compared weakly.
func known(values []string, tag string) bool {
	for item := range list(values) {
		if item == "*" || strings.TrimPrefix(item, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// acceptsGzip reports whether Accept-Encoding names gzip, and not to refuse it. What it
// says of "*" is not taken as a wish.
func acceptsGzip(values []string) bool {
	for item := range list(values) {
		coding, weight, weighed := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
		return !weighed || err == nil && q > 0
	}
	return false
}

// list yields the elements of a header that is a list (RFC 9110, 5.6.1).
func list(values []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, value := range values {
			for item := range strings.SplitSeq(value, ",") {
				if !yield(strings.TrimSpace(item)) {
					return
				}
			}
		}
	}
}

func pack(body []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
