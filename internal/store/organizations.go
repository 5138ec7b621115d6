package store

import (
	"cmp"
	"context"
	"encoding/json"

	"keyward"
)

const organizationColumns = `id, public_id, name, prefix, recoverable, enabled, created_ms, updated_ms, profile`

func scanOrganization(scan func(...any) error) (*keyward.Organization, error) {
	var o keyward.Organization
	var profile string
	err := scan(&o.ID, &o.PublicID, &o.Name, &o.Prefix, &o.Recoverable, &o.Enabled, &o.CreatedTime, &o.UpdatedTime, &profile)
	if profile != noProfile {
		o.Profile = json.RawMessage(profile)
	}
	return &o, err
}

const noOrganization = "no such organization"

// Organization returns the organization with this id or public id.
func (r reader) Organization(ctx context.Context, id string) (*keyward.Organization, error) {
	return r.organization(ctx, id, "")
}

// LockOrganization returns the organization and keeps others from changing it
// until the transaction ends.
func (tx *Tx) LockOrganization(ctx context.Context, id string) (*keyward.Organization, error) {
	return tx.organization(ctx, id, tx.engine.locking())
}

func (r reader) organization(ctx context.Context, id, locking string) (*keyward.Organization, error) {
	var found *keyward.Organization
	err := r.each(ctx, "SELECT "+organizationColumns+` FROM organizations
		WHERE (id = $1 OR public_id = $1) AND deleted_ms = 0`+locking, []any{id},
		func(scan func(...any) error) (err error) {
			found, err = scanOrganization(scan)
			return err
		})
	if err == nil && found == nil {
		err = keyward.Errorf(keyward.NotFound, noOrganization)
	}
	return found, err
}

// Organizations returns one page of organizations: of all, or the one with the
// given id.
func (r reader) Organizations(ctx context.Context, onlyID string, page Page) ([]*keyward.Organization, Found, error) {
	l := listing{
		columns: organizationColumns, from: "organizations", tie: "id",
		fields: map[string]column{
			"id": {name: "id"}, "publicId": {name: "public_id"}, "name": {name: "name_folded"},
			"prefix": {name: "prefix"}, "enabled": {name: "enabled"}, "recoverable": {name: "recoverable"},
			"createdTime": {name: "created_ms"}, "updatedTime": {name: "updated_ms"},
		},
		search: "name_folded",
	}
	l.where("deleted_ms = 0")
	if onlyID != "" {
		l.where("id = " + l.arg(onlyID))
	}
	return list(ctx, r, &l, page, scanOrganization)
}

