package control

import (
	"context"

	"keyward"
	"keyward/internal/store"
)

// The root token may be any text of these lengths, of 0x21 to 0x7E.
const (
	minRootToken = 32
	maxRootToken = keyward.MaxSecretLength
)

// system is the actor of what the server does by itself.
func system() keyward.Actor {
	return keyward.Actor{Type: keyward.SystemActor, ID: "system", Name: "system"}
}

// Bootstrap makes the root operator, the first owner, of a database that never had
// an operator. Its credential is token, or a generated one if token is empty; it is
// returned if the operator was made just now, and is empty otherwise.
func (p *Plane) Bootstrap(ctx context.Context, token keyward.Secret) (keyward.Secret, error) {
	if err := validRootToken(token); err != nil {
		return keyward.Secret{}, err
	}
	var made keyward.Secret
	_, err := p.store.Update(ctx, func(tx *store.Tx) error {
		made = keyward.Secret{}
		switch ever, err := tx.Meta(ctx, rootFact); {
		case err != nil:
			return err
		case ever != "":
			return nil
		}
		secret := orGenerated(token)
		id, err := p.addRoot(ctx, tx, secret)
		if err != nil {
			return err
		}
		made = secret
		return tx.SetMeta(ctx, rootFact, id)
	})
	if keyward.CodeOf(err) == keyward.Conflict { // another node was first
		return keyward.Secret{}, nil
	}
	if err != nil {
		return keyward.Secret{}, err
	}
	return made, nil
}

// rootFact holds the id of the root operator.
const rootFact = "root_operator_id"

func orGenerated(token keyward.Secret) keyward.Secret {
	if token.Empty() {
		return keyward.NewSecret(keyward.OperatorSecretPrefix, keyward.Live)
	}
	return token
}

func validRootToken(token keyward.Secret) error {
	text := token.Reveal()
	if text == "" {
		return nil
	}
	if len(text) < minRootToken || len(text) > maxRootToken {
		return keyward.Errorf(keyward.Invalid, "the root token must have %d to %d characters", minRootToken, maxRootToken)
	}
	for i := range len(text) {
		if text[i] < 0x21 || text[i] > 0x7e {
			return keyward.Errorf(keyward.Invalid, "the root token may hold only the characters 0x21 to 0x7E, so no spaces")
		}
	}
	return nil
}

func (p *Plane) addRoot(ctx context.Context, tx *store.Tx, secret keyward.Secret) (string, error) {
	root := keyward.Operator{Name: "root", Role: keyward.Owner, Enabled: true}
	if err := p.addOperator(ctx, tx, system(), &root, secret, ""); err != nil {
		return "", err
	}
	return root.ID, nil
}

// ResetRoot gives the root operator a new credential, and makes it an enabled owner
// again if it was not. It is for whoever has the server's machine.
func (p *Plane) ResetRoot(ctx context.Context, token keyward.Secret) (keyward.Secret, error) {
	if err := validRootToken(token); err != nil {
		return keyward.Secret{}, err
	}
	secret := orGenerated(token)
	_, err := p.store.Update(ctx, func(tx *store.Tx) error {
		id, err := tx.Meta(ctx, rootFact)
		if err != nil {
			return err
		}
		if id == "" {
			return keyward.Errorf(keyward.Conflict, "this database has no root operator yet: start the server once")
		}
		root, err := tx.Operator(ctx, id)
		if keyward.CodeOf(err) == keyward.NotFound { // deleted: another takes its place
			id, err := p.addRoot(ctx, tx, secret)
			if err != nil {
				return err
			}
			return tx.ReplaceMeta(ctx, rootFact, id)
		}
		if err != nil {
			return err
		}
		before := *root
		root.Role, root.Enabled = keyward.Owner, true
		if err := tx.UpdateOperator(ctx, root); err != nil {
			return err
		}
		return p.replaceCredential(ctx, tx, system(), before, root, secret)
	})
	if err != nil {
		return keyward.Secret{}, err
	}
	return secret, nil
}
