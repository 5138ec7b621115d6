package control

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyward"
	"keyward/internal/store"
)

// How much usage is kept, and how much of it one question may be about.
const (
	usageLife     = 400 * 24 * time.Hour
	usageDefault  = 30 * 24 * time.Hour
	maxHourlySpan = 31 * 24 * time.Hour
)

// The work that one page may take. A page that would take more ends early.
const (
	usageKeysAtOnce  = 20
	usageKeysOfAPage = 2000
	maxSummedKeys    = 1000 // of projects, added up without being told apart
)

// UsageQuery says what of an organization's usage is wanted.
type UsageQuery struct {
	// From and To bound the hours: from the one that From is in, to the last one that
	// begins before To. 0 is 30 days before To, at midnight, and now.
	From, To keyward.Time
	Interval keyward.Interval
	ByKey    bool   // whether keys are told apart
	ByReason bool   // whether reasons are told apart
	KeyID    string // only of this key, if not ""
	Limit    int
	Cursor   string
}

// usagePlace is where a page of usage ends. What was not said of the span is settled by
// the first page, so that time that passes moves nothing.
type usagePlace struct {
	From, To keyward.Time
	Last     keyward.UsageSum
	Done     bool // nothing of the key is left
}

// Usage returns one page of sums: by key, time and reason, as far as they are told apart,
// and none of 0. A right that is limited to projects is to the usage of their keys. A page
// may have fewer entries than the limit, or none, and still not be the last.
func (p *Plane) Usage(ctx context.Context, by keyward.Actor, organizationID string, query UsageQuery) ([]keyward.UsageSum, Found, error) {
	if err := p.readable(ctx, by, keyward.UsageRead, organizationID); err != nil {
		return nil, Found{}, err
	}
	binding := query.binding(organizationID)
	var place usagePlace
	if query.Cursor != "" {
		text, err := p.ring.OpenCursor(query.Cursor, binding)
		if err == nil {
			err = json.Unmarshal(text, &place)
		}
		if err != nil {
			return nil, Found{}, err
		}
		query.From, query.To = place.From, place.To
	}
	if err := query.settle(p.now()); err != nil {
		return nil, Found{}, err
	}
	walk := usageWalk{
		UsageQuery: query, store: p.store, organizationID: organizationID, reach: by.Projects(keyward.UsageRead),
		place: place, resumed: query.Cursor != "",
	}
	sums, more, err := walk.page(ctx)
	if err != nil || !more {
		return sums, Found{}, err
	}
	walk.place.From, walk.place.To = query.From, query.To
	text, err := json.Marshal(walk.place)
	if err != nil {
		return nil, Found{}, keyward.Errorf(keyward.Internal, "write a position: %w", err)
	}
	return sums, Found{Cursor: p.ring.SealCursor(text, binding)}, nil
}

// binding is everything that two pages of one list have in common.
func (q *UsageQuery) binding(organizationID string) string {
	return strings.Join([]string{
		"usage", organizationID, q.From.String(), q.To.String(), string(q.Interval),
		fmt.Sprint(q.ByKey, q.ByReason), q.KeyID,
	}, "\x00")
}

// settle gives the span its defaults and refuses one that is too long, or empty.
func (q *UsageQuery) settle(now keyward.Time) error {
	if q.To == 0 {
		q.To = now
	}
	if q.From == 0 && q.To > keyward.Time(usageDefault.Milliseconds()) {
		q.From = keyward.Daily.Start(q.To.Add(-usageDefault))
	}
	longest, days := usageLife, "400 days"
	if q.Interval == keyward.Hourly {
		longest, days = maxHourlySpan, "31 days, the longest for hours"
	}
	var f keyward.Faults
	switch {
	case q.From >= q.To:
		f.Add("/from", "is not before to")
	case q.To-q.From > keyward.Time(longest.Milliseconds()):
		f.Add("/from", "is earlier than to by more than %s", days)
	}
	return f.Err()
}

// usageWalk goes through the usage of an organization in the order of its pages.
type usageWalk struct {
	UsageQuery
	store          *store.Store
	organizationID string
	reach          keyward.Reach
	place          usagePlace // where it has come to
	resumed        bool       // whether that is behind an entry
}

