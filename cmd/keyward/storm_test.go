package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// storm is a number of writers that change things in one organization, and what they
// were told.
type storm struct {
	caller
	organization string // its path
	writers      []*writer
	acknowledged atomic.Int64
	unanswered   int // requests, when something was killed
	done         int // of those, whose change was made all the same
	target       int64
	enough       chan struct{} // closed when target is reached
	dying        atomic.Bool   // something is killed now: failures are to be expected
	running      sync.WaitGroup
	failed       chan error
}

func newStorm(seed uint64) *storm {
	s := &storm{failed: make(chan error, writers)}
	for n := range writers {
		s.writers = append(s.writers, &writer{storm: s, number: n, rand: rand.New(rand.NewPCG(seed, uint64(n+1)))})
	}
	return s
}

// moveTo has the writers talk to the server at url.
func (s *storm) moveTo(url string) error {
	s.caller = newCaller(url, rootToken)
	if s.organization != "" {
		return nil
	}
	var made struct{ ID string }
	_, err := s.call(http.MethodPost, "/v1/organizations", "", map[string]string{"name": "Acme"}, &made)
	s.organization = "/v1/organizations/" + made.ID
	return err
}

// begin starts the writers. The channel is closed when the number of changes was
// acknowledged.
func (s *storm) begin(changes int) <-chan struct{} {
	s.target, s.enough = s.acknowledged.Load()+int64(changes), make(chan struct{})
	s.dying.Store(false)
	for _, w := range s.writers {
		s.running.Go(w.write)
	}
	return s.enough
}

// acknowledge counts a change.
func (s *storm) acknowledge() {
	if s.acknowledged.Add(1) == s.target {
		close(s.enough)
	}
}

func (s *storm) expectFailure() { s.dying.Store(true) }

// end waits for the writers, which end at the first request that fails.
func (s *storm) end() error {
	s.running.Wait()
	for _, w := range s.writers {
		if w.pending != nil {
			s.unanswered++
		}
	}
	select {
	case err := <-s.failed:
		return err
	default:
		return nil
	}
}

// resume has every writer repeat its last request that was answered, and the one
// that was not.
func (s *storm) resume() error {
	for _, w := range s.writers {
		if err := errors.Join(w.repeatAnswered(), w.repeatUnanswered()); err != nil {
			return fmt.Errorf("writer %d: %w", w.number, err)
		}
	}
	return nil
}

// writer makes changes to keys of its own, one after the other.
type writer struct {
	*storm
	number   int
	requests int
	rand     *rand.Rand
	keys     []*key
	answered *operation // the last with an idempotency key
	pending  *operation // sent, and not answered
}

// key is what a writer was told of a key.
type key struct {
	id, name string
	note     int // in its metadata
	revoked  bool
	secrets  []secret // one a version
}

type secret struct {
	text  string
	ended bool // by a rotation without overlap
}

// code is what a verification of the secret answers.
func (k *key) code(s secret) string {
	switch {
	case k.revoked:
		return "revoked"
	case s.ended:
		return "expired"
	}
	return "valid"
}

// operation is one change that a writer asks for.
type operation struct {
	kind    string // create, update, rotate or revoke
	once    string // the idempotency key
	key     *key
	note    int    // of an update
	overlap string // of a rotation
	secret  string // that was answered
	again   bool   // the answer was one that was given, or to be given, before
}

// write asks for changes until one fails.
func (w *writer) write() {
	for {
		op := w.next()
		if err := w.do(op); err != nil {
			w.pending = op
			if !w.dying.Load() || !lost(err) {
				w.failed <- fmt.Errorf("writer %d: %s: %w", w.number, op.kind, err)
			}
			return
		}
		w.acknowledge()
	}
}

// lost reports whether a request may have been answered that way because something
// was killed.
func lost(err error) bool {
	refused, answered := errors.AsType[*refusal](err)
	return !answered || refused.status == http.StatusServiceUnavailable
}

// next decides what to ask for.
func (w *writer) next() *operation {
	w.requests++
	op := &operation{kind: "create", once: fmt.Sprintf("writer-%d-%d", w.number, w.requests), note: w.requests}
	var live []*key
	for _, k := range w.keys {
		if !k.revoked {
			live = append(live, k)
		}
	}
	n := w.rand.IntN(100)
	if len(live) == 0 || n < 40 {
		op.key = &key{name: op.once}
		return op
	}
	op.key = live[w.rand.IntN(len(live))]
	switch {
	case n < 65:
		op.kind = "update"
	case n < 85 && len(op.key.secrets) < 7:
		op.kind, op.overlap = "rotate", "24h"
		if n%2 == 0 {
			op.overlap = "0s"
		}
	default:
		op.kind = "revoke"
	}
	return op
}

// keyState is what matters of a key on the wire.
type keyState struct {
	ID       string
	Name     string
	Status   string
	Metadata struct{ Note int }
	Versions []struct{}
}

type answer struct {
	keyState
	Key    keyState
	Secret string
}

