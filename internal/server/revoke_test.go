package server_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"keyward/internal/pgtest"
	"keyward/keywardtest"
)

// How hard the promise is tested.
const (
	clients       = 64   // at the same time
	revocations   = 1000 // of keys, by one call each
	others        = 400  // ends of the other kinds, in turn
	questions     = 4    // asked by each client between two steps of its own
	organizations = 16   // that stay, and have keys that end
	batch         = 8    // subjects asked about at once, in every other question
)

func TestNoAnswerIsOlderThanAChangeThatWasAnswered(t *testing.T) {
	for name, options := range map[string]func(*testing.T) keywardtest.Options{
		"SQLite": func(*testing.T) keywardtest.Options { return keywardtest.Options{} },
		"PostgreSQL": func(t *testing.T) keywardtest.Options {
			return keywardtest.Options{Database: pgtest.Database(t), MasterKey: masterKey}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHammer(t, keywardtest.Start(t, options(t)))
			h.run(t)
			t.Logf("%d subjects ended under %d answers, %d times the database was busy",
				h.ended.Load(), h.answers.Load(), h.busy.Load())
		})
	}
}

// hammer is clients that make subjects and end them, and ask about each other's all
// the time.
type hammer struct {
	*caller
	places  [clients]atomic.Pointer[subject]
	ended   atomic.Int64
	answers atomic.Int64
	busy    atomic.Int64
	failed  chan error
}

func newHammer(t *testing.T, kw *keywardtest.Server) *hammer {
	t.Helper()
	h := &hammer{caller: newCaller(kw), failed: make(chan error, 1)}
	for range organizations {
		path, err := h.newOrganization()
		if err != nil {
			t.Fatal(err)
		}
		h.homes = append(h.homes, path)
	}
	return h
}

// fail ends the hammering.
func (h *hammer) fail(err error) {
	select {
	case h.failed <- err:
	default:
	}
}

func (h *hammer) run(t *testing.T) {
	work := make(chan end)
	var running sync.WaitGroup
	for i := range h.places {
		running.Go(func() {
			for how := range work {
				for !h.end(&h.places[i], how) {
				}
			}
		})
	}
	err := h.dispatch(work)
	close(work)
	running.Wait()
	if err == nil && len(h.failed) > 0 {
		err = <-h.failed
	}
	if err != nil {
		t.Fatal(err)
	}
}

// dispatch hands out the ends in a random order, until one fails.
func (h *hammer) dispatch(work chan<- end) error {
	var all []end
	for range revocations {
		all = append(all, ends[0])
	}
	for n := range others {
		all = append(all, ends[1+n%(len(ends)-1)])
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, how := range all {
		select {
		case work <- how:
		case err := <-h.failed:
			return err
		}
	}
	return nil
}

// subject is somebody whose credential is asked about. What a client saw of answered
// before its question, and of sent after it, says which answers are right.
type subject struct {
	how            end
	ask            func() (string, error)
	body           any         // of the question, if it can be asked in a batch
	sent, answered atomic.Bool // the change that ends it
}

// end makes a subject, lets it be asked about, and ends it. The next answer after
// each of the two steps is asked for by the one who took it. It is false if the
// database was too busy for one of them, so that nothing was promised.
func (h *hammer) end(place *atomic.Pointer[subject], how end) bool {
	s := &subject{how: how}
	finish, err := how.make(h.caller, s)
	if err != nil {
		return h.over(how, "make", err)
	}
	h.check(s)
	place.Store(s)
	h.askAround()
	s.sent.Store(true)
	if err := finish(); err != nil {
		return h.over(how, "end", err)
	}
	s.answered.Store(true)
	h.check(s)
	h.askAround()
	h.ended.Add(1)
	return true
}

// over fails the test for an error, unless the database was too busy.
func (h *hammer) over(how end, step string, err error) bool {
	if refused, ok := errors.AsType[*refusal](err); ok && refused.status == http.StatusServiceUnavailable {
		h.busy.Add(1)
		return false
	}
	h.fail(fmt.Errorf("%s: %s: %w", how.name, step, err))
	return true
}

// check asks about one subject.
func (h *hammer) check(s *subject) {
	over := s.answered.Load()
	code, err := s.ask()
	h.judge(s, over, code, err)
}

// judge fails the test for an answer to a question that was asked when the end of
// the subject was already answered, or was not, as over says.
func (h *hammer) judge(s *subject, over bool, code string, err error) {
	h.answers.Add(1)
	switch begun := s.sent.Load(); {
	case err != nil:
		h.fail(fmt.Errorf("%s: ask: %w", s.how.name, err))
	case over && code != s.how.after:
		h.fail(fmt.Errorf("%s: asked after the change was answered: %q, want %q", s.how.name, code, s.how.after))
	case !begun && code != "valid":
		h.fail(fmt.Errorf("%s: answered before the change was sent: %q, want valid", s.how.name, code))
	case code != "valid" && code != s.how.after:
		h.fail(fmt.Errorf("%s: %q is neither valid nor %q", s.how.name, code, s.how.after))
	}
}

// askAround asks about subjects of all clients, one at a time and many at once.
func (h *hammer) askAround() {
	for n := range questions {
		if n%2 == 1 {
			h.checkMany()
		} else if s := h.any(); s != nil {
			h.check(s)
		}
	}
}

// any returns one of the subjects, or nil for one that is not made yet.
func (h *hammer) any() *subject { return h.places[rand.IntN(clients)].Load() }

// checkMany asks about a number of subjects in one request.
func (h *hammer) checkMany() {
	var subjects []*subject
	var over []bool
	var bodies []any
	for range batch {
		if s := h.any(); s != nil && s.body != nil {
			subjects, over = append(subjects, s), append(over, s.answered.Load())
			bodies = append(bodies, s.body)
		}
	}
	if len(subjects) == 0 {
		return
	}
	var answer struct{ Results []verdict }
	err := h.call(http.MethodPost, "/v1/verify/batch", map[string]any{"requests": bodies}, &answer)
	if err == nil && len(answer.Results) != len(subjects) {
		err = fmt.Errorf("%d answers to %d questions", len(answer.Results), len(subjects))
	}
	for i, s := range subjects {
		code := ""
		if err == nil {
			code = answer.Results[i].Code
		}
		h.judge(s, over[i], code, err)
	}
}
