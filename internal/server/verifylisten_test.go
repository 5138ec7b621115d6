package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/server"
	"keyward/keywardtest"
)

// twoDoors is a server with a listener for verification alone.
func twoDoors(t testing.TB, options keywardtest.Options) *world {
	t.Helper()
	if options.VerifyListen == "" {
		options.VerifyListen = "127.0.0.1:0"
	}
	return newWorld(t, options)
}

// uuid is a request id, which is never the same.
var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

// compared are the headers in which answers are held against each other.
var compared = []string{
	"Content-Type", "Cache-Control", "X-Content-Type-Options", "Www-Authenticate", "Allow", "Retry-After", "Content-Length", "X-Keyward-Key-Id",
}

// exchange sends bytes and returns the answers until the server closes the connection,
// without what differs each time. If it does not, the client ends its half.
func exchange(t testing.TB, network, address, bytes string) []string {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(conn, bytes) // the server may stop reading
	}()
	in := bufio.NewReader(conn)
	var answers []string
	for ended := false; ; {
		_ = conn.SetReadDeadline(time.Now().Add(map[bool]time.Duration{false: 50 * time.Millisecond, true: patience}[ended]))
		if _, err := in.Peek(1); errors.Is(err, os.ErrDeadlineExceeded) && !ended {
			<-written // which the server's reading or closing brings about
			ended = true
			_ = conn.(interface{ CloseWrite() error }).CloseWrite()
			continue
		}
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		response, err := http.ReadResponse(in, nil)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				answers = append(answers, fmt.Sprintf("ended with %v", err))
			}
			return answers
		}
		body, _ := io.ReadAll(response.Body)
		text := fmt.Sprintf("%d %s", response.StatusCode, uuid.ReplaceAllString(string(body), "ID"))
		for _, name := range compared {
			text += fmt.Sprintf(" %s=%q", name, response.Header.Values(name))
		}
		if response.StatusCode != http.StatusContinue && len(body) > 0 && strings.Contains(response.Header.Get("Content-Type"), "json") &&
			!uuid.MatchString(response.Header.Get("X-Request-Id")) {
			text += " without a request id"
		}
		answers = append(answers, text)
	}
}

// wire generates requests as bytes: plain ones, and such with something odd in them.
type wire struct {
	*rand.Rand
	root, secret, org string

	sent       int
	seen       map[string]int // answers by status
	difference string         // "" if there is none
}

func (w *wire) pick(of ...string) string { return of[w.IntN(len(of))] }

// rarely returns one of the odd texts once in a while, else the usual one.
func (w *wire) rarely(usual string, odd ...string) string {
	if w.IntN(5) > 0 {
		return usual
	}
	return w.pick(odd...)
}

func (w *wire) body() string {
	question := fmt.Sprintf(`{"key":%s%s}`, w.rarely(`"`+w.secret+`"`, `"garbage"`, `""`, `null`, `1`, `"\u0061"`, `"é"`, "\"\xff\"", `"eyJ.a.b"`, `"`+w.secret+`x"`),
		w.pick("", "", `,"permissions":["docs.read"]`, `,"permissions":["docs.write"],"explain":true`, `,"scope":{"region":"eu"},"permissions":["reports.q1"]`,
			`,"ip":"203.0.113.9"`, `,"ip":"x"`, `,"cost":0`, `,"cost":-1`, `,"cost":1e3`, `,"dryRun":true`, `,"environment":"test"`, `,"environment":""`,
			`,"organizationId":"`+w.org+`"`, `,"key":"twice"`, `,"Key":"k"`, `,"more":1`, `,"scope":null`, `,"permissions":["a*"]`, ` , "explain" : true `))
	return w.rarely(question, "", "{", "[]", "null", question+"x", "\ufeff"+question, " \n"+question+"\t", `{"requests":[`+question+`]}`, strings.Repeat(" ", 66<<10)+question)
}

