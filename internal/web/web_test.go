package web_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyward/keywardtest"
)

const (
	noCache  = "no-cache"
	oneYear  = "public, max-age=31536000, immutable"
	html     = "text/html; charset=utf-8"
	rapidoc  = "rapidoc-9.3.8.min.js"
	readFrom = "/docs/api/native/"
)

// reply is an answer of a server.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request, with headers in pairs. It follows no redirect and unpacks
// nothing.
func ask(t *testing.T, method, url string, header ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "identity")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, body}
}

// served are the paths that answer with something to read, their media types, and how
// long it is kept.
var served = map[string][2]string{
	"/openapi/native.json":          {"application/json", noCache},
	"/docs/api/":                    {html, noCache},
	readFrom:                        {html, noCache},
	"/docs/api/index.css":           {"text/css; charset=utf-8", noCache},
	"/docs/api/reader.css":          {"text/css; charset=utf-8", noCache},
	"/docs/api/reader.js":           {"text/javascript; charset=utf-8", noCache},
	"/docs/api/" + rapidoc:          {"text/javascript; charset=utf-8", oneYear},
	"/docs/api/rapidoc.LICENSE.txt": {"text/plain; charset=utf-8", noCache},
}

func TestWhatIsServedSaysWhatItIsAndHowLongItIsGood(t *testing.T) {
	kw := keywardtest.New(t)
	for path, want := range served {
		got := ask(t, "GET", kw.URL+path)
		if got.status != 200 || len(got.body) == 0 {
			t.Errorf("GET %s: %d, %d bytes", path, got.status, len(got.body))
		}
		for name, value := range map[string]string{
			"Content-Type": want[0], "Cache-Control": want[1], "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding",
		} {
			if got.header.Get(name) != value {
				t.Errorf("GET %s: %s: %q, want %q", path, name, got.header.Get(name), value)
			}
		}
		if got.header.Get("X-Request-Id") == "" {
			t.Errorf("GET %s: no X-Request-Id", path)
		}
		head := ask(t, "HEAD", kw.URL+path)
		if head.status != 200 || len(head.body) > 0 || head.header.Get("Content-Length") != got.header.Get("Content-Length") {
			t.Errorf("HEAD %s: %d %v, GET: %v", path, head.status, head.header, got.header)
		}
	}
}

func TestWhoHasItAlreadyGetsNothing(t *testing.T) {
	kw := keywardtest.New(t)
	for path := range served {
		tag := ask(t, "GET", kw.URL+path).header.Get("Etag")
		for header, want := range map[string]int{
			tag: 304, "*": 304, `"other", ` + tag: 304, strings.TrimPrefix(tag, "W/"): 304,
			`"other"`: 200, `W/""`: 200,
		} {
			got := ask(t, "GET", kw.URL+path, "If-None-Match", header)
			if got.status != want || want == 304 && (len(got.body) > 0 || got.header.Get("Etag") != tag) {
				t.Errorf("GET %s, If-None-Match %s: %d %v, want %d", path, header, got.status, got.header, want)
			}
		}
	}
}

func TestBrowsersGetLess(t *testing.T) {
	kw := keywardtest.New(t)
	for path := range served {
		plain := ask(t, "GET", kw.URL+path)
		for accepted, packed := range map[string]bool{
			"gzip": true, "br, GZIP;q=0.5": true, "deflate, gzip, br, zstd": true,
			"br": false, "gzip;q=0": false, "gzip; q=0.000": false, "identity": false, "gzip;q=much": false,
		} {
			got := ask(t, "GET", kw.URL+path, "Accept-Encoding", accepted)
			if (got.header.Get("Content-Encoding") == "gzip") != packed {
				t.Errorf("GET %s, Accept-Encoding %s: %v", path, accepted, got.header)
				continue
			}
			if packed {
				got.body = unpack(t, got.body)
			}
			if !bytes.Equal(got.body, plain.body) {
				t.Errorf("GET %s, Accept-Encoding %s: another text", path, accepted)
			}
		}
	}
}

func unpack(t *testing.T, packed []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestPagesMayDoNothingThatTheyNeedNot(t *testing.T) {
	kw := keywardtest.New(t)
	const before, after = "default-src 'none'; img-src 'self' data:; ", "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	for path, policy := range map[string]string{
		"/docs/api/": "style-src 'self'",
		readFrom:     "script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'",
	} {
		got := ask(t, "GET", kw.URL+path)
		if csp := got.header.Get("Content-Security-Policy"); csp != before+policy+after {
			t.Errorf("GET %s: Content-Security-Policy: %s", path, csp)
		}
		if got.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("GET %s: Referrer-Policy: %q", path, got.header.Get("Referrer-Policy"))
		}
		for _, wanted := range []string{`<html lang="en">`, "<title>", `name="viewport"`, "<h1>"} {
			if bytes.Count(got.body, []byte(wanted)) != 1 {
				t.Errorf("GET %s: not one %s", path, wanted)
			}
		}
		for _, unwanted := range []string{"<script>", "http:", "https:", `"//`, " onload=", " style=", "ZgotmplZ"} {
			if bytes.Contains(got.body, []byte(unwanted)) {
				t.Errorf("GET %s: has %s", path, unwanted)
			}
		}
	}
}

func TestAddressesWithoutSlashLeadToThePage(t *testing.T) {
	kw := keywardtest.New(t)
	for path, location := range map[string]string{"/docs/api": "api/", "/docs/api/native": "native/"} {
		got := ask(t, "GET", kw.URL+path)
		if got.status != 308 || got.header.Get("Location") != location || len(got.body) > 0 {
			t.Errorf("GET %s: %d, Location %q %s", path, got.status, got.header.Get("Location"), got.body)
		}
	}
}

func TestWhatIsNotThereIsAProblem(t *testing.T) {
	kw := keywardtest.New(t)
	for request, want := range map[string]int{
		"GET /docs/api/nothing": 404, "GET /docs/api/nothing/": 404, "GET /docs/api/native/nothing": 404,
		"GET /docs/api/README.md": 404, "GET /docs/api/index.html": 404, "GET /docs/api//": 404,
		"GET /docs/api/../api/": 404, "GET /docs/api/reader.js/": 404, "GET /openapi/": 404, "GET /openapi/native": 404,
		"GET /openapi/nothing.json": 404, "GET /openapi/native.json/": 404, "GET /openapi/native.yaml": 404,
		"POST /docs/api/": 405, "PUT /docs/api/native/": 405, "DELETE /openapi/native.json": 405,
		"POST /docs/api": 405, "OPTIONS /docs/api/reader.js": 405,
	} {
		method, path, _ := strings.Cut(request, " ")
		got := ask(t, method, kw.URL+path)
		var problem struct{ Status int }
		if err := json.Unmarshal(got.body, &problem); err != nil || got.status != want || problem.Status != want {
			t.Errorf("%s: %d %s, want %d", request, got.status, got.body, want)
		}
		if got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s", request, got.header.Get("Content-Type"))
		}
		if want == 405 && got.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: Allow %q", request, got.header.Get("Allow"))
		}
	}
}

func TestTheVendoredFileIsTheOneThatIsDescribed(t *testing.T) {
	script, err := os.ReadFile(filepath.Join("static", rapidoc))
	if err != nil {
		t.Fatal(err)
	}
	description, err := os.ReadFile(filepath.Join("static", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(script)
	if !strings.Contains(string(description), hex.EncodeToString(sum[:])) {
		t.Errorf("static/README.md does not have the SHA-256 of %s, %x", rapidoc, sum)
	}
}
