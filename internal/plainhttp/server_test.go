package plainhttp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// running is a server whose quick way answers /quick, and whose handler says what it saw.
type running struct {
	*Server
	address string
	quick   atomic.Int64
	log     strings.Builder
	ended   chan error
}

func start(t *testing.T, configure func(*Server)) *running {
	t.Helper()
	r := &running{ended: make(chan error, 1)}
	r.Server = &Server{MaxBody: 1 << 20, Quick: r.answer, Admit: admit, HTTP: &http.Server{
		Handler: http.HandlerFunc(serve), ErrorLog: log.New(&r.log, "", 0),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: time.Minute,
	}}
	if configure != nil {
		configure(r.Server)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.address = l.Addr().String()
	go func() { r.ended <- r.Serve(l) }()
	t.Cleanup(func() {
		_ = r.Close()
		if err := <-r.ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
		r.ended <- nil
	})
	return r
}

func admit(r *Request) bool { return r.Header.Get("X-Stranger") == "" }

func (s *running) answer(r *Request) bool {
	switch r.Target {
	case "/quick":
		s.quick.Add(1)
		r.Send(append(r.OK(), "X-Quick: yes\r\n"...), append([]byte("quick "), r.Body...))
		return true
	case "/panic":
		panic("oh")
	}
	return false
}

func serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.Header().Set("Connection", "close")
		http.Error(w, "short", http.StatusBadRequest)
		return
	}
	switch r.URL.Path {
	case "/nothing":
		w.WriteHeader(http.StatusNoContent)
	case "/close":
		w.Header().Set("Connection", "close")
	case "/header":
		w.Header().Set("X-Split", "a\r\nX-Other: b")
	case "/abort":
		panic(http.ErrAbortHandler)
	default:
		fmt.Fprintf(w, "%s %s %s", r.Method, r.RequestURI, body)
	}
}

// talk sends the parts, some time apart, and returns what comes until the server closes
// the connection.
func (s *running) talk(t *testing.T, parts ...string) []string {
	t.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	for i, part := range parts {
		if i > 0 {
			time.Sleep(5 * time.Millisecond)
		}
		if _, err := io.WriteString(conn, part); err != nil {
			t.Fatal(err)
		}
	}
	in := bufio.NewReader(conn)
	var answers []string
	for {
		response, err := http.ReadResponse(in, nil)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%.200q: %v", parts, err)
			}
			return answers
		}
		body, _ := io.ReadAll(response.Body)
		answers = append(answers, fmt.Sprintf("%d %s", response.StatusCode, body))
	}
}

func post(target, body, more string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n%s", target, len(body), more, body)
}

const closing = "Connection: close\r\n"

func TestRequestsAreAnsweredInOrder(t *testing.T) {
	s := start(t, nil)
	big := strings.Repeat("x", 300_000)
	chunked := "POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	whole := post("/quick", "a", "") + post("/slow", "b", "") + post("/quick", "c", closing)
	want := []string{"200 quick a", "200 POST /slow b", "200 quick c"}
	for name, test := range map[string]struct {
		parts []string
		want  []string
	}{
		"one":                   {[]string{post("/quick", "a", closing)}, []string{"200 quick a"}},
		"many in one packet":    {[]string{whole}, want},
		"byte by byte":          {strings.Split(whole, ""), want},
		"cut in heads":          {[]string{whole[:10], whole[10:70], whole[70:]}, want},
		"without a body":        {[]string{"GET /slow HTTP/1.1\r\nHost: a\r\n" + closing + "\r\n"}, []string{"200 GET /slow "}},
		"a large body":          {[]string{post("/quick", big, ""), post("/quick", "b", closing)}, []string{"200 quick " + big, "200 quick b"}},
		"a body that is larger": {[]string{post("/slow", strings.Repeat("x", 2<<20), closing)}, []string{"200 POST /slow " + strings.Repeat("x", 2<<20)}},
		"what is not plain":     {[]string{post("/quick", "a", ""), chunked + post("/quick", "b", closing)}, []string{"200 quick a", "200 POST /chunked abc", "200 POST /quick b"}},
		"what is malformed":     {[]string{post("/quick", "a", "") + "x\r\n\r\n" + post("/quick", "b", "")}, []string{"200 quick a", "400 400 Bad Request"}},
		"no content":            {[]string{post("/nothing", "", closing)}, []string{"204 "}},
		"the handler closes":    {[]string{post("/close", "", "") + post("/quick", "", "")}, []string{"200 "}},
		"the handler gives up":  {[]string{post("/abort", "", "") + post("/quick", "", "")}, nil},
	} {
		if name == "byte by byte" {
			test.parts = append(test.parts[:20:20], strings.Join(test.parts[20:], ""))
		}
		if got := s.talk(t, test.parts...); fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: %.200q, want %.200q", name, got, test.want)
		}
	}
}

