package control_test

import (
	"slices"
	"testing"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/filter"
)

// lists are all lists, as what they hold by id, and what they can be filtered and
// sorted by.
func lists(w *world, o *keyward.Organization) map[string]struct {
	fields filter.Schema
	page   func(control.List) ([]string, control.Found, error)
} {
	type list = struct {
		fields filter.Schema
		page   func(control.List) ([]string, control.Found, error)
	}
	return map[string]list{
		"keys": {control.KeyFields(), func(q control.List) ([]string, control.Found, error) {
			keys, found, err := w.Keys(w.ctx, w.root, o.ID, q)
			return ids(keys, func(k *keyward.Key) string { return k.ID }), found, err
		}},
		"projects": {control.ProjectFields(), func(q control.List) ([]string, control.Found, error) {
			projects, found, err := w.Projects(w.ctx, w.root, o.ID, q)
			return ids(projects, func(p *keyward.Project) string { return p.ID }), found, err
		}},
		"organizations": {control.OrganizationFields(), func(q control.List) ([]string, control.Found, error) {
			organizations, found, err := w.Organizations(w.ctx, w.root, q)
			return ids(organizations, func(o *keyward.Organization) string { return o.ID }), found, err
		}},
		"operators": {control.OperatorFields(), func(q control.List) ([]string, control.Found, error) {
			operators, found, err := w.Operators(w.ctx, w.root, q)
			return ids(operators, func(o *keyward.Operator) string { return o.ID }), found, err
		}},
		"changes": {control.ChangeFields(), func(q control.List) ([]string, control.Found, error) {
			changes, found, err := w.Changes(w.ctx, w.root, o.ID, q)
			return ids(changes, func(c keyward.Change) string { return c.ID }), found, err
		}},
	}
}

func ids[T any](things []T, id func(T) string) []string {
	list := []string{}
	for _, thing := range things {
		list = append(list, id(thing))
	}
	return list
}

// populated is an organization with three things of each kind.
func populated(t *testing.T, w *world) *keyward.Organization {
	o := w.organization(t)
	for range 3 {
		w.project(t, o)
		w.create(t, o)
		w.operator(t, keyward.Viewer, o)
		w.organization(t)
	}
	return o
}

func TestEachListIsReadPageByPageToItsEnd(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := populated(t, w)
		for name, list := range lists(w, o) {
			all, found, err := list.page(control.List{Limit: 100, Count: true})
			want(t, name, err, "")
			if len(all) < 3 || found.Total != int64(len(all)) || found.Cursor != "" {
				t.Errorf("%s: %d of %d on one page, then %q", name, len(all), found.Total, found.Cursor)
			}
			seen := map[string]bool{}
			query := control.List{Limit: 2}
			for more := true; more; more = query.Cursor != "" {
				page, found, err := list.page(query)
				want(t, name, err, "")
				for _, id := range page {
					if seen[id] || len(page) > 2 {
						t.Fatalf("%s: %s is there twice, or a page too long", name, id)
					}
					seen[id] = true
				}
				query.Cursor = found.Cursor
			}
			if len(seen) != len(all) {
				t.Errorf("%s: %d of %d page by page", name, len(seen), len(all))
			}
		}
	})
}

func TestACursorIsForItsListOnly(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := populated(t, w)
		_, found, err := lists(w, o)["keys"].page(control.List{Limit: 1})
		want(t, "keys", err, "")
		for name, list := range lists(w, o) {
			if name == "keys" {
				continue
			}
			_, _, err := list.page(control.List{Limit: 1, Cursor: found.Cursor})
			wantPointer(t, "a cursor of keys for "+name, err, "/cursor")
		}
		byName, err := filter.ParseSort("-name", control.KeyFields())
		want(t, "ParseSort", err, "")
		live, err := filter.Parse("environment:live", control.KeyFields())
		want(t, "Parse", err, "")
		for name, query := range map[string]control.List{
			"another sort":          {Sort: byName},
			"another filter":        {Filter: live},
			"another text":          {Query: "a"},
			"without those revoked": {HideRevoked: true},
		} {
			query.Limit, query.Cursor = 1, found.Cursor
			_, _, err := lists(w, o)["keys"].page(query)
			wantPointer(t, "for "+name, err, "/cursor")
		}
		_, _, err = lists(w, populated(t, w))["keys"].page(control.List{Limit: 1, Cursor: found.Cursor})
		wantPointer(t, "for another organization", err, "/cursor")
		rest, _, err := lists(w, o)["keys"].page(control.List{Limit: 100, Cursor: found.Cursor})
		if err != nil || len(rest) != 2 {
			t.Errorf("for another length of page: %d more, error %v", len(rest), err)
		}
	})
}

