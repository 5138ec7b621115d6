package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"keyward"
)

// UsageBatch is what a writer adds to the usage at once. Its writer numbers its batches
// upwards, and adds one after the other.
type UsageBatch struct {
	Writer string
	Number int64
	Time   keyward.Time
	Usage  []keyward.Usage
}

// AddUsage adds counts to those that are kept, in one transaction. A batch with a number
// that its writer has added already is not added again: after an error, which may have
// come behind the commit, the same batch is to be tried until there is none.
func (s *Store) AddUsage(ctx context.Context, batch UsageBatch) error {
	// In one order, so that two nodes do not wait for each other.
	byKey, totals := sumUsage(batch.Usage, nil), sumUsage(batch.Usage, func(u *keyward.Usage) { u.KeyID = "" })
	_, err := s.Update(ctx, func(tx *Tx) error {
		isNew, err := tx.exec(ctx, `INSERT INTO usage_writers (writer, batch, added_ms) VALUES ($1, $2, $3)
			ON CONFLICT (writer) DO UPDATE SET batch = excluded.batch, added_ms = excluded.added_ms
			WHERE usage_writers.batch < excluded.batch`, batch.Writer, batch.Number, int64(batch.Time))
		if err != nil || isNew == 0 {
			return err
		}
		err = tx.addUsage(ctx, "usage_keys", []string{"organization_id", "key_id", "hour_ms", "reason"}, byKey,
			func(u keyward.Usage) []any { return []any{u.OrganizationID, u.KeyID, int64(u.Hour), u.Reason.String()} })
		if err != nil {
			return err
		}
		// Last, since nodes wait for each other here: everybody counts in the same rows.
		return tx.addUsage(ctx, "usage_totals", []string{"organization_id", "hour_ms", "reason"}, totals,
			func(u keyward.Usage) []any { return []any{u.OrganizationID, int64(u.Hour), u.Reason.String()} })
	})
	return err
}

// sumUsage adds up what has the same organization, key, hour and reason, after cut has
// made them coarser, and returns it in that order.
func sumUsage(usage []keyward.Usage, cut func(*keyward.Usage)) []keyward.Usage {
	sums := make(map[keyward.Usage]int64, len(usage))
	for _, u := range usage {
		if cut != nil {
			cut(&u)
		}
		count := u.Count
		u.Count = 0
		sums[u] += count
	}
	summed := make([]keyward.Usage, 0, len(sums))
	for u, count := range sums {
		u.Count = count
		summed = append(summed, u)
	}
	slices.SortFunc(summed, func(a, b keyward.Usage) int {
		return cmp.Or(cmp.Compare(a.OrganizationID, b.OrganizationID), cmp.Compare(a.KeyID, b.KeyID),
			cmp.Compare(a.Hour, b.Hour), cmp.Compare(a.Reason, b.Reason))
	})
	return summed
}

// addUsage adds to the counts of a table whose rows are named by the columns.
func (tx *Tx) addUsage(ctx context.Context, table string, columns []string, usage []keyward.Usage, name func(keyward.Usage) []any) error {
	return portions(usage, func(some []keyward.Usage) error {
		var l listing
		rows := make([]string, len(some))
		for i, u := range some {
			rows[i] = l.row(append(name(u), u.Count)...)
		}
		named := strings.Join(columns, ", ")
		_, err := tx.exec(ctx, "INSERT INTO "+table+" ("+named+", count) VALUES "+strings.Join(rows, ", ")+
			" ON CONFLICT ("+named+") DO UPDATE SET count = "+table+".count + excluded.count", l.args...)
		return err
	})
}

// row adds the arguments of one row and returns their placeholders, for VALUES.
func (l *listing) row(values ...any) string {
	marks := make([]string, len(values))
	for i, value := range values {
		marks[i] = l.arg(value)
	}
	return "(" + strings.Join(marks, ", ") + ")"
}

// maxPortion is how many rows one statement writes at most.
const maxPortion = 64

// portions calls fn with one part of items after the other. Their lengths are powers of
// two, so that however many items there are, the statements are of a few texts.
func portions[T any](items []T, fn func([]T) error) error {
	for n := maxPortion; len(items) > 0; items = items[n:] {
		for n > len(items) {
			n /= 2
		}
		if err := fn(items[:n]); err != nil {
			return err
		}
	}
	return nil
}

// UsageSpan is a part of an organization's usage: of hours that begin in [From, To).
type UsageSpan struct {
	OrganizationID string
	From, To       keyward.Time
	Daily          bool // whether hours of one day, in UTC, are added up
}

// start is the beginning of the hour, or of the day in UTC, in SQL.
func (s UsageSpan) start() string {
	if s.Daily {
		return "hour_ms - hour_ms % 86400000"
	}
	return "hour_ms"
}

