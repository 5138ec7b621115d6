package control_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/filter"
)

// aRole is what a client sends to create a role.
func aRole(of *keyward.Organization, management ...keyward.Grant) keyward.KeyRole {
	return keyward.KeyRole{OrganizationID: of.ID, Name: "a role", Enabled: true, Management: management}
}

// role adds a role to an organization.
func (w *world) role(t testing.TB, of *keyward.Organization, management ...keyward.Grant) *keyward.KeyRole {
	t.Helper()
	out, err := w.CreateRole(w.ctx, w.root, aRole(of, management...), control.Once{})
	want(t, "CreateRole", err, "")
	return out.Role
}

func (w *world) updateRole(by keyward.Actor, role *keyward.KeyRole, edit func(*keyward.KeyRole)) (control.Outcome, error) {
	return w.UpdateRole(w.ctx, by, role.OrganizationID, role.Number, func(r *keyward.KeyRole) error {
		edit(r)
		return nil
	})
}

func (w *world) renameRole(by keyward.Actor, role *keyward.KeyRole) error {
	_, err := w.updateRole(by, role, func(r *keyward.KeyRole) { r.Name += "!" })
	return err
}

func roleDeeds() map[string]func(*testing.T, *world, keyward.Actor, *keyward.Organization) error {
	return map[string]func(*testing.T, *world, keyward.Actor, *keyward.Organization) error{
		"list roles": func(_ *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, _, err := w.Roles(w.ctx, by, o.ID, control.List{Limit: 10})
			return err
		},
		"read a role": func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.Role(w.ctx, by, o.ID, w.role(t, o).Number)
			return err
		},
		"read a built-in role": func(_ *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.Role(w.ctx, by, o.ID, keyward.KeyRoleOwner)
			return err
		},
		"create a role": func(_ *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.CreateRole(w.ctx, by, aRole(o), control.Once{})
			return err
		},
		"rename a role": func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			return w.renameRole(by, w.role(t, o))
		},
		"delete a role": func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.DeleteRole(w.ctx, by, o.ID, w.role(t, o).Number)
			return err
		},
	}
}

func TestARoleIsMadeChangedAndDeletedWithItsEvents(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		w.role(t, o)
		role := w.role(t, o, keyward.Grant{Permissions: []string{"keys.read"}})
		if role.Number != 1002 || role.BuiltIn || role.CreatedBy != w.root.ID ||
			role.CreatedTime != noon || role.UpdatedTime != noon || role.Management[0].Scope == nil {
			t.Errorf("the new role is %+v", role)
		}
		w.pass(1e9)
		out, err := w.updateRole(w.root, role, func(r *keyward.KeyRole) { r.Name, r.Enabled = "other", false })
		want(t, "UpdateRole", err, "")
		got, err := w.Role(w.ctx, w.root, o.ID, role.Number)
		want(t, "Role", err, "")
		if got.Name != "other" || got.Enabled || got.UpdatedTime != noon+1000 || got.CreatedTime != noon || out.Role.Name != "other" {
			t.Errorf("the changed role is %+v", got)
		}
		head := w.head(t)
		_, err = w.updateRole(w.root, role, func(*keyward.KeyRole) {})
		want(t, "change nothing", err, "")
		w.wantUnchanged(t, "a change of nothing", head)
		_, err = w.DeleteRole(w.ctx, w.root, o.ID, role.Number)
		want(t, "DeleteRole", err, "")

		events := w.events(t)
		var told []string
		for _, e := range events[len(events)-3:] {
			fields := []string{}
			for _, c := range e.Changes {
				fields = append(fields, c.Field)
			}
			told = append(told, fmt.Sprint(e.Action, " ", e.Target, " ", fields))
		}
		const all = "[builtIn description enabled management name number organizationId]"
		if want := []string{
			"role.created {role 1002} " + all, "role.updated {role 1002} [enabled name]", "role.deleted {role 1002} " + all,
		}; !slices.Equal(told, want) {
			t.Errorf("the audit trail says %q, want %q", told, want)
		}
	})
}

