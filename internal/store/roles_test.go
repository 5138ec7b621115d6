package store_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"keyward"
	"keyward/internal/filter"
	"keyward/internal/store"
)

// roleSchema is what lists of roles can be filtered and sorted by here.
func roleSchema() filter.Schema {
	return filter.Schema{
		{Name: "number", Kind: filter.Number, Sortable: true},
		{Name: "name", Kind: filter.Text, Sortable: true},
		{Name: "enabled", Kind: filter.Bool, Sortable: true},
		{Name: "builtIn", Kind: filter.Bool, Sortable: true},
		{Name: "createdBy", Kind: filter.List, Sortable: true},
		{Name: "createdTime", Kind: filter.Instant, Nullable: true, Sortable: true},
		{Name: "updatedTime", Kind: filter.Instant, Nullable: true, Sortable: true},
	}
}

func rolePage(t testing.TB, where, sort string) store.Page {
	t.Helper()
	page := store.Page{Limit: 100, Count: true}
	var err error
	if page.Filter, err = filter.Parse(where, roleSchema()); err != nil {
		t.Fatal(err)
	}
	if page.Sort, err = filter.ParseSort(sort, roleSchema()); err != nil {
		t.Fatal(err)
	}
	return page
}

// role adds a role.
func (w *world) role(t testing.TB, organizationID, name string, edits ...func(*keyward.KeyRole)) *keyward.KeyRole {
	t.Helper()
	role := &keyward.KeyRole{
		OrganizationID: organizationID, Name: name, Description: "for <tests> & 'more'", Enabled: true,
		Management: []keyward.Grant{{Scope: keyward.Scope{"projectId": {"prj_<1>"}}, Permissions: []string{"keys.read"}}},
		CreatedBy:  "opr_1", CreatedTime: w.now, UpdatedTime: w.now,
	}
	for _, edit := range edits {
		edit(role)
	}
	w.update(t, func(tx *store.Tx) error {
		if err := tx.InsertRole(t.Context(), role); err != nil {
			return err
		}
		tx.Record(w.change(keyward.RoleCreated, organizationID, keyward.RoleTarget, fmt.Sprint(role.Number)))
		return nil
	})
	return role
}

func roleNumbers(roles []*keyward.KeyRole) []int32 {
	numbers := make([]int32, len(roles))
	for i, role := range roles {
		numbers[i] = role.Number
	}
	return numbers
}

