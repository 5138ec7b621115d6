// Package verify gives every answer, from memory: whether a key may do something
// now, and who it is that presents a credential.
//
// An [Engine] holds a complete replica of what that takes, so that a secret it does
// not know is an unknown secret. It is handed states and changes by a [Log]; it
// decides nothing by itself, which is for keyward.Decide, and it neither makes
// changes nor stores anything. DESIGN.md says why an answer is never out of date.
package verify

import (
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"

	"keyward"
)

// Digester turns a secret into what is kept of it. It must be safe for concurrent
// use, and should not allocate: it is called for every question.
type Digester interface {
	DigestString(secret string) keyward.Digest
}

// Engine answers verifications. Its answering methods may be called by any number
// of goroutines; they wait for nothing, not for a change that is being applied
// either. Before [Engine.Ready] every secret is unknown to it, so ask that first.
type Engine struct {
	digester Digester
	current  atomic.Pointer[replica]
	ready    atomic.Bool
	counts   counts // of answers that no tally holds
	tills    *tills
	answered [keyward.Valid + 1]counter
	mu       sync.Mutex // held by whoever changes current or what it points to

	everyone keyward.Actor // sees every key: a key needs nobody's leave to act itself
}

// New returns an engine that knows nothing until [Engine.Load].
func New(d Digester) *Engine {
	e := &Engine{digester: d, tills: newTills(), everyone: keyward.Actor{
		Type:       keyward.SystemActor,
		Management: []keyward.Grant{{Permissions: []string{string(keyward.KeysVerify)}}},
	}}
	e.current.Store(newReplica(&e.counts))
	return e
}

// Ready reports whether a replica was loaded. Once it is ready it stays so.
func (e *Engine) Ready() bool { return e.ready.Load() }

// Applied returns the number of the newest change that every answer given from now
// on takes into account.
func (e *Engine) Applied() int64 { return e.current.Load().applied.Load() }

// Size returns how many things the replica knows, deleted ones not counted.
func (e *Engine) Size() (organizations, keys, operators int) {
	size := &e.current.Load().size
	return int(size.organizations.Load()), int(size.keys.Load()), int(size.operators.Load())
}

// counter has a cache line to itself, so that counting one reason does not slow
// down counting another.
type counter struct {
	atomic.Uint64
	_ [56]byte
}

// Answered returns how many verifications had this answer since the engine was made.
func (e *Engine) Answered(reason keyward.Reason) uint64 { return e.answered[reason].Load() }

// Verdict is the answer to a verification. It may be used for one after another, so
// that answering allocates nothing. If Reason is Unknown, nothing else is set.
type Verdict struct {
	Reason     keyward.Reason
	Subject    keyward.Subject     // what it refers to is shared, and not to be changed
	Version    int                 // of the key's secret
	Allowances []keyward.Allowance // of each of the key's rate limits, after this use
	Balance    *keyward.Balance    // what is left of the credits, after this use; nil if the key has none
	RetryTime  keyward.Time        // when the same request may pass, if limits or credits refuse it and it ever may
	Checks     []keyward.Check     // every check and its outcome, if that was asked for

	balance keyward.Balance // what Balance points to
	pending <-chan struct{}
}

// Pending returns nil for a verdict. If it is not nil, there is none yet: the key has the
// credits, but this node has no lease of them. Once the channel is closed the question is
// to be asked again. Nothing was counted, and the Reason refuses.
func (v *Verdict) Pending() <-chan struct{} { return v.pending }

// Verify answers into v, which it returns, whether the key with the secret may do what q
// asks, at the instant now. It does not allocate. A Valid answer counts as a use, unless
// q is a dry run.
func (e *Engine) Verify(by *keyward.Actor, secret string, q *keyward.Request, now keyward.Time, v *Verdict) *Verdict {
	m := e.secret(secret)
	return e.answer(by, &m, q, now, v)
}

// VerifyClient is [Engine.Verify] for whoever holds an access token of ours, which
// stands for one version of the key with the client id.
func (e *Engine) VerifyClient(by *keyward.Actor, clientID string, version int, q *keyward.Request, now keyward.Time, v *Verdict) *Verdict {
	m := e.current.Load().client(clientID, version)
	return e.answer(by, &m, q, now, v)
}

// Operator returns the operator with the secret as an actor, whose IP and RequestID
// are left to the caller. It is false for a secret that is not an operator's, and if
// the operator is disabled or deleted or its organization is deleted. Acceptance
// counts as a use.
func (e *Engine) Operator(secret string, now keyward.Time) (keyward.Actor, bool) {
	if !presentable(secret) {
		return keyward.Actor{}, false
	}
	digest := e.digester.DigestString(secret)
	r := e.current.Load()
	held := r.epoch.Load()
	o, s := r.operator(&digest)
	runtime.KeepAlive(held)
	if o == nil || !s.accepted || s.organization != nil && s.organization.load().Deleted {
		return keyward.Actor{}, false
	}
	o.use(now)
	return s.actor, true
}

