// Package control makes every change, and answers every question about what is
// kept: may this actor, is it well formed, and then one transaction that writes it
// with its audit event.
//
// Each way in (the native API, the dialects, the first start) calls these methods and
// nothing below them, so a rule that is here holds everywhere.
// Verifying keys is not for this package: that is answered from memory, by verify.
//
// Every method takes the actor who asks. Errors are [keyward.Error]; a change that
// failed changed nothing, unless the error says that the outcome is unknown.
package control

import (
	"context"
	"slices"
	"time"

	"keyward"
	"keyward/internal/keyring"
	"keyward/internal/store"
)

// Plane is the control plane. It is safe for concurrent use.
type Plane struct {
	// Leased returns how much of a key's credits of an epoch this node has leased and not
	// spent yet. If nil, nothing ever is. It is to be set before the plane is used.
	Leased func(organizationID, keyID string, epoch int64) int64

	store *store.Store
	ring  *keyring.Keyring
	ids   keyward.IDs
	gate  *gate
	now   func() keyward.Time

	passwords *passwords
}

// New returns the control plane over a store. The keyring is that of the master key
// to which the store belongs.
func New(s *store.Store, ring *keyring.Keyring) *Plane {
	return &Plane{
		store: s, ring: ring, gate: newGate(), passwords: newPasswords(),
		now: func() keyward.Time { return keyward.TimeOf(time.Now()) },
	}
}

// Receipt says how far a change has come, and whether it was made just now or, for
// an idempotency key, before.
type Receipt struct {
	keyward.Propagation
	Replayed bool
}

// Outcome is what a change made. The secret is there if it made one.
type Outcome struct {
	Organization *keyward.Organization
	Project      *keyward.Project
	Key          *keyward.Key
	Operator     *keyward.Operator
	Role         *keyward.KeyRole
	Secret       keyward.Secret
	Receipt
}

// change runs fn in a transaction, with the actor as it stands in the database at
// that moment: who was revoked or disabled a moment ago changes nothing any more.
func (p *Plane) change(ctx context.Context, by keyward.Actor, once Once, fn func(*store.Tx, keyward.Actor) (Outcome, error)) (Outcome, error) {
	return p.commit(ctx, func(tx *store.Tx) (Outcome, error) {
		if err := tx.Watch(ctx, by.ID, by.OrganizationID); err != nil {
			return Outcome{}, err
		}
		by, err := p.current(ctx, tx, by)
		if err != nil {
			return Outcome{}, err
		}
		out, err := fn(tx, by)
		if err != nil {
			return Outcome{}, err
		}
		return out, p.keep(tx, by, once, out)
	})
}

// commit runs fn in a transaction, and returns what it made with how far that has come.
func (p *Plane) commit(ctx context.Context, fn func(*store.Tx) (Outcome, error)) (Outcome, error) {
	var out Outcome
	change, err := p.store.Update(ctx, func(tx *store.Tx) (err error) {
		out, err = fn(tx)
		return err
	})
	if err != nil {
		return Outcome{}, err
	}
	if change.Seq == 0 { // nothing had to change: perhaps another was first, a moment ago
		if change.Seq, err = p.store.Settled(ctx); err != nil {
			return Outcome{}, err
		}
	}
	out.Receipt = p.receipt(change.Seq)
	return out, nil
}

// receipt says how far the change has come: this node applied it before the store
// returned, and there is no other.
func (p *Plane) receipt(seq int64) Receipt {
	return Receipt{Propagation: keyward.Propagation{Seq: seq, Nodes: 1, Confirmed: 1, Pending: []string{}}}
}

// actors is where actors stand as they are: a transaction, or a view.
type actors interface {
	Operator(ctx context.Context, id string) (*keyward.Operator, error)
	Key(ctx context.Context, organizationID, id string) (*keyward.Key, error)
	Organization(ctx context.Context, id string) (*keyward.Organization, error)
}

// current returns the actor with the rights that it has now. One that verification
// would not accept any more is Unauthenticated.
func (p *Plane) current(ctx context.Context, now actors, by keyward.Actor) (keyward.Actor, error) {
	if by.Type == keyward.SystemActor {
		return by, nil
	}
	by, err := p.standing(ctx, now, by)
	if keyward.CodeOf(err) == keyward.NotFound {
		err = keyward.Errorf(keyward.Unauthenticated, "the credential is not accepted any more")
	}
	return by, err
}