func rolePromises() map[string]promise {
	return map[string]promise{
		"a role is read as it was written, and changed": func(t *testing.T, w *world) {
			o := w.organization(t)
			role := w.role(t, o.ID, "Ärzte")
			got, err := w.Role(t.Context(), o.ID, role.Number)
			wantEqual(t, "the role", got, err, role)
			role.Name, role.Description, role.Management = "Other", "", []keyward.Grant{}
			role.Enabled, role.UpdatedTime = false, noon+5
			w.update(t, func(tx *store.Tx) error { return tx.UpdateRole(t.Context(), role) })
			got, err = w.Role(t.Context(), o.ID, role.Number)
			wantEqual(t, "the changed role", got, err, role)
			roles, _, err := w.Roles(t.Context(), o.ID, store.Page{Limit: 9, Query: "OTHER"})
			wantEqual(t, "the roles with its name", roles, err, []*keyward.KeyRole{role})
		},
		"roles count from 1001 in each organization, and a number is never used again": func(t *testing.T, w *world) {
			a, b := w.organization(t), w.organization(t)
			first, second := w.role(t, a.ID, "one"), w.role(t, a.ID, "two")
			w.update(t, func(tx *store.Tx) error { return tx.DeleteRole(t.Context(), a.ID, second.Number, noon) })
			third, other := w.role(t, a.ID, "three"), w.role(t, b.ID, "one")
			got := roleNumbers([]*keyward.KeyRole{first, second, third, other})
			wantEqual(t, "the numbers", got, nil, []int32{1001, 1002, 1003, 1001})
		},
		"role numbers end before they wrap": func(t *testing.T, w *world) {
			o := w.organization(t)
			w.tamper(t, "UPDATE organizations SET last_role = $1", math.MaxInt32-1)
			last := w.role(t, o.ID, "the last")
			wantEqual(t, "the last number", last.Number, nil, int32(math.MaxInt32))
			err := w.refused(t, keyward.Conflict, func(tx *store.Tx) error { return tx.InsertRole(t.Context(), last) })
			if got, want := keyward.MessageOf(err), "the organization has used up its role numbers"; got != want {
				t.Errorf("message = %q, want %q", got, want)
			}
		},
		"a role of no organization is not made": func(t *testing.T, w *world) {
			role := &keyward.KeyRole{OrganizationID: "org_none"}
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.InsertRole(t.Context(), role) })
			w.wantNoTrace(t, "roles")
		},
		"a deleted role is gone, and only there": func(t *testing.T, w *world) {
			a, b := w.organization(t), w.organization(t)
			role, other := w.role(t, a.ID, "one"), w.role(t, b.ID, "one")
			w.update(t, func(tx *store.Tx) error { return tx.DeleteRole(t.Context(), a.ID, role.Number, noon) })
			_, err := w.Role(t.Context(), a.ID, role.Number)
			wantCode(t, err, keyward.NotFound)
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.UpdateRole(t.Context(), role) })
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error {
				return tx.DeleteRole(t.Context(), a.ID, role.Number, noon)
			})
			for id, want := range map[string][]int32{a.ID: {4, 5, 39}, b.ID: {4, 5, 39, other.Number}} {
				roles, _, err := w.Roles(t.Context(), id, store.Page{Limit: 9})
				wantEqual(t, "the numbers", roleNumbers(roles), err, want)
			}
		},
		"built-in roles are read one by one and listed, and no statement changes them": func(t *testing.T, w *world) {
			o := w.organization(t)
			roles, found, err := w.Roles(t.Context(), o.ID, store.Page{Limit: 3, Count: true})
			wantEqual(t, "the list", roles, err, keyward.BuiltInRoles(o.ID))
			wantEqual(t, "what was found", found, nil, store.Found{Total: 3})
			for _, role := range keyward.BuiltInRoles(o.ID) {
				got, err := w.Role(t.Context(), o.ID, role.Number)
				wantEqual(t, "the role", got, err, role)
				w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.UpdateRole(t.Context(), role) })
			}
		},
		"a transaction sees the role that it made": func(t *testing.T, w *world) {
			o := w.organization(t)
			w.update(t, func(tx *store.Tx) error {
				role := &keyward.KeyRole{OrganizationID: o.ID, Name: "new", Management: []keyward.Grant{}}
				if err := tx.InsertRole(t.Context(), role); err != nil {
					return err
				}
				got, err := tx.Role(t.Context(), o.ID, 1001)
				wantEqual(t, "the role", got, err, role)
				return nil
			})
		},
		"replicas get no record of a role": func(t *testing.T, w *world) {
			o := w.organization(t)
			before, err := w.Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			w.role(t, o.ID, "one")
			entries, err := w.Entries(t.Context(), before, 9)
			if err != nil || len(entries) != 1 || len(entries[0].Records) != 0 {
				t.Errorf("the log has %v, error %v; want one entry without records", entries, err)
			}
		},
		"built-in roles are filtered, sorted and searched like the others": builtInLikeOthers,
		"lists of roles hold at every page what they hold as a whole":      pagesOfRoles,
	}
}

