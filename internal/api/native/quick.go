package native

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"unicode/utf8"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/oauth"
	"keyward/internal/token"
	"keyward/internal/verify"
)

// The routes of verification, and how large their bodies may be.
const (
	VerifyPath    = "/v1/verify"
	BatchPath     = "/v1/verify/batch"
	MaxVerifyBody = 64 << 10
	MaxBatchBody  = api.DefaultMaxBody
)

// ErrDeclined says that a request is not plain: the surface has to look at it. Nothing
// was counted for it.
var ErrDeclined = errors.New("native: not a plain verification")

// Quick answers plain verifications at a glance: an operator's credential, and JSON
// without escapes that is well formed and valid. They are nearly all there are. It
// knows no HTTP: who reads requests sees to it that there is nothing else to them. It
// is safe for concurrent use.
type Quick struct {
	h    *handler
	pool sync.Pool // of *Asker
}

// NewQuick returns the quick way to what [New] answers on the routes of verification.
func NewQuick(engine *verify.Engine, tokens *oauth.Tokens) *Quick {
	return &Quick{h: newHandler(nil, engine, tokens, ""), pool: sync.Pool{New: func() any { return new(Asker) }}}
}

// Asker is an operator who may verify, and the space that answering one request takes.
// It is for one goroutine.
type Asker struct {
	questions
	quick  *Quick
	body   []byte
	answer []byte
}

// questions are what one request asks.
type questions struct {
	by       keyward.Actor
	drafts   []draft
	requests []keyward.Request
	verdict  verify.Verdict // of one after the other
}

// Admit returns who asks at the instant now, by the only Authorization header of a
// request, or nil if it is for the surface to say. It comes before the body is read, so that a stranger's takes
// no space. Call Done in the end.
func (q *Quick) Admit(authorization string, now keyward.Time) *Asker {
	text, err := api.BearerToken(authorization)
	if err != nil || token.LooksLike(text) || !q.h.engine.Ready() {
		return nil
	}
	by, ok := q.h.engine.Operator(text, now)
	if !ok || by.May(keyward.KeysVerify, by.OrganizationID) != nil {
		return nil
	}
	a := q.pool.Get().(*Asker)
	a.quick, a.by = q, by
	return a
}

// Done ends the use of the asker and of all that it returned.
func (a *Asker) Done() {
	for i := range a.drafts {
		a.drafts[i].reset()
	}
	clear(a.requests)
	a.by, a.drafts, a.requests = keyward.Actor{}, a.drafts[:0], a.requests[:0]
	a.quick.pool.Put(a)
}

// Body returns space for a body of n bytes.
func (a *Asker) Body(n int) []byte {
	a.body = slices.Grow(a.body[:0], n)[:n]
	return a.body
}

// Verify returns the answer to one question. The error is [ErrDeclined], or what the
// surface is to answer with.
func (a *Asker) Verify(body []byte) (answer []byte, err error) {
	if !a.readOne(string(body)) {
		return nil, ErrDeclined
	}
	a.answer, err = a.quick.h.answer(a.answer[:0], &a.by, &a.drafts[0].question, &a.requests[0], &a.verdict)
	return a.answer, err
}

// VerifyBatch is [Asker.Verify] for many questions. It stops when ctx is done: then
// nobody waits any more.
func (a *Asker) VerifyBatch(ctx context.Context, body []byte) (answer []byte, err error) {
	if !a.readMany(string(body)) {
		return nil, ErrDeclined
	}
	a.answer, err = a.quick.h.answers(ctx, a.answer[:0], &a.questions)
	return a.answer, err
}

// readOne reads the body of one question, and reports whether it is plain and valid.
func (q *questions) readOne(body string) bool {
	g := glance{text: body}
	return utf8.ValidString(body) && q.question(&g) && g.end()
}

// readMany reads the body of a batch.
func (q *questions) readMany(body string) bool {
	g := glance{text: body}
	return utf8.ValidString(body) && g.object(func(name string) bool {
		first := name == "requests" && len(q.drafts) == 0
		return first && g.array(func() bool { return len(q.drafts) < maxBatch && q.question(&g) }) && len(q.drafts) > 0
	}) && len(q.drafts) > 0 && g.end()
}

// question reads one more question.
func (q *questions) question(g *glance) bool {
	if n := len(q.drafts); n < cap(q.drafts) {
		q.drafts = q.drafts[:n+1] // with the space that an earlier one took
	} else {
		q.drafts = append(q.drafts, draft{})
	}
	d := &q.drafts[len(q.drafts)-1]
	if !d.read(g) {
		return false
	}
	request, err := d.question.read()
	q.requests = append(q.requests, request)
	return err == nil
}

// Refuse answers a request of one of the routes with an error of the asker.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	api.Surface{Name: "native", Error: Error}.Refuse(w, r, "POST "+r.URL.Path, err)
}
