package control_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/store"
)

func instant(t testing.TB, text string) keyward.Time {
	t.Helper()
	parsed, err := keyward.ParseTime(text)
	want(t, "ParseTime", err, "")
	return parsed
}

// count adds usage of a key.
func (w *world) count(t testing.TB, key *keyward.Key, hour keyward.Time, reason keyward.Reason, n int64) {
	t.Helper()
	w.add(t, keyward.Usage{OrganizationID: key.OrganizationID, KeyID: key.ID, Hour: hour, Reason: reason, Count: n})
}

func (w *world) add(t testing.TB, usage ...keyward.Usage) {
	t.Helper()
	err := w.store.AddUsage(w.ctx, store.UsageBatch{Writer: fmt.Sprint(rand.Uint64()), Number: 1, Time: w.now(), Usage: usage})
	want(t, "AddUsage", err, "")
}

// usage reads a whole list of usage, page by page.
func (w *world) usage(t testing.TB, by keyward.Actor, organizationID string, q control.UsageQuery) []keyward.UsageSum {
	t.Helper()
	all := []keyward.UsageSum{}
	for q.Limit = cmp.Or(q.Limit, 1000); ; {
		sums, found, err := w.Usage(w.ctx, by, organizationID, q)
		want(t, "Usage", err, "")
		if all = append(all, sums...); len(sums) > q.Limit {
			t.Fatalf("%d entries on a page of %d", len(sums), q.Limit)
		}
		if found.Cursor == "" {
			return all
		}
		q.Cursor = found.Cursor
	}
}

func (w *world) wantUsage(t testing.TB, by keyward.Actor, organizationID string, q control.UsageQuery, want ...keyward.UsageSum) {
	t.Helper()
	if got := w.usage(t, by, organizationID, q); !slices.Equal(got, want) {
		t.Errorf("the usage is %v, want %v", got, want)
	}
}

func TestUsageIsAddedUpByCalendarInUTC(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		k, _ := w.create(t, o)
		for i, hour := range []string{
			"2026-01-31T22:00:00Z", "2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z", "2026-02-28T23:00:00Z", "2026-03-01T00:00:00Z",
		} {
			w.count(t, k, instant(t, hour), keyward.Valid, 1<<i)
		}
		span := control.UsageQuery{From: instant(t, "2026-01-01T00:00:00Z"), To: instant(t, "2026-04-01T00:00:00Z")}
		span.Interval = keyward.Daily
		w.wantUsage(t, w.root, o.ID, span,
			keyward.UsageSum{Time: instant(t, "2026-01-31T00:00:00Z"), Count: 1 + 2},
			keyward.UsageSum{Time: instant(t, "2026-02-01T00:00:00Z"), Count: 4},
			keyward.UsageSum{Time: instant(t, "2026-02-28T00:00:00Z"), Count: 8},
			keyward.UsageSum{Time: instant(t, "2026-03-01T00:00:00Z"), Count: 16})
		span.Interval = keyward.Monthly
		w.wantUsage(t, w.root, o.ID, span,
			keyward.UsageSum{Time: instant(t, "2026-01-01T00:00:00Z"), Count: 1 + 2},
			keyward.UsageSum{Time: instant(t, "2026-02-01T00:00:00Z"), Count: 4 + 8},
			keyward.UsageSum{Time: instant(t, "2026-03-01T00:00:00Z"), Count: 16})
		// From within an hour, to within another: both whole.
		w.wantUsage(t, w.root, o.ID, control.UsageQuery{
			From: instant(t, "2026-02-01T01:29:00+01:30"), To: instant(t, "2026-02-01T00:00:00.001Z"), Interval: keyward.Hourly,
		}, keyward.UsageSum{Time: instant(t, "2026-01-31T23:00:00Z"), Count: 2}, keyward.UsageSum{Time: instant(t, "2026-02-01T00:00:00Z"), Count: 4})
		w.wantUsage(t, w.root, o.ID, control.UsageQuery{
			From: instant(t, "2026-01-31T23:00:00Z"), To: instant(t, "2026-02-01T00:00:00Z"), Interval: keyward.Hourly,
		}, keyward.UsageSum{Time: instant(t, "2026-01-31T23:00:00Z"), Count: 2})
	})
}

