package control

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"keyward"
	"keyward/internal/store"
)

// How long answers are kept for their idempotency keys, and how long a request
// waits for one with the same key that is being answered.
const (
	replayLife   = 24 * time.Hour
	replayWait   = 5 * time.Second
	maxOnceBytes = 255
)

// Once makes a change at most once: a second request with the same key gets the
// first one's answer. The zero value asks for nothing.
type Once struct {
	Key         string   // of the caller's choice, 1 to 255 characters of 0x21–0x7E
	Operation   string   // method and path
	Fingerprint [32]byte // of the body
}

// once runs fn unless the same actor did so before with this idempotency key. may
// authorizes the actor, and once more before an old answer is repeated.
func (p *Plane) once(ctx context.Context, by keyward.Actor, once Once, may func(keyward.Actor) error,
	fn func(*store.Tx, keyward.Actor) (Outcome, error),
) (Outcome, error) {
	if err := may(by); err != nil {
		return Outcome{}, err
	}
	if once.Key == "" {
		return p.change(ctx, by, once, fn)
	}
	if err := once.validate(); err != nil {
		return Outcome{}, err
	}
	leave, err := p.gate.enter(ctx, strings.Join([]string{name(by), once.Operation, once.Key}, "\x00"))
	if err != nil {
		return Outcome{}, err
	}
	defer leave()
	out, err := p.repeat(ctx, by, once, may)
	if keyward.CodeOf(err) != keyward.NotFound {
		return out, err
	}
	out, err = p.change(ctx, by, once, fn)
	if keyward.CodeOf(err) != keyward.Conflict {
		return out, err
	}
	// Perhaps the conflict is with the same request, answered by another node.
	if replayed, rerr := p.repeat(ctx, by, once, may); keyward.CodeOf(rerr) != keyward.NotFound {
		return replayed, rerr
	}
	return out, err
}

func (o Once) validate() error {
	if len(o.Key) > maxOnceBytes {
		return keyward.Errorf(keyward.Invalid, "the Idempotency-Key is longer than %d characters", maxOnceBytes)
	}
	for i := range len(o.Key) {
		if o.Key[i] < 0x21 || o.Key[i] > 0x7e {
			return keyward.Errorf(keyward.Invalid, "the Idempotency-Key has characters outside 0x21 to 0x7E")
		}
	}
	return nil
}

// name tells actors apart: a key's id is its own in its organization only.
func name(by keyward.Actor) string {
	return string(by.Type) + " " + by.OrganizationID + " " + by.ID
}

// identity is what the stored answer is found by.
func (p *Plane) identity(by keyward.Actor, once Once) store.Replay {
	return store.Replay{
		Actor: name(by), Operation: once.Operation,
		HeaderHash: p.ring.HeaderHash(once.Key),
		// Keyed, since a body may hold a password, which its hash would let one guess.
		Fingerprint: p.ring.Blind("fingerprint", string(once.Fingerprint[:])),
	}
}

// repeat is replay for an actor who, as it is now, may still do what it did, and see
// what it then saw.
func (p *Plane) repeat(ctx context.Context, by keyward.Actor, once Once, may func(keyward.Actor) error) (Outcome, error) {
	out, err := p.replay(ctx, by, once)
	if err != nil {
		return Outcome{}, err
	}
	err = p.store.View(ctx, func(view *store.View) error {
		by, err := p.current(ctx, view, by)
		if err != nil {
			return err
		}
		if out.Key != nil && !out.Secret.Empty() {
			if err := by.Covers(out.Key.Management); err != nil {
				return err
			}
		}
		return may(by)
	})
	if err != nil {
		return Outcome{}, err
	}
	return out, nil
}

