package control

import (
	"context"
	"fmt"
	"slices"

	"keyward"
	"keyward/internal/store"
)

// CreateKey adds a key to its organization and returns it with its secret, which is
// never seen again. The id is the server's to choose.
func (p *Plane) CreateKey(ctx context.Context, by keyward.Actor, key keyward.Key, once Once) (Outcome, error) {
	may := func(by keyward.Actor) error { return mayCreate(by, &key) }
	return p.once(ctx, by, once, may, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		return p.insertKey(ctx, tx, by, key, nil)
	})
}

// yetToExpire notes an end that is new and has passed, which is refused natively: there
// is a way to revoke. Vendors take any end.
func (p *Plane) yetToExpire(key *keyward.Key, was keyward.Time) (faults keyward.Faults) {
	if key.ExpireTime != was && key.ExpireTime != 0 && key.ExpireTime <= p.now() {
		faults.Add("/expireTime", "has passed already")
	}
	return faults
}

// mayCreate checks that the actor may create this key where it is to be. It comes
// before everything else, so that a project that is out of reach looks like one that
// is missing.
func mayCreate(by keyward.Actor, key *keyward.Key) error {
	if err := by.May(keyward.KeysCreate, key.OrganizationID); err != nil {
		return err
	}
	return by.MayWrite(keyward.KeysCreate, key.ProjectIDs)
}

// insertKey adds a key, with the management that terms give it if there are any. The
// key is the caller's copy, since a transaction may run again.
func (p *Plane) insertKey(ctx context.Context, tx *store.Tx, by keyward.Actor, key keyward.Key, terms *Terms) (Outcome, error) {
	organization, err := p.lockOrganization(ctx, tx, key.OrganizationID)
	if err != nil {
		return Outcome{}, err
	}
	if err := mayCreate(by, &key); err != nil {
		return Outcome{}, err
	}
	key.Recoverable = organization.Recoverable
	if err := p.derive(ctx, tx, by, &key, terms); err != nil {
		return Outcome{}, err
	}
	var faults keyward.Faults
	if terms == nil {
		faults = p.yetToExpire(&key, 0)
	}
	if err := p.wellFormed(ctx, tx, &key, &keyward.Key{}, faults); err != nil {
		return Outcome{}, err
	}
	if err := by.Covers(key.Management); err != nil {
		return Outcome{}, err
	}
	now := p.now()
	if err := p.identify(&key, by, now); err != nil {
		return Outcome{}, err
	}
	key.Versions = []keyward.Version{{Version: 1, CreatedTime: now}}
	secret := keyward.NewSecret(organization.SecretPrefix(key.Type), key.Environment)
	if err := tx.InsertKey(ctx, &key, p.credential(secret, 1)); err != nil {
		return Outcome{}, err
	}
	if err := p.keepCredits(ctx, tx, &keyward.Key{}, &key); err != nil {
		return Outcome{}, err
	}
	p.record(tx, by, keyward.KeyCreated, key.OrganizationID, keyTarget(&key), keyChanges(nil, &key))
	return Outcome{Key: p.shown(&key), Secret: secret}, nil
}

// identify gives a new key what the server chooses.
func (p *Plane) identify(key *keyward.Key, by keyward.Actor, now keyward.Time) error {
	if key.ID == "" {
		key.ID = p.ids.New(keyward.KeyPrefix, now)
	} else if !keyward.ValidKeyID(key.ID) {
		return keyward.Faults{{Pointer: "/id", Detail: "is not an id that a client may choose"}}.Err()
	}
	key.ClientID = keyward.NewClientID()
	key.CreatedBy, key.APIUser, key.CreatedTime, key.UpdatedTime, key.Revision = by.ID, by.User, now, now, 1
	return nil
}

// wellFormed validates a key as it is to be, against what it was: projects may not be
// new and missing. The faults are those that are known already.
func (p *Plane) wellFormed(ctx context.Context, tx *store.Tx, key, was *keyward.Key, faults keyward.Faults) error {
	if key.Metadata == nil {
		key.Metadata = []byte("{}")
	}
	if err := key.Validate(); err != nil {
		return err
	}
	key.Normalize()
	for _, id := range slices.Sorted(slices.Values(key.ProjectIDs)) { // the order in which projects are locked
		if slices.Contains(was.ProjectIDs, id) {
			continue
		}
		project, err := tx.LockProject(ctx, key.OrganizationID, id)
		switch {
		case keyward.CodeOf(err) == keyward.NotFound, err == nil && project.ID != id:
			faults.Add(fmt.Sprintf("/projectIds/%d", slices.Index(key.ProjectIDs, id)), "is no project of the organization")
		case err != nil:
			return err
		}
	}
	return faults.Err()
}

