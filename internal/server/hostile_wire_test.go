package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw sends bytes as they are and returns the answers until the server closes the
// connection, and how long that took.
func (w *world) raw(t testing.TB, bytes string, within time.Duration) ([]answer, time.Duration) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	start := time.Now()
	if err := conn.SetDeadline(start.Add(within)); err != nil {
		t.Fatal(err)
	}
	go io.WriteString(conn, bytes) // the server may stop reading
	in := bufio.NewReader(conn)
	var answers []answer
	for {
		response, err := http.ReadResponse(in, nil)
		if err != nil {
			if time.Since(start) >= within {
				t.Errorf("%.200q: the connection is still open after %s", bytes, within)
			}
			return answers, time.Since(start)
		}
		body, _ := io.ReadAll(response.Body)
		answers = append(answers, answer{status: response.StatusCode, header: response.Header, body: string(body)})
	}
}

// What is odd on the wire is refused, the connection is closed, and no bytes of one
// request become another.
func TestHostileBytesAreRefused(t *testing.T) {
	h := newTrial(t)
	create := "POST " + h.o.path() + "/projects HTTP/1.1\r\n"
	head := "Host: a\r\nAuthorization: Bearer " + h.who.operator + "\r\nContent-Type: application/json\r\n"
	const chunked = "Transfer-Encoding: chunked\r\n"
	hidden := create + head + "Content-Length: 12\r\n\r\n" + `{"name":"x"}`
	get := func(more string) string { return "GET /v1/organizations HTTP/1.1\r\n" + head + more }
	for name, test := range map[string]struct {
		bytes string
		want  int // of the only answer
	}{
		"A34 a length and chunks, with a request behind": {create + head + "Content-Length: 5\r\n" + chunked + "\r\n0\r\n\r\n" + hidden, 400},
		"A34 chunks and a length, with a request behind": {create + head + chunked + "Content-Length: 5\r\n\r\n0\r\n\r\n" + hidden, 400},
		"A34 a long length and chunks":                   {create + head + fmt.Sprintf("Content-Length: %d\r\n", 5+len(hidden)) + chunked + "\r\n0\r\n\r\n" + hidden, 400},
		"A34 two lengths":                                {create + head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400},
		"A34 two lengths in one":                         {create + head + "Content-Length: 2, 3\r\n\r\n{}x", 400},
		"A34 a negative length":                          {create + head + "Content-Length: -1\r\n\r\n{}", 400},
		"A34 a signed length":                            {create + head + "Content-Length: +2\r\n\r\n{}", 400},
		"A34 a hexadecimal length":                       {create + head + "Content-Length: 0x2\r\n\r\n{}", 400},
		"A34 an endless length":                          {create + head + "Content-Length: 99999999999999999999\r\n\r\n{}", 400},
		"A34 an empty length":                            {create + head + "Content-Length: \r\n\r\n", 400},
		"A34 an unknown coding":                          {create + head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden, 501},
		"A34 chunked twice":                              {create + head + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + hidden, 501},
		"A34 chunked in two headers":                     {create + head + chunked + chunked + "\r\n0\r\n\r\n" + hidden, 501},
		"A34 identity and chunked":                       {create + head + "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" + hidden, 501},
		"A34 chunked behind a vertical tab":              {create + head + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n" + hidden, 400},
		"A34 a space before the colon":                   {create + head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden, 400},
		"A34 a chunked GET with a request behind":        {get(chunked) + "\r\n0\r\n\r\n" + hidden, 200},
		"A35 a huge chunk":                               {create + head + chunked + "\r\nffffffffffffffff\r\n" + times(1100000, "x"), 413},
		"A35 a huger chunk":                              {create + head + chunked + "\r\n10000000000000000\r\n{}\r\n", 400},
		"A35 a negative chunk":                           {create + head + chunked + "\r\n-1\r\n{}\r\n", 400},
		"A35 a chunk of no size":                         {create + head + chunked + "\r\n\r\n{}\r\n", 400},
		"A35 a huge chunk extension":                     {create + head + chunked + "\r\n2;" + times(20000, "a") + "\r\n{}\r\n0\r\n\r\n", 400},
		"A35 chunks with bare line feeds":                {create + head + chunked + "\r\n2\n{}\n0\n\n" + hidden, 400},
		"A35 a credential in the trailer":                {create + "Host: a\r\nContent-Type: application/json\r\nTrailer: Authorization\r\n" + chunked + "\r\nc\r\n" + `{"name":"x"}` + "\r\n0\r\nAuthorization: Bearer " + h.who.operator + "\r\n\r\n", 401},
		"A33 a gigabyte announced":                       {create + head + "Content-Length: 1073741824\r\n\r\n", 413},
		"A33 an endless body":                            {create + head + chunked + "\r\n" + times(40, "10000\r\n"+times(0x10000, "x")+"\r\n"), 413},
		"A33 a byte over the limit":                      {create + head + "Content-Length: 1048577\r\n\r\n" + times(1048577, " "), 413},
		"A39 a header of 64 KiB":                         {get("X: "+times(64<<10, "a")) + "\r\n\r\n", 431},
		"A39 two thousand headers":                       {get(times(2000, "X-Y: aaaaaaaaaaaaaaaa\r\n")) + "\r\n", 431},
		"A39 a path of 5,000 characters":                 {"GET /" + times(5000, "a") + " HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n", 414},
		"A39 a path of 64 KiB":                           {"GET /" + times(64<<10, "a") + " HTTP/1.1\r\n" + head + "\r\n", 431},
		"A42 two hosts":                                  {"GET /v1/organizations HTTP/1.1\r\n" + head + "Host: b\r\n\r\n", 400},
		"A42 no host":                                    {"GET /livez HTTP/1.1\r\n\r\n", 400},
		"A42 a malformed host":                           {"GET /livez HTTP/1.1\r\nHost: a b/c\r\n\r\n", 400},
		"A42 an absolute target":                         {"GET http://evil.test/nope HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n", 404},
		"A43 CONNECT":                                    {"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n", 405},
		"A43 OPTIONS *":                                  {"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404},
		"A43 a method with a control":                    {"GE\x01T /livez HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"A41 a bare CR in a header":                      {get("X-Request-Id: a\rSet-Cookie: x=1\r\n\r\n"), 400},
		"A41 a NUL in a header":                          {get("X: a\x00b\r\n\r\n"), 400},
		"A41 a header without a name":                    {get(": x\r\n\r\n"), 400},
		"A25 escapes in a header":                        {get("User-Agent: \x1b[31mred\r\n\r\n"), 400},
		"A47 another protocol":                           {"SSH-2.0-OpenSSH_9.6\r\n\r\n", 400},
		"A47 TLS where there is none":                    {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + times(200, "x") + "\r\n\r\n", 400},
		"A47 HTTP/0.9":                                   {"GET /livez\r\n\r\n", 400},
		"A47 HTTP/9.9":                                   {"GET /livez HTTP/9.9\r\nHost: a\r\n\r\n", 505},
		"A40 an HTTP/2 preface":                          {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 404},
		"A49 something else expected":                    {get("Expect: x\r\nConnection: close\r\n\r\n"), 417},
		"A49 an upgrade to h2c":                          {get("Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"), 200},
		"A49 an upgrade to a socket":                     {get("Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"), 200},
		"A18 a body of GET is no request":                {get(fmt.Sprintf("Connection: close\r\nContent-Length: %d\r\n\r\n", len(hidden))) + hidden, 200},
		"A33 a body that ends early":                     {create + head + chunked + "\r\n1\r\n{}\r\n0\r\n\r\n", 400},
	} {
		h.tryBytes(name, test.bytes, test.want)
	}
	h.end(50)
}

func (h *trial) tryBytes(name, bytes string, want int) {
	h.t.Helper()
	h.tried++
	answers, took := h.raw(h.t, bytes, patience)
	switch {
	case len(answers) != 1 || answers[0].status != want:
		h.t.Errorf("%s: %d answers, want one with %d: %v", name, len(answers), want, answers)
	case answers[0].status >= 400 && inner.MatchString(answers[0].body):
		h.t.Errorf("%s: shows %q", name, answers[0].body)
	}
	if took > patience {
		h.t.Errorf("%s: took %s", name, took)
	}
	h.unwritten(name)
}

// Whoever sends a header byte by byte is cut off after ten seconds, however steadily.
func TestSlowHeadersAreCutOff(t *testing.T) {
	h := newTrial(t)
	_, took := h.raw(t, "GET /livez HTTP/1.1\r\nHost: a\r\nX: a", 15*time.Second)
	if took < 5*time.Second || took > 12*time.Second {
		t.Errorf("cut off after %s, want 10 s", took)
	}
	h.tried++
	h.end(1)
}
