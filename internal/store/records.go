package store

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"

	"keyward"
)

// recordColumns are those of scanRecord, one row for each version of a key.
const recordColumns = `k.organization_id, k.id, k.client_id, k.name, k.owner_id, k.type, k.environment, k.acl,
	k.management, k.allowed_ips, k.metadata, k.enabled, k.start_ms, k.expire_ms, k.revoked_ms, k.deleted_ms,
	v.version, v.digest, v.expire_ms, k.rate_limits, ` + packedAccount

const keyRecords = "SELECT " + recordColumns + `, COALESCE((SELECT string_agg(p.id, ' ' ORDER BY p.id) FROM key_projects m
	JOIN projects p ON p.organization_id = m.organization_id AND p.id = m.project_id
	WHERE m.organization_id = k.organization_id AND m.key_number = k.number AND p.deleted_ms = 0), '')
	FROM keys k JOIN key_versions v ON v.organization_id = k.organization_id AND v.key_number = k.number `

// eachKeyRecord calls fn for each key of a query that starts with keyRecords and
// is in the order of keys.
func (r reader) eachKeyRecord(ctx context.Context, query string, args []any, fn func(*keyward.KeyRecord) error) error {
	var current *keyward.KeyRecord
	err := r.each(ctx, query, args, func(scan func(...any) error) error {
		next, err := scanRecord(scan)
		if err != nil {
			return err
		}
		if current != nil && current.KeyID == next.KeyID && current.OrganizationID == next.OrganizationID {
			current.Credentials = append(current.Credentials, next.Credentials...)
			return nil
		}
		if current != nil {
			if err := fn(current); err != nil {
				return err
			}
		}
		current = next
		return nil
	})
	if err == nil && current != nil {
		err = fn(current)
	}
	return err
}

func scanRecord(scan func(...any) error) (*keyward.KeyRecord, error) {
	var k keyward.KeyRecord
	var c keyward.Credential
	var owner, acl, management, ips, metadata, limits, account, projects string
	var deleted keyward.Time
	var digest []byte
	err := scan(&k.OrganizationID, &k.KeyID, &k.ClientID, &k.Name, &owner, &k.Type, &k.Environment, &acl,
		&management, &ips, &metadata, &k.Enabled, &k.StartTime, &k.ExpireTime, &k.RevokedTime, &deleted,
		&c.Version, &digest, &c.ExpireTime, &limits, &account, &projects)
	if err != nil {
		return nil, err
	}
	copy(c.Digest[:], digest)
	k.Credentials = []keyward.Credential{c}
	k.Deleted, k.OwnerID, k.Metadata = deleted != 0, owner, json.RawMessage(metadata)
	if projects != "" {
		k.ProjectIDs = strings.Fields(projects)
	}
	k.Account = unpackAccount(account)
	if err := decodeRecord(&k, acl, management, ips, limits); err != nil {
		return nil, keyward.Errorf(keyward.Internal, "the stored key %s cannot be read: %w", k.KeyID, err)
	}
	return &k, nil
}

// decodeRecord reads the members that are kept as JSON, of which most are empty.
func decodeRecord(k *keyward.KeyRecord, acl, management, ips, limits string) error {
	if limits != "[]" {
		if err := json.Unmarshal([]byte(limits), &k.RateLimits); err != nil {
			return err
		}
	}
	if acl != "[]" {
		if err := json.Unmarshal([]byte(acl), &k.ACL); err != nil {
			return err
		}
	}
	if management != "[]" {
		if err := json.Unmarshal([]byte(management), &k.Management); err != nil {
			return err
		}
	}
	if ips == "null" {
		return nil
	}
	var allowed []string
	if err := json.Unmarshal([]byte(ips), &allowed); err != nil {
		return err
	}
	k.AllowedIPs = make([]netip.Prefix, len(allowed))
	for i, text := range allowed {
		block, _, err := keyward.ParseAllowedIP(text)
		if err != nil {
			return err
		}
		k.AllowedIPs[i] = block
	}
	return nil
}

