package control

import (
	"context"
	"slices"

	"keyward"
	"keyward/internal/store"
)

// Terms is what a dialect says of a key's management, in its vendor's terms: nobody
// wrote it as such, so that it is cut down to what the actor holds instead of being
// refused. Where secrets are kept, who may read keys may then reveal them too, as
// those vendors have it.
type Terms struct {
	Grants []keyward.Grant
	// Role is the number of the role that says it instead, or 0. It is kept as the
	// key's RoleID. What an organization's own role says is taken as it is.
	Role int32
}

// derive writes the management that terms amount to into the key. Without terms it
// leaves the key alone.
func (p *Plane) derive(ctx context.Context, tx *store.Tx, by keyward.Actor, key *keyward.Key, terms *Terms) error {
	if terms == nil {
		return nil
	}
	grants, revealing := terms.Grants, key.Recoverable
	if terms.Role != 0 {
		role, err := tx.Role(ctx, key.OrganizationID, terms.Role)
		if keyward.CodeOf(err) == keyward.NotFound || err == nil && !role.Enabled {
			return keyward.Faults{{Pointer: "/roleId", Detail: "is no role that a key can have"}}.Err()
		}
		if err != nil {
			return err
		}
		key.RoleID, grants = role.Number, role.In(key.ProjectIDs)
		revealing = revealing && role.BuiltIn
	}
	if key.Type == keyward.Publishable {
		grants = nil
	}
	if revealing {
		grants = withReveal(grants)
	}
	key.Management = by.Share(grants)
	return nil
}

// withReveal adds keys.reveal wherever there is keys.read.
func withReveal(grants []keyward.Grant) []keyward.Grant {
	grants = slices.Clone(grants)
	for i, g := range grants {
		if slices.Contains(g.Permissions, string(keyward.KeysRead)) {
			grants[i].Permissions = append(slices.Clone(g.Permissions), string(keyward.KeysReveal))
		}
	}
	return grants
}

// CreateVendorKey is [Plane.CreateKey] for dialects: the management follows from
// terms, and the id may be chosen. An id that was ever used is a Conflict. Vendors
// know neither environments nor keys that are off: the key is live and enabled.
func (p *Plane) CreateVendorKey(ctx context.Context, by keyward.Actor, key keyward.Key, terms Terms) (Outcome, error) {
	if err := mayCreate(by, &key); err != nil {
		return Outcome{}, err
	}
	key.Environment, key.Enabled = keyward.Live, true
	return p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		return p.insertKey(ctx, tx, by, key, &terms)
	})
}

// UpdateVendorKey is [Plane.UpdateKey] for dialects: change may return terms, from
// which the management then follows. With nil it stays as it is.
func (p *Plane) UpdateVendorKey(ctx context.Context, by keyward.Actor, organizationID, id string, change func(*keyward.Key) (*Terms, error)) (Outcome, error) {
	return p.lockAndUpdateKey(ctx, by, organizationID, id, 0, change)
}

// PutVendorKey updates the key with this id as [Plane.UpdateVendorKey] does or, if
// there is none, creates it as [Plane.CreateVendorKey] does, with what change makes of
// a blank one, whose Revision is 0. It reports which. An id that was used by a key
// which is revoked or deleted is a Conflict; one of a key that the actor may not
// update, Forbidden.
func (p *Plane) PutVendorKey(ctx context.Context, by keyward.Actor, organizationID, id string, change func(*keyward.Key) (*Terms, error)) (out Outcome, created bool, err error) {
	if err := by.May(keyward.KeysUpdate, organizationID); err != nil && by.May(keyward.KeysCreate, organizationID) != nil {
		return Outcome{}, false, err
	}
	out, err = p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		// Two requests for one new id come one after the other.
		if _, err := p.lockOrganization(ctx, tx, organizationID); err != nil {
			return Outcome{}, err
		}
		before, err := p.locked(ctx, tx, by, keyward.KeysUpdate, organizationID, id)
		if created = keyward.CodeOf(err) == keyward.NotFound; !created {
			if err != nil {
				return Outcome{}, err
			}
			return p.updateKey(ctx, tx, by, before, 0, change)
		}
		key := keyward.Key{OrganizationID: organizationID, ID: id, Environment: keyward.Live, Enabled: true}
		if err := mayCreate(by, &key); err != nil {
			return Outcome{}, err // before it is told whether there is such a key
		}
		if err := p.unusedID(ctx, tx, organizationID, id); err != nil {
			return Outcome{}, err
		}
		terms, err := change(&key)
		if err != nil {
			return Outcome{}, err
		}
		return p.insertKey(ctx, tx, by, key, terms)
	})
	return out, created, err
}

// unusedID refuses an id that a key has or had: Forbidden for a live one, which the
// caller knows not to be for the actor, and Conflict for others.
func (p *Plane) unusedID(ctx context.Context, tx *store.Tx, organizationID, id string) error {
	if hidden, err := tx.Key(ctx, organizationID, id); err == nil && hidden.RevokedTime == 0 {
		return keyward.Errorf(keyward.Forbidden, "needs the permission %s for this key", keyward.KeysUpdate)
	}
	used, err := tx.KeyIDUsed(ctx, organizationID, id)
	if err == nil && used {
		err = keyward.Errorf(keyward.Conflict, "this id was used by a key that has ended")
	}
	return err
}

// LiveKey returns an organization's key unless it is revoked, for dialects, which do
// not know of such keys. The permission is what it is looked up for: to be read,
// updated or deleted. A key that the actor may neither read nor do that with is
// NotFound; one that it may only read, Forbidden.
func (p *Plane) LiveKey(ctx context.Context, by keyward.Actor, permission keyward.Permission, organizationID, id string) (*keyward.Key, error) {
	return p.live(ctx, by, permission, organizationID, func() (*keyward.Key, error) {
		return p.store.Key(ctx, organizationID, id)
	})
}

// KeyByNumber is [Plane.LiveKey] by the number.
func (p *Plane) KeyByNumber(ctx context.Context, by keyward.Actor, permission keyward.Permission, organizationID string, number int32) (*keyward.Key, error) {
	return p.live(ctx, by, permission, organizationID, func() (*keyward.Key, error) {
		return p.store.KeyByNumber(ctx, organizationID, number)
	})
}

// KeyByClientID is [Plane.LiveKey] by the client id.
func (p *Plane) KeyByClientID(ctx context.Context, by keyward.Actor, permission keyward.Permission, organizationID, clientID string) (*keyward.Key, error) {
	return p.live(ctx, by, permission, organizationID, func() (*keyward.Key, error) {
		return p.store.KeyByClientID(ctx, organizationID, clientID)
	})
}

func (p *Plane) live(ctx context.Context, by keyward.Actor, permission keyward.Permission, organizationID string, find func() (*keyward.Key, error)) (*keyward.Key, error) {
	if err := p.readable(ctx, by, permission, organizationID); err != nil {
		return nil, err
	}
	key, err := find()
	if err == nil && key.RevokedTime != 0 {
		err = keyward.Errorf(keyward.NotFound, "no such key")
	}
	if err != nil {
		return nil, err
	}
	if by.MayRead(keyward.KeysRead, key.ProjectIDs) != nil {
		if err := by.MayRead(permission, key.ProjectIDs); err != nil {
			return nil, err
		}
	}
	if permission != keyward.KeysRead {
		if err := by.MayWrite(permission, key.ProjectIDs); err != nil {
			return nil, err
		}
	}
	return p.shown(key), nil
}
