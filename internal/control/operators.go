package control

import (
	"context"
	"slices"

	"keyward"
	"keyward/internal/store"
)

// mayOperators returns nil if the actor has the permission where an operator
// belongs. Operators of the whole deployment do not exist for those of one
// organization.
func mayOperators(by keyward.Actor, permission keyward.Permission, organizationID string) error {
	if organizationID == "" && by.OrganizationID != "" || !by.Reaches(organizationID) {
		return keyward.Errorf(keyward.NotFound, "no such operator")
	}
	return by.May(permission, organizationID)
}

// Operator returns an operator.
func (p *Plane) Operator(ctx context.Context, by keyward.Actor, id string) (*keyward.Operator, error) {
	if err := by.May(keyward.OperatorsRead, by.OrganizationID); err != nil {
		return nil, err
	}
	operator, err := p.store.Operator(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := mayOperators(by, keyward.OperatorsRead, operator.Organization()); err != nil {
		return nil, err
	}
	return operator, nil
}

// Operators returns one page of the operators that the actor reaches.
func (p *Plane) Operators(ctx context.Context, by keyward.Actor, query List) ([]*keyward.Operator, Found, error) {
	if err := by.May(keyward.OperatorsRead, by.OrganizationID); err != nil {
		return nil, Found{}, err
	}
	page, err := p.page(query, "operators", by.OrganizationID)
	if err != nil {
		return nil, Found{}, err
	}
	operators, found, err := p.store.Operators(ctx, by.OrganizationID, page)
	return operators, p.found(query, found, "operators", by.OrganizationID), err
}

// CreateOperator adds an operator and returns its credential, which is never seen
// again. An operator of one organization adds only such of the same one.
func (p *Plane) CreateOperator(ctx context.Context, by keyward.Actor, o keyward.Operator, password NewPassword, once Once) (Outcome, error) {
	may := func(by keyward.Actor) error {
		if err := by.May(keyward.OperatorsWrite, by.OrganizationID); err != nil {
			return err
		}
		if o.Organization() == "" && by.OrganizationID != "" {
			return keyward.Errorf(keyward.Forbidden, "only an operator of the whole deployment adds another")
		}
		return nil
	}
	if err := may(by); err != nil {
		return Outcome{}, err
	}
	hash, err := p.hashed(ctx, password)
	if err != nil {
		return Outcome{}, err
	}
	o.HasPassword = hash != ""
	return p.once(ctx, by, once, may, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		by, err := p.lockOperators(ctx, tx, by)
		if err != nil {
			return Outcome{}, err
		}
		if err := p.operatorHome(ctx, tx, by, &o); err != nil {
			return Outcome{}, err
		}
		o, secret := o, keyward.NewSecret(keyward.OperatorSecretPrefix, keyward.Live) // may run again
		if err := p.addOperator(ctx, tx, by, &o, secret, hash); err != nil {
			return Outcome{}, err
		}
		return Outcome{Operator: &o, Secret: secret}, nil
	})
}

// operatorHome checks a new operator, and that its organization is there for whom
// adds it.
func (p *Plane) operatorHome(ctx context.Context, tx *store.Tx, by keyward.Actor, o *keyward.Operator) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if err := by.Covers(o.Management()); err != nil {
		return err
	}
	id := o.Organization()
	if id == "" && o.OrganizationID == nil {
		return nil
	}
	_, err := p.organizationIn(ctx, tx, id)
	if keyward.CodeOf(err) == keyward.NotFound || err == nil && !by.Reaches(id) {
		return keyward.Faults{{Pointer: "/organizationId", Detail: "is no organization"}}.Err()
	}
	return err
}

// addOperator writes a new operator with the given credential, and with the password
// that is kept as hash, if there is one.
func (p *Plane) addOperator(ctx context.Context, tx *store.Tx, by keyward.Actor, o *keyward.Operator, secret keyward.Secret, hash string) error {
	o.CreatedTime = p.now()
	o.UpdatedTime, o.CreatedBy = o.CreatedTime, by.ID
	o.ID = p.ids.New(keyward.OperatorPrefix, o.CreatedTime)
	if err := tx.InsertOperator(ctx, o, p.operatorCredential(secret)); err != nil {
		return err
	}
	if hash != "" {
		if err := tx.SetPassword(ctx, o, hash); err != nil {
			return err
		}
	}
	changes := passwordChange(differences(nil, o), false, o.HasPassword)
	p.record(tx, by, keyward.OperatorCreated, o.Organization(), operatorTarget(o), changes)
	return nil
}

func (p *Plane) operatorCredential(secret keyward.Secret) store.Credential {
	return store.Credential{
		Digest: p.ring.DigestString(secret.Reveal()), PepperID: p.ring.PepperID(), Hint: secret.Hint(),
	}
}

func operatorTarget(o *keyward.Operator) keyward.ChangeTarget {
	return keyward.ChangeTarget{Type: keyward.OperatorTarget, ID: o.ID}
}

