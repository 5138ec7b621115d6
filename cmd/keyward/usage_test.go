package main_test

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyward/internal/pgtest"
)

// TestUsageIsWhatWasServed verifies keys, and compares what was answered with what is
// counted when everything has come to its end.
func TestUsageIsWhatWasServed(t *testing.T) {
	keyward := build(t)
	t.Run("by a server that is stopped, on SQLite", func(t *testing.T) {
		t.Parallel()
		p := newPoll(t, keyward, "sqlite:"+filepath.Join(t.TempDir(), "keyward.db"))
		p.askFor(200)
		p.restart(t, p.server.terminate)
		p.wantCounted(t, p.answered(), p.answered())
		p.wantLastUsed(t)
		p.wantPrinted(t)
	})
	t.Run("by a server that is stopped, on PostgreSQL", func(t *testing.T) {
		t.Parallel()
		p := newPoll(t, keyward, pgtest.Database(t))
		p.askFor(200)
		p.restart(t, p.server.terminate)
		p.wantCounted(t, p.answered(), p.answered())
		p.wantLastUsed(t)
	})
	t.Run("but for the last moments of a server that is killed", func(t *testing.T) {
		t.Parallel()
		p := newPoll(t, keyward, "sqlite:"+filepath.Join(t.TempDir(), "keyward.db"))
		for range cycles(1, 20) {
			p.askFor(100)
			sure := p.answered()
			p.waitWritten(t)
			p.askFor(50)
			p.restart(t, func() error { _ = p.server.kill(); return nil })
			p.wantCounted(t, sure, p.answered())
			p.forget(t) // of what was lost
		}
	})
	t.Run("while the database is killed again and again", func(t *testing.T) {
		t.Parallel()
		postgres := pgtest.StartServer(t, pgtest.Options{Fsync: true})
		p := newPoll(t, keyward, postgres.URL("postgres"))
		for range cycles(2, 30) {
			end := p.ask()
			time.Sleep(rand.N(2 * time.Second)) // to hit any instant of a write
			const failures = "keyward_usage_flush_failures_total"
			failed := p.metric(t, failures)
			must(t, postgres.Kill())
			p.await(t, failures, failed+1)
			must(t, postgres.Restart())
			p.waitWritten(t)
			end()
		}
		p.restart(t, p.server.terminate)
		p.wantCounted(t, p.answered(), p.answered())
	})
}

// poll is a server, clients that verify keys, and what they were told.
type poll struct {
	caller
	keyward      program
	database     string
	data         string
	server       *process
	organization string
	questions    []*question
	before       int64 // answers that are counted and were not given by this server
}

// question is what is asked, and how often it was answered.
type question struct {
	body     map[string]any
	keyID    string
	code     string
	answered atomic.Int64
	failed   atomic.Int64
	lost     int64 // of answered: what a killed server has not written
}

func newPoll(t *testing.T, keyward program, database string) *poll {
	t.Helper()
	p := &poll{keyward: keyward, database: database, data: t.TempDir()}
	p.start(t)
	var made struct{ ID string }
	_, err := p.call(http.MethodPost, "/v1/organizations", "", map[string]string{"name": "Acme"}, &made)
	must(t, err)
	p.organization = "/v1/organizations/" + made.ID
	var active, disabled answer
	_, err = p.call(http.MethodPost, p.organization+"/api-keys", "", map[string]any{"name": "active"}, &active)
	must(t, err)
	_, err = p.call(http.MethodPost, p.organization+"/api-keys", "", map[string]any{"name": "disabled", "enabled": false}, &disabled)
	must(t, err)
	p.questions = []*question{
		{body: map[string]any{"key": active.Secret, "ip": "203.0.113.9"}, keyID: active.Key.ID, code: "valid"},
		{body: map[string]any{"key": active.Secret, "permissions": []string{"x"}}, keyID: active.Key.ID, code: "permission_denied"},
		{body: map[string]any{"key": disabled.Secret}, keyID: disabled.Key.ID, code: "disabled"},
		{body: map[string]any{"key": "kw_live_nothing"}, code: "not_found"},
		{body: map[string]any{"key": active.Secret, "dryRun": true}, code: "valid"}, // of which nothing is kept
	}
	return p
}

func (p *poll) start(t *testing.T) {
	t.Helper()
	p.server = p.keyward.serve(t, []string{"KEYWARD_MASTER_KEY=" + masterKey, "KEYWARD_ROOT_TOKEN=" + rootToken},
		"--data", p.data, "--database", p.database)
	p.caller = newCaller(p.server.url, rootToken)
	p.before = sum(p.answered())
}

// restart ends the server and starts another one.
func (p *poll) restart(t *testing.T, end func() error) {
	t.Helper()
	if err := end(); err != nil {
		t.Fatalf("stop: %v\n%s", err, p.server.errors)
	}
	p.start(t)
}

// askFor asks every question so many times.
func (p *poll) askFor(times int) {
	var clients sync.WaitGroup
	for _, q := range p.questions {
		clients.Go(func() {
			for range times {
				p.once(q)
			}
		})
	}
	clients.Wait()
}

