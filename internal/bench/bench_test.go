package bench

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"keyward"
	"keyward/internal/store"
	"keyward/internal/verify"
)

func TestTheCrowdsSecretsHaveTheFormOfGeneratedOnesAndAreNeverTheSame(t *testing.T) {
	seen := map[string]bool{}
	c := crowd{Seed: 7, Size: 1000}
	for number := 1; number <= c.Size; number++ {
		text := c.secret(number)
		if !keyward.ForeignSecret(text).Generated() {
			t.Fatalf("secret %d is %q, which is not of that form", number, text)
		}
		seen[text] = true
	}
	for _, text := range c.strangers(1000) {
		seen[text] = true
	}
	if len(seen) != 2000 {
		t.Errorf("of 2000 secrets %d differ", len(seen))
	}
}

func TestAPreparedDirectoryHoldsKeysThatVerify(t *testing.T) {
	const size = group + 2 // more than one group
	w, err := Prepare(t.Context(), t.TempDir(), size)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), "sqlite:"+w.database(), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	e := verify.New(w.ring)
	if err := e.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if _, keys, _ := e.Size(); keys != size {
		t.Errorf("there are %d keys, want %d", keys, size)
	}
	by, ok := e.Operator(w.Verifier, 1)
	if !ok {
		t.Fatal("the verifier is not accepted")
	}
	for _, number := range []int{1, 2, group, group + 1, size} {
		got := e.Verify(&by, w.secret(number), &keyward.Request{Permissions: []string{permission}, Cost: 1}, keyward.TimeOf(time.Now()), new(verify.Verdict))
		if got.Reason != keyward.Valid || number > 1 && got.Subject.Name != (records{w}).record(number).Name {
			t.Errorf("key %d is %v, called %q", number, got.Reason, got.Subject.Name)
		}
	}
	for _, text := range w.strangers(8) {
		if got := e.Verify(&by, text, &keyward.Request{}, 1, new(verify.Verdict)); got.Reason != keyward.Unknown {
			t.Errorf("a stranger's secret is %v", got.Reason)
		}
	}
	if _, err := Prepare(t.Context(), w.Dir, 1); keyward.CodeOf(err) != keyward.Conflict {
		t.Errorf("preparing it again: %v, want a conflict", err)
	}
}

func TestAPreparedDatabaseHasTheIndexesOfAnyOther(t *testing.T) {
	var indexes []string
	for _, size := range []int{1, 3} {
		w, err := Prepare(t.Context(), t.TempDir(), size)
		if err != nil {
			t.Fatal(err)
		}
		db, err := openRaw(w.database(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		found, err := pairs(t.Context(), db, "SELECT name, coalesce(sql, '') FROM sqlite_master WHERE type = 'index'")
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(found)
		if err != nil {
			t.Fatal(err)
		}
		indexes = append(indexes, string(text))
	}
	if indexes[0] != indexes[1] || !strings.Contains(indexes[1], "keys_name") {
		t.Errorf("the indexes are\n%s, want\n%s", indexes[1], indexes[0])
	}
}

func TestLatenciesFindQuantiles(t *testing.T) {
	var l latencies
	for i := range 1000 {
		l.add(time.Duration(i+1) * time.Millisecond)
	}
	var twice latencies
	twice.merge(&l)
	twice.merge(&l)
	for q, want := range map[float64]time.Duration{0: time.Millisecond, 0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond} {
		got := twice.quantile(q)
		if ratio := float64(got) / float64(want); ratio < 0.97 || ratio > 1.03 {
			t.Errorf("quantile %g is %v, want %v", q, got, want)
		}
	}
	l.add(1000 * time.Hour) // beyond the last bucket
	if none := new(latencies).quantile(0.5); none != 0 {
		t.Errorf("the median of nothing is %v", none)
	}
}

func TestALoadSendsItsRequestsAndChecksTheAnswers(t *testing.T) {
	var served atomic.Int64
	long := strings.Repeat("x", 100<<10) // longer than buffers, and sent in chunks
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer token" || r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = io.WriteString(w, string(body)+long[:len(long)*len(r.URL.Path[1:])/len("chunked")])
	}))
	defer server.Close()
	l := load{network: "tcp", address: server.Listener.Addr().String(), connections: 3, status: "200", contains: `"a"`}
	for path, size := range map[string]int{"/": 3, "/chunked": len(long)} {
		l.requests = [][]byte{post(path, "token", `"a"`)}
		served.Store(0)
		out, err := l.run(t.Context(), 20*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if out.answers != served.Load() || uint64(out.answers) != out.latency.total || out.bodySize < size {
			t.Errorf("%s: %d answers of %d bytes, %d latencies, %d served", path, out.answers, out.bodySize, out.latency.total, served.Load())
		}
	}
	l.requests = [][]byte{post("/refused", "token", `"a"`)}
	out, err := l.run(t.Context(), 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.check(); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("of refusals the error is %v", err)
	}
	l.requests = [][]byte{post("/", "token", `"b"`)}
	if out, err = l.run(t.Context(), 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if out.check() == nil || out.answers > 0 {
		t.Error("answers without what they must contain were taken")
	}
}

func TestALoadWithARateSendsNoMoreThanThat(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}))
	defer server.Close()
	l := load{
		network: "tcp", address: server.Listener.Addr().String(), connections: 4, status: "200",
		perSecond: 200, requests: [][]byte{post("/", "", "")},
	}
	out, err := l.run(t.Context(), 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if out.answers < 1 || out.answers > 40 {
		t.Errorf("%d answers in a fifth of a second, at 200 a second", out.answers)
	}
}

