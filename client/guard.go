package client

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"keyward"
)

// Guard lets a request to an API of yours pass if its key may: [Guard.Protect] is
// middleware for net/http. Set the fields before the first request; then it is safe for
// concurrent use.
//
// The key is taken from Authorization: Bearer or from X-API-Key. A request with two of
// them has none, since nobody knows which one was meant. Whoever has no valid key gets
// 401; whose key may not do this, or not from there, 403; whose rate limits or credits are
// used up, 429, with Retry-After if waiting helps. Why, they do not learn: the bodies are
// small problem details (RFC 9457) that are the same for all of a status.
//
// If Keyward cannot be asked, the answer is 503 and nobody passes, unless FailOpen is set.
type Guard struct {
	// Client asks. Its operator needs keys.verify and nothing else: give it one of the
	// role verifier, of the one organization whose keys are to pass.
	Client *Client

	// Question says what a request takes: permissions, scope, cost and environment. If
	// nil, any valid key passes. Key and IP are filled in. Name the environment, or keys
	// for tests pass in production.
	Question func(*http.Request) Question

	// TrustedProxies may say in X-Forwarded-For whom they speak for. If empty, the client
	// is whoever opened the connection. The header is read from right to left; what the
	// client itself wrote there is never believed.
	TrustedProxies []netip.Prefix

	// Timeout bounds the wait for an answer, all attempts together. If zero, 2 seconds.
	Timeout time.Duration

	// FailOpen lets EVERYBODY pass while Keyward cannot be reached: requests without a
	// valid key, with a revoked one, beyond every limit. Only a key's presence is still
	// checked. Such a request has no verdict in its context, and [VerdictOf] says so.
	// Leave it false unless being down is worse for you than being open. A server that
	// refuses this client's credential is no reason to open: that is 503 all the same.
	FailOpen bool

	// CacheFor keeps valid verdicts for that long, at most 30 seconds, so that the same
	// question about the same key is not asked again. If zero, which is recommended,
	// nothing is kept, and revoking a key works at once.
	//
	// With a cache a key that was revoked, disabled or restricted MAY GO ON PASSING here
	// for up to CacheFor, rate limits and credits that it was given meanwhile do not
	// count, and what is answered from the cache is missing in its usage. Verdicts of keys
	// that have rate limits or credits are never kept, nor is anything but a valid one.
	CacheFor time.Duration

	// CacheSize bounds how many verdicts are kept. If zero, 10000.
	CacheSize int

	kept cache
}

// The bounds of what a Guard does.
const (
	guardTimeout  = 2 * time.Second
	maxPresented  = 8 << 10 // bytes of a key or token
	apiKeyHeader  = "X-Api-Key"
	authorization = "Authorization"
)

// Protect returns next behind the guard. In the context of what passes is the verdict,
// see [VerdictOf].
func (g *Guard) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, ok := presented(r)
		if !ok {
			refuse(w, http.StatusUnauthorized)
			return
		}
		question := g.question(r, key)
		verdict, err := g.ask(r.Context(), question)
		if err != nil {
			g.unanswered(w, r, next, err)
			return
		}
		if status := statusOf(verdict.Code); status != http.StatusOK {
			retryAfterOf(&verdict, question.cost(), time.Now(), w.Header())
			refuse(w, status)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), verdictKey{}, &verdict)))
	})
}

// unanswered decides what becomes of a request if there is no verdict.
func (g *Guard) unanswered(w http.ResponseWriter, r *http.Request, next http.Handler, err error) {
	if g.FailOpen && keyward.CodeOf(err) == keyward.Unavailable {
		next.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Retry-After", "1")
	refuse(w, http.StatusServiceUnavailable)
}

type verdictKey struct{}

// VerdictOf returns the verdict by which a request passed a [Guard]: whose key it came
// with. There is none outside of one, nor where a guard that fails open got no answer.
// What the verdict refers to is not to be changed.
func VerdictOf(ctx context.Context) (Verdict, bool) {
	verdict, ok := ctx.Value(verdictKey{}).(*Verdict)
	if !ok {
		return Verdict{}, false
	}
	return *verdict, true
}

// presented returns the one key of a request. What cannot be one is not worth asking.
func presented(r *http.Request) (keyward.Secret, bool) {
	bearer, plain := r.Header[authorization], r.Header[apiKeyHeader]
	if len(bearer)+len(plain) != 1 {
		return keyward.Secret{}, false
	}
	var text string
	if len(plain) == 1 {
		text = plain[0]
	} else {
		scheme, token, _ := strings.Cut(bearer[0], " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return keyward.Secret{}, false
		}
		text = token
	}
	return keyward.ForeignSecret(text), presentable(text) && len(text) <= maxPresented
}

// question returns what is asked about a request.
func (g *Guard) question(r *http.Request, key keyward.Secret) Question {
	var q Question
	if g.Question != nil {
		q = g.Question(r)
	}
	q.Key, q.IP = key, g.clientOf(r)
	return q
}

// ask returns the verdict on a question: one that is kept, or Keyward's own.
func (g *Guard) ask(ctx context.Context, q Question) (Verdict, error) {
	if g.CacheFor <= 0 {
		return g.verify(ctx, q)
	}
	name, now := g.kept.name(q), time.Now()
	if verdict, ok := g.kept.get(name, now); ok {
		return verdict, nil
	}
	verdict, err := g.verify(ctx, q)
	if err == nil && lasting(&verdict) {
		g.kept.put(name, verdict, now, g.CacheFor, g.CacheSize)
	}
	return verdict, err
}

// verify asks Keyward. That it took too long is the code Unavailable too.
func (g *Guard) verify(ctx context.Context, q Question) (Verdict, error) {
	timeout := g.Timeout
	if timeout <= 0 {
		timeout = guardTimeout
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	verdict, err := g.Client.Verify(bounded, q)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = keyward.Errorf(keyward.Unavailable, "no answer within %s: %w", timeout, err)
	}
	return verdict, err
}

// clientOf returns the address of who sent the request, an invalid one if it is not known.
func (g *Guard) clientOf(r *http.Request) netip.Addr {
	connection, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return keyward.ClientAddress(connection.Addr(), r.Header.Values("X-Forwarded-For"), g.TrustedProxies)
}