func TestEachFieldOfAListFiltersAndSortsIt(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := populated(t, w)
		for name, list := range lists(w, o) {
			for _, field := range list.fields {
				for _, value := range values(field) {
					f, err := filter.Parse(field.Name+":"+value, list.fields)
					want(t, "Parse", err, "")
					_, _, err = list.page(control.List{Limit: 2, Filter: f})
					want(t, name+" with "+field.Name+":"+value, err, "")
				}
				if !field.Sortable {
					continue
				}
				sort, err := filter.ParseSort("-"+field.Name, list.fields)
				want(t, "ParseSort", err, "")
				first, found, err := list.page(control.List{Limit: 2, Sort: sort})
				want(t, name+" by "+field.Name, err, "")
				second, _, err := list.page(control.List{Limit: 2, Sort: sort, Cursor: found.Cursor})
				if err != nil || len(second) == 0 || second[0] == first[1] {
					t.Errorf("%s by %s: the second page is %v after %v, error %v", name, field.Name, second, first, err)
				}
			}
		}
	})
}

// values are some that a field can be compared with.
func values(field filter.Field) []string {
	some := map[filter.Kind][]string{
		filter.Text: {"x"}, filter.List: {"x", "x,y"}, filter.Enum: field.Values, filter.Number: {"1", "1..2"},
		filter.Instant: {"2026-01-01..", "..2026-01-01"}, filter.Bool: {"true", "false"},
	}[field.Kind]
	if field.Nullable {
		some = append(some, "null")
	}
	return some
}

func TestAWalkYieldsEveryKeyThatIsNotRevokedInItsOrder(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		var expected []string
		for i := range 5 {
			key, _ := w.create(t, o)
			if i == 2 {
				w.revoke(t, key)
				continue
			}
			expected = append(expected, key.ID)
		}
		var walked []string
		for key, err := range w.AllKeys(w.ctx, w.root, o.ID) {
			want(t, "AllKeys", err, "")
			walked = append(walked, key.ID)
		}
		if !slices.Equal(walked, expected) {
			t.Errorf("it yields %v, want %v", walked, expected)
		}
		for _, err := range w.AllKeys(w.ctx, w.root, o.ID) {
			want(t, "a walk that is left early", err, "")
			break
		}
		n := 0
		for key, err := range w.AllKeys(w.ctx, w.key(t, o), o.ID) {
			want(t, "AllKeys without the right", err, keyward.Forbidden)
			if n++; key != nil || n > 1 {
				t.Errorf("it yields %v after an error", key)
			}
		}
	})
}

func TestWhoReadsAKeyMayKnowWhatItsProjectsAreCalled(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		p, foreign := w.project(t, o), w.project(t, w.organization(t))
		by := w.key(t, o, grant("keys.read"))
		named, err := w.ProjectsOf(w.ctx, by, o.ID, []string{p.ID, foreign.ID, "prj_none"})
		if err != nil || len(named) != 1 || named[p.ID] == nil || named[p.ID].Name != p.Name {
			t.Errorf("it is told %v, error %v", named, err)
		}
		_, err = w.ProjectsOf(w.ctx, w.key(t, o), o.ID, []string{p.ID})
		want(t, "without the right to read keys", err, keyward.Forbidden)
	})
}

func TestAListOfWhatIsNotThereIsNotFound(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		nowhere := &keyward.Organization{ID: "org_none"}
		for name, list := range lists(w, nowhere) {
			if name == "organizations" || name == "operators" {
				continue
			}
			_, _, err := list.page(control.List{Limit: 1})
			want(t, name, err, keyward.NotFound)
		}
	})
}

func TestNothingIsAnsweredWhenTheDatabaseIsAway(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		key, _ := w.create(t, o)
		local, byKey := w.operator(t, keyward.Owner, o), w.key(t, o, grant(manager))
		want(t, "close", w.store.Close(), "")
		for name, list := range lists(w, o) {
			_, _, err := list.page(control.List{Limit: 1})
			want(t, "list "+name, err, keyward.Unavailable)
		}
		for who, by := range map[string]keyward.Actor{"root": w.root, "an operator": local, "a key": byKey} {
			for name, touch := range touches() {
				want(t, name+" a key as "+who, touch(w, by, key), keyward.Unavailable)
			}
		}
		for name, err := range map[string]error{
			"Claim": w.Claim(w.ctx), "Sweep": w.Sweep(w.ctx),
			"Bootstrap":    second(w.Bootstrap(w.ctx, keyward.Secret{})),
			"ResetRoot":    second(w.ResetRoot(w.ctx, keyward.Secret{})),
			"Operator":     second(w.Operator(w.ctx, w.root, w.root.ID)),
			"Project":      second(w.Project(w.ctx, w.root, o.ID, "prj_1")),
			"Organization": second(w.Organization(w.ctx, w.root, o.ID)),
			"Reveal":       second(w.Reveal(w.ctx, w.root, o.ID, []*keyward.Key{key})),
			"CreateKey":    second(w.CreateKey(w.ctx, w.root, aKey(o), once("k", ""))),
		} {
			want(t, name, err, keyward.Unavailable)
		}
		w.open(t)
	})
}