func TestUsageIsThatOfTheLast30DaysIfNothingIsSaid(t *testing.T) {
	w := newWorld(t, sqliteURL(t))
	w.bootstrap(t)
	o := w.organization(t)
	k, _ := w.create(t, o)
	first := keyward.Daily.Start(noon.Add(-30 * 24 * time.Hour))
	w.count(t, k, first.Add(-time.Hour), keyward.Valid, 1)
	w.count(t, k, first, keyward.Valid, 2)
	w.count(t, k, keyward.Hourly.Start(noon), keyward.Valid, 4)
	w.count(t, k, keyward.Hourly.Start(noon).Add(time.Hour), keyward.Valid, 8)
	q := control.UsageQuery{Interval: keyward.Daily}
	w.wantUsage(t, w.root, o.ID, q, keyward.UsageSum{Time: first, Count: 2}, keyward.UsageSum{Time: keyward.Daily.Start(noon), Count: 4})
	// The pages of a list are about one span, whatever the time.
	q.Limit = 1
	_, found, err := w.Usage(w.ctx, w.root, o.ID, q)
	want(t, "Usage", err, "")
	w.pass(48 * time.Hour)
	q.Cursor = found.Cursor
	w.wantUsage(t, w.root, o.ID, q, keyward.UsageSum{Time: keyward.Daily.Start(noon), Count: 4})
}

func TestASpanOfUsageIsNeitherEmptyNorTooLong(t *testing.T) {
	w := newWorld(t, sqliteURL(t))
	w.bootstrap(t)
	o := w.organization(t)
	days := func(n int) keyward.Time { return noon.Add(time.Duration(-n) * 24 * time.Hour) }
	for what, q := range map[string]control.UsageQuery{
		"from is to":          {From: noon, To: noon, Interval: keyward.Daily},
		"from is behind to":   {From: noon + 1, To: noon, Interval: keyward.Daily},
		"from is in future":   {From: noon + 1, Interval: keyward.Daily},
		"more than 400 days":  {From: days(400) - 1, Interval: keyward.Monthly},
		"hours of 31 days":    {From: days(31) - 1, Interval: keyward.Hourly},
		"from 1970 to 9999":   {From: 1, To: 253402300799999, Interval: keyward.Daily},
		"400 days since then": {From: 1, To: days(0), Interval: keyward.Daily},
	} {
		q.Limit = 10
		_, _, err := w.Usage(w.ctx, w.root, o.ID, q)
		wantPointer(t, what, err, "/from")
	}
	for what, q := range map[string]control.UsageQuery{
		"400 days":              {From: days(400), Interval: keyward.Daily},
		"31 days of hours":      {From: days(31), Interval: keyward.Hourly},
		"the default, in hours": {Interval: keyward.Hourly},
		"the beginning of time": {To: 1, Interval: keyward.Hourly},
		"the end of time":       {To: 253402300799999, Interval: keyward.Monthly},
	} {
		q.Limit = 10
		if _, _, err := w.Usage(w.ctx, w.root, o.ID, q); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestUsageIsSeenByWhoMayReadItThere(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o, other := w.organization(t), w.organization(t)
		mine, theirs := w.project(t, o), w.project(t, o)
		inMine, _ := w.create(t, o, in(mine))
		inBoth, _ := w.create(t, o, in(mine, theirs))
		inTheirs, _ := w.create(t, o, in(theirs))
		atLarge, _ := w.create(t, o)
		foreign, _ := w.create(t, other)
		hour := keyward.Hourly.Start(noon)
		for i, k := range []*keyward.Key{inMine, inBoth, inTheirs, atLarge, foreign} {
			w.count(t, k, hour, keyward.Valid, 1<<i)
		}
		day := keyward.Daily.Start(noon)
		sum := func(n int64) keyward.UsageSum { return keyward.UsageSum{Time: day, Count: n} }
		of := func(k *keyward.Key, n int64) keyward.UsageSum {
			return keyward.UsageSum{Time: day, KeyID: k.ID, Count: n}
		}
		total := control.UsageQuery{Interval: keyward.Daily}
		byKey := control.UsageQuery{Interval: keyward.Daily, ByKey: true}
		ofTheirs := control.UsageQuery{Interval: keyward.Daily, KeyID: inTheirs.ID}
		for _, by := range []keyward.Actor{w.root, w.operator(t, keyward.Viewer, o), w.key(t, o, grant("usage.read"))} {
			w.wantUsage(t, by, o.ID, total, sum(1+2+4+8))
			w.wantUsage(t, by, o.ID, byKey, of(inMine, 1), of(inBoth, 2), of(inTheirs, 4), of(atLarge, 8))
			w.wantUsage(t, by, o.ID, ofTheirs, sum(4))
		}
		robot := w.key(t, o, limited([]*keyward.Project{mine}, "usage.read"), grant("keys.read"))
		w.wantUsage(t, robot, o.ID, total, sum(1+2))
		w.wantUsage(t, robot, o.ID, byKey, of(inMine, 1), of(inBoth, 2))
		w.wantUsage(t, robot, o.ID, ofTheirs)
		w.wantUsage(t, robot, o.ID, control.UsageQuery{Interval: keyward.Daily, KeyID: inBoth.ID, ByKey: true}, of(inBoth, 2))

		for _, by := range []keyward.Actor{w.operator(t, keyward.Verifier, o), w.key(t, o, grant("keys.*"))} {
			_, _, err := w.Usage(w.ctx, by, o.ID, total)
			want(t, "without the right", err, keyward.Forbidden)
		}
		for _, by := range []keyward.Actor{w.operator(t, keyward.Admin, other), w.key(t, other, grant("usage.read"))} {
			_, _, err := w.Usage(w.ctx, by, o.ID, total)
			want(t, "another's", err, keyward.NotFound)
		}
		_, _, err := w.Usage(w.ctx, w.root, "org_0", total)
		want(t, "nobody's", err, keyward.NotFound)
		w.wantUsage(t, w.root, other.ID, control.UsageQuery{Interval: keyward.Daily, KeyID: inMine.ID})
	})
}

