package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"

	"keyward"
)

// The bounds of what is sent, what is read, and of waiting between attempts.
const (
	maxRequest = 1 << 20  // bytes; the server takes no more
	maxAnswer  = 64 << 20 // bytes
	firstWait  = 100 * time.Millisecond
	maxWait    = 10 * time.Second
)

// call is one call of the API.
type call struct {
	method string
	path   []string // in segments
	query  url.Values
	body   any  // nil for none
	once   bool // it gets an Idempotency-Key
	into   any  // takes the answer; nil if that does not matter
}

// do makes the call, and makes it again where that may help and does no harm.
func (c *Client) do(ctx context.Context, call call) error {
	address, err := c.address(call.path, call.query)
	if err != nil {
		return err
	}
	if err := c.safe(); err != nil {
		return err
	}
	body, err := encode(call.body)
	if err != nil {
		return err
	}
	header := c.header(call)
	attempts := c.Attempts
	if attempts == 0 {
		attempts = 3
	}
	for attempt := 1; ; attempt++ {
		err := c.attempt(ctx, call.method, address, header, body, call.into)
		wait := pause(err, attempt)
		if err == nil || attempt >= attempts || wait > maxWait || !call.mayRepeat(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // metadata is kept as it is written
	if err := encoder.Encode(body); err != nil {
		return nil, keyward.Errorf(keyward.Invalid, "the request cannot be written as JSON: %w", err)
	}
	if text.Len() > maxRequest {
		return nil, keyward.Errorf(keyward.Invalid, "the request is larger than %d bytes", maxRequest)
	}
	return text.Bytes(), nil
}

// header returns what all attempts of a call have in common.
func (c *Client) header(call call) http.Header {
	header := http.Header{
		"Accept":        {"application/json, application/problem+json"},
		"Authorization": {"Bearer " + c.token.Reveal()},
		"User-Agent":    {"keyward-go"},
	}
	switch {
	case call.method == http.MethodPatch:
		header.Set("Content-Type", "application/merge-patch+json")
	case call.body != nil:
		header.Set("Content-Type", "application/json")
	}
	if call.once {
		header.Set("Idempotency-Key", rand.Text())
	}
	return header
}

// attempt sends the request once. Where no whole answer came, the error has the code
// Unavailable; but if the context ended, it is that.
func (c *Client) attempt(ctx context.Context, method, address string, header http.Header, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("call %s: %w", c.base.Host, err)
	}
	request.Header = header.Clone()
	answer, err := c.sender().Do(request)
	if err != nil {
		return c.unanswered(ctx, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return c.unanswered(ctx, err)
	case len(text) > maxAnswer:
		return fmt.Errorf("the answer of %s is larger than %d bytes", c.base.Host, maxAnswer)
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		return c.refusal(answer, text)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		// The cause might quote the answer, and with it a secret.
		return fmt.Errorf("the answer of %s is not one of Keyward's", c.base.Host)
	}
	return nil
}

// unanswered words that an attempt got no answer.
func (c *Client) unanswered(ctx context.Context, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // the rest is method and path
	}
	if ctx.Err() != nil {
		return fmt.Errorf("call %s: %w", c.base.Host, context.Cause(ctx))
	}
	return keyward.Errorf(keyward.Unavailable, "no answer from %s://%s: %w", c.base.Scheme, c.base.Host, err)
}

// mayRepeat reports whether the call can be made again after err. That is so if the
// server said that it cannot answer now or was never reached; and, if the connection
// broke, where a second time does nothing that the first did not.
func (call *call) mayRepeat(err error) bool {
	if refused, ok := errors.AsType[*Error](err); ok {
		return refused.Status == http.StatusServiceUnavailable
	}
	if keyward.CodeOf(err) != keyward.Unavailable {
		return false
	}
	connecting, ok := errors.AsType[*net.OpError](err)
	unsent := ok && connecting.Op == "dial"
	return unsent || call.once || call.method == http.MethodGet
}

// pause returns how long to wait after a failed attempt: as long as the server says,
// else twice as long as the last time, less a random part so that clients do not
// come back together.
func pause(err error, attempt int) time.Duration {
	if refused, ok := errors.AsType[*Error](err); ok && refused.retryAfter >= 0 {
		return refused.retryAfter
	}
	wait := min(firstWait<<min(attempt-1, 10), maxWait)
	return wait/2 + mathrand.N(wait/2)
}