func TestBuiltInRolesAreReadAndNeverChanged(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		for _, role := range keyward.BuiltInRoles(o.ID) {
			got, err := w.Role(w.ctx, w.root, o.ID, role.Number)
			want(t, "Role", err, "")
			if !got.BuiltIn || got.Name != role.Name {
				t.Errorf("the role %d is %+v", role.Number, got)
			}
			head := w.head(t)
			want(t, "rename it", w.renameRole(w.root, role), keyward.Conflict)
			_, err = w.DeleteRole(w.ctx, w.root, o.ID, role.Number)
			want(t, "delete it", err, keyward.Conflict)
			w.wantUnchanged(t, "what was refused", head)
		}
		forged := aRole(o)
		forged.Number, forged.BuiltIn = keyward.KeyRoleOwner, true
		out, err := w.CreateRole(w.ctx, w.root, forged, control.Once{})
		want(t, "CreateRole", err, "")
		if out.Role.BuiltIn || out.Role.Number != 1001 {
			t.Errorf("a new role says it is built in: %+v", out.Role)
		}
	})
}

// limitedWriter may write roles, and holds little else: no operator's role is like
// that, so it is the system that acts.
func (w *world) limitedWriter(o *keyward.Organization, held ...keyward.Grant) keyward.Actor {
	return keyward.Actor{
		Type: keyward.SystemActor, ID: "system", Name: "limited", OrganizationID: o.ID,
		Management: append([]keyward.Grant{grant("organizations.write")}, held...),
	}
}

func TestNobodyWritesARoleBeyondTheirOwnManagement(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		p, q := w.project(t, o), w.project(t, o)
		here, there := []*keyward.Project{p}, []*keyward.Project{q}
		for name, c := range map[string]struct {
			held, given []keyward.Grant
			refused     bool
		}{
			"nothing":                        {},
			"the same":                       {held: []keyward.Grant{grant("keys.*")}, given: []keyward.Grant{grant("keys.*")}},
			"less":                           {held: []keyward.Grant{grant("keys.*")}, given: []keyward.Grant{limited(here, "keys.read")}},
			"one permission more":            {held: []keyward.Grant{grant("keys.read")}, given: []keyward.Grant{grant("keys.read", "keys.reveal")}, refused: true},
			"a pattern that reaches further": {held: []keyward.Grant{grant("keys.read")}, given: []keyward.Grant{grant("keys.*")}, refused: true},
			"another project":                {held: []keyward.Grant{limited(here, "keys.read")}, given: []keyward.Grant{limited(there, "keys.read")}, refused: true},
			"the whole organization":         {held: []keyward.Grant{limited(here, "keys.read")}, given: []keyward.Grant{grant("keys.read")}, refused: true},
		} {
			t.Run(name, func(t *testing.T) {
				var code keyward.Code
				if c.refused {
					code = keyward.Forbidden
				}
				by := w.limitedWriter(o, c.held...)
				empty, full := w.role(t, o), w.role(t, o, c.given...)
				head := w.head(t)
				_, err := w.CreateRole(w.ctx, by, aRole(o, c.given...), control.Once{})
				want(t, "create a role with it", err, code)
				_, err = w.updateRole(by, empty, func(r *keyward.KeyRole) { r.Management = c.given })
				want(t, "give it to a role", err, code)
				want(t, "rename a role that has it", w.renameRole(by, full), code)
				_, err = w.updateRole(by, full, func(r *keyward.KeyRole) { r.Management = nil })
				want(t, "take it from a role", err, code)
				if c.refused {
					_, err = w.DeleteRole(w.ctx, by, o.ID, full.Number)
					want(t, "delete a role that has it", err, code)
					w.wantUnchanged(t, "what was refused", head)
				}
			})
		}
	})
}

func TestChangingOrDeletingARoleChangesNoKey(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		role := w.role(t, o, grant("keys.read"))
		key, _ := w.create(t, o, func(k *keyward.Key) { k.RoleID, k.Management = role.Number, role.In(nil) })
		before := w.reread(t, key)
		_, err := w.updateRole(w.root, role, func(r *keyward.KeyRole) { r.Management, r.Enabled = nil, false })
		want(t, "UpdateRole", err, "")
		_, err = w.DeleteRole(w.ctx, w.root, o.ID, role.Number)
		want(t, "DeleteRole", err, "")
		after := w.reread(t, key)
		if after.RoleID != role.Number || len(after.Management) != 1 || after.Revision != before.Revision {
			t.Errorf("the key has become %+v", after)
		}
	})
}

