package control

import (
	"context"
	"encoding/json"
	"slices"

	"keyward"
	"keyward/internal/keyring"
	"keyward/internal/store"
)

// RevealKey returns the newest secret of a key of a recoverable organization. The
// audit event is committed before the secret is decrypted.
func (p *Plane) RevealKey(ctx context.Context, by keyward.Actor, organizationID, id string) (keyward.Secret, error) {
	if err := by.May(keyward.KeysReveal, organizationID); err != nil {
		return keyward.Secret{}, err
	}
	var key *keyward.Key
	var sealed store.Sealed
	_, err := p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		var err error
		if key, err = p.revealable(ctx, tx, by, organizationID, id); err != nil {
			return Outcome{}, err
		}
		if sealed, err = tx.SealedSecret(ctx, organizationID, key.Number, newest(key)); err != nil {
			return Outcome{}, err
		}
		p.record(tx, by, keyward.KeyRevealed, organizationID, keyTarget(key), []keyward.FieldChange{})
		return Outcome{}, nil
	})
	if err != nil {
		return keyward.Secret{}, err
	}
	return p.open(key, newest(key), sealed)
}

// revealable returns a key whose secret the actor may read.
func (p *Plane) revealable(ctx context.Context, tx *store.Tx, by keyward.Actor, organizationID, id string) (*keyward.Key, error) {
	if err := by.May(keyward.KeysReveal, organizationID); err != nil {
		return nil, err
	}
	if _, err := p.organizationIn(ctx, tx, organizationID); err != nil {
		return nil, err
	}
	key, err := tx.Key(ctx, organizationID, id)
	if err != nil {
		return nil, err
	}
	if err := by.MayRead(keyward.KeysReveal, key.ProjectIDs); err != nil {
		return nil, err
	}
	if err := by.Covers(key.Management); err != nil {
		return nil, err
	}
	if !key.Recoverable {
		return nil, keyward.Errorf(keyward.Conflict, "the organization keeps no secrets: it was not made recoverable")
	}
	return key, nil
}

func newest(key *keyward.Key) int { return key.Versions[len(key.Versions)-1].Version }

func (p *Plane) open(key *keyward.Key, version int, sealed store.Sealed) (keyward.Secret, error) {
	box := keyring.Sealed{KeyID: sealed.WrappingID, Wrapped: sealed.Wrapped, Ciphertext: sealed.Box}
	plain, err := p.ring.Open(box, secretBinding(key, version)...)
	if err != nil {
		return keyward.Secret{}, keyward.Errorf(keyward.Internal, "open the secret of key %s: %w", key.ID, err)
	}
	return keyward.ForeignSecret(string(plain)), nil
}

// Reveal returns the secrets of those of an organization's keys that the actor may
// read them of, by key id: it needs keys.reveal and management that covers the
// key's. One audit event lists them, and is committed before any is decrypted.
//
// It is for dialects whose reads return secrets. For the keys that are not in the
// answer, they show the hint.
func (p *Plane) Reveal(ctx context.Context, by keyward.Actor, organizationID string, keys []*keyward.Key) (map[string]keyward.Secret, error) {
	// Read beside the transaction, which others wait for.
	boxes, err := p.store.SealedSecrets(ctx, organizationID, revealing(by, keys))
	if err != nil || len(boxes) == 0 {
		return map[string]keyward.Secret{}, err
	}
	var sealed map[*keyward.Key]store.Sealed
	_, err = p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		sealed = map[*keyward.Key]store.Sealed{}
		for _, key := range revealing(by, keys) {
			if box, kept := boxes[key.Number]; kept {
				sealed[key] = box
			}
		}
		if len(sealed) == 0 {
			return Outcome{}, nil
		}
		return Outcome{}, p.recordReveal(tx, by, organizationID, sealed)
	})
	if err != nil {
		return nil, err
	}
	secrets := map[string]keyward.Secret{}
	for key, box := range sealed {
		secret, err := p.open(key, newest(key), box)
		if err != nil {
			return nil, err
		}
		secrets[key.ID] = secret
	}
	return secrets, nil
}

func mayReveal(by keyward.Actor, key *keyward.Key) bool {
	return key.Recoverable && by.Reaches(key.OrganizationID) &&
		by.MayRead(keyward.KeysReveal, key.ProjectIDs) == nil && by.Covers(key.Management) == nil
}

// revealing returns those of the keys whose secret the actor may read.
func revealing(by keyward.Actor, keys []*keyward.Key) []*keyward.Key {
	return slices.DeleteFunc(slices.Clone(keys), func(key *keyward.Key) bool { return !mayReveal(by, key) })
}

// recordReveal adds one audit event for all the keys.
func (p *Plane) recordReveal(tx *store.Tx, by keyward.Actor, organizationID string, revealed map[*keyward.Key]store.Sealed) error {
	ids := make([]string, 0, len(revealed))
	for key := range revealed {
		ids = append(ids, key.ID)
	}
	slices.Sort(ids)
	list, err := json.Marshal(ids)
	if err != nil {
		return keyward.Errorf(keyward.Internal, "list keys: %w", err)
	}
	p.record(tx, by, keyward.KeyRevealed, organizationID,
		keyward.ChangeTarget{Type: keyward.OrganizationTarget, ID: organizationID},
		[]keyward.FieldChange{{Field: "keyIds", Before: json.RawMessage("null"), After: list}})
	return nil
}