// InsertOrganization adds an organization. A public id that is taken is a Conflict.
func (tx *Tx) InsertOrganization(ctx context.Context, o *keyward.Organization) error {
	if err := tx.freePublicID(ctx, "projects", o.PublicID); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `INSERT INTO organizations (id, public_id, name, name_folded, prefix, recoverable,
		enabled, created_ms, updated_ms, profile) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		o.ID, o.PublicID, o.Name, keyward.Fold(o.Name), o.Prefix, o.Recoverable, o.Enabled,
		int64(o.CreatedTime), int64(o.UpdatedTime), profile(o))
	return err
}

// freePublicID refuses a public id that one of the other kind has: a path may name
// either by it. Its own kind's table sees to the rest.
func (tx *Tx) freePublicID(ctx context.Context, others, id string) error {
	var n int
	err := tx.one(ctx, "no count", "SELECT count(*) FROM "+others+" WHERE public_id = $1", []any{id}, &n)
	if err == nil && n > 0 {
		err = keyward.Errorf(keyward.Conflict, "this publicId is taken")
	}
	return err
}

// UpdateOrganization writes what can change of an organization.
func (tx *Tx) UpdateOrganization(ctx context.Context, o *keyward.Organization) error {
	return tx.execOne(ctx, noOrganization, `UPDATE organizations SET name = $1, name_folded = $2, prefix = $3,
		enabled = $4, updated_ms = $5, profile = $6 WHERE id = $7 AND deleted_ms = 0`,
		o.Name, keyward.Fold(o.Name), o.Prefix, o.Enabled, int64(o.UpdatedTime), profile(o), o.ID)
}

// noProfile is how nil is kept.
const noProfile = "{}"

// profile returns an organization's profile as it is kept.
func profile(o *keyward.Organization) string { return cmp.Or(string(o.Profile), noProfile) }

// DeleteOrganization makes a tombstone of an organization, which ends its keys, and
// forgets their secrets.
func (tx *Tx) DeleteOrganization(ctx context.Context, id string, now keyward.Time) error {
	err := tx.execOne(ctx, noOrganization,
		"UPDATE organizations SET deleted_ms = $1, updated_ms = $1 WHERE id = $2 AND deleted_ms = 0", int64(now), id)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "DELETE FROM key_secrets WHERE organization_id = $1", id)
	return err
}

const projectColumns = `id, public_id, organization_id, name, created_ms, updated_ms`

func scanProject(scan func(...any) error) (*keyward.Project, error) {
	var p keyward.Project
	err := scan(&p.ID, &p.PublicID, &p.OrganizationID, &p.Name, &p.CreatedTime, &p.UpdatedTime)
	return &p, err
}

const noProject = "no such project"

// Project returns the organization's project with this id or public id.
func (r reader) Project(ctx context.Context, organizationID, id string) (*keyward.Project, error) {
	return r.project(ctx, organizationID, id, "")
}

// LockProject is Project, and keeps others from changing it until the transaction
// ends. Whoever puts a key into a project locks it, so that it is not deleted
// meanwhile; who locks several does so in the order of their ids.
func (tx *Tx) LockProject(ctx context.Context, organizationID, id string) (*keyward.Project, error) {
	return tx.project(ctx, organizationID, id, tx.engine.locking())
}

func (r reader) project(ctx context.Context, organizationID, id, locking string) (*keyward.Project, error) {
	var found *keyward.Project
	err := r.each(ctx, "SELECT "+projectColumns+` FROM projects
		WHERE organization_id = $1 AND (id = $2 OR public_id = $2) AND deleted_ms = 0`+locking, []any{organizationID, id},
		func(scan func(...any) error) (err error) {
			found, err = scanProject(scan)
			return err
		})
	if err == nil && found == nil {
		err = keyward.Errorf(keyward.NotFound, noProject)
	}
	return found, err
}

// Projects returns one page of an organization's projects: all of them, or those
// in reach.
func (r reader) Projects(ctx context.Context, organizationID string, reach keyward.Reach, page Page) ([]*keyward.Project, Found, error) {
	l := listing{
		columns: projectColumns, from: "projects", tie: "id",
		fields: map[string]column{
			"id": {name: "id"}, "publicId": {name: "public_id"}, "name": {name: "name_folded"},
			"createdTime": {name: "created_ms"}, "updatedTime": {name: "updated_ms"},
		},
		search: "name_folded",
	}
	l.where("organization_id = " + l.arg(organizationID))
	l.where("deleted_ms = 0")
	if !reach.All {
		l.where("id IN (" + l.texts(reach.ProjectIDs) + ")")
	}
	return list(ctx, r, &l, page, scanProject)
}

// InsertProject adds a project. A public id that is taken is a Conflict.
func (tx *Tx) InsertProject(ctx context.Context, p *keyward.Project) error {
	if err := tx.freePublicID(ctx, "organizations", p.PublicID); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `INSERT INTO projects (organization_id, id, public_id, name, name_folded, created_ms,
		updated_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		p.OrganizationID, p.ID, p.PublicID, p.Name, keyward.Fold(p.Name), int64(p.CreatedTime), int64(p.UpdatedTime))
	return err
}

// UpdateProject writes what can change of a project.
func (tx *Tx) UpdateProject(ctx context.Context, p *keyward.Project) error {
	return tx.execOne(ctx, noProject, `UPDATE projects SET name = $1, name_folded = $2, updated_ms = $3
		WHERE organization_id = $4 AND id = $5 AND deleted_ms = 0`,
		p.Name, keyward.Fold(p.Name), int64(p.UpdatedTime), p.OrganizationID, p.ID)
}

// DeleteProject makes a tombstone of a project. Its keys lose the membership, and
// nobody else changes them until the transaction ends: replicas are told what they
// are with this change, and would take back another that was made meanwhile.
func (tx *Tx) DeleteProject(ctx context.Context, organizationID, id string, now keyward.Time) error {
	err := tx.execOne(ctx, noProject, `UPDATE projects SET deleted_ms = $1, updated_ms = $1
		WHERE organization_id = $2 AND id = $3 AND deleted_ms = 0`, int64(now), organizationID, id)
	if err != nil {
		return err
	}
	return tx.each(ctx, `SELECT number FROM keys WHERE organization_id = $1 AND number IN (SELECT key_number
		FROM key_projects WHERE organization_id = $1 AND project_id = $2) ORDER BY number`+tx.engine.locking(),
		[]any{organizationID, id}, func(func(...any) error) error { return nil })
}
