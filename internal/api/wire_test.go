package api_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keyward/internal/api"
)

// wire starts a server and returns a function that sends bytes as they are and reads
// all responses until the server closes the connection.
func wire(t *testing.T) func(raw string) []*http.Response {
	t.Helper()
	surface := echo().Handler(routes)
	router := api.Surfaces{Mounts: map[string]http.Handler{"/v1/": surface}, Hosts: map[string]string{"d.localhost": "/"}, Fallback: surface}.Handler()
	server := httptest.NewUnstartedServer(api.Intake{Log: slog.New(slog.DiscardHandler)}.Handler(router))
	server.Config.DisableGeneralOptionsHandler = true
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	return func(raw string) []*http.Response {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		go io.WriteString(conn, raw)
		var responses []*http.Response
		in := bufio.NewReader(conn)
		for {
			response, err := http.ReadResponse(in, nil)
			if err != nil {
				return responses
			}
			body, _ := io.ReadAll(response.Body)
			response.Body = io.NopCloser(strings.NewReader(string(body)))
			responses = append(responses, response)
		}
	}
}

func TestOddRequestsOnTheWire(t *testing.T) {
	send := wire(t)
	const good = "Host: a\r\nAuthorization: Bearer me\r\nContent-Type: application/json\r\n"
	const bye = "Connection: close\r\n"
	for name, test := range map[string]struct {
		raw    string
		status []int // of each response until the connection is closed
		own    bool  // the last one is the surface's, not the server's
	}{
		"a plain request":     {"GET /open HTTP/1.1\r\n" + good + bye + "\r\n", []int{200}, true},
		"two hosts":           {"GET /open HTTP/1.1\r\n" + good + "Host: b\r\n\r\n", []int{400}, false},
		"no host":             {"GET /open HTTP/1.1\r\n\r\n", []int{400}, false},
		"an absolute target":  {"GET http://evil.test/nope HTTP/1.1\r\n" + good + bye + "\r\n", []int{404}, true},
		"an opaque target":    {"GET mailto:x HTTP/1.1\r\n" + good + bye + "\r\n", []int{404}, true},
		"OPTIONS *":           {"OPTIONS * HTTP/1.1\r\n" + good + bye + "\r\n", []int{404}, true},
		"GET *":               {"GET * HTTP/1.1\r\n" + good + bye + "\r\n", []int{404}, true},
		"CONNECT":             {"CONNECT evil.test:443 HTTP/1.1\r\n" + good + bye + "\r\n", []int{405}, true},
		"CONNECT with a path": {"CONNECT /open HTTP/1.1\r\n" + good + bye + "\r\n", []int{405}, true},
		"CONNECT at a host":   {"CONNECT d.localhost:443 HTTP/1.1\r\nHost: d.localhost\r\n" + bye + "\r\n", []int{405}, true},
		"two slashes":         {"GET //open HTTP/1.1\r\n" + good + bye + "\r\n", []int{404}, true},
		"dots":                {"GET /v1/../open HTTP/1.1\r\n" + good + bye + "\r\n", []int{404}, true},
		"a fragment":          {"GET /open#x HTTP/1.1\r\n" + good + bye + "\r\n", []int{404}, true},
		"a body over the limit": {
			"POST /things HTTP/1.1\r\n" + good + "Content-Length: 101\r\n\r\n" + strings.Repeat("x", 101),
			[]int{413},
			true,
		},
		"a gigabyte announced, nothing sent": {"POST /things HTTP/1.1\r\n" + good + "Content-Length: 1073741824\r\n\r\n", []int{413}, true},
		"an endless chunked body": {"POST /things HTTP/1.1\r\n" + good + "Transfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("40\r\n"+strings.Repeat("x", 64)+"\r\n", 16), []int{413}, true},
		"a chunked body": {
			"POST /things HTTP/1.1\r\n" + good + bye + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
			[]int{200},
			true,
		},
		"a chunk of odd size": {
			"POST /things HTTP/1.1\r\n" + good + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n{}\r\n",
			[]int{400},
			true,
		},
		"a chunk that ends early": {
			"POST /things HTTP/1.1\r\n" + good + "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
			[]int{400},
			true,
		},
		"two lengths":       {"POST /things HTTP/1.1\r\n" + good + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", []int{400}, false},
		"a negative length": {"POST /things HTTP/1.1\r\n" + good + "Content-Length: -1\r\n\r\n", []int{400}, false},
		"a signed length":   {"POST /things HTTP/1.1\r\n" + good + "Content-Length: +2\r\n\r\n{}", []int{400}, false},
		"an unknown coding": {"POST /things HTTP/1.1\r\n" + good + "Transfer-Encoding: gzip\r\n\r\n", []int{501}, false},
		"two types on the wire": {
			"POST /things HTTP/1.1\r\n" + good + bye + "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
			[]int{415},
			true,
		},
		"a miracle expected":       {"GET /open HTTP/1.1\r\n" + good + bye + "Expect: x\r\n\r\n", []int{417}, false},
		"a folded header":          {"GET /open HTTP/1.1\r\n" + good + "X: a\r\n b\r\n" + bye + "\r\n", []int{200}, true},
		"a space before the colon": {"GET /open HTTP/1.1\r\nHost : a\r\n\r\n", []int{400}, false},
		"bare line feeds":          {"GET /open HTTP/1.1\nHost: a\nConnection: close\n\n", []int{200}, true},
		"a chunk with bare line feeds": {
			"POST /things HTTP/1.1\r\n" + good + "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
			[]int{400},
			true,
		},
		"a bare CR in a header":      {"GET /open HTTP/1.1\r\n" + good + "X: a\rb\r\n\r\n", []int{400}, false},
		"a request id with controls": {"GET /open HTTP/1.1\r\n" + good + bye + "X-Request-Id: a%0d%0aSet-Cookie:x=1\r\n\r\n", []int{200}, true},
		"an upgrade": {
			"GET /open HTTP/1.1\r\n" + good + "Connection: close, Upgrade\r\nUpgrade: websocket\r\n\r\n",
			[]int{200},
			true,
		},
		"a range": {"GET /open HTTP/1.1\r\n" + good + bye + "Range: bytes=0-1\r\n\r\n", []int{200}, true},
		"bodies of GET and DELETE": {"GET /open HTTP/1.1\r\n" + good + "Content-Length: 3\r\n\r\nxyz" +
			"DELETE /things/7 HTTP/1.1\r\n" + good + "Content-Length: 3\r\n\r\nxyz" +
			"GET /open HTTP/1.1\r\n" + good + bye + "\r\n", []int{200, 200, 200}, true},
		"trailers": {
			"POST /things HTTP/1.1\r\nHost: a\r\n" + bye +
				"Content-Type: application/json\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: Bearer me\r\n\r\n",
			[]int{401},
			true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			responses := send(test.raw)
			var got []int
			for _, r := range responses {
				got = append(got, r.StatusCode)
			}
			if len(got) != len(test.status) || got[len(got)-1] != test.status[len(got)-1] {
				t.Fatalf("statuses = %d, want %d", got, test.status)
			}
			if last := responses[len(got)-1]; test.own != uuid4.MatchString(last.Header.Get("X-Request-Id")) {
				t.Errorf("X-Request-Id = %q, want one: %t", last.Header.Get("X-Request-Id"), test.own)
			}
		})
	}
}

// RFC 9112, 6.1 and 6.3: chunks override a length, and what follows them is not read
// at all, since others may have taken it for part of the first request.
func TestABodyWithLengthAndChunksIsReadByItsChunksAndIsTheLast(t *testing.T) {
	responses := wire(t)("POST /things HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer me\r\nContent-Type: application/json\r\n" +
		"Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" +
		"GET /nope HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if len(responses) != 1 || responses[0].StatusCode != 200 {
		t.Fatalf("%d responses, want one, with 200", len(responses))
	}
	if body, _ := io.ReadAll(responses[0].Body); !strings.Contains(string(body), `"body":"{}"`) {
		t.Errorf("answer = %s, want the chunk as the body", body)
	}
}
