package control

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"keyward"
)

// unaudited are members that follow from others, or from use, or that are worded by
// whoever changes them.
func unaudited(field string) bool {
	return slices.Contains([]string{"status", "updatedTime", "lastUsedTime", "lastUsedIp", "versions", "recoverable", "createdBy", "createdTime", "hasPassword"}, field)
}

// differences lists the members in which two values of one type differ; either may
// be nil. They are the public JSON of the type, which holds no secret.
func differences(before, after any) []keyward.FieldChange {
	was, is := members(before), members(after)
	fields := maps.Collect(maps.All(was))
	maps.Copy(fields, is)
	changes := []keyward.FieldChange{}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		before, after := orNull(was[field]), orNull(is[field])
		if unaudited(field) || bytes.Equal(before, after) {
			continue
		}
		changes = append(changes, keyward.FieldChange{Field: field, Before: before, After: after})
	}
	return changes
}

// keyChanges is differences for keys, either of which may be nil, with what the native
// JSON does not show.
func keyChanges(before, after *keyward.Key) []keyward.FieldChange {
	type known struct {
		*keyward.Key
		RoleID int32 `json:"roleId,omitempty"`
	}
	var was, is any
	if before != nil {
		was = known{before, before.RoleID}
	}
	if after != nil {
		is = known{after, after.RoleID}
	}
	return differences(was, is)
}

// organizationChanges is differences for organizations, with their profiles.
func organizationChanges(before, after *keyward.Organization) []keyward.FieldChange {
	changes := differences(before, after)
	if !bytes.Equal(before.Profile, after.Profile) {
		changes = append(changes, keyward.FieldChange{
			Field: "profile", Before: orNull(before.Profile), After: orNull(after.Profile),
		})
	}
	return changes
}

func members(value any) map[string]json.RawMessage {
	found := map[string]json.RawMessage{}
	data, err := json.Marshal(value)
	if err == nil {
		_ = json.Unmarshal(data, &found)
	}
	return found
}

func orNull(value json.RawMessage) json.RawMessage {
	if value == nil {
		return json.RawMessage("null")
	}
	return value
}

// Change returns one change of the log, if it belongs to what the actor reaches.
func (p *Plane) Change(ctx context.Context, by keyward.Actor, seq int64) (keyward.Change, Receipt, error) {
	change, err := p.store.Change(ctx, seq)
	if err != nil {
		return keyward.Change{}, Receipt{}, err
	}
	if change.OrganizationID == nil && by.OrganizationID != "" ||
		change.OrganizationID != nil && !by.Reaches(*change.OrganizationID) {
		return keyward.Change{}, Receipt{}, keyward.Errorf(keyward.NotFound, "no such change")
	}
	if by.Projects(keyward.OrganizationsRead).None() {
		return keyward.Change{}, Receipt{}, keyward.Errorf(keyward.Forbidden, "needs the permission %s", keyward.OrganizationsRead)
	}
	return change, p.receipt(seq), nil
}

// Changes returns one page of the audit trail: of one organization, or of the whole
// deployment if organizationID is "".
func (p *Plane) Changes(ctx context.Context, by keyward.Actor, organizationID string, query List) ([]keyward.Change, Found, error) {
	if organizationID == "" {
		if err := by.MayEverywhere(keyward.AuditRead); err != nil {
			return nil, Found{}, err
		}
	} else if err := p.readable(ctx, by, keyward.AuditRead, organizationID); err != nil {
		return nil, Found{}, err
	} else if err := by.MayThroughout(keyward.AuditRead, organizationID); err != nil { // events belong to no project
		return nil, Found{}, err
	}
	page, err := p.page(query, "changes", organizationID)
	if err != nil {
		return nil, Found{}, err
	}
	changes, found, err := p.store.Changes(ctx, organizationID, page)
	return changes, p.found(query, found, "changes", organizationID), err
}
