package plainhttp

import (
	"bufio"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// holdsHead fails if a head is taken here that net/http would read otherwise.
func holdsHead(t interface{ Fatalf(string, ...any) }, text string) (taken bool) {
	h, ok := parseHead(text)
	if !ok {
		return false
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text + strings.Repeat("x", h.length))))
	if err != nil {
		t.Fatalf("%q is taken, but net/http says %v", text, err)
	}
	if h.method != r.Method || h.target != r.RequestURI || h.host != r.Host || int64(h.length) != r.ContentLength ||
		h.close != r.Close || len(r.TransferEncoding) > 0 || r.ProtoMinor != 1 || *h.url != *r.URL {
		t.Fatalf("%q: %+v, net/http reads %+v", text, h, r)
	}
	if r.Header.Get("Connection") == "" {
		delete(h.header, "Connection") // net/http hides what it minds itself
	}
	if !reflect.DeepEqual(h.header, r.Header) {
		t.Fatalf("%q: %v, net/http reads %v", text, h.header, r.Header)
	}
	return true
}

const plain = "POST /v1/verify HTTP/1.1\r\nHost: a:80\r\nauthorization: Bearer x\r\nContent-Length: 3\r\nX: \t a\tb \r\nX:\r\n\r\n"

func TestHeadsThatArePlain(t *testing.T) {
	for name, text := range map[string]string{
		"a POST":              plain,
		"a GET":               "GET /a%20b?x=%zz&y HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
		"a method of nobody":  "FOO / HTTP/1.1\r\nHost: a\r\n\r\n",
		"kept alive":          "GET / HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n",
		"to be closed":        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		"an empty body":       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
		"a GET with no bytes": "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
	} {
		if !holdsHead(t, text) {
			t.Errorf("%s is not taken", name)
		}
	}
}

func TestHeadsThatAreForNetHTTP(t *testing.T) {
	const start = "POST / HTTP/1.1\r\nHost: a\r\n"
	for name, text := range map[string]string{
		"HTTP/1.0":                      "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
		"HTTP/2":                        "PRI * HTTP/2.0\r\n\r\n",
		"no version":                    "GET /\r\nHost: a\r\n\r\n",
		"two spaces":                    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
		"a small method":                "get / HTTP/1.1\r\nHost: a\r\n\r\n",
		"CONNECT":                       "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n",
		"an absolute target":            "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"an asterisk":                   "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"a bad escape":                  "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
		"a fragment":                    "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
		"no host":                       "GET / HTTP/1.1\r\n\r\n",
		"an empty host":                 "GET / HTTP/1.1\r\nHost:\r\n\r\n",
		"two hosts":                     start + "Host: a\r\n\r\n",
		"an odd host":                   "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
		"chunks":                        start + "Transfer-Encoding: chunked\r\n\r\n",
		"chunks and a length":           start + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"two lengths":                   start + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"a list of lengths":             start + "Content-Length: 1, 1\r\n\r\n",
		"a signed length":               start + "Content-Length: +1\r\n\r\n",
		"a negative length":             start + "Content-Length: -1\r\n\r\n",
		"a long length":                 start + "Content-Length: 0000000001\r\n\r\n",
		"a length with a zero":          start + "Content-Length: 01\r\n\r\n",
		"an empty length":               start + "Content-Length:\r\n\r\n",
		"a length of a GET":             "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
		"a space before the colon":      start + "X : a\r\n\r\n",
		"a folded line":                 start + "X: a\r\n b\r\n\r\n",
		"a line without a colon":        start + "X\r\n\r\n",
		"no name":                       start + ": a\r\n\r\n",
		"a bare LF":                     start + "X: a\nY: b\r\n\r\n",
		"a bare CR":                     start + "X: a\rY: b\r\n\r\n",
		"NUL":                           start + "X: a\x00\r\n\r\n",
		"DEL":                           start + "X: a\x7f\r\n\r\n",
		"bytes beyond ASCII":            start + "X: \xe9\r\n\r\n",
		"a name beyond ASCII":           start + "\xe9: a\r\n\r\n",
		"an upgrade":                    start + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
		"an expectation":                start + "Expect: 100-continue\r\n\r\n",
		"a trailer":                     start + "Trailer: X\r\n\r\n",
		"two connections":               start + "Connection: close\r\nConnection: keep-alive\r\n\r\n",
		"a list of connection options":  start + "Connection: keep-alive, close\r\n\r\n",
		"a line before the request":     "\r\n" + start + "\r\n",
		"too many fields":               start + strings.Repeat("X: a\r\n", maxFields) + "\r\n",
		"something behind the head":     start + "\r\nx",
		"an unfinished head":            start,
		"LF instead of CR LF":           "GET / HTTP/1.1\nHost: a\n\n",
		"a request line and no more":    "GET / HTTP/1.1\r\n\r\n",
		"a target with a control":       "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
		"a target beyond ASCII":         "GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n",
		"an underscore for the length":  start + "Content-Length: 1_0\r\n\r\n",
		"a vertical tab before a value": start + "Content-Length: \v1\r\n\r\n",
	} {
		if _, ok := parseHead(text); ok {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestWhatIsTakenIsReadAsNetHTTPDoes(t *testing.T) {
	parts := []string{
		"GET", "POST", "HEAD", "get", " ", "/", "/v1/verify", "?a=b", "%2f", "%zz", "HTTP/1.1", "HTTP/1.0", "\r\n", "\n", "\r", ":", ": ", "Host", "host", "a", "b",
		"Content-Length", "3", "0", "03", "Transfer-Encoding", "chunked", "Connection", "close", "keep-alive", "Cookie", "X-Y", "\t", "\x00", "\xff", ",", "[::1]", "Pragma", "no-cache",
	}
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		text := plain
		for range rapid.IntRange(0, 4).Draw(t, "edits") {
			at := rapid.IntRange(0, len(text)).Draw(t, "at")
			gone := rapid.IntRange(0, min(3, len(text)-at)).Draw(t, "gone")
			text = text[:at] + rapid.SampledFrom(parts).Draw(t, "part") + text[at+gone:]
		}
		if end := strings.Index(text, headEnd); end >= 0 && holdsHead(t, text[:end+len(headEnd)]) {
			taken++
		}
	})
	if taken == 0 {
		t.Error("nothing was taken")
	}
}

func FuzzHead(f *testing.F) {
	f.Add(plain)
	f.Add("GET /a?b HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\nCookie: a\r\nCookie: b\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		if end := strings.Index(text, headEnd); end >= 0 {
			holdsHead(t, text[:end+len(headEnd)])
		}
	})
}