// ask asks until the function that it returns is called.
func (p *poll) ask() (end func()) {
	var stop atomic.Bool
	var clients sync.WaitGroup
	for _, q := range p.questions {
		clients.Go(func() {
			for !stop.Load() {
				p.once(q)
				time.Sleep(time.Millisecond)
			}
		})
	}
	return func() {
		stop.Store(true)
		clients.Wait()
	}
}

func (p *poll) once(q *question) {
	var told struct{ Code string }
	if _, err := p.call(http.MethodPost, "/v1/verify", "", q.body, &told); err != nil || told.Code != q.code {
		q.failed.Add(1)
		return
	}
	q.answered.Add(1)
}

// answered returns how often which key was answered with which code, as far as that is
// counted and not known to be lost.
func (p *poll) answered() map[string]int64 {
	told := map[string]int64{}
	for _, q := range p.questions {
		if q.keyID != "" {
			told[q.keyID+" "+q.code] = q.answered.Load() - q.lost
		}
	}
	return told
}

// counted returns the usage in the form of answered.
func (p *poll) counted(t *testing.T) map[string]int64 {
	t.Helper()
	var page struct {
		Items []struct {
			KeyID, Reason string
			Count         int64
		}
	}
	_, err := p.call(http.MethodGet, p.organization+"/usage?groupBy=key,reason&limit=1000", "", nil, &page)
	must(t, err)
	counts := map[string]int64{}
	for _, item := range page.Items {
		counts[item.KeyID+" "+item.Reason] += item.Count
	}
	return counts
}

// wantCounted checks that the usage is from least to most, and the same in total.
func (p *poll) wantCounted(t *testing.T, least, most map[string]int64) {
	t.Helper()
	for _, q := range p.questions {
		if n := q.failed.Load(); n > 0 {
			t.Fatalf("%d times the answer was not %s\n%s", n, q.code, p.server.errors)
		}
	}
	counts := p.counted(t)
	for name := range maps.Keys(counts) {
		if _, known := most[name]; !known {
			t.Errorf("%s is counted %d times", name, counts[name])
		}
	}
	for name := range most {
		if n := counts[name]; n < least[name] || n > most[name] {
			t.Errorf("%s is counted %d times, want %d to %d", name, n, least[name], most[name])
		}
	}
	var totals struct{ Items []struct{ Count int64 } }
	_, err := p.call(http.MethodGet, p.organization+"/usage?interval=month", "", nil, &totals)
	must(t, err)
	var total int64
	for _, item := range totals.Items {
		total += item.Count
	}
	if total != sum(counts) {
		t.Errorf("the total is %d, and that of the keys %d", total, sum(counts))
	}
}

// wantLastUsed checks that a key says when, and about where from, it was accepted last.
func (p *poll) wantLastUsed(t *testing.T) {
	t.Helper()
	var key struct{ LastUsedTime, LastUsedIP *string }
	_, err := p.call(http.MethodGet, p.organization+"/api-keys/"+p.questions[0].keyID, "", nil, &key)
	must(t, err)
	if key.LastUsedTime == nil || key.LastUsedIP == nil || *key.LastUsedIP != "203.0.113.0/24" {
		t.Errorf("the last use is %v, from %v", key.LastUsedTime, key.LastUsedIP)
	}
}

// wantPrinted checks what the command line shows of the usage.
func (p *poll) wantPrinted(t *testing.T) {
	t.Helper()
	_, organization, _ := strings.Cut(p.organization, "organizations/")
	environment := []string{"KEYWARD_URL=" + p.url, "KEYWARD_TOKEN=" + rootToken, "KEYWARD_ORG=" + organization}
	output, err := p.keyward.command(environment, "usage", "--interval", "month", "--by", "reason,key").Output()
	must(t, err)
	for _, q := range p.questions[:3] {
		line := regexp.MustCompile(fmt.Sprintf(`(?m)^%d +\d{4}-\d\d-01T00:00:00.000Z +%s +%s$`, q.answered.Load(), q.keyID, q.code))
		if !line.Match(output) {
			t.Errorf("the usage is printed without %s of %s:\n%s", q.code, q.keyID, output)
		}
	}
}

// forget takes what is not counted now for lost.
func (p *poll) forget(t *testing.T) {
	t.Helper()
	counts := p.counted(t)
	for _, q := range p.questions {
		q.lost = q.answered.Load() - counts[q.keyID+" "+q.code]
	}
	p.before = sum(counts)
}

// waitWritten returns when as much as was answered until now is in the database.
func (p *poll) waitWritten(t *testing.T) {
	t.Helper()
	p.await(t, "keyward_usage_added_total", sum(p.answered())-p.before)
}

// await returns when a metric has come to a number.
func (p *poll) await(t *testing.T, name string, want int64) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		have := p.metric(t, name)
		if have >= want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is %d, want %d\n%s", name, have, want, p.server.errors)
		}
	}
}

func sum(counts map[string]int64) (n int64) {
	for _, count := range counts {
		n += count
	}
	return n
}

// metric reads one of the server's metrics.
func (p *poll) metric(t *testing.T, name string) int64 {
	t.Helper()
	response, err := p.http.Get(p.server.ops + "/metrics")
	must(t, err)
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name+" "); found {
			n, err := strconv.ParseFloat(value, 64)
			must(t, err)
			return int64(n)
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
