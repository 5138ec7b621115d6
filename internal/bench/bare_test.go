package bench

import (
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"testing"
	"time"
)

// serve runs a bare server until the test ends, and returns requests to it.
func serve(t *testing.T, b Bare) load {
	t.Helper()
	b.Network, b.Address = "unix", filepath.Join(t.TempDir(), "s")
	in, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- ServeBare(context.WithoutCancel(t.Context()), in) }()
	t.Cleanup(func() {
		out.Close() // as when whoever started it dies
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	if err := json.NewEncoder(out).Encode(b); err != nil {
		t.Fatal(err)
	}
	return load{network: b.Network, address: b.Address, connections: 2, status: "200", contains: `"valid":true`}
}

// ask sends requests until the server is there.
func ask(t *testing.T, l load) *outcome {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		out, err := l.run(t.Context(), 10*time.Millisecond)
		if err == nil {
			if err = out.check(); err == nil {
				return out
			}
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestBareServersAnswerWhetherTheyKnowTheKey(t *testing.T) {
	for _, kind := range []string{netHTTP, fastHTTP} {
		t.Run(kind, func(t *testing.T) {
			w := &World{crowd: crowd{Seed: 1, Size: 100}}
			l := serve(t, Bare{Kind: kind, crowd: w.crowd, AnswerSize: 200})
			l.requests = w.plain()
			if out := ask(t, l); out.bodySize != 200 {
				t.Errorf("an answer has %d bytes, want 200", out.bodySize)
			}
			l.requests, l.contains = w.questions(w.strangers(10)), `"valid":false`
			ask(t, l)
			l.requests, l.contains, l.status = [][]byte{post("/", "", "{")}, "", "400"
			ask(t, l)
		})
	}
}

func TestTheBareWriterKeepsAKeyForEachRequest(t *testing.T) {
	w, err := Prepare(t.Context(), t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	l := serve(t, Bare{Kind: writer, crowd: w.crowd, AnswerSize: 100, Database: w.database()})
	l.requests, l.status = [][]byte{post("/", "", newKey)}, "201"
	out := ask(t, l)
	db, err := openRaw(w.database(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"keys", "key_versions"} {
		var rows int64
		if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if rows != 1+out.answers {
			t.Errorf("%s has %d rows after %d answers", table, rows, out.answers)
		}
	}
}

func TestABareServerThatNobodyKnowsIsRefused(t *testing.T) {
	in, out := io.Pipe()
	go func() { _, _ = io.WriteString(out, `{"kind":"slow","network":"tcp","address":"127.0.0.1:0"}`) }()
	if err := ServeBare(t.Context(), in); err == nil {
		t.Error("no error")
	}
}
