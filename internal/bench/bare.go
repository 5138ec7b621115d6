package bench

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/valyala/fasthttp"
)

// Bare is a server that does what cannot be done without, and nothing else: what
// Keyward is measured against. It is read from the standard input of the process that
// serves it.
type Bare struct {
	Kind    string `json:"kind"` // nethttp, fasthttp or writer
	Network string `json:"network"`
	Address string `json:"address"`
	crowd
	AnswerSize int    `json:"answerSize"`
	Database   string `json:"database"` // of a writer
}

// The kinds of bare servers.
const (
	netHTTP  = "nethttp"
	fastHTTP = "fasthttp"
	writer   = "writer"
)

// ServeBare reads a [Bare] from in and serves it until ctx is done or in ends.
func ServeBare(ctx context.Context, in io.Reader) error {
	var b Bare
	decoder := json.NewDecoder(in)
	if err := decoder.Decode(&b); err != nil {
		return fmt.Errorf("read what to serve: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel() // whoever started this is gone
		_, _ = io.Copy(io.Discard, in)
	}()
	l, err := net.Listen(b.Network, b.Address)
	if err != nil {
		return err
	}
	defer l.Close()
	context.AfterFunc(ctx, func() { _ = l.Close() })
	switch b.Kind {
	case netHTTP:
		err = http.Serve(l, newDoor(b))
	case fastHTTP:
		err = fasthttp.Serve(l, newDoor(b).serveFast)
	case writer:
		err = serveWriter(ctx, l, b)
	default:
		return fmt.Errorf("no bare server is called %q", b.Kind)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// door knows which keys there are, and nothing more of them.
type door struct {
	keys       map[[sha256.Size]byte]struct{}
	yes, empty []byte
}

func newDoor(b Bare) *door {
	d := &door{keys: make(map[[sha256.Size]byte]struct{}, b.Size)}
	for number := 1; number <= b.Size; number++ {
		d.keys[sha256.Sum256([]byte(b.secret(number)))] = struct{}{}
	}
	d.yes, d.empty = padded(`{"valid":true,"code":"valid"`, b.AnswerSize), padded(`{"valid":false,"code":"not_found"`, 0)
	return d
}

// padded closes the object with a member that makes it as long as wanted.
func padded(object string, size int) []byte {
	const member = `,"padding":"`
	missing := max(0, size-len(object)-len(member)-len(`"}`))
	return []byte(object + member + strings.Repeat("x", missing) + `"}`)
}

// question is the body of a request to verify.
type question struct {
	Key         string            `json:"key"`
	Permissions []string          `json:"permissions"`
	Scope       map[string]string `json:"scope"`
	IP          string            `json:"ip"`
}

// answer returns the answer to a body, nil if it cannot be read.
func (d *door) answer(body []byte) []byte {
	var q question
	if err := json.Unmarshal(body, &q); err != nil {
		return nil
	}
	if _, ok := d.keys[sha256.Sum256([]byte(q.Key))]; !ok {
		return d.empty
	}
	return d.yes
}

// ServeHTTP implements [http.Handler].
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		return // whether it is ready
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	answer := d.answer(body)
	if answer == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	_, _ = w.Write(answer) // whoever is gone does not read it
}

// serveFast is ServeHTTP on fasthttp.
func (d *door) serveFast(c *fasthttp.RequestCtx) {
	if !c.IsPost() {
		return
	}
	answer := d.answer(c.PostBody())
	if answer == nil {
		c.SetStatusCode(fasthttp.StatusBadRequest)
		return
	}
	c.SetContentType("application/json")
	c.SetBody(answer)
}
