package control

import (
	"context"
	"strconv"
	"strings"

	"keyward"
	"keyward/internal/filter"
	"keyward/internal/store"
)

// List says what part of a list is wanted, in the words of a surface.
type List struct {
	Filter      filter.Filter
	Sort        filter.Sort
	Query       string // free text in names
	Limit       int
	Cursor      string // of a page before; sealed, and bound to everything above but Limit
	Offset      int    // for surfaces without cursors
	Count       bool
	HideRevoked bool
}

// Found is what is known of a page beside its entries.
type Found struct {
	Cursor string // of the next page, "" if there is none
	Total  int64  // if it was asked for
}

// KeyFields are what lists of keys can be filtered and sorted by.
func KeyFields() filter.Schema {
	return filter.Schema{
		{Name: "id", Kind: filter.List, Sortable: true},
		{Name: "number", Kind: filter.Number, Sortable: true},
		{Name: "clientId", Kind: filter.List},
		{Name: "name", Kind: filter.Text, Sortable: true},
		{Name: "type", Kind: filter.Enum, Values: []string{"secret", "publishable"}, Sortable: true},
		{Name: "environment", Kind: filter.Enum, Values: []string{"live", "test", "sandbox"}, Sortable: true},
		{Name: "status", Kind: filter.Enum, Values: []string{"active", "disabled", "scheduled", "expired", "revoked"}},
		{Name: "enabled", Kind: filter.Bool},
		{Name: "ownerId", Kind: filter.Text, Nullable: true, Sortable: true},
		{Name: "projectId", Kind: filter.List},
		{Name: "createdBy", Kind: filter.List},
		{Name: "createdTime", Kind: filter.Instant, Sortable: true},
		{Name: "updatedTime", Kind: filter.Instant, Sortable: true},
		{Name: "expireTime", Kind: filter.Instant, Nullable: true, Sortable: true},
		{Name: "revokedTime", Kind: filter.Instant, Nullable: true, Sortable: true},
		{Name: "lastUsedTime", Kind: filter.Instant, Nullable: true, Sortable: true},
	}
}

// OrganizationFields are what lists of organizations can be filtered and sorted by.
func OrganizationFields() filter.Schema {
	return append(namedFields(), filter.Field{Name: "enabled", Kind: filter.Bool},
		filter.Field{Name: "recoverable", Kind: filter.Bool}, filter.Field{Name: "prefix", Kind: filter.List})
}

// ProjectFields are what lists of projects can be filtered and sorted by.
func ProjectFields() filter.Schema { return namedFields() }

func namedFields() filter.Schema {
	return filter.Schema{
		{Name: "id", Kind: filter.List, Sortable: true},
		{Name: "publicId", Kind: filter.List, Sortable: true},
		{Name: "name", Kind: filter.Text, Sortable: true},
		{Name: "createdTime", Kind: filter.Instant, Sortable: true},
		{Name: "updatedTime", Kind: filter.Instant, Sortable: true},
	}
}

// OperatorFields are what lists of operators can be filtered and sorted by.
func OperatorFields() filter.Schema {
	return filter.Schema{
		{Name: "id", Kind: filter.List, Sortable: true},
		{Name: "name", Kind: filter.Text, Sortable: true},
		{Name: "role", Kind: filter.Enum, Values: []string{"owner", "admin", "editor", "viewer", "verifier"}, Sortable: true},
		{Name: "email", Kind: filter.Text, Nullable: true, Sortable: true},
		{Name: "organizationId", Kind: filter.List, Sortable: true},
		{Name: "enabled", Kind: filter.Bool},
		{Name: "createdTime", Kind: filter.Instant, Sortable: true},
		{Name: "updatedTime", Kind: filter.Instant, Sortable: true},
		{Name: "lastUsedTime", Kind: filter.Instant, Nullable: true, Sortable: true},
	}
}

// ChangeFields are what lists of changes can be filtered and sorted by.
func ChangeFields() filter.Schema {
	return filter.Schema{
		{Name: "seq", Kind: filter.Number, Sortable: true},
		{Name: "time", Kind: filter.Instant, Sortable: true},
		{Name: "action", Kind: filter.List},
		{Name: "actorId", Kind: filter.List},
		{Name: "actorType", Kind: filter.List},
		{Name: "targetId", Kind: filter.List},
		{Name: "targetType", Kind: filter.List},
		{Name: "organizationId", Kind: filter.List},
		{Name: "requestId", Kind: filter.List},
	}
}

// page turns what a surface asks for into what the store finds. The list's kind and
// scope bind its cursors.
func (p *Plane) page(query List, kind, scope string) (store.Page, error) {
	page := store.Page{
		Filter: query.Filter, Sort: query.Sort, Query: query.Query,
		Limit: query.Limit, Offset: query.Offset, Count: query.Count, Now: p.now(),
	}
	if query.Cursor == "" {
		return page, nil
	}
	place, err := p.ring.OpenCursor(query.Cursor, binding(query, kind, scope))
	page.After = string(place)
	return page, err
}

// found seals the place where the next page begins.
func (p *Plane) found(query List, found store.Found, kind, scope string) Found {
	result := Found{Total: found.Total}
	if found.Next != "" {
		result.Cursor = p.ring.SealCursor([]byte(found.Next), binding(query, kind, scope))
	}
	return result
}

// binding is everything that two pages of one list have in common.
func binding(query List, kind, scope string) string {
	return strings.Join([]string{
		kind, scope, query.Filter.String(), query.Sort.String(), query.Query, strconv.FormatBool(query.HideRevoked),
	}, "\x00")
}

// readable returns nil if the actor has the permission in the organization, and the
// organization exists.
func (p *Plane) readable(ctx context.Context, by keyward.Actor, permission keyward.Permission, organizationID string) error {
	if err := by.May(permission, organizationID); err != nil {
		return err
	}
	if by.OrganizationID != "" {
		return nil // its own, whose end would have ended the actor
	}
	_, err := p.organization(ctx, organizationID)
	return err
}