func TestAKeyThatIsDeletedKeepsItsUsage(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		p := w.project(t, o)
		k, _ := w.create(t, o, in(p))
		w.count(t, k, keyward.Hourly.Start(noon), keyward.Valid, 3)
		w.delete(t, k)
		day := keyward.Daily.Start(noon)
		for _, by := range []keyward.Actor{w.root, w.key(t, o, limited([]*keyward.Project{p}, "usage.read"))} {
			w.wantUsage(t, by, o.ID, control.UsageQuery{Interval: keyward.Daily}, keyward.UsageSum{Time: day, Count: 3})
			w.wantUsage(t, by, o.ID, control.UsageQuery{Interval: keyward.Daily, ByKey: true},
				keyward.UsageSum{Time: day, KeyID: k.ID, Count: 3})
		}
	})
}

func TestUsageOfTooManyKeysOfProjectsIsReadByKey(t *testing.T) {
	w := newWorld(t, sqliteURL(t))
	w.bootstrap(t)
	o := w.organization(t)
	p := w.project(t, o)
	_, err := w.store.Update(w.ctx, func(tx *store.Tx) error {
		for i := range 1001 {
			k := keyward.Key{
				ID: fmt.Sprintf("k%04d", i), OrganizationID: o.ID, ClientID: keyward.NewClientID(), Name: "k", ProjectIDs: []string{p.ID},
				Metadata: []byte("{}"), Versions: []keyward.Version{{Version: 1}}, Revision: 1,
			}
			digest := func(*keyward.Key) (store.Credential, error) {
				return store.Credential{Digest: keyward.Digest{byte(i), byte(i >> 8)}}, nil
			}
			if err := tx.InsertKey(w.ctx, &k, digest); err != nil {
				return err
			}
		}
		return nil
	})
	want(t, "InsertKey", err, "")
	w.add(t, keyward.Usage{OrganizationID: o.ID, KeyID: "k1000", Hour: keyward.Hourly.Start(noon), Reason: keyward.Valid, Count: 2})
	w.restart(t)
	robot := w.key(t, o, limited([]*keyward.Project{p}, "usage.read"))
	_, _, err = w.Usage(w.ctx, robot, o.ID, control.UsageQuery{Interval: keyward.Daily, Limit: 10})
	wantPointer(t, "all together", err, "/groupBy")
	w.wantUsage(t, robot, o.ID, control.UsageQuery{Interval: keyward.Daily, ByKey: true},
		keyward.UsageSum{Time: keyward.Daily.Start(noon), KeyID: "k1000", Count: 2})
}