// request returns one request. There is no HEAD: its answers cannot be told from others
// without knowing where what was odd has ended.
func (w *wire) request() string {
	path := w.pick("/v1/verify", "/v1/verify", "/v1/verify", "/v1/verify/batch", "/authz/verify")
	target := w.rarely(path, path+"?", path+"?x=1", path+"/", "/"+path, "http://a"+path, "*", "a:80", path+"%2f", "/v1/%76erify", "/v1/verify/../verify", path+"#x", "/nope", "/"+strings.Repeat("a", 5000), "")
	body := w.body()
	if path == "/v1/verify/batch" && w.IntN(4) > 0 {
		body = `{"requests":[` + strings.Repeat(body+",", w.IntN(3)) + body + `]}`
	}
	credential := w.rarely("Bearer "+w.root, "Bearer nobody", "bearer "+w.root, "Bearer  "+w.root, "Basic x", "", "Bearer eyJhbGciOiJub25lIn0.e30.", "Bearer "+w.secret)
	line := w.rarely(w.rarely("POST", "GET", "PUT", "OPTIONS", "TRACE", "CONNECT", "post", "FOO", "P\x01ST")+" "+target+" HTTP/1.1",
		"POST "+target+" HTTP/1.0", "POST "+target+" HTTP/1.2", "POST "+target+" HTTP/2.0", "POST  "+target+" HTTP/1.1", "POST "+target, "POST "+target+" HTTP/1.1 ", "POST\t"+target+" HTTP/1.1")
	length := fmt.Sprint(len(body))
	fields := []string{
		w.rarely("Host: a", "Host: a\r\nHost: a", "Host: a b", "Host:", "X: no host", "host: [::1]:80", "Host: a/b"),
		w.rarely("Authorization: "+credential, "Authorization: "+credential+"\r\nAuthorization: x", "authorization:"+credential, "Authorization : "+credential, "X: none"),
		w.rarely("Content-Type: application/json", "Content-Type: application/json; charset=utf-8", "Content-Type: text/plain", "Content-Type: application/json\r\nContent-Type: application/json", "X: no type"),
		w.rarely("Content-Length: "+length, "Content-Length: "+length+"\r\nContent-Length: "+length, "Content-Length: +"+length, "Content-Length: 0"+length, "Content-Length: "+length+", "+length,
			"Content-Length: x", "Content-Length:", "Content-Length: -1", "Content-Length : "+length, "Content-Length: "+length+"\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked",
			"Transfer-Encoding: chunked\r\nContent-Length: "+length, "Transfer-Encoding: identity", "Transfer-Encoding: \vchunked", "Content-Length: 99999999999999999999", "X: no length"),
		w.rarely("User-Agent: x", "X: a\r\n folded", "X: a\rb", "X: a\nY: b", "X: \x00", "X: \xff", ": x", "X", "Expect: 100-continue", "Expect: x", "Content-Encoding: gzip", "Upgrade: h2c\r\nConnection: Upgrade",
			"Connection: close, x", "Connection: x", "Keyward-Authorization: Bearer "+w.root+"\r\nX-API-Key: "+w.secret, "X-Forwarded-For: 203.0.113.9", "Trailer: X", "Pragma: no-cache", "Keep-Alive: 5",
			"X: "+strings.Repeat("a", 40<<10), strings.TrimSuffix(strings.Repeat("X: a\r\n", 150), "\r\n")),
	}
	if path == "/authz/verify" {
		fields = append(fields, w.rarely("Keyward-Authorization: Bearer "+w.root, "Keyward-Authorization: x", "X: none"), w.rarely("X-API-Key: "+w.secret, "X-API-Key: x", "X: none"))
	}
	w.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	if strings.Contains(strings.Join(fields, "\n"), "chunked") && w.IntN(2) > 0 {
		body = w.pick(fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body), "0\r\n\r\n", "zz\r\n", "3;x=\"\ny\"\r\nabc\r\n0\r\n\r\n", fmt.Sprintf("%x\n%s\n0\n\n", len(body), body))
	}
	end := w.rarely("\r\n", "\r\n", "\n")
	return line + end + strings.Join(fields, end) + end + end + body
}

// last is a question with its connection's end, behind what may have been odd: bytes of one
// request become no other.
func (w *wire) last() string {
	return "POST /v1/verify HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + w.root + "\r\nContent-Type: application/json\r\nContent-Length: 17\r\nConnection: close\r\n\r\n" + `{"key":"the end"}`
}

