package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"keyward/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// keys are the secrets of the tests, and what is made of them.
func keys(t *testing.T, command string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), []string{command}, strings.NewReader("one\ntwo\n"), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// check asks about keys that the store has and that it has not.
func check(t *testing.T, s store) {
	t.Helper()
	h := &handler{s}
	for body, want := range map[string]string{
		`{"key":"two"}`: answerFor(2), `{"key":"three"}`: `{"valid":false,"code":"not_found"}`,
		`{`: "the body must be an object with a key\n", `{}`: "the body must be an object with a key\n",
		strings.Repeat(" ", maxBody+1): "the body cannot be read\n",
	} {
		for range 2 { // over a connection that was used before, too
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/verify", strings.NewReader(body)))
			if got := w.Body.String(); got != want {
				t.Errorf("%.20s is answered %q, want %q", body, got, want)
			}
		}
	}
}

func TestKeysAreLookedUpInPostgreSQL(t *testing.T) {
	url := pgtest.Clone(t, "peers", func(string) error { return nil })
	db, err := openPostgres(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Conn().PgConn().CopyFrom(t.Context(), strings.NewReader(keys(t, "postgres-keys")), "COPY peer_keys FROM STDIN")
	conn.Release()
	if err != nil {
		t.Fatal(err)
	}
	check(t, db)
}

func TestKeysAreLookedUpInRedis(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// As Redis answers, by its protocol: it need not be installed where tests run.
	values := map[string]string{}
	commands := bufio.NewReader(strings.NewReader(keys(t, "redis-keys")))
	for range 2 {
		set := command(t, commands)
		values[set[1]] = set[2]
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answer(conn, values)
		}
	}()
	check(t, newRedis(l.Addr().String()))

	_ = l.Close()
	w := httptest.NewRecorder()
	(&handler{newRedis(l.Addr().String())}).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"key":"one"}`)))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("without Redis the answer is %d", w.Code)
	}
}

// command reads one command.
func command(t *testing.T, in *bufio.Reader) []string {
	t.Helper()
	words, err := readCommand(in)
	if err != nil {
		t.Fatal(err)
	}
	return words
}

func readCommand(in *bufio.Reader) ([]string, error) {
	var n int
	if _, err := fmt.Fscanf(in, "*%d\r\n", &n); err != nil {
		return nil, err
	}
	words := make([]string, n)
	for i := range words {
		var length int
		if _, err := fmt.Fscanf(in, "$%d\r\n", &length); err != nil {
			return nil, err
		}
		word := make([]byte, length+2)
		if _, err := io.ReadFull(in, word); err != nil {
			return nil, err
		}
		words[i] = string(word[:length])
	}
	return words, nil
}

// answer answers GET until the connection ends.
func answer(conn net.Conn, values map[string]string) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		words, err := readCommand(in)
		if err != nil || words[0] != "GET" {
			return
		}
		reply := "$-1\r\n"
		if value, ok := values[words[1]]; ok {
			reply = fmt.Sprintf("$%d\r\n%s\r\n", len(value), value)
		}
		if _, err := io.WriteString(conn, reply); err != nil {
			return
		}
	}
}

func TestTheMapForNginxHasAKeyALine(t *testing.T) {
	if got := keys(t, "nginx-keys"); got != "one 1;\ntwo 1;\n" {
		t.Errorf("it is %q", got)
	}
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	for _, args := range [][]string{nil, {"memcached"}, {"redis", "-nonsense"}, {"postgres", "-server", "nonsense://"}} {
		if err := run(t.Context(), args, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
