package store_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/filter"
	"keyward/internal/store"

	"pgregory.net/rapid"
)

// TestListModel compares lists of random keys with the plain reading of what was
// asked. Both databases hold the same keys, so they agree with each other as well.
func TestListModel(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"SQLite": sqliteURL, "PostgreSQL": postgresURL} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				p := populate(t, open(t, url(t), config()), rand.New(rand.NewPCG(seed, 0)), 20+140*int(seed))
				rapid.Check(t, p.check)
			}
		})
	}
}

// population is an organization whose keys are known.
type population struct {
	*world
	t            *testing.T
	organization *keyward.Organization
	keys         []*keyward.Key // those that are not deleted
}

// populate fills a store with the same keys for the same random source.
func populate(t *testing.T, w *world, random *rand.Rand, n int) *population {
	p := &population{world: w, t: t}
	p.organization = w.organization(t, func(o *keyward.Organization) { o.ID = "org_1" })
	for i := range 4 {
		project := w.newProject("org_1")
		project.ID = fmt.Sprint("prj_", i)
		w.update(t, func(tx *store.Tx) error { return tx.InsertProject(t.Context(), project) })
	}
	var all []*keyward.Key
	var uses []keyward.Use
	for i := range n {
		k := randomKey(w, random, i)
		all = append(all, k)
		if random.IntN(3) == 0 {
			k.LastUsedTime = near(random)
			uses = append(uses, keyward.Use{OrganizationID: "org_1", KeyID: k.ID, Version: 1, Time: k.LastUsedTime})
		}
	}
	w.update(t, func(tx *store.Tx) error {
		for i, k := range all {
			if err := tx.InsertKey(t.Context(), k, secret(fmt.Sprint("secret ", i))); err != nil {
				return err
			}
			k.Revision = 1
			if err := tx.UpdateKey(t.Context(), k); err != nil {
				return err
			}
		}
		for i := 0; i < n; i += 10 {
			if err := tx.DeleteKey(t.Context(), all[i], noon); err != nil {
				return err
			}
		}
		return tx.DeleteProject(t.Context(), "org_1", "prj_3", noon)
	})
	if err := w.Touch(t.Context(), uses); err != nil {
		t.Fatal(err)
	}
	for i, k := range all {
		if i%10 == 0 {
			continue
		}
		k.Versions[0].LastUsedTime = k.LastUsedTime
		k.ProjectIDs = slices.DeleteFunc(k.ProjectIDs, func(id string) bool { return id == "prj_3" })
		p.keys = append(p.keys, k)
	}
	return p
}

func someNames() []string {
	return []string{
		"alpha", "Alpha", "ALPHA", "älpha", "Älpha", "a", "B", "b", "Ç", "c", "é", "É", "e", "z", "Ω", "ω", "🗝", "🗝🗝", "中",
		"ß", "SS", "100%", "a_b", `a\b`, "a b", " a", "a-b", "ab", "'", "İ", "ı", "ﬀ",
	}
}

func randomKey(w *world, random *rand.Rand, i int) *keyward.Key {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	k := w.newKey("org_1", func(k *keyward.Key) {
		k.ID, k.ClientID = pick("k", "K")+fmt.Sprint(i*7%1000), fmt.Sprintf("%s%031d", pick("x", "X"), i*31%1000)
		k.Name, k.Type, k.Environment = pick(someNames()...), keyward.KeyType(pick("secret", "publishable")), keyward.Environment(pick("live", "test", "sandbox"))
		if owner := pick("", "", "User", "user", "ÜSER", "other"); owner != "" {
			k.OwnerID = &owner
		}
		for project := range 4 {
			if random.IntN(4) == 0 {
				k.ProjectIDs = append(k.ProjectIDs, fmt.Sprint("prj_", project))
			}
		}
		k.Enabled, k.CreatedBy = random.IntN(4) > 0, pick("opr_1", "opr_2", "Key-1")
		k.StartTime, k.ExpireTime, k.RevokedTime = maybe(random), maybe(random), maybe(random)
		k.CreatedTime, k.UpdatedTime = near(random), near(random)
		k.Versions[0].CreatedTime = k.CreatedTime
	})
	return k
}