// replay returns the answer that was given before. There being none is NotFound; its
// being one to another request, Reused.
func (p *Plane) replay(ctx context.Context, by keyward.Actor, once Once) (Outcome, error) {
	stored, err := p.store.Replay(ctx, p.identity(by, once))
	if err != nil {
		return Outcome{}, err
	}
	if stored.CreatedTime < p.now().Add(-replayLife) {
		_, err := p.store.Update(ctx, func(tx *store.Tx) error { return tx.DropReplay(ctx, stored) })
		if err != nil {
			return Outcome{}, err
		}
		return Outcome{}, keyward.Errorf(keyward.NotFound, "the stored answer is too old")
	}
	if stored.Fingerprint != p.identity(by, once).Fingerprint {
		return Outcome{}, keyward.Errorf(keyward.Reused, "this Idempotency-Key was used with another body")
	}
	// What was made may not be announced here: by another node, or before an error.
	if _, err := p.store.Settled(ctx); err != nil {
		return Outcome{}, err
	}
	plain, err := p.ring.OpenWith(once.Key, stored.Sealed, stored.Actor, stored.Operation)
	if err != nil {
		return Outcome{}, keyward.Errorf(keyward.Internal, "open a stored answer: %w", err)
	}
	var answer sealedOutcome
	if err := json.Unmarshal(plain, &answer); err != nil {
		return Outcome{}, keyward.Errorf(keyward.Internal, "read a stored answer: %w", err)
	}
	out := answer.outcome()
	out.Receipt = p.receipt(stored.Seq)
	out.Replayed = true
	return out, nil
}

// keep stores the outcome with the transaction, if there is an idempotency key.
func (p *Plane) keep(tx *store.Tx, by keyward.Actor, once Once, out Outcome) error {
	if once.Key == "" {
		return nil
	}
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false) // so that metadata comes again as it came first
	if err := encoder.Encode(seal(out)); err != nil {
		return keyward.Errorf(keyward.Internal, "write an answer: %w", err)
	}
	replay := p.identity(by, once)
	replay.CreatedTime = p.now()
	replay.Sealed = p.ring.SealWith(once.Key, plain.Bytes(), replay.Actor, replay.Operation)
	tx.Keep(replay)
	return nil
}

// sealedOutcome is an outcome as it is encrypted and kept, the secret included.
type sealedOutcome struct {
	Organization *keyward.Organization
	Project      *keyward.Project
	Key          *keyward.Key
	Revision     int64
	Operator     *keyward.Operator
	Role         *keyward.KeyRole
	Secret       string
}

func seal(out Outcome) sealedOutcome {
	sealed := sealedOutcome{
		Organization: out.Organization, Project: out.Project, Key: out.Key, Operator: out.Operator,
		Role: out.Role, Secret: out.Secret.Reveal(),
	}
	if out.Key != nil {
		sealed.Revision = out.Key.Revision
	}
	return sealed
}

func (s sealedOutcome) outcome() Outcome {
	if s.Key != nil {
		s.Key.Revision = s.Revision
	}
	return Outcome{
		Organization: s.Organization, Project: s.Project, Key: s.Key, Operator: s.Operator,
		Role: s.Role, Secret: keyward.ForeignSecret(s.Secret),
	}
}

// gate lets requests with the same idempotency key through one after the other.
type gate struct {
	mu   sync.Mutex
	busy map[string]chan struct{}
}

func newGate() *gate { return &gate{busy: map[string]chan struct{}{}} }

// enter waits for its turn. It gives up with a Conflict.
func (g *gate) enter(ctx context.Context, name string) (leave func(), err error) {
	deadline := time.NewTimer(replayWait)
	defer deadline.Stop()
	for {
		g.mu.Lock()
		before, taken := g.busy[name]
		if !taken {
			mine := make(chan struct{})
			g.busy[name] = mine
			g.mu.Unlock()
			return func() {
				g.mu.Lock()
				delete(g.busy, name)
				g.mu.Unlock()
				close(mine)
			}, nil
		}
		g.mu.Unlock()
		select {
		case <-before:
		case <-deadline.C:
			return nil, keyward.Errorf(keyward.Conflict, "a request with this Idempotency-Key is being answered")
		case <-ctx.Done():
			return nil, keyward.Errorf(keyward.Unavailable, "the caller has gone: %w", ctx.Err())
		}
	}
}
