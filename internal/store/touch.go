package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"keyward"
)

// touchGroup is how many uses share a transaction, so that none keeps others waiting.
const touchGroup = 256

// Touch records when secrets were last used, and from where keys were. It makes no
// change of the keys, and never sets a time back.
func (s *Store) Touch(ctx context.Context, uses []keyward.Use) error {
	for group := range slices.Chunk(latest(uses, func(u keyward.Use) keyward.Use { return u }), touchGroup) {
		_, err := s.Update(ctx, func(tx *Tx) error { return tx.touch(ctx, group) })
		if err != nil {
			return err
		}
	}
	return nil
}

// latest returns the newest of the uses that are of the same, in one order, so that two
// nodes do not wait for each other.
func latest(uses []keyward.Use, of func(keyward.Use) keyward.Use) []keyward.Use {
	newest := make(map[keyward.Use]keyward.Use, len(uses))
	for _, use := range uses {
		same := of(use)
		same.Time, same.IP = 0, netip.Prefix{}
		if known, ok := newest[same]; !ok || known.Time < use.Time {
			newest[same] = use
		}
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b keyward.Use) int {
		return cmp.Or(cmp.Compare(a.OperatorID, b.OperatorID), cmp.Compare(a.OrganizationID, b.OrganizationID),
			cmp.Compare(a.KeyID, b.KeyID), cmp.Compare(a.Version, b.Version))
	})
}

// touch records uses of which none is of the same secret as another.
func (tx *Tx) touch(ctx context.Context, uses []keyward.Use) error {
	var operators, versions []keyward.Use
	for _, use := range uses {
		if use.OperatorID != "" {
			operators = append(operators, use)
		} else {
			versions = append(versions, use)
		}
	}
	keys := latest(versions, func(u keyward.Use) keyward.Use { u.Version = 0; return u })
	if err := tx.lockUsed(ctx, keys); err != nil {
		return err
	}
	err := tx.touched(ctx, keys, `UPDATE keys SET last_used_ms = used.column1, last_used_ip = used.column4
		FROM (VALUES %s) AS used WHERE keys.organization_id = used.column2 AND keys.id = used.column3
		AND keys.last_used_ms < used.column1`,
		func(u keyward.Use) []any { return []any{int64(u.Time), u.OrganizationID, u.KeyID, block(u.IP)} })
	if err != nil {
		return err
	}
	err = tx.touched(ctx, versions, `UPDATE key_versions SET last_used_ms = used.column1
		FROM (VALUES %s) AS used WHERE key_versions.organization_id = used.column2 AND key_versions.key_number =
			(SELECT number FROM keys WHERE organization_id = used.column2 AND id = used.column3)
		AND key_versions.version = used.column4 AND key_versions.last_used_ms < used.column1`,
		func(u keyward.Use) []any { return []any{int64(u.Time), u.OrganizationID, u.KeyID, u.Version} })
	if err != nil {
		return err
	}
	return tx.touched(ctx, operators, `UPDATE operators SET last_used_ms = used.column1
		FROM (VALUES %s) AS used WHERE operators.id = used.column2 AND operators.last_used_ms < used.column1`,
		func(u keyward.Use) []any { return []any{int64(u.Time), u.OperatorID} })
}

// lockUsed locks the rows of keys in their order: the update of many takes them as it
// finds them. Their versions are then nobody else's either.
func (tx *Tx) lockUsed(ctx context.Context, keys []keyward.Use) error {
	if tx.engine.locking() == "" {
		return nil
	}
	return portions(keys, func(some []keyward.Use) error {
		var l listing
		names := make([]string, len(some))
		for i, u := range some {
			names[i] = l.row(u.OrganizationID, u.KeyID)
		}
		return tx.each(ctx, "SELECT 1 FROM keys WHERE (organization_id, id) IN ("+strings.Join(names, ", ")+
			") ORDER BY organization_id, id"+tx.engine.locking(), l.args, func(func(...any) error) error { return nil })
	})
}

// touched runs an update for uses, which come to it as rows.
func (tx *Tx) touched(ctx context.Context, uses []keyward.Use, update string, row func(keyward.Use) []any) error {
	return portions(uses, func(some []keyward.Use) error {
		var l listing
		rows := make([]string, len(some))
		for i, u := range some {
			rows[i] = l.row(row(u)...)
		}
		rows[0] = l.typed(len(l.args) / len(some))
		_, err := tx.exec(ctx, fmt.Sprintf(update, strings.Join(rows, ", ")), l.args...)
		return err
	})
}

// typed returns the first row of n arguments with their types, from which PostgreSQL
// knows those of the rows below.
func (l *listing) typed(n int) string {
	marks := make([]string, n)
	for i, arg := range l.args[:n] {
		kind := "BIGINT"
		if _, ok := arg.(string); ok {
			kind = "TEXT"
		}
		marks[i] = fmt.Sprintf("CAST($%d AS %s)", i+1, kind)
	}
	return "(" + strings.Join(marks, ", ") + ")"
}

// block returns a block of addresses as it is kept.
func block(ip netip.Prefix) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}