// changeOperator runs fn on an operator that the actor may change.
func (p *Plane) changeOperator(ctx context.Context, by keyward.Actor, id string, once Once,
	fn func(*store.Tx, keyward.Actor, *keyward.Operator) (Outcome, error),
) (Outcome, error) {
	may := func(by keyward.Actor) error { return by.May(keyward.OperatorsWrite, by.OrganizationID) }
	return p.once(ctx, by, once, may, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		by, err := p.lockOperators(ctx, tx, by)
		if err != nil {
			return Outcome{}, err
		}
		operator, err := tx.Operator(ctx, id)
		if err != nil {
			return Outcome{}, err
		}
		if err := mayOperators(by, keyward.OperatorsWrite, operator.Organization()); err != nil {
			return Outcome{}, err
		}
		return fn(tx, by, operator)
	})
}

// lockOperators keeps others from changing operators, and returns the actor as it is
// then: whoever had the lock before may have changed what it may do.
func (p *Plane) lockOperators(ctx context.Context, tx *store.Tx, by keyward.Actor) (keyward.Actor, error) {
	if err := tx.LockOperators(ctx); err != nil {
		return by, err
	}
	by, err := p.current(ctx, tx, by)
	if err != nil {
		return by, err
	}
	return by, by.May(keyward.OperatorsWrite, by.OrganizationID)
}

// UpdateOperator applies change to an operator: its name, role, address, or whether
// it is enabled; and gives it the password. The last owner of the deployment stays one.
// Who may change no operators may still change its own password, and nothing else.
//
// What was issued to a person ends at once with the password, the role and the
// address, and when the operator is disabled.
func (p *Plane) UpdateOperator(ctx context.Context, by keyward.Actor, id string, password NewPassword,
	change func(*keyward.Operator) error,
) (Outcome, error) {
	if err := by.May(keyward.OperatorsWrite, by.OrganizationID); err != nil {
		if !password.Set || by.Type != keyward.OperatorActor || by.ID != id {
			return Outcome{}, err
		}
		return p.updateOwnPassword(ctx, by, password, change)
	}
	hash, err := p.hashed(ctx, password)
	if err != nil {
		return Outcome{}, err
	}
	return p.changeOperator(ctx, by, id, Once{}, func(tx *store.Tx, by keyward.Actor, before *keyward.Operator) (Outcome, error) {
		after, err := password.changed(before, hash, change)
		if err != nil {
			return Outcome{}, err
		}
		if err := by.Covers(slices.Concat(before.Management(), after.Management())); err != nil {
			return Outcome{}, err
		}
		if after.Role != keyward.Owner || !after.Enabled {
			if err := lastOwner(ctx, tx, before); err != nil {
				return Outcome{}, err
			}
		}
		return p.writeOperator(ctx, tx, by, before, after, password, hash)
	})
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

// lastOwner refuses to lose the only one who can administer everything.
func lastOwner(ctx context.Context, tx *store.Tx, o *keyward.Operator) error {
	if o.Role != keyward.Owner || o.OrganizationID != nil || !o.Enabled {
		return nil
	}
	others, err := tx.OtherOwners(ctx, o.ID)
	if err == nil && others == 0 {
		err = keyward.Errorf(keyward.Conflict, "this is the last owner of the deployment")
	}
	return err
}

// RotateOperator gives an operator a new credential. The old one ends at once.
func (p *Plane) RotateOperator(ctx context.Context, by keyward.Actor, id string, once Once) (Outcome, error) {
	return p.changeOperator(ctx, by, id, once, func(tx *store.Tx, by keyward.Actor, o *keyward.Operator) (Outcome, error) {
		secret := keyward.NewSecret(keyward.OperatorSecretPrefix, keyward.Live)
		return Outcome{Operator: o, Secret: secret}, p.replaceCredential(ctx, tx, by, *o, o, secret)
	})
}

// replaceCredential writes the new credential, and records what it and the caller
// changed since before.
func (p *Plane) replaceCredential(ctx context.Context, tx *store.Tx, by keyward.Actor, before keyward.Operator, o *keyward.Operator, secret keyward.Secret) error {
	o.UpdatedTime = p.now()
	if err := tx.ReplaceCredential(ctx, o, p.operatorCredential(secret)); err != nil {
		return err
	}
	p.record(tx, by, keyward.OperatorRotated, o.Organization(), operatorTarget(o), differences(before, *o))
	return nil
}

// DeleteOperator ends an operator for good.
func (p *Plane) DeleteOperator(ctx context.Context, by keyward.Actor, id string) (Outcome, error) {
	return p.changeOperator(ctx, by, id, Once{}, func(tx *store.Tx, by keyward.Actor, o *keyward.Operator) (Outcome, error) {
		if err := lastOwner(ctx, tx, o); err != nil {
			return Outcome{}, err
		}
		if err := tx.DeleteOperator(ctx, id, p.now()); err != nil {
			return Outcome{}, err
		}
		changes := passwordChange(differences(o, nil), o.HasPassword, false)
		p.record(tx, by, keyward.OperatorDeleted, o.Organization(), operatorTarget(o), changes)
		return Outcome{}, nil
	})
}
