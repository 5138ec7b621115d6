package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"

	"github.com/valyala/fasthttp"
)

// BenchmarkHTTPVerify is one question after the other on each of a few connections,
// answered by the listeners and by handlers that decode and answer as much, and do
// nothing else. The client is in the same process, and the same for all, so that the
// ratios tell less than there is between the servers.
func BenchmarkHTTPVerify(b *testing.B) {
	s := open(b, Config{VerifyListen: "127.0.0.1:0"})
	h, err := s.handlerOf()
	if err != nil {
		b.Fatal(err)
	}
	body := fmt.Sprintf(`{"key":%q}`, newKey(b, h, ""))
	answer := ask(b, h, "POST", "/v1/verify", body).Body.Bytes()
	request := fmt.Appendf(nil, "POST /v1/verify HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", rootToken, len(body), body)
	for _, one := range s.serving {
		go one.run()
	}
	plain := s.newHTTPServer()
	plain.Handler = h
	for _, server := range []struct {
		name    string
		address string
	}{
		{"bare net/http", serving(b, func(l net.Listener) error { return http.Serve(l, bareHandler(answer)) })},
		{"keyward behind net/http alone", serving(b, plain.Serve)},
		{"keyward --listen", s.serving[0].listener.Addr().String()},
		{"bare fasthttp", serving(b, func(l net.Listener) error { return fasthttp.Serve(l, bareFast(answer)) })},
		{"keyward --verify-listen", s.serving[1].listener.Addr().String()},
	} {
		b.Run(server.name, func(b *testing.B) {
			b.SetParallelism(8)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) { exchanges(b, pb, server.address, request) })
		})
	}
}

// serving serves until the benchmark ends, and returns where.
func serving(b *testing.B, serve func(net.Listener) error) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go serve(l)
	b.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// asked is what a handler that decodes decodes.
type asked struct {
	Key         string            `json:"key"`
	Permissions []string          `json:"permissions"`
	Scope       map[string]string `json:"scope"`
}

func bareHandler(answer []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, new(asked)) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}
}

func bareFast(answer []byte) fasthttp.RequestHandler {
	return func(c *fasthttp.RequestCtx) {
		if json.Unmarshal(c.PostBody(), new(asked)) != nil {
			c.SetStatusCode(fasthttp.StatusBadRequest)
			return
		}
		c.SetContentType("application/json")
		c.SetBody(answer)
	}
}

// exchanges sends the request again and again on one connection.
func exchanges(b *testing.B, pb *testing.PB, address string, request []byte) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close()
	buffer := make([]byte, 8<<10)
	for pb.Next() {
		if _, err := conn.Write(request); err != nil {
			b.Error(err)
			return
		}
		if err := wholeAnswer(conn, buffer); err != nil {
			b.Error(err)
			return
		}
	}
}

// wholeAnswer reads an answer with 200 and its body.
func wholeAnswer(conn net.Conn, buffer []byte) error {
	for n := 0; ; {
		more, err := conn.Read(buffer[n:])
		if err != nil {
			return err
		}
		n += more
		head, body, found := bytes.Cut(buffer[:n], []byte("\r\n\r\n"))
		if !found {
			continue
		}
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 200")) {
			return fmt.Errorf("answered %s", buffer[:n])
		}
		_, rest, _ := bytes.Cut(head, []byte("Content-Length: "))
		length, _, _ := bytes.Cut(rest, []byte("\r\n"))
		if want, err := strconv.Atoi(string(length)); err != nil || len(body) == want {
			return err
		}
	}
}