func TestAnInterruptedLoadEnds(t *testing.T) {
	blocked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-blocked }))
	defer server.Close()
	defer close(blocked)
	ctx, cancel := context.WithCancel(t.Context())
	l := load{network: "tcp", address: server.Listener.Addr().String(), connections: 1, status: "200", requests: [][]byte{post("/", "", "")}}
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := l.run(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestGoalsAreRatiosOfMedians(t *testing.T) {
	r := &Report{Rows: []Row{
		newRow("http", bareNetHTTP, 10, []trial{{rate: 90, cpu: 1}, {rate: 110, cpu: 1}, {rate: 100, cpu: 1}}),
		newRow("http", plainVerify, 10, []trial{{rate: 1, cpu: 1.3}, {rate: 85, cpu: 1.3}, {rate: 86, cpu: 1.3}}),
	}}
	r.Goals = goals(r)
	for name, want := range map[string]string{
		"verify: rate against bare net/http": passed,
		"verify: CPU against bare net/http":  missed,
		"idle: binary":                       notMeasured,
	} {
		for _, g := range r.Goals {
			if g.Name == name && g.Result != want {
				t.Errorf("%s: %s, want %s", name, g.Result, want)
			}
		}
	}
	if words := r.Missed(); len(words) != 1 || words[0] != "verify: CPU against bare net/http: 1.30 ×, goal ≤ 1.2 ×" {
		t.Errorf("missed: %q", words)
	}
	var text strings.Builder
	if err := r.WriteTable(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "100 (90.0–110)") || !strings.Contains(text.String(), "0.850 ×") {
		t.Errorf("the table is\n%s", &text)
	}
}

func TestWhatWrkPrintsIsRead(t *testing.T) {
	const printed = `Running 2s test @ http://127.0.0.1:8080
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms    2.10ms  30.30ms   93.34%
    Req/Sec    54.98k     4.54k   61.13k    85.00%
  Latency Distribution
     50%  512.00us
     75%    0.90ms
     90%    1.64ms
     99%   10.28ms
  109464 requests in 2.01s, 12.53MB read
Requests/sec:  54459.78
`
	out, err := readWRK(printed, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	half, most := out.quantiles()
	if out.answers != 109464 || out.elapsed != 2010*time.Millisecond || half != 512*time.Microsecond || most != 10280*time.Microsecond {
		t.Errorf("%d answers in %v, %v and %v", out.answers, out.elapsed, half, most)
	}
	for _, bad := range []string{"", printed + "  Non-2xx or 3xx responses: 4\n", "0 requests in 2.01s, 0.00B read\n"} {
		if _, err := readWRK(bad, time.Minute); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

func TestOptionsThatMeanNothingAreRefused(t *testing.T) {
	good := Options{Rounds: 1, Duration: time.Second, Connections: 1, Keys: []int{1}, Only: []string{"http"}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Options){
		"--rounds": func(o *Options) { o.Rounds = 0 }, "--duration": func(o *Options) { o.Duration = time.Microsecond },
		"--connections": func(o *Options) { o.Connections = -1 }, "--keys": func(o *Options) { o.Keys = []int{huge + 1} },
		"--only": func(o *Options) { o.Only = []string{"nothing"} },
	} {
		o := good
		spoil(&o)
		if _, err := Run(t.Context(), o); keyward.CodeOf(err) != keyward.Invalid || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
