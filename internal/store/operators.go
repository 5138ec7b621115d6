package store

import (
	"context"

	"keyward"
)

const operatorColumns = `id, name, role, organization_id, email, enabled, hint, created_by, created_ms, updated_ms, last_used_ms,
	password <> '', generation`

func scanOperator(scan func(...any) error) (*keyward.Operator, error) {
	var o keyward.Operator
	var organization, email string
	err := scan(&o.ID, &o.Name, &o.Role, &organization, &email, &o.Enabled, &o.Hint,
		&o.CreatedBy, &o.CreatedTime, &o.UpdatedTime, &o.LastUsedTime, &o.HasPassword, &o.Generation)
	o.OrganizationID, o.Email = optional(organization), optional(email)
	return &o, err
}

const noOperator = "no such operator"

// Operator returns an operator.
func (r reader) Operator(ctx context.Context, id string) (*keyward.Operator, error) {
	var found *keyward.Operator
	err := r.each(ctx, "SELECT "+operatorColumns+" FROM operators WHERE id = $1 AND deleted_ms = 0", []any{id},
		func(scan func(...any) error) (err error) {
			found, err = scanOperator(scan)
			return err
		})
	if err == nil && found == nil {
		err = keyward.Errorf(keyward.NotFound, noOperator)
	}
	return found, err
}

// LockOperators keeps others from changing any operator until the transaction ends.
// It is for rules about all of them, such as that one owner must stay.
func (tx *Tx) LockOperators(ctx context.Context) error {
	return tx.each(ctx, "SELECT id FROM operators WHERE deleted_ms = 0 ORDER BY id"+tx.engine.locking(), nil,
		func(func(...any) error) error { return nil })
}

// Operators returns one page of operators: of one organization, or of all and of
// the deployment if organizationID is "".
func (r reader) Operators(ctx context.Context, organizationID string, page Page) ([]*keyward.Operator, Found, error) {
	l := listing{
		columns: operatorColumns, from: "operators", tie: "id",
		fields: map[string]column{
			"id": {name: "id"}, "name": {name: "name_folded"}, "role": {name: "role"}, "enabled": {name: "enabled"},
			"email": {name: "email_folded"}, "organizationId": {name: "organization_id"},
			"createdTime": {name: "created_ms"}, "updatedTime": {name: "updated_ms"}, "lastUsedTime": {name: "last_used_ms"},
		},
		search: "name_folded",
	}
	l.where("deleted_ms = 0")
	if organizationID != "" {
		l.where("organization_id = " + l.arg(organizationID))
	}
	return list(ctx, r, &l, page, scanOperator)
}

// OtherOwners returns how many enabled owners of the whole deployment there are
// beside the one with the given id.
func (r reader) OtherOwners(ctx context.Context, id string) (int, error) {
	var n int
	err := r.one(ctx, "no count", `SELECT count(*) FROM operators
		WHERE role = $1 AND organization_id = '' AND enabled = $2 AND deleted_ms = 0 AND id <> $3`,
		[]any{string(keyward.Owner), true, id}, &n)
	return n, err
}

// InsertOperator adds an operator. An e-mail address or a digest that is taken is a
// Conflict; so is the digest of a key. It has no password yet.
func (tx *Tx) InsertOperator(ctx context.Context, o *keyward.Operator, c Credential) error {
	if err := tx.unused(ctx, "key_versions", c.Digest); err != nil {
		return err
	}
	o.Hint, o.Generation, o.HasPassword = c.Hint, 1, false
	_, err := tx.exec(ctx, `INSERT INTO operators (id, name, name_folded, role, organization_id, email, email_folded,
		enabled, digest, pepper_id, hint, created_by, created_ms, updated_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		o.ID, o.Name, keyward.Fold(o.Name), string(o.Role), o.Organization(), text(o.Email), keyward.Fold(text(o.Email)),
		o.Enabled, c.Digest[:], c.PepperID, c.Hint, o.CreatedBy, int64(o.CreatedTime), int64(o.UpdatedTime))
	return err
}

// unused refuses a digest that the table of the other kind of secret has.
func (tx *Tx) unused(ctx context.Context, table string, digest keyward.Digest) error {
	var n int
	err := tx.one(ctx, "no count", "SELECT count(*) FROM "+table+" WHERE digest = $1", []any{digest[:]}, &n)
	if err == nil && n > 0 {
		err = keyward.Errorf(keyward.Conflict, secretTaken)
	}
	return err
}

const secretTaken = "this secret is in use already"

// UpdateOperator writes what can change of an operator, but not its password.
func (tx *Tx) UpdateOperator(ctx context.Context, o *keyward.Operator) error {
	return tx.execOne(ctx, noOperator, `UPDATE operators SET name = $1, name_folded = $2, role = $3, email = $4,
		email_folded = $5, enabled = $6, updated_ms = $7, generation = $8 WHERE id = $9 AND deleted_ms = 0`,
		o.Name, keyward.Fold(o.Name), string(o.Role), text(o.Email), keyward.Fold(text(o.Email)), o.Enabled,
		int64(o.UpdatedTime), o.Generation, o.ID)
}

// ReplaceCredential gives an operator a new secret. The old one ends at once, and so
// does what was issued to the operator before.
func (tx *Tx) ReplaceCredential(ctx context.Context, o *keyward.Operator, c Credential) error {
	if err := tx.unused(ctx, "key_versions", c.Digest); err != nil {
		return err
	}
	o.Hint = c.Hint
	o.Generation++
	return tx.execOne(ctx, noOperator, `UPDATE operators SET digest = $1, pepper_id = $2, hint = $3, updated_ms = $4,
		generation = $5 WHERE id = $6 AND deleted_ms = 0`,
		c.Digest[:], c.PepperID, c.Hint, int64(o.UpdatedTime), o.Generation, o.ID)
}

// DeleteOperator makes a tombstone of an operator.
func (tx *Tx) DeleteOperator(ctx context.Context, id string, now keyward.Time) error {
	return tx.execOne(ctx, noOperator, "UPDATE operators SET deleted_ms = $1, updated_ms = $1, password = '' WHERE id = $2 AND deleted_ms = 0",
		int64(now), id)
}
