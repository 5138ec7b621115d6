package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"keyward"
)

// keyColumns are those of scanKey. The projects come as ids with spaces between:
// those that are there still.
const keyColumns = `k.organization_id, k.id, k.number, k.client_id, k.name, k.type, k.environment, k.hint,
	k.acl, k.management, k.allowed_ips, k.rate_limits, k.owner_id, k.metadata, k.enabled, k.start_ms, k.expire_ms,
	k.revoked_ms, k.revoke_reason, k.role_id, k.created_by, k.api_user, k.created_ms, k.updated_ms, k.last_used_ms, k.last_used_ip,
	k.revision,
	(SELECT o.recoverable FROM organizations o WHERE o.id = k.organization_id), ` + packedAccount + `,
	COALESCE((SELECT string_agg(p.id, ' ' ORDER BY p.id) FROM key_projects m
		JOIN projects p ON p.organization_id = m.organization_id AND p.id = m.project_id
		WHERE m.organization_id = k.organization_id AND m.key_number = k.number AND p.deleted_ms = 0), '')`

func scanKey(scan func(...any) error) (*keyward.Key, error) {
	var k keyward.Key
	var acl, management, ips, limits, account, owner, metadata, reason, lastIP, projects string
	err := scan(&k.OrganizationID, &k.ID, &k.Number, &k.ClientID, &k.Name, &k.Type, &k.Environment, &k.Hint,
		&acl, &management, &ips, &limits, &owner, &metadata, &k.Enabled, &k.StartTime, &k.ExpireTime,
		&k.RevokedTime, &reason, &k.RoleID, &k.CreatedBy, &k.APIUser, &k.CreatedTime, &k.UpdatedTime, &k.LastUsedTime, &lastIP,
		&k.Revision, &k.Recoverable, &account, &projects)
	if err != nil {
		return nil, err
	}
	k.OwnerID, k.RevokeReason, k.LastUsedIP = optional(owner), optional(reason), optional(lastIP)
	k.ProjectIDs = append([]string{}, strings.Fields(projects)...)
	k.Metadata = json.RawMessage(metadata)
	for _, part := range []struct {
		text string
		into any
	}{{acl, &k.ACL}, {management, &k.Management}, {ips, &k.AllowedIPs}, {limits, &k.RateLimits}} {
		if err := json.Unmarshal([]byte(part.text), part.into); err != nil {
			return nil, keyward.Errorf(keyward.Internal, "the stored key %s cannot be read: %w", k.ID, err)
		}
	}
	if k.Account = unpackAccount(account); k.Account != nil {
		k.Credits = &keyward.Credits{Remaining: k.Account.Remaining, Refill: k.Account.Refill}
	}
	return &k, nil
}

const noKey = "no such key"

// Key returns an organization's key with its versions.
func (r reader) Key(ctx context.Context, organizationID, id string) (*keyward.Key, error) {
	return r.key(ctx, "k.organization_id = $1 AND k.id = $2", organizationID, id)
}

// KeyByNumber returns an organization's key by its number.
func (r reader) KeyByNumber(ctx context.Context, organizationID string, number int32) (*keyward.Key, error) {
	return r.key(ctx, "k.organization_id = $1 AND k.number = $2", organizationID, number)
}

// KeyByClientID returns an organization's key by its client id.
func (r reader) KeyByClientID(ctx context.Context, organizationID, clientID string) (*keyward.Key, error) {
	return r.key(ctx, "k.organization_id = $1 AND k.client_id = $2", organizationID, clientID)
}

// LockKey returns a key and keeps others from changing it until the transaction
// ends.
func (tx *Tx) LockKey(ctx context.Context, organizationID, id string) (*keyward.Key, error) {
	err := tx.each(ctx, "SELECT 1 FROM keys WHERE organization_id = $1 AND id = $2"+tx.engine.locking(),
		[]any{organizationID, id}, func(func(...any) error) error { return nil })
	if err != nil {
		return nil, err
	}
	return tx.Key(ctx, organizationID, id)
}

func (r reader) key(ctx context.Context, condition string, args ...any) (*keyward.Key, error) {
	var keys []*keyward.Key
	err := r.each(ctx, "SELECT "+keyColumns+" FROM keys k WHERE "+condition+" AND k.deleted_ms = 0", args,
		func(scan func(...any) error) error {
			key, err := scanKey(scan)
			keys = append(keys, key)
			return err
		})
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, keyward.Errorf(keyward.NotFound, noKey)
	}
	return keys[0], r.versions(ctx, keys)
}