func builtInLikeOthers(t *testing.T, w *world) {
	o := w.organization(t)
	w.role(t, o.ID, "B role")
	w.now += 10
	w.role(t, o.ID, "an ADMIN too", func(r *keyward.KeyRole) { r.Enabled = false })
	for name, test := range map[string]struct {
		filter, sort, query string
		want                []int32
	}{
		"everything":             {want: []int32{4, 5, 39, 1001, 1002}},
		"backwards":              {sort: "-number", want: []int32{1002, 1001, 39, 5, 4}},
		"by name":                {sort: "name", want: []int32{5, 1002, 1001, 39, 4}},
		"newest first":           {sort: "-createdTime", want: []int32{1002, 1001, 39, 5, 4}},
		"own ones first":         {sort: "builtIn,-number", want: []int32{1002, 1001, 39, 5, 4}},
		"numbers":                {filter: "number:5..1001", want: []int32{5, 39, 1001}},
		"one of two":             {filter: "number:4,1002,77", want: []int32{4, 1002}},
		"a name":                 {filter: "name:ADMIN", want: []int32{5}},
		"not a name":             {filter: "name:!admin", want: []int32{4, 39, 1001, 1002}},
		"built in":               {filter: "builtIn:true", want: []int32{4, 5, 39}},
		"not built in":           {filter: "builtIn:false", want: []int32{1001, 1002}},
		"enabled":                {filter: "enabled:true", want: []int32{4, 5, 39, 1001}},
		"disabled":               {filter: "enabled:false", want: []int32{1002}},
		"created by nobody":      {filter: "createdTime:null", want: []int32{4, 5, 39}},
		"created":                {filter: "createdTime:!null", want: []int32{1001, 1002}},
		"created in a time":      {filter: "createdTime:..2030-01-01", want: []int32{1001, 1002}},
		"created by somebody":    {filter: "createdBy:opr_1", want: []int32{1001, 1002}},
		"a search":               {query: "admin", want: []int32{5, 1002}},
		"a search and a filter":  {query: "admin", filter: "enabled:true", want: []int32{5}},
		"a search without a hit": {query: "\x00", want: []int32{}},
	} {
		page := rolePage(t, test.filter, test.sort)
		page.Query = test.query
		roles, found, err := w.Roles(t.Context(), o.ID, page)
		wantEqual(t, name, roleNumbers(roles), err, test.want)
		wantEqual(t, "the total of "+name, found, nil, store.Found{Total: int64(len(test.want))})
	}
}

// pagesOfRoles compares each way to page through a list with the list as a whole.
func pagesOfRoles(t *testing.T, w *world) {
	o := w.organization(t)
	for i := range 7 {
		w.now += keyward.Time(i % 2)
		w.role(t, o.ID, []string{"Admin", "owner", "zebra"}[i%3], func(r *keyward.KeyRole) { r.Enabled = i%2 == 0 })
	}
	for _, sort := range []string{"", "name", "-name", "createdTime,-name", "-updatedTime", "-number", "createdBy,name"} {
		for _, where := range []string{"", "enabled:true", "number:!5", "createdTime:null"} {
			page := rolePage(t, where, sort)
			whole, _, err := w.Roles(t.Context(), o.ID, page)
			if err != nil {
				t.Fatal(err)
			}
			for page.Limit = 1; page.Limit <= 5; page.Limit++ {
				what := fmt.Sprintf("filter %q, sort %q, %d at a time", where, sort, page.Limit)
				wantEqual(t, what, roleNumbers(walkRoles(t, w, o.ID, page)), nil, roleNumbers(whole))
				rest := page
				rest.Offset = 2
				roles, _, err := w.Roles(t.Context(), o.ID, rest)
				end := min(2+page.Limit, len(whole))
				wantEqual(t, what+", past two", roleNumbers(roles), err, roleNumbers(whole[2:end]))
			}
		}
	}
}

// walkRoles returns all roles of a list, page by page.
func walkRoles(t testing.TB, w *world, organizationID string, page store.Page) []*keyward.KeyRole {
	t.Helper()
	var all []*keyward.KeyRole
	for {
		roles, found, err := w.Roles(t.Context(), organizationID, page)
		if err != nil {
			t.Fatal(err)
		}
		if all = slices.Concat(all, roles); found.Next == "" {
			return all
		}
		page.After = found.Next
	}
}
