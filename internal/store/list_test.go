package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/filter"
	"keyward/internal/store"
)

const postgresWait = 30 * time.Second

// keySchema is what lists of keys can be filtered and sorted by here.
func keySchema() filter.Schema {
	schema := filter.Schema{
		{Name: "id", Kind: filter.List, Sortable: true},
		{Name: "idText", Column: "id", Kind: filter.Text},
		{Name: "number", Kind: filter.Number, Sortable: true},
		{Name: "clientId", Kind: filter.List, Sortable: true},
		{Name: "name", Kind: filter.Text, Sortable: true},
		{Name: "type", Kind: filter.Enum, Values: []string{"secret", "publishable"}, Sortable: true},
		{Name: "environment", Kind: filter.Enum, Values: []string{"live", "test", "sandbox"}, Sortable: true},
		{Name: "ownerId", Kind: filter.Text, Nullable: true, Sortable: true},
		{Name: "enabled", Kind: filter.Bool, Sortable: true},
		{Name: "createdBy", Kind: filter.List, Sortable: true},
		{Name: "projectId", Kind: filter.List},
		{Name: "status", Kind: filter.Enum, Values: []string{"active", "disabled", "scheduled", "expired", "revoked"}},
	}
	for _, name := range instants() {
		schema = append(schema, filter.Field{Name: name, Kind: filter.Instant, Nullable: true, Sortable: true})
	}
	return schema
}

func instants() []string {
	return []string{"startTime", "expireTime", "revokedTime", "createdTime", "updatedTime", "lastUsedTime"}
}

func sorted(t testing.TB, text string) filter.Sort {
	t.Helper()
	sort, err := filter.ParseSort(text, append(keySchema(), filter.Field{Name: "seq", Kind: filter.Number, Sortable: true}))
	if err != nil {
		t.Fatal(err)
	}
	return sort
}