func TestACursorOfUsageIsGoodForItsListOnly(t *testing.T) {
	w := newWorld(t, sqliteURL(t))
	w.bootstrap(t)
	o, other := w.organization(t), w.organization(t)
	for range 2 {
		k, _ := w.create(t, o)
		w.count(t, k, keyward.Hourly.Start(noon), keyward.Valid, 1)
	}
	q := control.UsageQuery{Interval: keyward.Daily, ByKey: true, Limit: 1}
	_, found, err := w.Usage(w.ctx, w.root, o.ID, q)
	want(t, "Usage", err, "")
	for what, edit := range map[string]func(*control.UsageQuery){
		"from":      func(q *control.UsageQuery) { q.From = noon - 1 },
		"to":        func(q *control.UsageQuery) { q.To = noon },
		"interval":  func(q *control.UsageQuery) { q.Interval = keyward.Hourly },
		"by key":    func(q *control.UsageQuery) { q.ByKey = false },
		"by reason": func(q *control.UsageQuery) { q.ByReason = true },
		"a key":     func(q *control.UsageQuery) { q.KeyID = "k" },
		"garbage":   func(q *control.UsageQuery) { q.Cursor = "x" + q.Cursor },
	} {
		wrong := q
		wrong.Cursor = found.Cursor
		edit(&wrong)
		_, _, err := w.Usage(w.ctx, w.root, o.ID, wrong)
		wantPointer(t, what, err, "/cursor")
	}
	q.Cursor = found.Cursor
	_, _, err = w.Usage(w.ctx, w.root, other.ID, q)
	wantPointer(t, "another organization", err, "/cursor")
}

// TestUsageModel compares pages of random usage with the plain reading of what was asked.
func TestUsageModel(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		random := rand.New(rand.NewPCG(1, 2))
		var all []keyward.Usage
		for range 600 {
			all = append(all, keyward.Usage{
				OrganizationID: o.ID, KeyID: fmt.Sprintf("k%02d", random.IntN(45)),
				Hour:   keyward.Hourly.Start(noon).Add(-time.Duration(random.IntN(20*24)) * time.Hour),
				Reason: keyward.Reason(1 + random.IntN(int(keyward.Valid))), Count: random.Int64N(100) + 1,
			})
		}
		w.add(t, all...)
		for range 60 {
			q := control.UsageQuery{
				Interval: []keyward.Interval{keyward.Hourly, keyward.Daily, keyward.Monthly}[random.IntN(3)],
				ByKey:    random.IntN(2) == 0, ByReason: random.IntN(2) == 0, Limit: 1 + random.IntN(60),
				From: noon.Add(-time.Duration(1+random.IntN(25*24)) * time.Hour),
			}
			if random.IntN(3) == 0 {
				q.KeyID = fmt.Sprintf("k%02d", random.IntN(50))
			}
			got := w.usage(t, w.root, o.ID, q)
			if want := plainUsage(all, q); !slices.Equal(got, want) {
				t.Fatalf("%+v:\n got %v\nwant %v", q, got, want)
			}
		}
	})
}

// plainUsage is what a list of usage should be.
func plainUsage(all []keyward.Usage, q control.UsageQuery) []keyward.UsageSum {
	sums := []keyward.UsageSum{}
	for _, u := range all {
		if u.Hour.Add(time.Hour) <= q.From || q.KeyID != "" && u.KeyID != q.KeyID {
			continue
		}
		sum := keyward.UsageSum{Time: q.Interval.Start(u.Hour), Count: u.Count}
		if q.ByKey {
			sum.KeyID = u.KeyID
		}
		if q.ByReason {
			sum.Reason = u.Reason
		}
		i := slices.IndexFunc(sums, func(s keyward.UsageSum) bool {
			return s.Time == sum.Time && s.KeyID == sum.KeyID && s.Reason == sum.Reason
		})
		if i >= 0 {
			sums[i].Count += sum.Count
			continue
		}
		sums = append(sums, sum)
	}
	slices.SortFunc(sums, func(a, b keyward.UsageSum) int {
		return cmp.Or(cmp.Compare(a.KeyID, b.KeyID), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Reason, b.Reason))
	})
	return sums
}
