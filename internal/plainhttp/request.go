package plainhttp

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Request is a plain request. It, and all that it refers to, is for reading, until it is
// answered.
type Request struct {
	Method     string
	Target     string // a path, and a query if there is one, as they came
	Host       string
	Header     http.Header // without Host
	Length     int         // of the body
	Body       []byte      // nil while it is not there
	RemoteAddr string
	Start      time.Time       // when its first bytes came
	Context    context.Context // of the connection

	conn  *conn
	close bool // the connection ends with the answer
}

// OK begins an answer with the status 200. Append fields to what it returns, each with
// its line's end, and give that to Send.
func (r *Request) OK() []byte { return r.begin(r.conn.out[:0], http.StatusOK) }

// Send ends the answer that OK began with a body.
func (r *Request) Send(b, body []byte) {
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	b = append(b, headEnd...)
	r.conn.out = append(b, body...)
}

// Ask has a handler answer.
func (r *Request) Ask(h http.Handler) { r.conn.ask(&r.conn.last, h) }

// begin appends what every answer begins with.
func (r *Request) begin(b []byte, status int) []byte {
	if status == http.StatusOK {
		b = append(b, "HTTP/1.1 200 OK\r\nDate: "...)
	} else {
		b = append(b, "HTTP/1.1 "...)
		b = strconv.AppendInt(b, int64(status), 10)
		b = append(b, ' ')
		b = append(b, http.StatusText(status)...)
		b = append(b, "\r\nDate: "...)
	}
	b = append(b, r.conn.server.dateOf(r.conn.now)...)
	b = append(b, "\r\n"...)
	if r.close || r.conn.last.close || r.conn.server.stopping.Load() {
		r.close = true
		b = append(b, "Connection: close\r\n"...)
	}
	return b
}

// ask has a handler answer.
func (c *conn) ask(h *head, handler http.Handler) {
	target := *h.url
	r := &http.Request{
		Method: h.method, URL: &target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h.header.Clone(), Host: h.host,
		Body: http.NoBody, ContentLength: int64(h.length), Close: h.close, RemoteAddr: c.request.RemoteAddr, RequestURI: h.target,
	}
	if h.length > 0 {
		r.Body = io.NopCloser(bytes.NewReader(c.request.Body))
	}
	w := response{header: make(http.Header)}
	handler.ServeHTTP(&w, r.WithContext(c.ctx))
	c.finish(&w, h.method)
}

// response is an answer while a handler writes it.
type response struct {
	header http.Header
	status int // 0 until it is known
	body   []byte
}

// Header implements [http.ResponseWriter].
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter]. Informational answers are not sent.
func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
}

// Write implements [http.ResponseWriter].
func (w *response) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, b...)
	return len(b), nil
}

// finish appends the answer of a handler.
func (c *conn) finish(w *response, method string) {
	w.WriteHeader(http.StatusOK)
	r := &c.request
	r.close = strings.EqualFold(w.header.Get("Connection"), "close")
	w.header.Del("Connection")
	w.header.Del("Date")
	bodiless := w.status == http.StatusNoContent || w.status == http.StatusNotModified
	if !bodiless && w.header.Get("Content-Length") == "" {
		w.header.Set("Content-Length", strconv.Itoa(len(w.body)))
	}
	var out bytes.Buffer
	_ = w.header.Write(&out) // which a buffer cannot fail, and which keeps lines apart
	c.out = append(r.begin(c.out[:0], w.status), out.Bytes()...)
	c.out = append(c.out, "\r\n"...)
	if !bodiless && method != http.MethodHead {
		c.out = append(c.out, w.body...)
	}
}