func TestARoleOfAnotherOrganizationIsNotThere(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		ours, theirs := w.organization(t), w.organization(t)
		w.role(t, theirs)
		role := w.role(t, theirs) // of a number that is none of ours
		for who, by := range map[string]keyward.Actor{
			"the root operator": w.root, "our owner": w.operator(t, keyward.Owner, ours),
		} {
			head := w.head(t)
			mine := *role
			mine.OrganizationID = ours.ID
			_, err := w.Role(w.ctx, by, ours.ID, role.Number)
			want(t, who+" reads it here", err, keyward.NotFound)
			want(t, who+" renames it here", w.renameRole(by, &mine), keyward.NotFound)
			_, err = w.DeleteRole(w.ctx, by, ours.ID, role.Number)
			want(t, who+" deletes it here", err, keyward.NotFound)
			roles, _, err := w.Roles(w.ctx, by, ours.ID, control.List{Limit: 10})
			want(t, "Roles", err, "")
			if len(roles) != 3 {
				t.Errorf("%s lists %d roles, want the built-in ones", who, len(roles))
			}
			w.wantUnchanged(t, who, head)
		}
	})
}

func TestTheRolesOfADeletedOrganizationAreHidden(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		role := w.role(t, o)
		_, err := w.DeleteOrganization(w.ctx, w.root, o.ID)
		want(t, "DeleteOrganization", err, "")
		for _, number := range []int32{role.Number, keyward.KeyRoleOwner} {
			_, err = w.Role(w.ctx, w.root, o.ID, number)
			want(t, "Role", err, keyward.NotFound)
			_, err = w.DeleteRole(w.ctx, w.root, o.ID, number)
			want(t, "DeleteRole", err, keyward.NotFound)
		}
		_, _, err = w.Roles(w.ctx, w.root, o.ID, control.List{Limit: 10})
		want(t, "Roles", err, keyward.NotFound)
		_, err = w.CreateRole(w.ctx, w.root, aRole(o), control.Once{})
		want(t, "CreateRole", err, keyward.NotFound)
	})
}

func TestARetryMakesOneRole(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		once := control.Once{Key: "key-1", Operation: "POST /roles", Fingerprint: sha256.Sum256([]byte("body"))}
		first, err := w.CreateRole(w.ctx, w.root, aRole(o, grant("keys.read")), once)
		want(t, "CreateRole", err, "")
		again, err := w.CreateRole(w.ctx, w.root, aRole(o, grant("keys.read")), once)
		want(t, "CreateRole again", err, "")
		if !again.Replayed || again.Role.Number != first.Role.Number || again.Role.Name != first.Role.Name ||
			len(again.Role.Management) != 1 || again.Seq != first.Seq {
			t.Errorf("the second answer is %+v, want the first, %+v", again, first)
		}
	})
}

func TestListsOfRolesGoOnWhereTheyEnded(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		for range 4 {
			w.role(t, o)
		}
		where, err := filter.Parse("number:5..1003", control.RoleFields())
		want(t, "Parse", err, "")
		sort, err := filter.ParseSort("-number", control.RoleFields())
		want(t, "ParseSort", err, "")
		query := control.List{Limit: 2, Count: true, Filter: where, Sort: sort}
		var numbers []string
		for more := true; more; more = query.Cursor != "" {
			roles, found, err := w.Roles(w.ctx, w.root, o.ID, query)
			want(t, "Roles", err, "")
			for _, role := range roles {
				numbers = append(numbers, fmt.Sprint(role.Number))
			}
			if found.Total != 5 {
				t.Errorf("the total is %d, want 5", found.Total)
			}
			query.Cursor = found.Cursor
		}
		if got, want := strings.Join(numbers, " "), "1003 1002 1001 39 5"; got != want {
			t.Errorf("the pages hold %s, want %s", got, want)
		}
		another := w.organization(t)
		_, found, err := w.Roles(w.ctx, w.root, o.ID, control.List{Limit: 2})
		want(t, "Roles", err, "")
		_, _, err = w.Roles(w.ctx, w.root, another.ID, control.List{Limit: 2, Cursor: found.Cursor})
		wantPointer(t, "another organization's cursor", err, "/cursor")
	})
}
