package store

import (
	"context"

	"keyward"
)

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
		err = r.eachKeyRecord(ctx, newUnpacker(), `WHERE k.organization_id = $2 AND k.number IN (SELECT m.key_number
			FROM key_projects m WHERE m.organization_id = $2 AND m.project_id = $3) ORDER BY k.number, v.version`,
			[]any{organization, id}, loadKey)
	case change.Target.Type == keyward.KeyTarget:
		err = r.eachKeyRecord(ctx, newUnpacker(), "WHERE k.organization_id = $2 AND k.id = $3 ORDER BY v.version",
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