// versions reads the versions of keys of one organization.
func (r reader) versions(ctx context.Context, keys []*keyward.Key) error {
	if len(keys) == 0 {
		return nil
	}
	byNumber := make(map[int32]*keyward.Key, len(keys))
	args := []any{keys[0].OrganizationID}
	var marks strings.Builder
	for i, key := range keys {
		byNumber[key.Number] = key
		args = append(args, key.Number)
		if i > 0 {
			marks.WriteString(", ")
		}
		fmt.Fprintf(&marks, "$%d", i+2)
	}
	return r.each(ctx, `SELECT key_number, version, created_ms, expire_ms, last_used_ms FROM key_versions
		WHERE organization_id = $1 AND key_number IN (`+marks.String()+`) ORDER BY key_number, version`, args,
		func(scan func(...any) error) error {
			var number int32
			var v keyward.Version
			if err := scan(&number, &v.Version, &v.CreatedTime, &v.ExpireTime, &v.LastUsedTime); err != nil {
				return err
			}
			byNumber[number].Versions = append(byNumber[number].Versions, v)
			return nil
		})
}

// KeyList narrows a list of keys beyond what its filter says.
type KeyList struct {
	OrganizationID string
	Reach          keyward.Reach // only keys of these projects
	HideRevoked    bool
}

// Keys returns one page of an organization's keys with their versions.
func (r reader) Keys(ctx context.Context, of KeyList, page Page) ([]*keyward.Key, Found, error) {
	l := listing{columns: keyColumns, from: "keys k", tie: "k.number", search: "k.name_folded", large: true, fields: keyFields()}
	l.where("k.organization_id = " + l.arg(of.OrganizationID))
	l.where("k.deleted_ms = 0")
	if of.HideRevoked {
		l.where(r.engine.unindexed("k.revoked_ms") + " = 0")
	}
	if !of.Reach.All {
		l.where(inProjects(l.texts(of.Reach.ProjectIDs)))
	}
	keys, found, err := list(ctx, r, &l, page, scanKey)
	if err != nil {
		return nil, found, err
	}
	// In portions, so that each length of list is not a statement of its own.
	for rest := keys; len(rest) > 0; {
		n := min(len(rest), 100)
		if err := r.versions(ctx, rest[:n]); err != nil {
			return nil, found, err
		}
		rest = rest[n:]
	}
	return keys, found, nil
}

// keyFields are what lists of keys can be filtered and sorted by.
func keyFields() map[string]column {
	return map[string]column{
		"id":           {name: "k.id", exact: true, index: "keys_id"},
		"number":       {name: "k.number"},
		"clientId":     {name: "k.client_id", exact: true},
		"name":         {name: "k.name_folded", index: "keys_name"},
		"type":         {name: "k.type", index: "keys_type", coarse: true},
		"environment":  {name: "k.environment"},
		"ownerId":      {name: "k.owner_folded"},
		"enabled":      {name: "k.enabled"},
		"createdBy":    {name: "k.created_by", exact: true},
		"apiUser":      {name: "k.api_user_folded"},
		"startTime":    {name: "k.start_ms"},
		"expireTime":   {name: "k.expire_ms"},
		"revokedTime":  {name: "k.revoked_ms"},
		"createdTime":  {name: "k.created_ms", index: "keys_created"},
		"updatedTime":  {name: "k.updated_ms", index: "keys_updated"},
		"lastUsedTime": {name: "k.last_used_ms"},
		"projectId":    {virtual: inProject},
		"status":       {virtual: hasStatus},
	}
}

func inProject(l *listing, id string) string { return inProjects(l.arg(id)) }

// inProjects is that a key is in one of the projects, as far as they still exist.
// The organization is the first argument of every list of keys.
func inProjects(ids string) string {
	return "k.number IN (SELECT m.key_number FROM key_projects m" +
		" JOIN projects p ON p.organization_id = m.organization_id AND p.id = m.project_id" +
		" WHERE p.deleted_ms = 0 AND m.organization_id = $1 AND m.project_id IN (" + ids + "))"
}

// hasStatus is keyward.Key.StatusAt as a condition. Of its parts, the one that few
// keys meet is left to an index.
func hasStatus(l *listing, status string) string {
	revoked, enabled := l.engine.unindexed("k.revoked_ms"), l.engine.unindexed("k.enabled")
	start, expire := l.unless("startTime", "k.start_ms"), l.unless("expireTime", "k.expire_ms")
	now := int64(l.now)
	switch keyward.Status(status) {
	case keyward.StatusRevoked:
		return l.unless("revokedTime", "k.revoked_ms") + " > 0"
	case keyward.StatusDisabled:
		return "(" + revoked + " = 0 AND " + l.unless("enabled", "k.enabled") + " = " + l.arg(false) + ")"
	case keyward.StatusScheduled:
		return "(" + revoked + " = 0 AND " + enabled + " = " + l.arg(true) + " AND " + start + " > " + l.arg(now) + ")"
	}
	live := "(" + revoked + " = 0 AND " + enabled + " = " + l.arg(true) + " AND " +
		l.engine.unindexed("k.start_ms") + " <= " + l.arg(now)
	if keyward.Status(status) == keyward.StatusExpired {
		return live + " AND " + expire + " > 0 AND " + expire + " <= " + l.arg(now) + ")"
	}
	return live + " AND (" + expire + " = 0 OR " + expire + " > " + l.arg(now) + "))"
}