// TotalUsage returns the sums of all keys, by time and reason. Hour is the start of the
// hour or the day.
func (r reader) TotalUsage(ctx context.Context, span UsageSpan) ([]keyward.Usage, error) {
	return r.sums(ctx, span, "'', ", "usage_totals", nil)
}

// usageKeysAtOnce is how many keys one query of [reader.KeyUsage] looks for.
const usageKeysAtOnce = 20

// KeyUsage returns the sums of keys, by key, time and reason. Hour is the start of the
// hour or the day.
func (r reader) KeyUsage(ctx context.Context, span UsageSpan, keyIDs []string) ([]keyward.Usage, error) {
	var found []keyward.Usage
	for some := range slices.Chunk(keyIDs, usageKeysAtOnce) {
		sums, err := r.sums(ctx, span, "key_id, ", "usage_keys", some)
		if err != nil {
			return nil, err
		}
		found = append(found, sums...)
	}
	return found, nil
}

// sums reads a table of usage, of some keys if there are any.
func (r reader) sums(ctx context.Context, span UsageSpan, key, table string, keyIDs []string) ([]keyward.Usage, error) {
	l := listing{args: []any{span.OrganizationID, int64(span.From), int64(span.To)}}
	query := "SELECT " + key + span.start() + ", reason, CAST(sum(count) AS BIGINT) FROM " + table +
		" WHERE organization_id = $1 AND hour_ms >= $2 AND hour_ms < $3"
	if len(keyIDs) > 0 {
		marks := make([]string, usageKeysAtOnce) // always as many, so that all queries are one text
		for i := range marks {
			marks[i] = l.arg(keyIDs[min(i, len(keyIDs)-1)])
		}
		query += " AND key_id IN (" + strings.Join(marks, ", ") + ")"
	}
	var found []keyward.Usage
	err := r.each(ctx, query+" GROUP BY 1, 2, 3", l.args, func(scan func(...any) error) error {
		u, reason := keyward.Usage{OrganizationID: span.OrganizationID}, ""
		if err := scan(&u.KeyID, &u.Hour, &reason, &u.Count); err != nil {
			return err
		}
		err := u.Reason.UnmarshalText([]byte(reason))
		found = append(found, u)
		return err
	})
	return sumUsage(found, nil), err
}

// UsedKeys returns the ids of keys of which usage is kept, in order, behind the one
// given: as many as the limit says.
func (r reader) UsedKeys(ctx context.Context, organizationID, after string, limit int) ([]string, error) {
	// It jumps from one key to the next, past all the hours of each.
	return r.ids(ctx, `WITH RECURSIVE used (id) AS (
			SELECT min(key_id) FROM usage_keys WHERE organization_id = $1 AND key_id > $2
			UNION ALL
			SELECT (SELECT min(u.key_id) FROM usage_keys u WHERE u.organization_id = $1 AND u.key_id > used.id)
				FROM used WHERE used.id IS NOT NULL)
		SELECT id FROM used WHERE id IS NOT NULL LIMIT $3`, organizationID, after, limit)
}

// ProjectKeys returns the ids of an organization's keys that are in one of the projects,
// deleted ones too, in order, behind the one given: as many as the limit says, or only the
// one that is asked for.
func (r reader) ProjectKeys(ctx context.Context, organizationID string, projectIDs []string, only, after string, limit int) ([]string, error) {
	l := listing{args: []any{organizationID, after, limit}}
	query := "SELECT k.id FROM keys k WHERE k.organization_id = $1 AND k.id > $2 AND " + inProjects(l.texts(projectIDs))
	if only != "" {
		query += " AND k.id = " + l.arg(only)
	}
	return r.ids(ctx, query+" ORDER BY k.id LIMIT $3", l.args...)
}

func (r reader) ids(ctx context.Context, query string, args ...any) ([]string, error) {
	var found []string
	err := r.each(ctx, query, args, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		found = append(found, id)
		return err
	})
	return found, err
}

// dropAtOnce is how many rows one transaction of [Store.DropUsage] deletes, so that none
// keeps others waiting.
const dropAtOnce = 2000

// DropUsage forgets the usage of hours before the instant, and writers that have not
// added any since then.
func (s *Store) DropUsage(ctx context.Context, before keyward.Time) error {
	for _, table := range []struct{ name, key string }{
		{"usage_keys", "organization_id, key_id, hour_ms, reason"},
		{"usage_totals", "organization_id, hour_ms, reason"},
	} {
		for dropped := int64(dropAtOnce); dropped == dropAtOnce; {
			_, err := s.Update(ctx, func(tx *Tx) (err error) {
				dropped, err = tx.exec(ctx, "DELETE FROM "+table.name+" WHERE ("+table.key+") IN (SELECT "+table.key+
					" FROM "+table.name+" WHERE hour_ms < $1 ORDER BY hour_ms LIMIT $2)", int64(before), dropAtOnce)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	_, err := s.Update(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, "DELETE FROM usage_writers WHERE added_ms < $1", int64(before))
		return err
	})
	return err
}