// credential returns how a secret of a version of a key is kept. The key is known
// in full only once the store has given it a number.
func (p *Plane) credential(secret keyward.Secret, version int) func(*keyward.Key) (store.Credential, error) {
	return func(key *keyward.Key) (store.Credential, error) {
		c := store.Credential{
			Digest: p.ring.DigestString(secret.Reveal()), PepperID: p.ring.PepperID(), Hint: secret.Hint(),
		}
		if !key.Recoverable {
			return c, nil
		}
		sealed, err := p.ring.Seal([]byte(secret.Reveal()), secretBinding(key, version)...)
		if err != nil {
			return c, keyward.Errorf(keyward.Internal, "seal a secret: %w", err)
		}
		c.Sealed = &store.Sealed{WrappingID: sealed.KeyID, Wrapped: sealed.Wrapped, Box: sealed.Ciphertext}
		return c, nil
	}
}

// secretBinding ties an encrypted secret to its place.
func secretBinding(key *keyward.Key, version int) []string {
	return []string{"secret", key.OrganizationID, key.ID, fmt.Sprint(version)}
}

func keyTarget(key *keyward.Key) keyward.ChangeTarget {
	return keyward.ChangeTarget{Type: keyward.KeyTarget, ID: key.ID}
}

// shown completes a key for an answer.
func (p *Plane) shown(key *keyward.Key) *keyward.Key {
	key.Status = key.StatusAt(p.now())
	return p.counted(key)
}

// Key returns an organization's key.
func (p *Plane) Key(ctx context.Context, by keyward.Actor, organizationID, id string) (*keyward.Key, error) {
	if err := p.readable(ctx, by, keyward.KeysRead, organizationID); err != nil {
		return nil, err
	}
	key, err := p.store.Key(ctx, organizationID, id)
	if err != nil {
		return nil, err
	}
	if err := by.MayRead(keyward.KeysRead, key.ProjectIDs); err != nil {
		return nil, err
	}
	return p.shown(key), nil
}

// Keys returns one page of an organization's keys: those that the actor may read.
func (p *Plane) Keys(ctx context.Context, by keyward.Actor, organizationID string, query List) ([]*keyward.Key, Found, error) {
	if err := p.readable(ctx, by, keyward.KeysRead, organizationID); err != nil {
		return nil, Found{}, err
	}
	page, err := p.page(query, "keys", organizationID)
	if err != nil {
		return nil, Found{}, err
	}
	of := store.KeyList{
		OrganizationID: organizationID, Reach: by.Projects(keyward.KeysRead), HideRevoked: query.HideRevoked,
	}
	keys, found, err := p.store.Keys(ctx, of, page)
	if err != nil {
		return nil, Found{}, err
	}
	for _, key := range keys {
		p.shown(key)
	}
	return keys, p.found(query, found, "keys", organizationID), nil
}

// locked returns a key for a change that takes the permission in all its projects.
// A key that the actor cannot read is not there.
func (p *Plane) locked(ctx context.Context, tx *store.Tx, by keyward.Actor, permission keyward.Permission, organizationID, id string) (*keyward.Key, error) {
	if _, err := p.organizationIn(ctx, tx, organizationID); err != nil {
		return nil, err
	}
	key, err := tx.LockKey(ctx, organizationID, id)
	if err != nil {
		return nil, err
	}
	if by.MayRead(keyward.KeysRead, key.ProjectIDs) != nil && by.MayRead(permission, key.ProjectIDs) != nil {
		return nil, keyward.Errorf(keyward.NotFound, "no such key")
	}
	return p.counted(key), by.MayWrite(permission, key.ProjectIDs)
}

func (p *Plane) organizationIn(ctx context.Context, tx *store.Tx, id string) (*keyward.Organization, error) {
	o, err := tx.Organization(ctx, id)
	if err == nil && o.ID != id {
		err = keyward.Errorf(keyward.NotFound, "no such organization")
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// UpdateKey applies change to a key that is not revoked; its type and environment
// stay as they are. If revision is not 0, the key must still have it; otherwise the
// error is Stale.
func (p *Plane) UpdateKey(ctx context.Context, by keyward.Actor, organizationID, id string, revision int64, change func(*keyward.Key) error) (Outcome, error) {
	return p.lockAndUpdateKey(ctx, by, organizationID, id, revision, func(key *keyward.Key) (*Terms, error) {
		was := key.ExpireTime
		if err := change(key); err != nil {
			return nil, err
		}
		return nil, p.yetToExpire(key, was).Err()
	})
}

func (p *Plane) lockAndUpdateKey(ctx context.Context, by keyward.Actor, organizationID, id string, revision int64, change func(*keyward.Key) (*Terms, error)) (Outcome, error) {
	if err := by.May(keyward.KeysUpdate, organizationID); err != nil {
		return Outcome{}, err
	}
	return p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		before, err := p.locked(ctx, tx, by, keyward.KeysUpdate, organizationID, id)
		if err != nil {
			return Outcome{}, err
		}
		return p.updateKey(ctx, tx, by, before, revision, change)
	})
}

