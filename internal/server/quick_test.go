package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keyward"
)

const rootToken = "kwop-root-token-of-a-test-that-nobody-else-uses"

// open opens a server whose handler can be asked without a connection.
func open(t testing.TB, config Config) *Server {
	t.Helper()
	config.Listen, config.OpsListen, config.Data = "127.0.0.1:0", "off", t.TempDir()
	config.RootToken = keyward.ForeignSecret(rootToken)
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	s, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// handlerOf returns what the main listener answers with.
func (s *Server) handlerOf() (http.Handler, error) {
	h, err := s.handlers()
	return h.all, err
}

// ask asks a handler as the root operator, and returns the answer.
func ask(t testing.TB, h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+rootToken)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// newKey makes a key, with more members.
func newKey(t testing.TB, h http.Handler, members string) (secret string) {
	t.Helper()
	var org struct{ ID string }
	made := ask(t, h, "POST", "/v1/organizations", `{"name":"Acme"}`)
	if err := json.Unmarshal(made.Body.Bytes(), &org); err != nil || made.Code != http.StatusCreated {
		t.Fatalf("%d %s", made.Code, made.Body)
	}
	var key struct{ Secret string }
	made = ask(t, h, "POST", "/v1/organizations/"+org.ID+"/api-keys", `{"name":"ci"`+members+`}`)
	if err := json.Unmarshal(made.Body.Bytes(), &key); err != nil || made.Code != http.StatusCreated {
		t.Fatalf("%d %s", made.Code, made.Body)
	}
	return key.Secret
}

// slowly returns what is behind the quick way.
func slowly(h http.Handler) http.Handler { return h.(*quick).next }

func TestTheQuickWayAnswersAsTheSurface(t *testing.T) {
	s := open(t, Config{})
	h, err := s.handlerOf()
	if err != nil {
		t.Fatal(err)
	}
	secret := newKey(t, h, `,"metadata":{"a":"b c"},"acl":[{"scope":{"region":["eu"]},"permissions":["docs.*"]}]`)
	one := fmt.Sprintf(`{"key":%q,"permissions":["docs.read"],"scope":{"region":"eu"},"explain":true}`, secret)
	const verify, batch = "/v1/verify", "/v1/verify/batch"
	for name, test := range map[string]struct {
		path, body string
		header     []string
	}{
		"a question":             {verify, one, nil},
		"a refusal":              {verify, fmt.Sprintf(`{"key":%q,"permissions":["docs.read"]}`, secret), nil},
		"garbage":                {verify, `{"key":"garbage"}`, nil},
		"escapes":                {verify, `{"key":"\u0061"}`, nil},
		"a batch":                {batch, `{"requests":[` + one + `,{"key":"x"},` + one + `]}`, nil},
		"a large batch":          {batch, `{"requests":[` + strings.Repeat(one+",", 99) + one + `]}`, nil},
		"an empty batch":         {batch, `{"requests":[]}`, nil},
		"a fault":                {verify, `{"key":"x","cost":-1}`, nil},
		"no JSON":                {verify, `{`, nil},
		"nothing":                {verify, ``, nil},
		"too much":               {verify, `{"key":"` + strings.Repeat("x", 64<<10) + `"}`, nil},
		"another operator":       {verify, one, []string{"Authorization", "Bearer nobody"}},
		"no bearer":              {verify, one, []string{"Authorization", "Basic x"}},
		"a charset":              {verify, one, []string{"Content-Type", "application/json; charset=utf-8"}},
		"another type":           {verify, one, []string{"Content-Type", "text/plain"}},
		"an encoding":            {verify, one, []string{"Content-Encoding", "gzip"}},
		"an expectation":         {verify, one, []string{"Expect", "x"}},
		"a query":                {verify + "?x=1", one, nil},
		"a path that is close":   {verify + "/", one, nil},
		"a path that is escaped": {"/v1/%76erify", one, nil},
	} {
		got, want := ask(t, h, "POST", test.path, test.body, test.header...), ask(t, slowly(h), "POST", test.path, test.body, test.header...)
		if got.Code != want.Code || anonymous(got) != anonymous(want) {
			t.Errorf("%s: %d %s, the surface says %d %s", name, got.Code, got.Body, want.Code, want.Body)
		}
		for _, member := range []string{"Content-Type", "Cache-Control", "X-Content-Type-Options", "Www-Authenticate"} {
			if got.Header().Get(member) != want.Header().Get(member) {
				t.Errorf("%s: %s is %q, the surface says %q", name, member, got.Header().Get(member), want.Header().Get(member))
			}
		}
		if len(got.Header().Get("X-Request-Id")) != 36 {
			t.Errorf("%s: has the request id %q", name, got.Header().Get("X-Request-Id"))
		}
	}
	for _, host := range []string{"rebilly.localhost", "REBILLY.localhost.", "rebilly.localhost:80"} {
		r := httptest.NewRequest("POST", "/v1/verify", strings.NewReader(one))
		r.Host = host
		r.Header.Set("Authorization", "Bearer "+rootToken)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusNotFound {
			t.Errorf("at %s: %d, want 404: only the dialect is there", host, w.Code)
		}
	}
}

// anonymous is a body without its request id.
func anonymous(w *httptest.ResponseRecorder) string {
	return strings.ReplaceAll(w.Body.String(), w.Header().Get("X-Request-Id"), "")
}

// discard is a response that nobody reads. Its headers are used again.
type discard struct {
	header http.Header
	status int
	size   int
}

func (d *discard) Header() http.Header    { return d.header }
func (d *discard) WriteHeader(status int) { d.status = status }
func (d *discard) Write(b []byte) (int, error) {
	d.size += len(b)
	return len(b), nil
}

// handlerAllocs is how often the quick way may allocate for one request: the text of the
// body, the request id, and the slice that holds it. What net/http allocates comes on
// top.
const handlerAllocs = 3

func TestTheQuickWayAllocatesAsOftenAsItSays(t *testing.T) {
	s := open(t, Config{})
	h, err := s.handlerOf()
	if err != nil {
		t.Fatal(err)
	}
	want := float64(handlerAllocs + poolLoss)
	secret := newKey(t, h, `,"allowedIps":["203.0.113.0/24"],"acl":[{"scope":{"region":["eu"]},"permissions":["docs.*"]}]`)
	one := fmt.Sprintf(`{"key":%q,"permissions":["docs.read"],"scope":{"region":"eu"},"ip":"203.0.113.9"}`, secret)
	for path, body := range map[string]string{
		"/v1/verify":       one,
		"/v1/verify/batch": `{"requests":[` + one + "," + one + "," + one + `]}`,
	} {
		reader := strings.NewReader(body)
		r := httptest.NewRequest("POST", path, reader)
		r.Header.Set("Authorization", "Bearer "+rootToken)
		r.Header.Set("Content-Type", "application/json")
		same, w := r.Body, &discard{header: http.Header{}}
		allocs := testing.AllocsPerRun(100, func() {
			reader.Reset(body)
			r.Body, w.size = same, 0
			h.ServeHTTP(w, r)
		})
		if allocs > want || w.size < 200 {
			t.Errorf("%s: %g allocations for %d bytes, want %g at most", path, allocs, w.size, want)
		}
	}
}

func TestErrorsOfTheAskerAreTheSurfaces(t *testing.T) {
	s := open(t, Config{})
	h, err := s.handlerOf()
	if err != nil {
		t.Fatal(err)
	}
	w := ask(t, h.(*quick).refuse(keyward.Errorf(keyward.Unavailable, "no lease")), "POST", "/v1/verify", "")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"detail":"no lease"`) {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestAtLevelDebugEveryVerificationIsLogged(t *testing.T) {
	for level, want := range map[slog.Level]int{slog.LevelDebug: 1, slog.LevelInfo: 0} {
		var out bytes.Buffer
		s := open(t, Config{Log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}))})
		h, err := s.handlerOf()
		if err != nil {
			t.Fatal(err)
		}
		ask(t, h, "POST", "/v1/verify", `{"key":"canary"}`)
		text := out.String()
		if got := strings.Count(text, "POST /v1/verify"); got != want || strings.Contains(text, "canary") {
			t.Errorf("at level %s: %d lines, want %d: %s", level, got, want, text)
		}
	}
}

// wireAllocs is how often a plain verification allocates on the listeners, from its first
// byte to the last of its answer: the text of the body.
const wireAllocs = 1

func TestListenersAllocateAsOftenAsTheySay(t *testing.T) {
	s := open(t, Config{VerifyListen: "127.0.0.1:0"})
	h, err := s.handlerOf()
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"key":%q,"permissions":["docs.read"],"scope":{"region":"eu"},"ip":"203.0.113.9"}`,
		newKey(t, h, `,"allowedIps":["203.0.113.0/24"],"acl":[{"scope":{"region":["eu"]},"permissions":["docs.*"]}],"rateLimits":[{"name":"a","limit":1000000,"window":"1h"}]`))
	request := fmt.Appendf(nil, "POST /v1/verify HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", rootToken, len(body), body)
	for _, one := range s.serving {
		go one.run()
		conn, err := net.Dial("tcp", one.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		answer := make([]byte, 4<<10)
		n := 0
		allocs := testing.AllocsPerRun(500, func() {
			if _, err := conn.Write(request); err != nil {
				t.Error(err)
			}
			if n, err = conn.Read(answer); err != nil {
				t.Error(err)
			}
		})
		if text := string(answer[:n]); !strings.HasPrefix(text, "HTTP/1.1 200") || !strings.Contains(text, `"valid":true`) {
			t.Errorf("%s answers %s", one.listener.Addr(), text)
		}
		if want := float64(wireAllocs + poolLoss); allocs > want {
			t.Errorf("%s: %g allocations for a request, want %g at most", one.listener.Addr(), allocs, want)
		}
	}
}