// Snapshot gives load the state of everything that replicas keep, organizations
// first, and returns the seq that it is the state of.
func (s *Store) Snapshot(ctx context.Context, load func(keyward.Record) error) (seq int64, err error) {
	err = s.engine.snapshot(ctx, func(r reader) error {
		h, err := readHead(ctx, r)
		if err != nil {
			return err
		}
		seq = h.seq
		if err := r.organizationRecords(ctx, "", load); err != nil {
			return err
		}
		if err := r.operatorRecords(ctx, "", load); err != nil {
			return err
		}
		if err := r.tokenRecords(ctx, "1 = 1", nil, load); err != nil {
			return err
		}
		return r.eachKeyRecord(ctx, keyRecords+"WHERE k.deleted_ms = 0 ORDER BY k.organization_id, k.number, v.version", nil,
			func(k *keyward.KeyRecord) error { return load(keyward.Record{Key: k}) })
	})
	return seq, err
}

func (r reader) organizationRecords(ctx context.Context, id string, load func(keyward.Record) error) error {
	return r.each(ctx, "SELECT id, enabled, deleted_ms FROM organizations WHERE $1 = '' OR id = $1", []any{id},
		func(scan func(...any) error) error {
			var o keyward.OrganizationRecord
			var deleted keyward.Time
			if err := scan(&o.ID, &o.Enabled, &deleted); err != nil {
				return err
			}
			o.Deleted = deleted != 0
			return load(keyward.Record{Organization: &o})
		})
}

func (r reader) operatorRecords(ctx context.Context, id string, load func(keyward.Record) error) error {
	return r.each(ctx, "SELECT "+operatorColumns+", digest, deleted_ms FROM operators WHERE $1 = '' OR id = $1", []any{id},
		func(scan func(...any) error) error {
			var digest []byte
			var deleted keyward.Time
			operator, err := scanOperator(func(columns ...any) error { return scan(append(columns, &digest, &deleted)...) })
			if err != nil {
				return err
			}
			record := keyward.OperatorRecord{Operator: *operator, Deleted: deleted != 0}
			copy(record.Digest[:], digest)
			return load(keyward.Record{Operator: &record})
		})
}

// records returns what replicas need because of a change: the state of its target,
// and of the keys of a project that has gone.
func (r reader) records(ctx context.Context, change keyward.Change) ([]keyward.Record, error) {
	var records []keyward.Record
	load := func(record keyward.Record) error {
		records = append(records, record)
		return nil
	}
	loadKey := func(k *keyward.KeyRecord) error { return load(keyward.Record{Key: k}) }
	organization, id := text(change.OrganizationID), change.Target.ID
	var err error
	switch {
	case change.Action == keyward.KeyRevealed, change.Action == keyward.SessionCreated:
	case change.Action == keyward.ProjectDeleted:
		r.patience *= 10 // there may be many keys
		err = r.eachKeyRecord(ctx, keyRecords+`WHERE k.organization_id = $1 AND k.number IN (SELECT m.key_number
			FROM key_projects m WHERE m.organization_id = $1 AND m.project_id = $2) ORDER BY k.number, v.version`,
			[]any{organization, id}, loadKey)
	case change.Target.Type == keyward.KeyTarget:
		err = r.eachKeyRecord(ctx, keyRecords+"WHERE k.organization_id = $1 AND k.id = $2 ORDER BY v.version",
			[]any{organization, id}, loadKey)
	case change.Target.Type == keyward.OrganizationTarget:
		err = r.organizationRecords(ctx, id, load)
	case change.Target.Type == keyward.OperatorTarget:
		err = r.operatorRecords(ctx, id, load)
	case change.Target.Type == keyward.TokenTarget:
		err = r.tokenRecords(ctx, "id = $1", []any{id}, load)
	}
	return records, err
}

// Entries returns up to limit changes after a seq, in order, each with the state
// that replicas need because of it.
func (s *Store) Entries(ctx context.Context, after int64, limit int) ([]keyward.LogEntry, error) {
	changes, err := s.changes(ctx, "seq > $1 ORDER BY seq LIMIT $2", after, limit)
	if err != nil {
		return nil, err
	}
	entries := make([]keyward.LogEntry, len(changes))
	for i, change := range changes {
		records, err := s.records(ctx, change)
		if err != nil {
			return nil, err
		}
		entries[i] = keyward.LogEntry{Change: change, Records: records}
	}
	return entries, nil
}
