package plainhttp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

const (
	firstBuffer = 4 << 10  // bytes
	keptBuffer  = 64 << 10 // larger ones are given back after a request
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
)

// conn is one connection. All but busy belongs to its goroutine.
type conn struct {
	server *Server
	rwc    net.Conn
	busy   atomic.Bool // a request has begun

	buf     []byte
	start   int // what was read and is not used begins here in buf
	end     int // and ends here
	out     []byte
	last    head // which is likely to come again
	request Request
	ctx     context.Context
	cancel  context.CancelFunc

	now   time.Time // when the latest bytes came
	until time.Time // the read deadline that is set
	wrote time.Time // when the write deadline was set
}

// errHanded says that the connection is served elsewhere from now on.
var errHanded = errors.New("plainhttp: handed over")

func (c *conn) serve() {
	defer c.server.forget(c)
	defer func() {
		if c.cancel != nil {
			c.cancel()
		}
	}()
	err := c.requests()
	if errors.Is(err, errHanded) {
		return
	}
	_ = c.rwc.Close()
}

// requests answers one request after the other.
func (c *conn) requests() (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = c.panicked(cause)
		}
	}()
	if err := c.begin(); err != nil {
		return err
	}
	for wait := c.server.HTTP.ReadHeaderTimeout; ; wait = c.server.HTTP.IdleTimeout {
		if err := c.await(wait); err != nil {
			return err
		}
		h, err := c.head()
		if err != nil {
			return err
		}
		if err := c.body(h); err != nil {
			return err
		}
		if err := c.answer(h); err != nil {
			return err
		}
		if h.close || c.request.close || c.server.stopping.Load() {
			c.linger()
			return nil
		}
		c.busy.Store(false)
	}
}

// begin shakes hands and prepares what all requests of the connection share.
func (c *conn) begin() error {
	c.now = time.Now()
	if c.server.TLS != nil {
		secured := tls.Server(c.rwc, c.server.TLS)
		c.server.replace(c, secured)
		_ = secured.SetDeadline(c.now.Add(c.server.HTTP.ReadHeaderTimeout))
		if err := secured.Handshake(); err != nil {
			return err
		}
		_ = secured.SetDeadline(time.Time{})
	}
	ctx := context.Background()
	if c.server.HTTP.ConnContext != nil {
		ctx = c.server.HTTP.ConnContext(ctx, c.rwc)
	}
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.request.conn, c.request.Context, c.request.RemoteAddr = c, c.ctx, c.rwc.RemoteAddr().String()
	return nil
}

// panicked notes what went wrong, as net/http does. Nothing more is answered.
func (c *conn) panicked(cause any) error {
	if err, ok := cause.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
		c.server.HTTP.ErrorLog.Printf("plainhttp: panic: %v\n%s", cause, debug.Stack())
	}
	return http.ErrAbortHandler
}

// await returns once a request has begun.
func (c *conn) await(wait time.Duration) error {
	if c.start == c.end {
		if max(len(c.buf), cap(c.out)) > keptBuffer {
			c.buf, c.out = nil, nil
		}
		c.waitUntil(c.now.Add(wait))
		if c.server.stopping.Load() { // and its deadline may just have been overwritten
			return http.ErrServerClosed
		}
		if err := c.read(); err != nil {
			return err
		}
	}
	c.busy.Store(true)
	c.request.Start = c.now
	return nil
}

// unused is what was read and is not used.
func (c *conn) unused() []byte { return c.buf[c.start:c.end] }