// do asks for a change, and notes what it is told.
func (w *writer) do(op *operation) error {
	keys := w.organization + "/api-keys"
	var told answer
	var header http.Header
	var err error
	switch op.kind {
	case "create":
		header, err = w.call(http.MethodPost, keys, op.once, map[string]string{"name": op.key.name}, &told)
	case "update":
		body := map[string]any{"metadata": map[string]int{"note": op.note}}
		header, err = w.call(http.MethodPatch, keys+"/"+op.key.id, "", body, &told)
	case "rotate":
		header, err = w.call(http.MethodPost, keys+"/"+op.key.id+"/rotate", op.once, map[string]string{"overlap": op.overlap}, &told)
	case "revoke":
		header, err = w.call(http.MethodPost, keys+"/"+op.key.id+"/revoke", op.once, nil, &told)
	}
	if err != nil {
		return err
	}
	op.again = header.Get("Idempotent-Replayed") == "true"
	w.note(op, &told)
	return nil
}

// note remembers what was told about a change.
func (w *writer) note(op *operation, told *answer) {
	switch op.kind {
	case "create":
		op.key.id, op.key.secrets = told.Key.ID, []secret{{text: told.Secret}}
		w.keys = append(w.keys, op.key)
	case "update":
		op.key.note = op.note
		return
	case "rotate":
		for i := range op.key.secrets {
			op.key.secrets[i].ended = op.key.secrets[i].ended || op.overlap == "0s"
		}
		op.key.secrets = append(op.key.secrets, secret{text: told.Secret})
	case "revoke":
		op.key.revoked = true
	}
	op.secret, w.answered = told.Secret, op
}

// repeatAnswered sends a request again that was answered: the answer is the same.
func (w *writer) repeatAnswered() error {
	if w.answered == nil {
		return nil
	}
	op, before := w.answered, *w.answered.key
	before.secrets = append([]secret(nil), before.secrets...)
	mine := len(w.keys)
	err := w.await(op)
	*op.key, w.keys = before, w.keys[:mine] // it made nothing
	if err == nil && !op.again {
		err = errors.New("it was done again")
	}
	if err != nil {
		return fmt.Errorf("repeat an answered %s: %w", op.kind, err)
	}
	return nil
}

// repeatUnanswered sends a request again of which nobody knows what became of it.
func (w *writer) repeatUnanswered() error {
	op := w.pending
	if op == nil {
		return nil
	}
	w.pending = nil
	if op.kind == "update" { // which has no idempotency key, and changes nothing the second time
		return w.await(op)
	}
	if err := w.await(op); err != nil {
		return fmt.Errorf("repeat an unanswered %s: %w", op.kind, err)
	}
	if op.again {
		w.done++
	}
	return nil
}

// await does an operation as soon as the database is there again.
func (w *writer) await(op *operation) error {
	secret := op.secret
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := w.do(op)
		if err == nil && secret != op.secret && secret != "" {
			return errors.New("the repeated answer has another secret")
		}
		if err == nil || !lost(err) || time.Now().After(deadline) {
			return err
		}
	}
}

// check compares everything that there is with what the writers were told.
func (s *storm) check() error {
	found, err := s.list()
	if err != nil {
		return err
	}
	var questions []any
	var codes []string
	for _, w := range s.writers {
		for _, k := range w.keys {
			if err := k.compare(found[k.id]); err != nil {
				return fmt.Errorf("writer %d: the key %s (%s): %w", w.number, k.id, k.name, err)
			}
			delete(found, k.id)
			for _, secret := range k.secrets {
				questions = append(questions, map[string]string{"key": secret.text})
				codes = append(codes, k.code(secret))
			}
		}
	}
	for id, k := range found {
		return fmt.Errorf("the key %s (%s) is there, but nobody was told so", id, k.Name)
	}
	return s.verify(questions, codes)
}

// compare says what of a key is not as the writer was told.
func (k *key) compare(found keyState) error {
	status := "active"
	if k.revoked {
		status = "revoked"
	}
	switch {
	case found.ID == "":
		return errors.New("is not there")
	case found.Name != k.name || found.Status != status || found.Metadata.Note != k.note:
		return fmt.Errorf("is %+v, want note %d and status %s", found, k.note, status)
	case len(found.Versions) != len(k.secrets):
		return fmt.Errorf("has %d versions, want %d", len(found.Versions), len(k.secrets))
	}
	return nil
}

// list returns all keys of the organization by id.
func (s *storm) list() (map[string]keyState, error) {
	found := map[string]keyState{}
	for path := s.organization + "/api-keys?limit=1000"; path != ""; {
		var page struct {
			Items      []keyState
			NextCursor string
		}
		if _, err := s.call(http.MethodGet, path, "", nil, &page); err != nil {
			return nil, err
		}
		for _, k := range page.Items {
			found[k.ID] = k
		}
		path = ""
		if page.NextCursor != "" {
			path = s.organization + "/api-keys?limit=1000&cursor=" + page.NextCursor
		}
	}
	return found, nil
}

// verify asks what every secret is good for.
func (s *storm) verify(questions []any, codes []string) error {
	for len(questions) > 0 {
		n := min(len(questions), 1000)
		var told struct{ Results []struct{ Code string } }
		if _, err := s.call(http.MethodPost, "/v1/verify/batch", "", map[string]any{"requests": questions[:n]}, &told); err != nil {
			return err
		}
		for i, result := range told.Results {
			if result.Code != codes[i] {
				return fmt.Errorf("a secret verifies as %q, want %q", result.Code, codes[i])
			}
		}
		questions, codes = questions[n:], codes[n:]
	}
	return nil
}