// page returns the next entries, and whether there may be more behind them.
func (w *usageWalk) page(ctx context.Context) ([]keyward.UsageSum, bool, error) {
	if w.ByKey {
		return w.pageByKey(ctx)
	}
	usage, err := w.together(ctx)
	if err != nil {
		return nil, false, err
	}
	sums, more := w.take([]keyward.UsageSum{}, w.sum(usage))
	return sums, more, nil
}

// pageByKey goes from key to key.
func (w *usageWalk) pageByKey(ctx context.Context) ([]keyward.UsageSum, bool, error) {
	sums := []keyward.UsageSum{}
	var keys []string
	if w.resumed && !w.place.Done {
		keys = []string{w.place.Last.KeyID} // of which a part is left
	}
	for seen := 0; seen < usageKeysOfAPage; seen += usageKeysAtOnce {
		next, err := w.keys(ctx, w.place.Last.KeyID, usageKeysAtOnce)
		if err != nil {
			return nil, false, err
		}
		if keys = append(keys, next...); len(keys) == 0 {
			return sums, false, nil
		}
		usage, err := w.store.KeyUsage(ctx, w.span(), keys)
		if err != nil {
			return nil, false, err
		}
		var more bool
		if sums, more = w.take(sums, w.sum(usage)); more {
			return sums, true, nil
		}
		w.place.Last, w.place.Done, w.resumed = keyward.UsageSum{KeyID: keys[len(keys)-1]}, true, true
		keys = nil
	}
	return sums, true, nil
}

// keys returns the next keys in reach of which there may be usage.
func (w *usageWalk) keys(ctx context.Context, after string, limit int) ([]string, error) {
	switch {
	case !w.reach.All:
		return w.store.ProjectKeys(ctx, w.organizationID, w.reach.ProjectIDs, w.KeyID, after, limit)
	case w.KeyID == "":
		return w.store.UsedKeys(ctx, w.organizationID, after, limit)
	case after < w.KeyID:
		return []string{w.KeyID}, nil
	}
	return nil, nil
}

// together returns the usage of all keys in reach.
func (w *usageWalk) together(ctx context.Context) ([]keyward.Usage, error) {
	if w.reach.All && w.KeyID == "" {
		return w.store.TotalUsage(ctx, w.span())
	}
	keys, err := w.keys(ctx, "", maxSummedKeys+1)
	if err != nil {
		return nil, err
	}
	if len(keys) > maxSummedKeys {
		var f keyward.Faults
		f.Add("/groupBy", "must hold key: your right is limited to projects, and they have more than %d keys", maxSummedKeys)
		return nil, f.Err()
	}
	return w.store.KeyUsage(ctx, w.span(), keys)
}

func (w *usageWalk) span() store.UsageSpan {
	return store.UsageSpan{
		OrganizationID: w.organizationID, From: keyward.Hourly.Start(max(w.From, 1)), To: w.To,
		Daily: w.Interval != keyward.Hourly,
	}
}

// sum adds up what is not told apart, and puts it in order.
func (w *usageWalk) sum(usage []keyward.Usage) []keyward.UsageSum {
	counts := map[keyward.UsageSum]int64{}
	for _, u := range usage {
		of := keyward.UsageSum{Time: w.Interval.Start(u.Hour)}
		if w.ByKey {
			of.KeyID = u.KeyID
		}
		if w.ByReason {
			of.Reason = u.Reason
		}
		counts[of] += u.Count
	}
	sums := make([]keyward.UsageSum, 0, len(counts))
	for of, count := range counts {
		of.Count = count
		sums = append(sums, of)
	}
	slices.SortFunc(sums, order)
	return sums
}

func order(a, b keyward.UsageSum) int {
	return cmp.Or(cmp.Compare(a.KeyID, b.KeyID), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Reason, b.Reason))
}

// take adds to a page what is behind the place, and moves it. It reports whether not all
// of it fitted.
func (w *usageWalk) take(page, sums []keyward.UsageSum) ([]keyward.UsageSum, bool) {
	for i, sum := range sums {
		if w.resumed && !w.place.Done && order(sum, w.place.Last) <= 0 {
			continue
		}
		if len(page) == w.Limit {
			return page, true
		}
		page = append(page, sums[i])
		w.place.Last, w.place.Done, w.resumed = sum, false, true
	}
	return page, false
}
