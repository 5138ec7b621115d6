package control

import (
	"context"
	"encoding/json"

	"keyward"
	"keyward/internal/store"
)

// hashed returns what is kept of a new password, "" if there is none. It takes long: it
// is for before a transaction, and for those who may set the password.
func (p *Plane) hashed(ctx context.Context, password NewPassword) (string, error) {
	if err := password.validate(); err != nil || password.Secret == nil {
		return "", err
	}
	return p.passwords.hash(ctx, *password.Secret)
}

// changed returns the operator after a change, if that is a valid one. Of the password
// it has only whether it is there.
func (n NewPassword) changed(before *keyward.Operator, hash string, change func(*keyward.Operator) error) (*keyward.Operator, error) {
	after := *before
	if err := change(&after); err != nil {
		return nil, err
	}
	if n.Set {
		after.HasPassword = hash != ""
	}
	return &after, after.Validate()
}

// updateOwnPassword is [Plane.UpdateOperator] for who may change no operators: the
// change may be about nothing but the actor's own password.
func (p *Plane) updateOwnPassword(ctx context.Context, by keyward.Actor, password NewPassword,
	change func(*keyward.Operator) error,
) (Outcome, error) {
	allowed := func(before *keyward.Operator) error {
		after, err := NewPassword{}.changed(before, "", change)
		if err == nil && (before.Role == keyward.Verifier || len(differences(before, after)) > 0) {
			err = keyward.Errorf(keyward.Forbidden, "needs the permission %s", keyward.OperatorsWrite)
		}
		return err
	}
	before, err := p.store.Operator(ctx, by.ID)
	if err != nil {
		return Outcome{}, err
	}
	if err := allowed(before); err != nil {
		return Outcome{}, err
	}
	hash, err := p.hashed(ctx, password)
	if err != nil {
		return Outcome{}, err
	}
	return p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		before, err := tx.Operator(ctx, by.ID)
		if err != nil {
			return Outcome{}, err
		}
		if err := allowed(before); err != nil {
			return Outcome{}, err
		}
		after, err := password.changed(before, hash, change)
		if err != nil {
			return Outcome{}, err
		}
		return p.writeOperator(ctx, tx, by, before, after, password, hash)
	})
}

// writeOperator writes what changed of an operator, if anything did.
func (p *Plane) writeOperator(ctx context.Context, tx *store.Tx, by keyward.Actor, before, after *keyward.Operator,
	password NewPassword, hash string,
) (Outcome, error) {
	changes := differences(before, after)
	if password.Set {
		changes = passwordChange(changes, before.HasPassword, after.HasPassword)
	}
	if len(changes) == 0 {
		return Outcome{Operator: before}, nil
	}
	if endsSessions(changes, after) {
		after.Generation++
	}
	after.UpdatedTime = p.now()
	if err := tx.UpdateOperator(ctx, after); err != nil {
		return Outcome{}, err
	}
	if password.Set {
		if err := tx.SetPassword(ctx, after, hash); err != nil {
			return Outcome{}, err
		}
	}
	p.record(tx, by, keyward.OperatorUpdated, after.Organization(), operatorTarget(after), changes)
	return Outcome{Operator: after}, nil
}

// endsSessions reports whether changes of an operator end what was issued to it.
func endsSessions(changes []keyward.FieldChange, after *keyward.Operator) bool {
	for _, change := range changes {
		switch change.Field {
		case "password", "role", "email":
			return true
		case "enabled":
			if !after.Enabled {
				return true
			}
		}
	}
	return false
}

// passwordChange adds to changes that a password was set or taken away: all that is
// ever said of one is whether it was there.
func passwordChange(changes []keyward.FieldChange, was, is bool) []keyward.FieldChange {
	if !was && !is {
		return changes
	}
	word := map[bool]json.RawMessage{false: json.RawMessage("null"), true: json.RawMessage(`"set"`)}
	return append(changes, keyward.FieldChange{Field: "password", Before: word[was], After: word[is]})
}
