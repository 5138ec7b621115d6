package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"keyward"
)

const changeColumns = `seq, id, time_ms, action, outcome, actor_type, actor_id, actor_name, organization_id,
	target_type, target_id, ip, request_id, detail, mac`

func scanChange(scan func(...any) error) (keyward.Change, error) {
	var c keyward.Change
	var organization, ip, request, detail string
	var mac []byte
	err := scan(&c.Seq, &c.ID, &c.Time, &c.Action, &c.Outcome, &c.Actor.Type, &c.Actor.ID, &c.Actor.Name, &organization,
		&c.Target.Type, &c.Target.ID, &ip, &request, &detail, &mac)
	if err != nil {
		return c, err
	}
	c.OrganizationID, c.IP, c.RequestID, c.MAC = optional(organization), optional(ip), optional(request), hex.EncodeToString(mac)
	return c, json.Unmarshal([]byte(detail), &c.Changes)
}

// Change returns the change with this seq.
func (r reader) Change(ctx context.Context, seq int64) (keyward.Change, error) {
	changes, err := r.changes(ctx, "seq = $1", seq)
	if err == nil && len(changes) == 0 {
		err = keyward.Errorf(keyward.NotFound, "no such change")
	}
	if err != nil {
		return keyward.Change{}, err
	}
	return changes[0], nil
}

func (r reader) changes(ctx context.Context, condition string, args ...any) ([]keyward.Change, error) {
	var changes []keyward.Change
	err := r.each(ctx, "SELECT "+changeColumns+" FROM changes WHERE "+condition, args,
		func(scan func(...any) error) error {
			change, err := scanChange(scan)
			changes = append(changes, change)
			return err
		})
	return changes, err
}

// Changes returns one page of the change log: of one organization, or all of it if
// organizationID is "".
func (r reader) Changes(ctx context.Context, organizationID string, page Page) ([]keyward.Change, Found, error) {
	l := listing{
		columns: changeColumns, from: "changes", tie: "seq",
		fields: map[string]column{
			"seq": {name: "seq"}, "id": {name: "id"}, "time": {name: "time_ms"}, "action": {name: "action"},
			"actorId": {name: "actor_id"}, "actorType": {name: "actor_type"},
			"targetId": {name: "target_id"}, "targetType": {name: "target_type"},
			"organizationId": {name: "organization_id"}, "requestId": {name: "request_id"},
		},
		search: "lower(target_id)",
	}
	l.where("1 = 1")
	if organizationID != "" {
		l.where("organization_id = " + l.arg(organizationID))
	}
	return list(ctx, r, &l, page, scanChange)
}

// Head returns the seq of the newest change, 0 if there is none.
func (r reader) Head(ctx context.Context) (int64, error) {
	h, err := readHead(ctx, r)
	return h.seq, err
}

// VerifyChain recomputes the links of all changes with chain, and returns the
// number of those it read. The first event that was altered, taken out or added
// is a Conflict.
func (s *Store) VerifyChain(ctx context.Context, chain func(previous, event []byte) []byte) (n int64, err error) {
	err = s.engine.snapshot(ctx, func(r reader) error {
		n, err = r.verifyChain(ctx, chain)
		return err
	})
	return n, err
}

func (r reader) verifyChain(ctx context.Context, chain func(previous, event []byte) []byte) (int64, error) {
	var h head
	err := r.each(ctx, "SELECT "+changeColumns+" FROM changes ORDER BY seq", nil, func(scan func(...any) error) error {
		change, err := scanChange(scan)
		if err != nil {
			return err
		}
		event, err := chained(change)
		if err != nil {
			return err
		}
		mac := chain(h.mac, event)
		if change.Seq != h.seq+1 || change.MAC != hex.EncodeToString(mac) {
			return keyward.Errorf(keyward.Conflict, "the audit trail was altered at or before event %d", change.Seq)
		}
		h = head{change.Seq, mac}
		return nil
	})
	if err != nil {
		return h.seq, err
	}
	end, err := readHead(ctx, r)
	if err == nil && (end.seq != h.seq || hex.EncodeToString(end.mac) != hex.EncodeToString(h.mac)) {
		err = keyward.Errorf(keyward.Conflict, "the audit trail was cut off after event %d", h.seq)
	}
	return h.seq, err
}

// Meta returns a fact about the database, "" if it is not there.
func (r reader) Meta(ctx context.Context, name string) (string, error) {
	var value string
	err := r.one(ctx, "no such fact", "SELECT value FROM meta WHERE name = $1", []any{name}, &value)
	if keyward.CodeOf(err) == keyward.NotFound {
		err = nil
	}
	return value, err
}

// SetMeta writes a fact about the database once; one that is there is a Conflict.
func (tx *Tx) SetMeta(ctx context.Context, name, value string) error {
	_, err := tx.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2)", name, value)
	return err
}

// Ping reports whether the database answers within the given time.
func (s *Store) Ping(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := s.Head(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return keyward.Errorf(keyward.Unavailable, "the database did not answer within %s", within)
	}
	return err
}

// ReplaceMeta writes a fact about the database that is there already.
func (tx *Tx) ReplaceMeta(ctx context.Context, name, value string) error {
	return tx.execOne(ctx, "no such fact", "UPDATE meta SET value = $1 WHERE name = $2", value, name)
}