// updateKey applies change to a locked key, whose management the actor must cover
// before and after, and writes it.
func (p *Plane) updateKey(ctx context.Context, tx *store.Tx, by keyward.Actor, before *keyward.Key, revision int64, change func(*keyward.Key) (*Terms, error)) (Outcome, error) {
	if err := by.Covers(before.Management); err != nil {
		return Outcome{}, err
	}
	if err := fresh(before, revision); err != nil {
		return Outcome{}, err
	}
	if before.RevokedTime != 0 {
		return Outcome{}, keyward.Errorf(keyward.Conflict, "the key is revoked, which is final")
	}
	after := *before
	terms, err := change(&after)
	if err != nil {
		return Outcome{}, err
	}
	if err := by.MayWrite(keyward.KeysUpdate, after.ProjectIDs); err != nil {
		return Outcome{}, err // before it is told whether those projects exist
	}
	if err := p.derive(ctx, tx, by, &after, terms); err != nil {
		return Outcome{}, err
	}
	if err := p.wellFormed(ctx, tx, &after, before, nil); err != nil {
		return Outcome{}, err
	}
	if err := by.Covers(after.Management); err != nil {
		return Outcome{}, err
	}
	return p.save(ctx, tx, by, keyward.KeyUpdated, before, &after)
}

// fresh refuses a key that has changed since the caller read it, if it says what it
// read.
func fresh(key *keyward.Key, revision int64) error {
	if revision != 0 && revision != key.Revision {
		return keyward.Errorf(keyward.Stale, "the key has changed since it was read")
	}
	return nil
}

// save writes what differs, if anything does, or if the update time was moved: some
// vendors' updates count even if they say nothing new. An update is always later than
// the one before.
func (p *Plane) save(ctx context.Context, tx *store.Tx, by keyward.Actor, action keyward.Action, before, after *keyward.Key) (Outcome, error) {
	changes := keyChanges(before, after)
	if len(changes) == 0 && after.UpdatedTime == before.UpdatedTime {
		return Outcome{Key: p.shown(before)}, nil
	}
	after.UpdatedTime = max(p.now(), before.UpdatedTime+1)
	if err := tx.UpdateKey(ctx, after); err != nil {
		return Outcome{}, err
	}
	if err := p.keepCredits(ctx, tx, before, after); err != nil {
		return Outcome{}, err
	}
	p.record(tx, by, action, after.OrganizationID, keyTarget(after), changes)
	return Outcome{Key: p.shown(after)}, nil
}

// RevokeKey ends a key for good. Revoking one that is revoked changes nothing. If
// revision is not 0, the key must still have it; otherwise the error is Stale.
func (p *Plane) RevokeKey(ctx context.Context, by keyward.Actor, organizationID, id string, revision int64, reason string, once Once) (Outcome, error) {
	may := func(by keyward.Actor) error {
		if err := by.May(keyward.KeysRevoke, organizationID); err != nil {
			return err
		}
		return keyward.ValidateReason(reason)
	}
	return p.once(ctx, by, once, may, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		if err := by.May(keyward.KeysRevoke, organizationID); err != nil {
			return Outcome{}, err
		}
		before, err := p.locked(ctx, tx, by, keyward.KeysRevoke, organizationID, id)
		if err != nil {
			return Outcome{}, err
		}
		if err := fresh(before, revision); err != nil {
			return Outcome{}, err
		}
		if before.RevokedTime != 0 {
			return Outcome{Key: p.shown(before)}, nil
		}
		after := *before
		after.RevokedTime = p.now()
		if reason != "" {
			after.RevokeReason = &reason
		}
		return p.save(ctx, tx, by, keyward.KeyRevoked, before, &after)
	})
}

// DeleteKey revokes a key and hides it for ever. Its id is never used again. If
// revision is not 0, the key must still have it; otherwise the error is Stale.
func (p *Plane) DeleteKey(ctx context.Context, by keyward.Actor, organizationID, id string, revision int64) (Outcome, error) {
	if err := by.May(keyward.KeysDelete, organizationID); err != nil {
		return Outcome{}, err
	}
	return p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		key, err := p.locked(ctx, tx, by, keyward.KeysDelete, organizationID, id)
		if err != nil {
			return Outcome{}, err
		}
		if err := by.Covers(key.Management); err != nil {
			return Outcome{}, err
		}
		if err := fresh(key, revision); err != nil {
			return Outcome{}, err
		}
		if err := tx.DeleteKey(ctx, key, p.now()); err != nil {
			return Outcome{}, err
		}
		p.record(tx, by, keyward.KeyDeleted, organizationID, keyTarget(key), keyChanges(key, nil))
		return Outcome{}, nil
	})
}