// near returns one of few instants around noon.
func near(random *rand.Rand) keyward.Time { return noon + keyward.Time(random.IntN(9)-4) }

func maybe(random *rand.Rand) keyward.Time {
	if random.IntN(2) == 0 {
		return 0
	}
	return near(random)
}

// check draws what to ask for and compares the answer.
func (p *population) check(t *rapid.T) {
	page := store.Page{
		Filter: drawFilter(t), Sort: drawSort(t), Now: drawInstant(t, "now"), Count: true,
		Query: rapid.SampledFrom(append(someNames(), "", "", "", "%", "_", `\`)).Draw(t, "query"),
	}
	of := store.KeyList{OrganizationID: "org_1", Reach: keyward.Reach{All: true}, HideRevoked: rapid.Bool().Draw(t, "hideRevoked")}
	if rapid.IntRange(0, 3).Draw(t, "limited") == 0 {
		of.Reach = keyward.Reach{ProjectIDs: rapid.SliceOfN(rapid.SampledFrom([]string{"prj_0", "prj_1", "prj_3"}), 0, 2).Draw(t, "reach")}
	}
	want := p.expect(of, page)
	page.Limit = rapid.IntRange(1, 70).Draw(t, "limit")
	var got []*keyward.Key
	for {
		keys, found, err := p.Keys(p.t.Context(), of, page)
		if err != nil {
			t.Fatalf("filter %q, sort %q: %v", page.Filter, page.Sort, err)
		}
		if got = append(got, keys...); found.Next == "" || len(got) > len(want) {
			break
		}
		if found.Total != int64(len(want)) {
			t.Fatalf("filter %q: the total is %d, want %d", page.Filter, found.Total, len(want))
		}
		page.After = found.Next
	}
	wantSame(t, fmt.Sprintf("filter %q, sort %q", page.Filter, page.Sort), got, want)

	page.After, page.Offset = "", rapid.IntRange(0, len(want)).Draw(t, "offset")
	keys, _, err := p.Keys(p.t.Context(), of, page)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, fmt.Sprintf("from %d on", page.Offset), keys, want[page.Offset:min(len(want), page.Offset+page.Limit)])
}

func wantSame(t *rapid.T, what string, got, want []*keyward.Key) {
	if len(got) != len(want) {
		t.Fatalf("%s: %d keys, want %d", what, len(got), len(want))
	}
	for i := range got {
		if got[i].ID != want[i].ID || got[i].Revision != want[i].Revision || !slices.Equal(got[i].ProjectIDs, want[i].ProjectIDs) {
			t.Fatalf("%s: entry %d is %+v, want %+v", what, i, got[i], want[i])
		}
	}
}

func drawInstant(t *rapid.T, label string) keyward.Time {
	return noon + keyward.Time(rapid.IntRange(-5, 5).Draw(t, label))
}

func drawSort(t *rapid.T) filter.Sort {
	var sort filter.Sort
	for _, f := range keySchema() {
		if f.Sortable && rapid.IntRange(0, 7).Draw(t, "sort by "+f.Name) == 0 {
			sort = append(sort, filter.Order{Name: f.Name, Column: f.Name, Descending: rapid.Bool().Draw(t, "descending")})
		}
	}
	return rapid.Permutation(sort).Draw(t, "sort")
}

func drawFilter(t *rapid.T) filter.Filter {
	schema := slices.DeleteFunc(keySchema(), func(f filter.Field) bool { return f.Column != "" })
	var all filter.Filter
	for range rapid.IntRange(0, 3).Draw(t, "clauses") {
		f := rapid.SampledFrom(schema).Draw(t, "field")
		c := filter.Clause{Name: f.Name, Column: f.Name, Kind: f.Kind, Negated: rapid.Bool().Draw(t, "negated")}
		for range rapid.IntRange(1, 3).Draw(t, "terms") {
			c.Terms = append(c.Terms, drawTerm(t, f))
		}
		all = append(all, c)
	}
	return all
}

func drawTerm(t *rapid.T, f filter.Field) filter.Term {
	text := func(of ...string) filter.Term { return filter.Term{Text: rapid.SampledFrom(of).Draw(t, "value")} }
	switch {
	case f.Nullable && rapid.IntRange(0, 3).Draw(t, "null") == 0:
		return filter.Term{Null: true}
	case f.Kind == filter.Enum:
		return text(f.Values...)
	case f.Kind == filter.Bool:
		n := rapid.Int64Range(0, 1).Draw(t, "bool")
		return filter.Term{From: n, To: n}
	case f.Kind == filter.Number:
		return filter.Term{From: rapid.Int64Range(-1, 150).Draw(t, "from"), To: rapid.Int64Range(-1, 300).Draw(t, "to")}
	case f.Kind == filter.Instant:
		return filter.Term{
			From: rapid.SampledFrom([]int64{-1 << 63, 0, int64(drawInstant(t, "from"))}).Draw(t, "start"),
			To:   rapid.SampledFrom([]int64{1<<63 - 1, int64(drawInstant(t, "to"))}).Draw(t, "end"),
		}
	}
	switch f.Name {
	case "name":
		return filter.Term{Text: keyward.Fold(rapid.SampledFrom(someNames()).Draw(t, "name"))}
	case "ownerId":
		return text("user", "üser", "other", "nobody")
	case "projectId":
		return text("prj_0", "prj_1", "prj_3", "prj_9")
	case "createdBy":
		return text("opr_1", "Key-1", "key-1")
	}
	return text("k7", "K7", "k14", "x0000000000000000000000000000031", "nothing")
}

// expect is the plain reading of what a list holds.
func (p *population) expect(of store.KeyList, page store.Page) []*keyward.Key {
	want := slices.DeleteFunc(slices.Clone(p.keys), func(k *keyward.Key) bool {
		return of.HideRevoked && k.RevokedTime != 0 || !of.Reach.Any(k.ProjectIDs) ||
			!strings.Contains(keyward.Fold(k.Name), keyward.Fold(page.Query)) ||
			slices.ContainsFunc(page.Filter, func(c filter.Clause) bool {
				return slices.ContainsFunc(c.Terms, func(t filter.Term) bool { return holds(k, c, t, page.Now) }) == c.Negated
			})
	})
	slices.SortFunc(want, func(a, b *keyward.Key) int {
		sign := 1
		for _, o := range page.Sort {
			sign = 1
			if o.Descending {
				sign = -1
			}
			textA, numberA := value(a, o.Column, page.Now)
			textB, numberB := value(b, o.Column, page.Now)
			if order := cmp.Or(cmp.Compare(textA, textB), cmp.Compare(numberA, numberB)); order != 0 {
				return sign * order
			}
		}
		return sign * cmp.Compare(a.Number, b.Number)
	})
	return want
}

// holds reports whether a term matches, read as the filter grammar says.
func holds(k *keyward.Key, c filter.Clause, t filter.Term, now keyward.Time) bool {
	if c.Column == "projectId" {
		return slices.Contains(k.ProjectIDs, t.Text)
	}
	text, number := value(k, c.Column, now)
	switch {
	case t.Null:
		return text == "" && number == 0
	case c.Kind == filter.Instant:
		return number != 0 && t.From <= number && number <= t.To
	case c.Kind == filter.Number, c.Kind == filter.Bool:
		return t.From <= number && number <= t.To
	}
	return text == t.Text
}

// value returns what a key has in a field: a text or a number.
func value(k *keyward.Key, field string, now keyward.Time) (string, int64) {
	switch field {
	case "id":
		return k.ID, 0
	case "number":
		return "", int64(k.Number)
	case "clientId":
		return k.ClientID, 0
	case "name":
		return keyward.Fold(k.Name), 0
	case "type":
		return string(k.Type), 0
	case "environment":
		return string(k.Environment), 0
	case "ownerId":
		if k.OwnerID == nil {
			return "", 0
		}
		return keyward.Fold(*k.OwnerID), 0
	case "enabled":
		if k.Enabled {
			return "", 1
		}
		return "", 0
	case "createdBy":
		return k.CreatedBy, 0
	case "status":
		return string(k.StatusAt(now)), 0
	}
	times := []keyward.Time{k.StartTime, k.ExpireTime, k.RevokedTime, k.CreatedTime, k.UpdatedTime, k.LastUsedTime}
	return "", int64(times[slices.Index(instants(), field)])
}