// standing returns the actor with what it may do now, and for whom it acts; for one
// that is not accepted any more the error is NotFound.
func (p *Plane) standing(ctx context.Context, now actors, by keyward.Actor) (keyward.Actor, error) {
	by.Management = nil
	gone := keyward.Errorf(keyward.NotFound, "no such actor")
	home := &keyward.Organization{Enabled: true} // of who has none
	if by.OrganizationID != "" {
		var err error
		if home, err = now.Organization(ctx, by.OrganizationID); err != nil {
			return by, err
		}
	}
	switch by.Type {
	case keyward.OperatorActor:
		operator, err := now.Operator(ctx, by.ID)
		signedIn := by.Version != 0
		if err == nil && (!operator.Enabled || signedIn && (!home.Enabled || by.Version != operator.Generation)) {
			err = gone
		}
		if err != nil {
			return by, err
		}
		by.Management, by.User = operator.Management(), operator.ID
		if operator.Email != nil {
			by.User = *operator.Email
		}
		return by, nil
	case keyward.KeyActor:
		key, err := now.Key(ctx, by.OrganizationID, by.ID)
		if err == nil && (!home.Enabled || !accepted(key, by.Version, p.now())) {
			err = gone
		}
		if err != nil {
			return by, err
		}
		by.Management, by.User = key.Management, key.APIUser
		return by, nil
	}
	return by, gone
}

// accepted reports whether a version of the key may act now.
func accepted(key *keyward.Key, version int, now keyward.Time) bool {
	return key.StatusAt(now) == keyward.StatusActive && lives(key, version, now)
}

// lives reports whether the key has the version, and it has not ended.
func lives(key *keyward.Key, version int, now keyward.Time) bool {
	return slices.ContainsFunc(key.LiveVersions(now), func(v keyward.Version) bool { return v.Version == version })
}

// record adds the audit event of a change to the transaction.
func (p *Plane) record(tx *store.Tx, by keyward.Actor, action keyward.Action, organizationID string,
	target keyward.ChangeTarget, changes []keyward.FieldChange,
) {
	now := p.now()
	change := keyward.Change{
		ID: p.ids.New(keyward.EventPrefix, now), Time: now, Action: action, Outcome: keyward.Succeeded,
		Actor:  keyward.ChangeActor{Type: by.Type, ID: by.ID, Name: by.Name},
		Target: target, Changes: changes,
	}
	if organizationID != "" {
		change.OrganizationID = &organizationID
	}
	if by.IP.IsValid() {
		ip := by.IP.String()
		change.IP = &ip
	}
	if by.RequestID != "" {
		change.RequestID = &by.RequestID
	}
	tx.Record(change)
}

// Claim ties the database to the master key, or refuses one that it is not tied to.
func (p *Plane) Claim(ctx context.Context) error {
	const fact = "master_key_id"
	id, err := p.store.Meta(ctx, fact)
	if err != nil {
		return err
	}
	if id == "" {
		_, err := p.store.Update(ctx, func(tx *store.Tx) error { return tx.SetMeta(ctx, fact, p.ring.ID()) })
		if keyward.CodeOf(err) != keyward.Conflict {
			return err
		}
		if id, err = p.store.Meta(ctx, fact); err != nil { // another node was first
			return err
		}
	}
	if id != p.ring.ID() {
		return keyward.Errorf(keyward.Conflict,
			"the master key %s is not the one that this database was made with (%s): use that one", p.ring.ID(), id)
	}
	return nil
}

// Sweep forgets what has served its time: answers kept for idempotency keys, attempts
// to sign in, access tokens that were revoked and have expired, the encrypted secrets of
// versions that have ended, and old usage.
func (p *Plane) Sweep(ctx context.Context) error {
	now := p.now()
	_, err := p.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.DropReplays(ctx, now.Add(-replayLife)); err != nil {
			return err
		}
		if err := tx.DropAttempts(ctx, now); err != nil {
			return err
		}
		if err := tx.DropRevoked(ctx, now.Add(-keyward.ClockMargin)); err != nil {
			return err
		}
		return tx.DropSecrets(ctx, now)
	})
	if err != nil {
		return err
	}
	return p.store.DropUsage(ctx, now.Add(-usageLife))
}