// threeDoors is a server with both listeners, and with net/http alone before the same
// handlers: it is what the others are held against.
func threeDoors(t *testing.T) (kw *world, reference string) {
	t.Helper()
	s, err := server.Open(t.Context(), server.Config{
		Listen: "127.0.0.1:0", OpsListen: "off", VerifyListen: "127.0.0.1:0", Data: t.TempDir(),
		RootToken: keyward.ForeignSecret(keywardtest.RootToken), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	plain, err := s.PlainServer()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go plain.Serve(l)
	t.Cleanup(func() {
		_ = plain.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	kw = &world{
		Server: &keywardtest.Server{URL: s.URL, VerifyURL: s.VerifyURL, RootToken: keywardtest.RootToken},
		client: &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	return kw, l.Addr().String()
}

func TestAllListenersAnswerTheSame(t *testing.T) {
	kw, reference := threeDoors(t)
	o := kw.tenant(t, "door")
	key := kw.key(t, o, `"acl":[{"scope":{"region":["eu"]},"permissions":["reports.*"]},{"scope":{},"permissions":["docs.read"]}],"metadata":{"a":"<&>"}`)
	main, fast := strings.TrimPrefix(kw.URL, "http://"), strings.TrimPrefix(kw.VerifyURL, "http://")
	seed := rand.Uint64()
	const workers, requests = 8, 10_000
	done := make(chan *wire, workers)
	for worker := range workers {
		go func() {
			w := &wire{Rand: rand.New(rand.NewPCG(seed, uint64(worker))), root: kw.RootToken, secret: key.Secret, org: o.org.ID, seen: map[string]int{}}
			for w.sent < requests/workers && w.difference == "" {
				w.compare(t, reference, main, fast)
			}
			done <- w
		}()
	}
	seen := map[string]int{}
	for range workers {
		w := <-done
		if w.difference != "" {
			t.Errorf("seed %d: %s", seed, w.difference)
		}
		for status, n := range w.seen {
			seen[status] += n
		}
	}
	for _, status := range []string{"200", "400", "401", "404", "405", "413", "414", "415", "417", "431", "501", "505"} {
		if seen[status] == 0 {
			t.Errorf("seed %d: nothing was answered with %s: %v", seed, status, seen)
		}
	}
}

// compare sends some requests on one connection to each, and notes where their answers
// differ from the reference's.
func (w *wire) compare(t testing.TB, reference string, others ...string) {
	var bytes strings.Builder
	for range 1 + w.IntN(4) {
		bytes.WriteString(w.request())
		w.sent++
	}
	bytes.WriteString(w.last())
	want := exchange(t, "tcp", reference, bytes.String())
	for _, other := range others {
		got := exchange(t, "tcp", other, bytes.String())
		for again := 0; again < 3 && !slices.Equal(got, want); again++ {
			// A machine that is busy may make the client give up in the middle, but not again
			// and again.
			want, got = exchange(t, "tcp", reference, bytes.String()), exchange(t, "tcp", other, bytes.String())
		}
		if !slices.Equal(got, want) {
			w.difference = fmt.Sprintf("%.6000q\n%s answers\n%q\nnet/http\n%q", bytes.String(), other, got, want)
		}
	}
	for _, answer := range want {
		w.seen[answer[:3]]++
	}
}

func TestTheListenerForVerificationServesNothingElse(t *testing.T) {
	kw := twoDoors(t, keywardtest.Options{})
	for target, want := range map[string]int{
		"GET /": 404, "GET /livez": 404, "GET /v1/organizations": 404, "POST /v1/organizations": 404, "GET /docs/api/": 404, "POST /oauth/token": 404, "GET /aerospike/v2/api-keys": 404,
		"GET /v1/verify": 405, "DELETE /v1/verify/batch": 405, "GET /authz/verify": 401, "POST /v1/verify": 400, "GET /metrics": 404,
		"HEAD /v1/verify": 405, "HEAD /nope": 404,
	} {
		method, path, _ := strings.Cut(target, " ")
		got := exchange(t, "tcp", strings.TrimPrefix(kw.VerifyURL, "http://"), method+" "+path+" HTTP/1.1\r\nHost: rebilly.localhost\r\nAuthorization: Bearer "+kw.RootToken+"\r\nConnection: close\r\n\r\n")
		if len(got) != 1 || !strings.HasPrefix(got[0], fmt.Sprint(want)) || want == 405 && !strings.Contains(got[0], `Allow=["POST"]`) {
			t.Errorf("%s: %q, want %d", target, got, want)
		}
	}
}

func TestASocketIsAProofAndEndsWithItsServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verify.sock")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	_ = stale.Close() // as a server that was killed leaves it
	kw := twoDoors(t, keywardtest.Options{VerifyListen: "unix:" + path})
	if kw.VerifyURL != "unix:"+path {
		t.Errorf("it is at %s", kw.VerifyURL)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket's file: %v %v", info, err)
	}
	o := kw.tenant(t, "socket")
	ask := "GET /authz/verify HTTP/1.1\r\nHost: a\r\nX-API-Key: " + o.key.Secret + "\r\nConnection: close\r\n\r\n"
	if got := exchange(t, "unix", path, ask); len(got) != 1 || !strings.HasPrefix(got[0], "200 ") {
		t.Errorf("through the socket: %q", got)
	}
	odd := strings.Replace(ask, "Host: a", "Host: a\r\nPragma: x", 1) // which net/http reads
	if got := exchange(t, "unix", path, odd); len(got) != 1 || !strings.HasPrefix(got[0], "200 ") {
		t.Errorf("through the socket, and not plain: %q", got)
	}
	if got := exchange(t, "tcp", strings.TrimPrefix(kw.URL, "http://"), ask); len(got) != 1 || !strings.HasPrefix(got[0], "401 ") {
		t.Errorf("not through the socket: %q", got)
	}
	if err := kw.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's file is left: %v", err)
	}
}

func TestWhatIsNotALeftSocketStays(t *testing.T) {
	dir := t.TempDir()
	file, live := filepath.Join(dir, "file"), filepath.Join(dir, "live")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("unix", live)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for address, want := range map[string]string{
		"unix:" + file: "no socket", "unix:" + live: "in use", "unix:" + filepath.Join(dir, "none", "x"): "--verify-listen", "unix:": "names no path",
		"127.0.0.1": "must be like", "192.0.2.1:8082": "without TLS", strings.TrimPrefix(other.Addr().String(), "unix:"): "must be like",
	} {
		_, err := server.Open(t.Context(), server.Config{
			Listen: "127.0.0.1:0", OpsListen: "off", Data: filepath.Join(dir, "data"), VerifyListen: address, Log: slog.New(slog.DiscardHandler),
		})
		if err == nil || !strings.Contains(keyward.MessageOf(err), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file: %q %v", text, err)
	}
	if conn, err := net.Dial("unix", live); err != nil {
		t.Errorf("the other server: %v", err)
	} else {
		_ = conn.Close()
	}
}
