// Package gateway answers proxies: may this request to your API pass, and whose is it?
//
// A proxy describes a request and says what it takes: nginx, Caddy, Traefik and HAProxy
// in the headers of a request to /authz/verify, Envoy in a message. Both become a
// [Question], and [Gateway.Decide] is the one answer. What it takes can stand in a file
// of [Rules] instead.
//
// Two parties are told apart. The caller is the proxy; it proves itself, and its
// organization bounds the answer. The client is whoever sent the request; it learns 401,
// 403 or 429, and never why. Whether a key is good is decided in package verify.
package gateway

import (
	"errors"
	"net/http"
	"time"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/oauth"
	"keyward/internal/verify"
)

// Gateway answers proxies. It is safe for concurrent use.
type Gateway struct {
	tokens *oauth.Tokens
	engine *verify.Engine
	rules  *Rules
	now    func() keyward.Time
}

// New returns a gateway. Without rules, which may be nil, callers say themselves what a
// request takes, and keys are where every client puts them.
func New(tokens *oauth.Tokens, engine *verify.Engine, rules *Rules) *Gateway {
	if rules == nil {
		rules = new(Rules)
	}
	return &Gateway{tokens: tokens, engine: engine, rules: rules, now: func() keyward.Time { return keyward.TimeOf(time.Now()) }}
}

// socketCaller is whoever comes through a UNIX socket without a credential: the file
// system has let it.
var socketCaller = keyward.Actor{
	Type: keyward.SystemActor, ID: "socket", Name: "UNIX socket",
	Management: []keyward.Grant{{Permissions: []string{string(keyward.KeysVerify)}}},
}

// Caller returns which proxy asks: the operator whose credential is in the lines of the
// Keyward-Authorization header; or, if there is none, whoever may use the UNIX socket.
// Errors are Unauthenticated, Forbidden without keys.verify, and Unavailable.
func (g *Gateway) Caller(authorization []string, throughSocket bool) (keyward.Actor, error) {
	text, err := api.BearerIn(authorization)
	switch {
	case errors.Is(err, api.ErrNoCredential) && throughSocket:
		return socketCaller, nil
	case errors.Is(err, api.ErrNoCredential):
		return keyward.Actor{}, keyward.Errorf(keyward.Unauthenticated, "the gateway sends no Keyward-Authorization")
	case err != nil:
		return keyward.Actor{}, unknownCaller()
	}
	by, ok := g.engine.Operator(text, g.now())
	if !ok && !g.engine.Ready() {
		return keyward.Actor{}, keyward.Errorf(keyward.Unavailable, "the server is starting")
	}
	if !ok {
		return keyward.Actor{}, unknownCaller()
	}
	return by, by.May(keyward.KeysVerify, by.OrganizationID)
}

func unknownCaller() error {
	return keyward.Errorf(keyward.Unauthenticated, "the gateway's Keyward-Authorization is not accepted")
}

// Question is one request to an API as a proxy describes it, and what it takes.
type Question struct {
	Method string      // "" if the proxy does not say
	Path   string      // as the client wrote it, escapes and all; "" if the proxy does not say
	Query  string      // as the client wrote it, without the question mark
	Header http.Header // of the request: the key is looked for in it

	// Wanted is what the key must be and be able to do, and from where. With rules, its
	// permissions, scope and cost are theirs.
	Wanted keyward.Request
	// RefuseWith is the status that is given to the proxy instead of 429, for those that
	// know few. If zero, 429.
	RefuseWith int
}

// Decide answers a question of a caller. What is wrong with the request, or its key, is
// an outcome; an error is Forbidden or Unavailable, and about the caller or the server.
func (g *Gateway) Decide(by *keyward.Actor, q *Question) (Outcome, error) {
	wanted, open, why := g.rules.demand(q)
	switch {
	case why != "":
		return refused(http.StatusForbidden, why), nil
	case open:
		return Outcome{Status: http.StatusOK, Upstream: identity(nil)}, nil
	}
	found, why := g.rules.find(q)
	if why != "" {
		return refused(http.StatusUnauthorized, why), nil
	}
	var v verify.Verdict
	if err := g.tokens.Verify(by, found.text, &wanted, &v); err != nil {
		return Outcome{}, err
	}
	out := outcome(&v, g.now())
	if found.header != "" {
		out.Remove = []string{found.header}
	}
	if out.Status == http.StatusTooManyRequests && q.RefuseWith != 0 {
		out.Status = q.RefuseWith
		out.Client.Set(statusHeader, "429")
	}
	return out, nil
}
