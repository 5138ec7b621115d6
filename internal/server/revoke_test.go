package server_test

import (
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
	askers      = 64   // clients that verify all the time
	enders      = 16   // clients that make subjects and end them
	revocations = 1000 // of keys, by one call each
	others      = 400  // ends of the other kinds, in turn
	askedBefore = 4    // times by askers before a subject is ended
	askedAfter  = 8    // times by askers, at least, once it has ended
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
			t.Logf("%d subjects ended under %d answers", h.ended.Load(), h.answers.Load())
		})
	}
}

// hammer has askers ask about every subject there is, from before it is made until
// after it has ended.
type hammer struct {
	*caller
	places  [enders]atomic.Pointer[subject]
	ended   atomic.Int64
	answers atomic.Int64
	done    chan struct{}
	failed  chan error
}

func newHammer(t *testing.T, kw *keywardtest.Server) *hammer {
	c := newCaller(kw)
	var err error
	if c.organization, err = c.newOrganization(); err != nil {
		t.Fatal(err)
	}
	return &hammer{caller: c, done: make(chan struct{}), failed: make(chan error, 1)}
}

// fail ends the hammering.
func (h *hammer) fail(err error) {
	select {
	case h.failed <- err:
	default:
	}
}

func (h *hammer) run(t *testing.T) {
	var asking, ending sync.WaitGroup
	for n := range askers {
		asking.Go(func() { h.ask(n%2 == 1) })
	}
	work := make(chan end)
	for i := range h.places {
		ending.Go(func() {
			for how := range work {
				h.end(&h.places[i], how)
			}
		})
	}
	err := h.dispatch(work)
	close(work)
	close(h.done) // lets go of those who wait to be asked about
	ending.Wait()
	asking.Wait()
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

// subject is somebody whose credential is asked about. What askers saw of sent
// before and answered after their question says which answers are right.
type subject struct {
	how            end
	ask            func() (string, error)
	body           any         // of the question, if it can be asked in a batch
	sent, answered atomic.Bool // the change that ends it
	before, after  chan struct{}
}

// end makes a subject, lets it be asked about, and ends it. The next answer after
// each of the two steps is asked for by the one who took it.
func (h *hammer) end(place *atomic.Pointer[subject], how end) {
	s := &subject{how: how, before: make(chan struct{}, askedBefore), after: make(chan struct{}, askedAfter)}
	finish, err := how.make(h.caller, s)
	if err != nil {
		h.fail(fmt.Errorf("%s: make: %w", how.name, err))
		return
	}
	h.check(s)
	place.Store(s)
	h.await(s.before)
	s.sent.Store(true)
	if err := finish(); err != nil {
		h.fail(fmt.Errorf("%s: end: %w", how.name, err))
		return
	}
	s.answered.Store(true)
	h.check(s)
	h.await(s.after)
	h.ended.Add(1)
}

// await waits until a channel of the subject is full, or all is over.
func (h *hammer) await(asked chan struct{}) {
	for range cap(asked) {
		select {
		case <-asked:
		case <-h.done:
			return
		}
	}
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
	asked := s.before
	if over {
		asked = s.after
	}
	select {
	case asked <- struct{}{}:
	default:
	}
}

// ask asks about one subject after the other, or about all at once, until the end.
func (h *hammer) ask(batch bool) {
	for {
		select {
		case <-h.done:
			return
		default:
		}
		if batch {
			h.checkAll()
		} else if s := h.places[rand.IntN(enders)].Load(); s != nil {
			h.check(s)
		}
	}
}

// checkAll asks about all subjects in one request.
func (h *hammer) checkAll() {
	var subjects []*subject
	var over []bool
	var questions []any
	for i := range h.places {
		if s := h.places[i].Load(); s != nil && s.body != nil {
			subjects, over = append(subjects, s), append(over, s.answered.Load())
			questions = append(questions, s.body)
		}
	}
	if len(subjects) == 0 {
		return
	}
	var answer struct{ Results []verdict }
	err := h.call(http.MethodPost, "/v1/verify/batch", map[string]any{"requests": questions}, &answer)
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
