package store

import (
	"context"
	"encoding/json"
	"strings"

	"keyward"
)

const roleColumns = `number, name, description, management, enabled, built_in, created_by, created_ms, updated_ms`

// roleScanner returns what scans the rows of an organization's roles.
func roleScanner(organizationID string) func(func(...any) error) (*keyward.KeyRole, error) {
	return func(scan func(...any) error) (*keyward.KeyRole, error) {
		role := keyward.KeyRole{OrganizationID: organizationID}
		var management string
		err := scan(&role.Number, &role.Name, &role.Description, &management, &role.Enabled, &role.BuiltIn,
			&role.CreatedBy, &role.CreatedTime, &role.UpdatedTime)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(management), &role.Management); err != nil {
			return nil, keyward.Errorf(keyward.Internal, "the stored role %d cannot be read: %w", role.Number, err)
		}
		return &role, nil
	}
}

const noRole = "no such role"

// Role returns an organization's role. The built-in ones are there whatever the
// organization.
func (r reader) Role(ctx context.Context, organizationID string, number int32) (*keyward.KeyRole, error) {
	for _, role := range keyward.BuiltInRoles(organizationID) {
		if role.Number == number {
			return role, nil
		}
	}
	var found *keyward.KeyRole
	scanRole := roleScanner(organizationID)
	err := r.each(ctx, `SELECT number, name, description, management, enabled, FALSE, created_by, created_ms, updated_ms
		FROM roles WHERE organization_id = $1 AND number = $2 AND deleted_ms = 0`, []any{organizationID, number},
		func(scan func(...any) error) (err error) {
			found, err = scanRole(scan)
			return err
		})
	if err == nil && found == nil {
		err = keyward.Errorf(keyward.NotFound, noRole)
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Roles returns one page of an organization's roles, the built-in ones among them.
func (r reader) Roles(ctx context.Context, organizationID string, page Page) ([]*keyward.KeyRole, Found, error) {
	l := listing{
		columns: roleColumns, tie: "number",
		fields: map[string]column{
			"number": {name: "number"}, "name": {name: "name_folded"}, "enabled": {name: "enabled"},
			"builtIn": {name: "built_in"}, "createdBy": {name: "created_by"},
			"createdTime": {name: "created_ms"}, "updatedTime": {name: "updated_ms"},
		},
		search: "name_folded",
	}
	if err := l.fromRoles(organizationID); err != nil {
		return nil, Found{}, err
	}
	l.where("1 = 1")
	return list(ctx, r, &l, page, roleScanner(organizationID))
}

// fromRoles makes the listing one of an organization's roles. Those that are built in
// are in no table: they join as rows of the query, so that filters, orders and
// positions are as exact for them as for the others.
func (l *listing) fromRoles(organizationID string) error {
	var from strings.Builder
	from.WriteString(`(SELECT number, name, name_folded, description, management, enabled, FALSE AS built_in,
		created_by, created_ms, updated_ms FROM roles WHERE deleted_ms = 0 AND organization_id = ` + l.arg(organizationID))
	for _, role := range keyward.BuiltInRoles(organizationID) {
		management, err := json.Marshal(role.Management)
		if err != nil {
			return keyward.Errorf(keyward.Internal, "encode a role: %w", err)
		}
		from.WriteString(" UNION ALL SELECT CAST(" + l.arg(role.Number) + " AS BIGINT)")
		for _, text := range []string{role.Name, keyward.Fold(role.Name), role.Description, string(management)} {
			from.WriteString(", CAST(" + l.arg(text) + " AS TEXT)")
		}
		from.WriteString(", TRUE, TRUE, '', 0, 0")
	}
	l.from = from.String() + ") AS r"
	return nil
}

// InsertRole adds a role, and gives it the next number of its organization. Numbers
// that have run out are a Conflict.
func (tx *Tx) InsertRole(ctx context.Context, role *keyward.KeyRole) error {
	management, err := json.Marshal(role.Management)
	if err != nil {
		return keyward.Errorf(keyward.Internal, "encode a role: %w", err)
	}
	if err := tx.numberRole(ctx, role); err != nil {
		return err
	}
	_, err = tx.exec(ctx, `INSERT INTO roles (organization_id, number, name, name_folded, description, management,
		enabled, created_by, created_ms, updated_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		role.OrganizationID, role.Number, role.Name, keyward.Fold(role.Name), role.Description, string(management),
		role.Enabled, role.CreatedBy, int64(role.CreatedTime), int64(role.UpdatedTime))
	return err
}

// numberRole gives the role the next number of its organization.
func (tx *Tx) numberRole(ctx context.Context, role *keyward.KeyRole) error {
	err := tx.one(ctx, noOrganization, `UPDATE organizations SET last_role = last_role + 1
		WHERE id = $1 AND deleted_ms = 0 AND last_role < $2 RETURNING last_role`,
		[]any{role.OrganizationID, keyward.MaxNumber}, &role.Number)
	if keyward.CodeOf(err) != keyward.NotFound {
		return err
	}
	if _, found := tx.Organization(ctx, role.OrganizationID); found == nil {
		return keyward.Errorf(keyward.Conflict, "the organization has used up its role numbers")
	}
	return err
}

// UpdateRole writes what can change of a role.
func (tx *Tx) UpdateRole(ctx context.Context, role *keyward.KeyRole) error {
	management, err := json.Marshal(role.Management)
	if err != nil {
		return keyward.Errorf(keyward.Internal, "encode a role: %w", err)
	}
	return tx.execOne(ctx, noRole, `UPDATE roles SET name = $1, name_folded = $2, description = $3, management = $4,
		enabled = $5, updated_ms = $6 WHERE organization_id = $7 AND number = $8 AND deleted_ms = 0`,
		role.Name, keyward.Fold(role.Name), role.Description, string(management), role.Enabled,
		int64(role.UpdatedTime), role.OrganizationID, role.Number)
}

// DeleteRole makes a tombstone of a role. Its number stays taken, and keys that were
// made with it stay as they are.
func (tx *Tx) DeleteRole(ctx context.Context, organizationID string, number int32, now keyward.Time) error {
	return tx.execOne(ctx, noRole, `UPDATE roles SET deleted_ms = $1, updated_ms = $1
		WHERE organization_id = $2 AND number = $3 AND deleted_ms = 0`, int64(now), organizationID, number)
}