func filtered(t testing.TB, text string) filter.Filter {
	t.Helper()
	f, err := filter.Parse(text, keySchema())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// walk returns all keys of a list, page by page.
func walk(t testing.TB, w *world, of store.KeyList, page store.Page, between func(page int)) []*keyward.Key {
	t.Helper()
	var all []*keyward.Key
	for n := 0; ; n++ {
		keys, found, err := w.Keys(t.Context(), of, page)
		if err != nil {
			t.Fatalf("page %d: %v", n, err)
		}
		all = append(all, keys...)
		if found.Next == "" {
			return all
		}
		if len(keys) != page.Limit {
			t.Errorf("page %d of %d keys is not the last", n, len(keys))
		}
		page.After = found.Next
		if between != nil {
			between(n)
		}
	}
}

func names(keys []*keyward.Key) []string {
	all := make([]string, len(keys))
	for i, k := range keys {
		all[i] = k.Name
	}
	return all
}

func everything(o *keyward.Organization) store.KeyList {
	return store.KeyList{OrganizationID: o.ID, Reach: keyward.Reach{All: true}}
}

// named adds keys with these names.
func (w *world) named(t testing.TB, o *keyward.Organization, all ...string) {
	t.Helper()
	for _, name := range all {
		w.key(t, o.ID, func(k *keyward.Key) { k.Name = name })
	}
}

func listPromises() map[string]promise {
	return map[string]promise{
		"a search takes its text literally, whatever the letter case": func(t *testing.T, w *world) {
			o := w.organization(t)
			w.named(t, o, `100% sure`, `a_b`, `a\b`, `axb`, `STRASSE`, `straße`, `Ünï`, `ÜNÏ 2`, `'; DROP`, `🗝 key`)
			for query, want := range map[string][]string{
				"":        {`100% sure`, `a_b`, `a\b`, `axb`, `STRASSE`, `straße`, `Ünï`, `ÜNÏ 2`, `'; DROP`, `🗝 key`},
				"%":       {`100% sure`},
				"_":       {`a_b`},
				`\`:       {`a\b`},
				`a\b`:     {`a\b`},
				"A_B":     {`a_b`},
				"ünï":     {`Ünï`, `ÜNÏ 2`},
				"'":       {`'; DROP`},
				"🗝":       {`🗝 key`},
				"\x00":    {},
				"\xff":    {},
				"nothing": {},
			} {
				keys, found, err := w.Keys(t.Context(), everything(o), store.Page{Limit: 20, Query: query, Count: true})
				wantEqual(t, fmt.Sprintf("the names found by %q", query), names(keys), err, want)
				if found.Total != int64(len(want)) {
					t.Errorf("the total for %q is %d, want %d", query, found.Total, len(want))
				}
			}
		},
		"a page of nothing can be counted": func(t *testing.T, w *world) {
			o := w.organization(t)
			w.named(t, o, "a", "b", "c")
			keys, found, err := w.Keys(t.Context(), everything(o), store.Page{Count: true, Filter: filtered(t, "name:a,b")})
			wantEqual(t, "the keys", keys, err, []*keyward.Key{})
			wantEqual(t, "what was found", found, err, store.Found{Total: 2})
		},
		"the last page has no next, even if it is full": func(t *testing.T, w *world) {
			o := w.organization(t)
			w.named(t, o, "a", "b")
			keys, found, err := w.Keys(t.Context(), everything(o), store.Page{Limit: 2})
			wantEqual(t, "the names", names(keys), err, []string{"a", "b"})
			wantEqual(t, "what was found", found, err, store.Found{})
		},
		"an offset passes entries over": func(t *testing.T, w *world) {
			o := w.organization(t)
			w.named(t, o, "a", "b", "c", "d")
			for offset, want := range [][]string{{"d", "c"}, {"c", "b"}, {"b", "a"}, {"a"}, {}} {
				keys, found, err := w.Keys(t.Context(), everything(o), store.Page{Limit: 2, Offset: offset, Sort: sorted(t, "-name")})
				wantEqual(t, fmt.Sprintf("the names from %d on", offset), names(keys), err, want)
				if more := offset < 2; (found.Next != "") != more {
					t.Errorf("offset %d: more = %v, want %v", offset, found.Next != "", more)
				}
			}
		},
		"a page far from the first is the same part of the whole list, and counted": testFarPages,
		"a position that is none is Invalid": func(t *testing.T, w *world) {
			o := w.organization(t)
			for _, after := range []string{"x", "{}", "[]", "[1]", "[1,2,3]", `["a",1] x`, `["a",1.5]`, `["a\u0000",1]`} {
				_, _, err := w.Keys(t.Context(), everything(o), store.Page{Limit: 1, Sort: sorted(t, "name"), After: after})
				wantCode(t, err, keyward.Invalid)
			}
		},
		"a field that the list does not have is an error, not SQL": func(t *testing.T, w *world) {
			o := w.organization(t)
			_, _, err := w.Keys(t.Context(), everything(o), store.Page{Limit: 1, Sort: filter.Sort{{Column: "1; DROP TABLE keys"}}})
			wantCode(t, err, keyward.Internal)
			_, _, err = w.Keys(t.Context(), everything(o), store.Page{Limit: 1, Sort: filter.Sort{{Column: "status"}}})
			wantCode(t, err, keyward.Internal)
			_, _, err = w.Keys(t.Context(), everything(o), store.Page{Limit: 1, Filter: filter.Filter{{Column: "digest"}}})
			wantCode(t, err, keyward.Internal)
		},
		"each key is seen once while pages are turned, though others come and go": testTurning,
		"a list holds the keys in reach, and can leave out revoked ones": func(t *testing.T, w *world) {
			o := w.organization(t)
			a, b := w.project(t, o.ID), w.project(t, o.ID)
			in := func(name string, ids ...string) *keyward.Key {
				return w.key(t, o.ID, func(k *keyward.Key) { k.Name, k.ProjectIDs = name, ids })
			}
			in("none")
			in("a", a.ID)
			revoked := in("a and b", a.ID, b.ID)
			in("b", b.ID)
			revoked.RevokedTime = noon
			w.update(t, func(tx *store.Tx) error {
				attempt := *revoked
				return tx.UpdateKey(t.Context(), &attempt)
			})
			for _, test := range []struct {
				reach keyward.Reach
				hide  bool
				want  []string
			}{
				{keyward.Reach{All: true}, false, []string{"none", "a", "a and b", "b"}},
				{keyward.Reach{All: true}, true, []string{"none", "a", "b"}},
				{keyward.Reach{ProjectIDs: []string{a.ID}}, false, []string{"a", "a and b"}},
				{keyward.Reach{ProjectIDs: []string{a.ID, b.ID, "prj_0"}}, false, []string{"a", "a and b", "b"}},
				{keyward.Reach{ProjectIDs: []string{b.ID}}, true, []string{"b"}},
				{keyward.Reach{}, false, []string{}},
			} {
				of := store.KeyList{OrganizationID: o.ID, Reach: test.reach, HideRevoked: test.hide}
				keys, found, err := w.Keys(t.Context(), of, store.Page{Limit: 9, Count: true})
				wantEqual(t, fmt.Sprintf("the names in %+v", of), names(keys), err, test.want)
				wantEqual(t, "the total", found.Total, err, int64(len(test.want)))
			}
		},
		"ids are found exactly as a list's text, and whatever the letter case as text": func(t *testing.T, w *world) {
			o := w.organization(t)
			for _, id := range []string{"Mine", "mine"} {
				w.key(t, o.ID, func(k *keyward.Key) { k.ID, k.Name = id, id })
			}
			for text, want := range map[string][]string{"id:Mine": {"Mine"}, "idText:MINE": {"Mine", "mine"}, "id:!Mine": {"mine"}} {
				keys, _, err := w.Keys(t.Context(), everything(o), store.Page{Limit: 9, Filter: filtered(t, text)})
				wantEqual(t, "the names for "+text, names(keys), err, want)
			}
		},
		"keys of other organizations are in no list": func(t *testing.T, w *world) {
			o, other := w.organization(t), w.organization(t)
			w.named(t, other, "foreign")
			keys, _, err := w.Keys(t.Context(), everything(o), store.Page{Limit: 9, Filter: filtered(t, "name:!x")})
			wantEqual(t, "the keys", keys, err, []*keyward.Key{})
		},
		"hundreds of keys come with their versions": func(t *testing.T, w *world) {
			o := w.organization(t)
			w.update(t, func(tx *store.Tx) error {
				for range 250 {
					k := w.newKey(o.ID)
					if err := tx.InsertKey(t.Context(), k, secret(k.ID)); err != nil {
						return err
					}
				}
				return nil
			})
			keys, _, err := w.Keys(t.Context(), everything(o), store.Page{Limit: 1000})
			if err != nil || len(keys) != 250 {
				t.Fatalf("%d keys, error %v", len(keys), err)
			}
			for _, k := range keys {
				wantEqual(t, "the versions", k.Versions, nil, []keyward.Version{{Version: 1, CreatedTime: noon}})
			}
		},
	}
}

// testTurning walks lists in both directions while keys are made and deleted.
func testTurning(t *testing.T, w *world) {
	for _, sort := range []string{"", "name", "-name", "environment,-name", "-enabled,createdTime", "-number"} {
		o := w.organization(t)
		w.named(t, o, strings.Split("b b b d d d f f f h h h", " ")...)
		before, _, err := w.Keys(t.Context(), everything(o), store.Page{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		var deleted string
		seen := map[string]int{}
		for _, k := range walk(t, w, everything(o), store.Page{Limit: 2, Sort: sorted(t, sort)}, func(page int) {
			if page < 4 {
				w.named(t, o, "a", "c", "i")
			}
			if page != 1 {
				return
			}
			victim := before[len(before)/2]
			deleted = victim.ID
			w.update(t, func(tx *store.Tx) error { return tx.DeleteKey(t.Context(), victim, noon) })
		}) {
			seen[k.ID]++
		}
		for _, k := range before {
			if seen[k.ID] != 1 && k.ID != deleted {
				t.Errorf("sorted by %q, the key %d was seen %d times", sort, k.Number, seen[k.ID])
			}
		}
		if slices.ContainsFunc(before, func(k *keyward.Key) bool { return seen[k.ID] > 1 }) {
			t.Errorf("sorted by %q, a key was seen twice", sort)
		}
	}
}

// testFarPages goes further into lists than is sorted as a whole.
func testFarPages(t *testing.T, w *world) {
	const crowd, publishable = 4500, 4100
	o := w.organization(t)
	w.tamper(t, `INSERT INTO keys (organization_id, id, number, client_id, name, name_folded, type, environment, hint, acl,
		management, allowed_ips, owner_id, owner_folded, metadata, enabled, start_ms, expire_ms, created_by, created_ms,
		updated_ms, revision)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)
		SELECT $1, 'crowd-' || i, i, 'client-' || i, 'Key ' || (i % 450), 'key ' || (i % 450),
			CASE WHEN i % 45 < 41 THEN 'publishable' ELSE 'secret' END, 'live', '', '[]', '[]', '[]', '', '', '{}',
			true, 0, 0, 'opr_1', i / 7, i * 7 % 1000, 1 FROM n`, o.ID, crowd)
	for _, text := range []string{"", "type:secret;name:!key 5", "status:active"} {
		for _, sort := range []string{"type,-createdTime", "-type,name", "type,name,-updatedTime", "type,ownerId", "-id"} {
			page := store.Page{Limit: 1000, Count: true, Now: noon, Sort: sorted(t, sort), Filter: filtered(t, text)}
			whole := ids(walk(t, w, everything(o), page, nil))
			for _, offset := range []int{crowd - publishable - 2, 1500, publishable - 2, len(whole) - 5, len(whole)} {
				page.Limit, page.Offset = 5, max(offset, 0)
				some, far, err := w.Keys(t.Context(), everything(o), page)
				end := min(page.Offset+5, len(whole))
				from := min(page.Offset, end)
				wantEqual(t, fmt.Sprintf("%s by %s from %d", text, sort, page.Offset), ids(some), err, whole[from:end])
				if int(far.Total) != len(whole) || (far.Next != "") != (end < len(whole)) {
					t.Errorf("%s by %s from %d: %+v", text, sort, page.Offset, far)
				}
			}
		}
	}
}

func ids(keys []*keyward.Key) []string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	return ids
}