// read reads some more. Large bodies take space as they come, not as they are announced.
func (c *conn) read() error {
	switch {
	case c.start == c.end:
		c.start, c.end = 0, 0
	case c.start > 0 && c.end == len(c.buf):
		c.start, c.end = 0, copy(c.buf, c.unused())
	}
	if c.end == len(c.buf) {
		grown := make([]byte, max(firstBuffer, 2*len(c.buf)))
		copy(grown, c.buf)
		c.buf = grown
	}
	n, err := c.rwc.Read(c.buf[c.end:])
	c.end += n
	c.now = time.Now()
	switch {
	case n > 0:
		return nil // an error comes again
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}

// more reads on in the middle of a request that may take so long. What goes wrong is
// for net/http to answer.
func (c *conn) more(limit time.Duration) error {
	if c.server.stopping.Load() {
		c.until = time.Time{} // it may be overwritten
	}
	c.waitUntil(c.request.Start.Add(limit))
	if err := c.read(); err != nil {
		return c.handOver(err)
	}
	return nil
}

// head reads a head, and leaves it in front of what is unused.
func (c *conn) head() (*head, error) {
	if n := len(c.last.text); n > 0 && c.end-c.start >= n && string(c.buf[c.start:c.start+n]) == c.last.text {
		return &c.last, nil
	}
	for {
		text := c.unused()
		end := bytes.Index(text, []byte(headEnd))
		switch {
		case end >= 0:
			return c.parse(text[:end+len(headEnd)])
		case len(text) > maxHead:
			return nil, c.handOver(nil)
		}
		if err := c.more(c.server.HTTP.ReadHeaderTimeout); err != nil {
			return nil, err
		}
	}
}

func (c *conn) parse(text []byte) (*head, error) {
	if len(text) > maxHead {
		return nil, c.handOver(nil)
	}
	h, ok := parseHead(string(text))
	if !ok || h.length > c.server.MaxBody {
		return nil, c.handOver(nil)
	}
	c.last = h
	return &c.last, nil
}

// body reads the whole body, if the request may be answered here. It stays in front of
// what is unused, with its head, until it is answered.
func (c *conn) body(h *head) error {
	r := &c.request
	r.Method, r.Target, r.Host, r.Header, r.Length, r.Body, r.close = h.method, h.target, h.host, h.header, h.length, nil, false
	size := len(h.text) + h.length
	if c.end-c.start < size && !c.server.Admit(r) {
		return c.handOver(nil)
	}
	for c.end-c.start < size {
		if err := c.more(c.server.HTTP.ReadTimeout); err != nil {
			return err
		}
	}
	r.Body = c.buf[c.start+len(h.text) : c.start+size]
	return nil
}

// answer answers one request.
func (c *conn) answer(h *head) error {
	c.out = c.out[:0]
	if !c.server.Quick(&c.request) {
		if c.server.GiveUp {
			return c.handOver(nil)
		}
		c.ask(h, c.server.HTTP.Handler)
	}
	c.start += len(h.text) + h.length
	return c.write()
}

// write sends what was appended to out. The deadline is moved only when it makes a
// difference.
func (c *conn) write() error {
	if c.now.Sub(c.wrote) > time.Second {
		c.wrote = c.now
		if err := c.rwc.SetWriteDeadline(c.now.Add(c.server.HTTP.WriteTimeout)); err != nil {
			return err
		}
	}
	_, err := c.rwc.Write(c.out)
	return err
}

// waitUntil sets the read deadline, if it is not about there.
func (c *conn) waitUntil(t time.Time) {
	if d := t.Sub(c.until); d < 0 || d > time.Second {
		c.until = t
		_ = c.rwc.SetReadDeadline(t) // if it fails, so does the next read
	}
}

// handOver gives the connection to net/http, with what was read of the request. If err is
// set, net/http reads that in place of what may come.
func (c *conn) handOver(err error) error {
	_ = c.rwc.SetDeadline(time.Time{})
	if !c.server.handed.give(&handedConn{Conn: c.rwc, read: bytes.Clone(c.unused()), err: err}) {
		return http.ErrServerClosed
	}
	return errHanded
}

// linger ends our half first, and reads what the client may still be sending, so that it
// gets to see the answer.
func (c *conn) linger() {
	half, ok := c.rwc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = c.rwc.SetReadDeadline(c.now.Add(lingerTime))
	_, _ = io.Copy(io.Discard, io.LimitReader(c.rwc, lingerBytes))
}
