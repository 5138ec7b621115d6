package control

import (
	"context"
	"net/netip"
	"time"

	"keyward"
	"keyward/internal/store"
)

// How often somebody may try to sign in. What is counted is kept in the database, so
// that it holds for all nodes together and across restarts: for each account, whether
// or not there is one, against guessing one person's password; for each address (of
// IPv6, for each /64), against trying one password on many. Signing in ends the count
// of the account, and is not counted for the address. Whoever has an address to guess
// from can keep a person out for a quarter of an hour: the credential goes on working.
const (
	signInWindow    = 15 * time.Minute
	accountAttempts = 10
	addressAttempts = 100
)

// errSignIn is the answer to every attempt to sign in that fails, whatever the reason.
var errSignIn = keyward.Errorf(keyward.Unauthenticated, "the e-mail address or the password is wrong")

// SignIn finds the operator with an e-mail address and a password, and records that it
// signed in from ip. What is issued for it is good for the Generation of the operator
// in the outcome.
//
// An address that is not known, a wrong password, none, an operator who is disabled and
// one whose organization is: all are the same error, Unauthenticated, after the same
// work. Too many attempts are Throttled, before the password is looked at.
func (p *Plane) SignIn(ctx context.Context, email string, password keyward.Secret, ip netip.Addr, requestID string) (Outcome, error) {
	account, address := p.ring.Blind("sign-in/account", keyward.Fold(email)), p.ring.Blind("sign-in/address", network(ip))
	if err := p.countAttempt(ctx, account, address); err != nil {
		return Outcome{}, err
	}
	person, err := p.person(ctx, email)
	if err != nil {
		return Outcome{}, err
	}
	ok, err := p.passwords.matches(ctx, person.PasswordHash, password)
	if err != nil {
		return Outcome{}, err
	}
	if !ok {
		return Outcome{}, errSignIn
	}
	by := keyward.Actor{
		Type: keyward.OperatorActor, ID: person.ID, Name: person.Name, OrganizationID: person.Organization(),
		Version: person.Generation, IP: ip, RequestID: requestID,
	}
	out, err := p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		if err := p.signedIn(ctx, tx, by, account, address); err != nil {
			return Outcome{}, err
		}
		return Outcome{Operator: &person.Operator}, nil
	})
	if keyward.CodeOf(err) == keyward.Unauthenticated { // changed while the password was looked at
		err = errSignIn
	}
	return out, err
}

// person returns who may sign in with an e-mail address, or somebody without a
// password.
func (p *Plane) person(ctx context.Context, email string) (*store.Person, error) {
	person, err := p.store.Person(ctx, email)
	switch {
	case keyward.CodeOf(err) == keyward.NotFound:
		return &store.Person{}, nil
	case err != nil:
		return nil, err
	case !person.Enabled || !person.Home:
		person.PasswordHash = ""
	}
	return person, nil
}

// signedIn records that somebody signed in, whose attempt then does not count.
func (p *Plane) signedIn(ctx context.Context, tx *store.Tx, by keyward.Actor, account, address [32]byte) error {
	if by.OrganizationID != "" {
		home, err := tx.Organization(ctx, by.OrganizationID)
		if err != nil {
			return err
		}
		if !home.Enabled {
			return errSignIn
		}
	}
	if err := tx.ForgetAttempts(ctx, account); err != nil {
		return err
	}
	if err := tx.ForgetAttempt(ctx, address); err != nil {
		return err
	}
	p.record(tx, by, keyward.SessionCreated, by.OrganizationID,
		keyward.ChangeTarget{Type: keyward.OperatorTarget, ID: by.ID}, []keyward.FieldChange{})
	return nil
}

// network returns what attempts from an address are counted for: the address, or the
// /64 that somebody with IPv6 has to choose from. Unknown addresses are one.
func network(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		return netip.PrefixFrom(ip, 64).Masked().String()
	}
	return ip.String()
}

// countAttempt counts an attempt to sign in, durably, or refuses it. One that is
// refused does not count, and prolongs nothing.
func (p *Plane) countAttempt(ctx context.Context, account, address [32]byte) error {
	now := p.now()
	limits := []struct {
		subject [32]byte
		most    int64
	}{{account, accountAttempts}, {address, addressAttempts}}
	for _, limit := range limits { // so that a flood of them writes nothing
		before, err := p.store.Attempts(ctx, limit.subject, now)
		if err != nil {
			return err
		}
		if before.Count >= limit.most {
			return throttled(before, now)
		}
	}
	_, err := p.store.Update(ctx, func(tx *store.Tx) error {
		for _, limit := range limits {
			counted, err := tx.CountAttempt(ctx, limit.subject, now, now.Add(signInWindow))
			if err != nil {
				return err
			}
			if counted.Count > limit.most {
				return throttled(counted, now)
			}
		}
		return nil
	})
	return err
}

func throttled(a store.Attempts, now keyward.Time) error {
	wait := time.Duration(a.Reset-now) * time.Millisecond
	return keyward.Throttle(wait, "there were too many attempts to sign in; try again later")
}