func TestAHeadThatComesAgainIsNotParsedAgain(t *testing.T) {
	s := start(t, nil)
	first, other := post("/quick", "a", "X: 1\r\n"), post("/quick", "a", "X: 2\r\n")
	got := s.talk(t, first, first, other, first, post("/quick", "b", closing))
	if len(got) != 5 || got[3] != "200 quick a" || got[4] != "200 quick b" || s.quick.Load() != 5 {
		t.Errorf("answers %q", got)
	}
}

func TestTheBodyOfAStrangerIsNotWaitedFor(t *testing.T) {
	s := start(t, nil)
	big := strings.Repeat("x", 300_000)
	got := s.talk(t, post("/quick", big, "X-Stranger: yes\r\n"), post("/quick", "a", closing))
	if len(got) != 2 || got[0] != "200 POST /quick "+big || s.quick.Load() != 0 {
		t.Errorf("answers %.80q, %d of them here", got, s.quick.Load())
	}
}

func TestAConnectionCanBeGivenUp(t *testing.T) {
	s := start(t, func(s *Server) { s.GiveUp = true })
	got := s.talk(t, post("/quick", "a", "")+post("/slow", "b", "")+post("/quick", "c", closing))
	if fmt.Sprint(got) != "[200 quick a 200 POST /slow b 200 POST /quick c]" {
		t.Errorf("answers %q", got)
	}
}

func TestABodyThatEndsEarlyIsForNetHTTP(t *testing.T) {
	s := start(t, nil)
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
	_ = conn.(*net.TCPConn).CloseWrite()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusBadRequest || s.quick.Load() != 0 {
		t.Errorf("%v %v", response, err)
	}
}

func TestWhoIsSlowIsCutOff(t *testing.T) {
	s := start(t, func(s *Server) {
		s.HTTP.ReadHeaderTimeout, s.HTTP.ReadTimeout, s.HTTP.IdleTimeout = 50*time.Millisecond, 80*time.Millisecond, 50*time.Millisecond
	})
	for name, test := range map[string]struct {
		sends string
		want  []string
	}{
		"with nothing":           {"", nil},
		"with the head":          {"POST /quick HTTP/1.1\r\nHost: a\r\n", nil},
		"with the body":          {"POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", []string{"400 short\n"}},
		"with another request":   {post("/quick", "a", ""), []string{"200 quick a"}},
		"with half of a request": {post("/quick", "a", "") + "POST / HTTP/1.1\r\n", []string{"200 quick a"}},
	} {
		if got := s.talk(t, test.sends); fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestAPanicEndsItsConnectionOnly(t *testing.T) {
	s := start(t, nil)
	if got := s.talk(t, post("/panic", "", "")); len(got) != 0 {
		t.Errorf("answers %q", got)
	}
	if got := s.talk(t, post("/quick", "", closing)); len(got) != 1 {
		t.Errorf("answers %q", got)
	}
	if !strings.Contains(s.log.String(), "panic: oh") {
		t.Errorf("the log says %q", s.log.String())
	}
}

func TestLinesOfAHeaderCannotBeSplit(t *testing.T) {
	s := start(t, nil)
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, post("/header", "", closing))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.Header.Get("X-Other") != "" || !response.Close {
		t.Errorf("%+v %v", response, err)
	}
}

func TestShutdownLetsRequestsEnd(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	s := start(t, func(s *Server) {
		quick := s.Quick
		s.Quick = func(r *Request) bool {
			if string(r.Body) == "wait" {
				close(begun)
				<-release
			}
			return quick(r)
		}
	})
	idle, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	busy := make(chan []string)
	go func() { busy <- s.talk(t, post("/quick", "wait", "")) }()
	<-begun
	down := make(chan error)
	go func() { down <- s.Shutdown(t.Context()) }()
	if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("an idle connection: %v, want its end", err)
	}
	select {
	case err := <-down:
		t.Errorf("Shutdown returned %v before the request was answered", err)
	default:
	}
	close(release)
	if got := <-busy; fmt.Sprint(got) != "[200 quick wait]" {
		t.Errorf("answers %q", got)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestShutdownDoesNotWaitForEver(t *testing.T) {
	release := make(chan struct{})
	begun := make(chan struct{})
	s := start(t, func(s *Server) {
		s.Quick = func(*Request) bool {
			close(begun)
			<-release
			return false
		}
	})
	busy := make(chan []string)
	go func() { busy <- s.talk(t, post("/quick", "", closing)) }()
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	close(release)
	<-busy
}
