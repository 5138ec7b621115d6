package control

import (
	"context"

	"keyward"
	"keyward/internal/store"
)

// organization returns an organization by its id alone.
func (p *Plane) organization(ctx context.Context, id string) (*keyward.Organization, error) {
	o, err := p.store.Organization(ctx, id)
	if err == nil && o.ID != id {
		err = keyward.Errorf(keyward.NotFound, "no such organization")
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Organization returns the organization with this id.
func (p *Plane) Organization(ctx context.Context, by keyward.Actor, id string) (*keyward.Organization, error) {
	if err := by.May(keyward.OrganizationsRead, id); err != nil {
		return nil, err
	}
	return p.organization(ctx, id)
}

// FindOrganization returns the organization with this id or public id, for surfaces
// whose paths take either. It needs no right beyond reaching it: what is then done
// there does.
func (p *Plane) FindOrganization(ctx context.Context, by keyward.Actor, id string) (*keyward.Organization, error) {
	o, err := p.store.Organization(ctx, id)
	if err == nil && !by.Reaches(o.ID) {
		err = keyward.Errorf(keyward.NotFound, "no such organization")
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Organizations returns one page of the organizations that the actor reaches.
func (p *Plane) Organizations(ctx context.Context, by keyward.Actor, query List) ([]*keyward.Organization, Found, error) {
	if err := by.May(keyward.OrganizationsRead, by.OrganizationID); err != nil {
		return nil, Found{}, err
	}
	page, err := p.page(query, "organizations", by.OrganizationID)
	if err != nil {
		return nil, Found{}, err
	}
	organizations, found, err := p.store.Organizations(ctx, by.OrganizationID, page)
	return organizations, p.found(query, found, "organizations", by.OrganizationID), err
}

// CreateOrganization adds an organization. Its prefix and public id may be chosen;
// whether it is recoverable is decided here and never again.
func (p *Plane) CreateOrganization(ctx context.Context, by keyward.Actor, o keyward.Organization, once Once) (Outcome, error) {
	if o.Prefix == "" {
		o.Prefix = keyward.DefaultPrefix
	}
	if o.PublicID == "" {
		o.PublicID = keyward.NewPublicID()
	}
	may := func(by keyward.Actor) error { return by.MayEverywhere(keyward.OrganizationsWrite) }
	return p.once(ctx, by, once, may, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		if err := may(by); err != nil {
			return Outcome{}, err
		}
		if err := o.Validate(); err != nil {
			return Outcome{}, err
		}
		o := o // may run again
		o.CreatedTime = p.now()
		o.UpdatedTime = o.CreatedTime
		o.ID = p.ids.New(keyward.OrganizationPrefix, o.CreatedTime)
		if err := tx.InsertOrganization(ctx, &o); err != nil {
			return Outcome{}, err
		}
		p.record(tx, by, keyward.OrganizationCreated, o.ID, organizationTarget(&o), differences(nil, o))
		return Outcome{Organization: &o}, nil
	})
}

func organizationTarget(o *keyward.Organization) keyward.ChangeTarget {
	return keyward.ChangeTarget{Type: keyward.OrganizationTarget, ID: o.ID}
}

// UpdateOrganization applies change to an organization. Only who may change the
// whole deployment enables or disables one.
func (p *Plane) UpdateOrganization(ctx context.Context, by keyward.Actor, id string, change func(*keyward.Organization) error) (Outcome, error) {
	if err := by.May(keyward.OrganizationsWrite, id); err != nil {
		return Outcome{}, err
	}
	return p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		if err := by.May(keyward.OrganizationsWrite, id); err != nil {
			return Outcome{}, err
		}
		before, err := p.lockOrganization(ctx, tx, id)
		if err != nil {
			return Outcome{}, err
		}
		after := *before
		if err := change(&after); err != nil {
			return Outcome{}, err
		}
		if after.Enabled != before.Enabled {
			if err := by.MayEverywhere(keyward.OrganizationsWrite); err != nil {
				return Outcome{}, err
			}
		}
		if err := after.Validate(); err != nil {
			return Outcome{}, err
		}
		changes := organizationChanges(before, &after)
		if len(changes) == 0 {
			return Outcome{Organization: before}, nil
		}
		after.UpdatedTime = p.now()
		if err := tx.UpdateOrganization(ctx, &after); err != nil {
			return Outcome{}, err
		}
		p.record(tx, by, keyward.OrganizationUpdated, id, organizationTarget(&after), changes)
		return Outcome{Organization: &after}, nil
	})
}

func (p *Plane) lockOrganization(ctx context.Context, tx *store.Tx, id string) (*keyward.Organization, error) {
	o, err := tx.LockOrganization(ctx, id)
	if err == nil && o.ID != id {
		err = keyward.Errorf(keyward.NotFound, "no such organization")
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// DeleteOrganization ends an organization and, in the same change, all its keys.
func (p *Plane) DeleteOrganization(ctx context.Context, by keyward.Actor, id string) (Outcome, error) {
	if err := by.May(keyward.OrganizationsWrite, id); err != nil {
		return Outcome{}, err
	}
	return p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		if err := by.May(keyward.OrganizationsWrite, id); err != nil {
			return Outcome{}, err
		}
		o, err := p.lockOrganization(ctx, tx, id)
		if err != nil {
			return Outcome{}, err
		}
		if err := tx.DeleteOrganization(ctx, id, p.now()); err != nil {
			return Outcome{}, err
		}
		p.record(tx, by, keyward.OrganizationDeleted, id, organizationTarget(o), differences(o, nil))
		return Outcome{}, nil
	})
}