// Person returns the operator with an id as an actor, for whoever holds an access token
// of ours that was issued to it by signing in. It is Unauthenticated unless the operator,
// and its organization, are there and enabled, and the token's generation is the
// operator's: it counts up when all that was issued before ends. Acceptance counts as a
// use.
func (e *Engine) Person(id, organizationID string, generation int, now keyward.Time) (keyward.Actor, error) {
	r := e.current.Load()
	held := r.epoch.Load()
	o, s := r.person(id)
	runtime.KeepAlive(held)
	if o == nil || !s.accepted || s.generation != generation || s.actor.OrganizationID != organizationID ||
		s.organization != nil && s.organization.load() != (keyward.Standing{Enabled: true}) {
		return keyward.Actor{}, keyward.Errorf(keyward.Unauthenticated, "the credential is not accepted")
	}
	o.use(now)
	by := s.actor
	by.Version = generation
	return by, nil
}

// Revoked reports whether the access token with an id was revoked before it expired. Of
// those that have expired it may have forgotten.
func (e *Engine) Revoked(tokenID string) bool { return e.current.Load().isRevoked(tokenID) }

// Key returns the key with the secret as an actor with the key's management, and
// the key itself. The error is Forbidden for a key that may not be used from ip, and
// Unauthenticated for whatever else is not a valid key at the instant now, and for
// publishable keys: what everybody may read identifies nobody. Acceptance counts as a
// use.
func (e *Engine) Key(secret string, ip netip.Addr, now keyward.Time) (keyward.Actor, keyward.Subject, error) {
	m := e.secret(secret)
	return e.authenticate(&m, ip, now)
}

// Client returns the actor of [Engine.Key] for whoever holds an access token of ours,
// which stands for one version of the key with the client id.
func (e *Engine) Client(clientID string, version int, ip netip.Addr, now keyward.Time) (keyward.Actor, error) {
	m := e.current.Load().client(clientID, version)
	by, _, err := e.authenticate(&m, ip, now)
	return by, err
}

// presentable reports whether text can be a secret at all. What cannot is not worth
// hashing, however much of it there is.
func presentable(text string) bool { return text != "" && len(text) <= keyward.MaxSecretLength }

// secret finds what the text is the secret of.
func (e *Engine) secret(text string) match {
	if !presentable(text) {
		return match{}
	}
	digest := e.digester.DigestString(text)
	return e.current.Load().secret(&digest)
}

func (e *Engine) answer(by *keyward.Actor, m *match, q *keyward.Request, now keyward.Time, v *Verdict) *Verdict {
	v.Reason, v.Version, v.Balance, v.RetryTime, v.pending = keyward.Unknown, 0, nil, 0, nil
	v.Allowances, v.Checks = v.Allowances[:0], v.Checks[:0]
	if m.found() {
		m.subject(&v.Subject)
		v.Version = int(m.number)
		e.judge(by, m.organization().load(), m.end, m.policy.meter, q, now, v)
	}
	if v.pending != nil {
		return v
	}
	e.answered[v.Reason].Add(1)
	switch {
	case v.Reason == keyward.Unknown:
		v.Subject, v.Version = keyward.Subject{}, 0
	case !q.DryRun:
		e.note(m, v.Reason, now, q.IP)
	}
	return v
}

// note counts an answer about a key, and if that is Valid a use.
func (e *Engine) note(m *match, reason keyward.Reason, now keyward.Time, ip netip.Addr) {
	e.count(m, reason, now)
	if reason == keyward.Valid {
		m.touch(now, ip)
	}
}

// authenticate accepts what verifies and may act.
func (e *Engine) authenticate(m *match, ip netip.Addr, now keyward.Time) (by keyward.Actor, key keyward.Subject, err error) {
	reason := keyward.Unknown
	if m.found() {
		m.subject(&key)
	}
	if key.Type == keyward.SecretKey {
		reason = keyward.Decide(&e.everyone, &key, m.organization().load(), m.end, &keyward.Request{IP: ip}, keyward.Unlimited, now)
	}
	switch reason {
	case keyward.Valid:
	case keyward.IPNotAllowed:
		return keyward.Actor{}, keyward.Subject{}, keyward.Errorf(keyward.Forbidden, "the key may not be used from this address")
	default:
		return keyward.Actor{}, keyward.Subject{}, keyward.Errorf(keyward.Unauthenticated, "the credential is not accepted")
	}
	m.touch(now, ip)
	return keyward.Actor{
		Type:           keyward.KeyActor,
		ID:             key.KeyID,
		Name:           key.Name,
		OrganizationID: key.OrganizationID,
		Management:     key.Management,
		Version:        int(m.number),
		IP:             ip,
	}, key, nil
}

// touch notes a use of the version.
func (m *match) touch(now keyward.Time, ip netip.Addr) {
	m.replica.cells.touch(m.cell, now, ip)
	runtime.KeepAlive(m.epoch)
}
