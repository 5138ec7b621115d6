package control

import (
	"context"
	"strconv"

	"keyward"
	"keyward/internal/filter"
	"keyward/internal/store"
)

// RoleFields are what lists of roles can be filtered and sorted by.
func RoleFields() filter.Schema {
	return filter.Schema{
		{Name: "number", Kind: filter.Number, Sortable: true},
		{Name: "name", Kind: filter.Text, Sortable: true},
		{Name: "enabled", Kind: filter.Bool},
		{Name: "builtIn", Kind: filter.Bool},
		{Name: "createdBy", Kind: filter.List},
		{Name: "createdTime", Kind: filter.Instant, Nullable: true, Sortable: true},
		{Name: "updatedTime", Kind: filter.Instant, Nullable: true, Sortable: true},
	}
}

// Role returns an organization's role, be it built in or its own.
func (p *Plane) Role(ctx context.Context, by keyward.Actor, organizationID string, number int32) (*keyward.KeyRole, error) {
	if err := p.readable(ctx, by, keyward.OrganizationsRead, organizationID); err != nil {
		return nil, err
	}
	return p.store.Role(ctx, organizationID, number)
}

// Roles returns one page of an organization's roles. In the order of their numbers,
// which is that of creation, the built-in ones come first.
func (p *Plane) Roles(ctx context.Context, by keyward.Actor, organizationID string, query List) ([]*keyward.KeyRole, Found, error) {
	if err := p.readable(ctx, by, keyward.OrganizationsRead, organizationID); err != nil {
		return nil, Found{}, err
	}
	page, err := p.page(query, "roles", organizationID)
	if err != nil {
		return nil, Found{}, err
	}
	roles, found, err := p.store.Roles(ctx, organizationID, page)
	return roles, p.found(query, found, "roles", organizationID), err
}

// CreateRole adds a role to its organization, and gives it a number.
func (p *Plane) CreateRole(ctx context.Context, by keyward.Actor, role keyward.KeyRole, once Once) (Outcome, error) {
	may := func(by keyward.Actor) error { return by.May(keyward.OrganizationsWrite, role.OrganizationID) }
	return p.once(ctx, by, once, may, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		if err := may(by); err != nil {
			return Outcome{}, err
		}
		if _, err := p.lockOrganization(ctx, tx, role.OrganizationID); err != nil {
			return Outcome{}, err
		}
		role := role // may run again
		if err := wellFormedRole(by, &role); err != nil {
			return Outcome{}, err
		}
		role.BuiltIn, role.CreatedBy, role.CreatedTime = false, by.ID, p.now()
		role.UpdatedTime = role.CreatedTime
		if err := tx.InsertRole(ctx, &role); err != nil {
			return Outcome{}, err
		}
		p.record(tx, by, keyward.RoleCreated, role.OrganizationID, roleTarget(&role), differences(nil, role))
		return Outcome{Role: &role}, nil
	})
}

// wellFormedRole validates a role as it is to be. Nobody writes one that gives more
// management than they hold.
func wellFormedRole(by keyward.Actor, role *keyward.KeyRole) error {
	if err := role.Validate(); err != nil {
		return err
	}
	role.Normalize()
	return by.Covers(role.Management)
}

func roleTarget(role *keyward.KeyRole) keyward.ChangeTarget {
	return keyward.ChangeTarget{Type: keyward.RoleTarget, ID: strconv.Itoa(int(role.Number))}
}

// UpdateRole applies change to a role. Keys that were made with it stay as they are.
func (p *Plane) UpdateRole(ctx context.Context, by keyward.Actor, organizationID string, number int32, change func(*keyward.KeyRole) error) (Outcome, error) {
	if err := by.May(keyward.OrganizationsWrite, organizationID); err != nil {
		return Outcome{}, err
	}
	return p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		before, err := p.writableRole(ctx, tx, by, organizationID, number)
		if err != nil {
			return Outcome{}, err
		}
		after := *before
		if err := change(&after); err != nil {
			return Outcome{}, err
		}
		if err := wellFormedRole(by, &after); err != nil {
			return Outcome{}, err
		}
		changes := differences(before, after)
		if len(changes) == 0 {
			return Outcome{Role: before}, nil
		}
		after.UpdatedTime = p.now()
		if err := tx.UpdateRole(ctx, &after); err != nil {
			return Outcome{}, err
		}
		p.record(tx, by, keyward.RoleUpdated, organizationID, roleTarget(&after), changes)
		return Outcome{Role: &after}, nil
	})
}

// writableRole returns a role of an organization's own that the actor may change, and
// keeps others from changing it until the transaction ends.
func (p *Plane) writableRole(ctx context.Context, tx *store.Tx, by keyward.Actor, organizationID string, number int32) (*keyward.KeyRole, error) {
	if err := by.May(keyward.OrganizationsWrite, organizationID); err != nil {
		return nil, err
	}
	if _, err := p.lockOrganization(ctx, tx, organizationID); err != nil {
		return nil, err
	}
	role, err := tx.Role(ctx, organizationID, number)
	if err != nil {
		return nil, err
	}
	if role.BuiltIn {
		return nil, keyward.Errorf(keyward.Conflict, "the role is built in, and stays as it is")
	}
	return role, by.Covers(role.Management)
}

// DeleteRole ends a role. Its number is never used again, and keys that were made with
// it stay as they are.
func (p *Plane) DeleteRole(ctx context.Context, by keyward.Actor, organizationID string, number int32) (Outcome, error) {
	if err := by.May(keyward.OrganizationsWrite, organizationID); err != nil {
		return Outcome{}, err
	}
	return p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		role, err := p.writableRole(ctx, tx, by, organizationID, number)
		if err != nil {
			return Outcome{}, err
		}
		if err := tx.DeleteRole(ctx, organizationID, number, p.now()); err != nil {
			return Outcome{}, err
		}
		p.record(tx, by, keyward.RoleDeleted, organizationID, roleTarget(role), differences(role, nil))
		return Outcome{}, nil
	})
}
