package control_test

import (
	"slices"
	"testing"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/filter"
	"keyward/internal/store"
)

// deeds are everything that can be asked of a plane, each done to things of its own
// in a recoverable organization.
func deeds() map[string]func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
	type deed = func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error
	all := map[string]deed{
		"list organizations": func(_ *testing.T, w *world, by keyward.Actor, _ *keyward.Organization) error {
			_, _, err := w.Organizations(w.ctx, by, control.List{Limit: 10})
			return err
		},
		"read the organization": func(_ *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.Organization(w.ctx, by, o.ID)
			return err
		},
		"create an organization": func(_ *testing.T, w *world, by keyward.Actor, _ *keyward.Organization) error {
			_, err := w.CreateOrganization(w.ctx, by, keyward.Organization{Name: "another", Enabled: true}, control.Once{})
			return err
		},
		"rename the organization": func(_ *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.UpdateOrganization(w.ctx, by, o.ID, func(o *keyward.Organization) error { o.Name += "!"; return nil })
			return err
		},
		"switch the organization": func(_ *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			// Off and on, since the actor may be its own.
			_, err := w.UpdateOrganization(w.ctx, by, o.ID, func(o *keyward.Organization) error { o.Enabled = false; return nil })
			if err == nil {
				_, err = w.UpdateOrganization(w.ctx, by, o.ID, func(o *keyward.Organization) error { o.Enabled = true; return nil })
			}
			return err
		},
		"read the audit trail": func(_ *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, _, err := w.Changes(w.ctx, by, o.ID, control.List{Limit: 10})
			return err
		},
		"read the whole audit trail": func(_ *testing.T, w *world, by keyward.Actor, _ *keyward.Organization) error {
			_, _, err := w.Changes(w.ctx, by, "", control.List{Limit: 10})
			return err
		},
	}
	for _, more := range []map[string]deed{projectDeeds(), keyDeeds(), roleDeeds(), operatorDeeds()} {
		for name, deed := range more {
			all[name] = deed
		}
	}
	return all
}

func projectDeeds() map[string]func(*testing.T, *world, keyward.Actor, *keyward.Organization) error {
	return map[string]func(*testing.T, *world, keyward.Actor, *keyward.Organization) error{
		"list projects": func(_ *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, _, err := w.Projects(w.ctx, by, o.ID, control.List{Limit: 10})
			return err
		},
		"read a project": func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.Project(w.ctx, by, o.ID, w.project(t, o).ID)
			return err
		},
		"create a project": func(_ *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.CreateProject(w.ctx, by, keyward.Project{OrganizationID: o.ID, Name: "new"}, control.Once{})
			return err
		},
		"rename a project": func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.UpdateProject(w.ctx, by, o.ID, w.project(t, o).ID, func(p *keyward.Project) error { p.Name += "!"; return nil })
			return err
		},
		"delete a project": func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.DeleteProject(w.ctx, by, o.ID, w.project(t, o).ID)
			return err
		},
	}
}

func keyDeeds() map[string]func(*testing.T, *world, keyward.Actor, *keyward.Organization) error {
	deeds := map[string]func(*testing.T, *world, keyward.Actor, *keyward.Organization) error{
		"list keys": func(_ *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, _, err := w.Keys(w.ctx, by, o.ID, control.List{Limit: 10})
			return err
		},
		"create a key": func(_ *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.CreateKey(w.ctx, by, aKey(o), control.Once{})
			return err
		},
	}
	for name, touch := range touches() {
		deeds[name+" a key"] = func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			key, _ := w.create(t, o)
			return touch(w, by, key)
		}
	}
	return deeds
}

// touches are what can be done to a key that is there.
func touches() map[string]func(w *world, by keyward.Actor, key *keyward.Key) error {
	return map[string]func(w *world, by keyward.Actor, key *keyward.Key) error{
		"read": func(w *world, by keyward.Actor, key *keyward.Key) error {
			_, err := w.Key(w.ctx, by, key.OrganizationID, key.ID)
			return err
		},
		"update": func(w *world, by keyward.Actor, key *keyward.Key) error { return w.update(by, key, rename) },
		"rotate": func(w *world, by keyward.Actor, key *keyward.Key) error {
			_, err := w.RotateKey(w.ctx, by, key.OrganizationID, key.ID, 0, 0, control.Once{})
			return err
		},
		"revoke": func(w *world, by keyward.Actor, key *keyward.Key) error {
			_, err := w.RevokeKey(w.ctx, by, key.OrganizationID, key.ID, 0, "leaked", control.Once{})
			return err
		},
		"delete": func(w *world, by keyward.Actor, key *keyward.Key) error {
			_, err := w.DeleteKey(w.ctx, by, key.OrganizationID, key.ID, 0)
			return err
		},
		"reveal": func(w *world, by keyward.Actor, key *keyward.Key) error {
			_, err := w.RevealKey(w.ctx, by, key.OrganizationID, key.ID)
			return err
		},
	}
}

func operatorDeeds() map[string]func(*testing.T, *world, keyward.Actor, *keyward.Organization) error {
	return map[string]func(*testing.T, *world, keyward.Actor, *keyward.Organization) error{
		"list operators": func(_ *testing.T, w *world, by keyward.Actor, _ *keyward.Organization) error {
			_, _, err := w.Operators(w.ctx, by, control.List{Limit: 10})
			return err
		},
		"read an operator": func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.Operator(w.ctx, by, w.operator(t, keyward.Viewer, o).ID)
			return err
		},
		"create an operator": func(_ *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.CreateOperator(w.ctx, by, keyward.Operator{
				Name: "new", Role: keyward.Verifier, Enabled: true, OrganizationID: &o.ID,
			}, control.NewPassword{}, control.Once{})
			return err
		},
		"rename an operator": func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.UpdateOperator(w.ctx, by, w.operator(t, keyward.Viewer, o).ID,
				control.NewPassword{}, func(o *keyward.Operator) error { o.Name += "!"; return nil })
			return err
		},
		"rotate an operator": func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.RotateOperator(w.ctx, by, w.operator(t, keyward.Viewer, o).ID, control.Once{})
			return err
		},
		"delete an operator": func(t *testing.T, w *world, by keyward.Actor, o *keyward.Organization) error {
			_, err := w.DeleteOperator(w.ctx, by, w.operator(t, keyward.Viewer, o).ID)
			return err
		},
	}
}

// The deeds that belong together.
var (
	reads       = []string{"read the organization", "list organizations", "list projects", "read a project", "list keys", "read a key", "list roles", "read a role", "read a built-in role"}
	audits      = []string{"read the audit trail"}
	makes       = []string{"create a project", "rename a project", "delete a project", "create a key", "update a key", "rotate a key", "revoke a key", "delete a key"}
	reveals     = []string{"reveal a key"}
	ownHouse    = []string{"rename the organization", "create a role", "rename a role", "delete a role"}
	operates    = []string{"list operators", "read an operator", "create an operator", "rename an operator", "rotate an operator", "delete an operator"}
	deployment  = []string{"create an organization", "switch the organization"}
	wholeAudits = []string{"read the whole audit trail"}
)

func TestEachRoleMayDoWhatItIsForAndNothingElse(t *testing.T) {
	may := map[keyward.Role]struct{ anywhere, everywhere []string }{
		keyward.Owner:    {slices.Concat(reads, audits, makes, reveals, ownHouse, operates), slices.Concat(deployment, wholeAudits)},
		keyward.Admin:    {slices.Concat(reads, audits, makes, reveals, ownHouse), slices.Concat(deployment, wholeAudits)},
		keyward.Editor:   {slices.Concat(reads, makes), nil},
		keyward.Viewer:   {slices.Concat(reads, audits), wholeAudits},
		keyward.Verifier: {nil, nil},
	}
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		for role, may := range may {
			t.Run("a deployment's "+string(role), func(t *testing.T) {
				w.wantDeeds(t, w.operator(t, role, nil), o, slices.Concat(may.anywhere, may.everywhere), keyward.Forbidden)
			})
			t.Run("an organization's "+string(role), func(t *testing.T) {
				w.wantDeeds(t, w.operator(t, role, o), o, may.anywhere, keyward.Forbidden)
			})
		}
	})
}

// wantDeeds tries everything: what is allowed works, the rest is refused and changes
// nothing.
func (w *world) wantDeeds(t *testing.T, by keyward.Actor, o *keyward.Organization, allowed []string, refusal keyward.Code) {
	t.Helper()
	for name, deed := range deeds() {
		var code keyward.Code
		if !slices.Contains(allowed, name) {
			code = refusal
		}
		before := w.eventsBy(t, by)
		want(t, name, deed(t, w, by, o), code)
		if after := w.eventsBy(t, by); code != "" && after != before {
			t.Errorf("%s was refused, and yet left %d audit events", name, after-before)
		}
	}
}

// eventsBy counts the actor's events.
func (w *world) eventsBy(t *testing.T, by keyward.Actor) int64 {
	t.Helper()
	its, err := filter.Parse("actorId:"+by.ID, control.ChangeFields())
	want(t, "Parse", err, "")
	_, found, err := w.store.Changes(w.ctx, "", store.Page{Limit: 1, Count: true, Filter: its})
	want(t, "Changes", err, "")
	return found.Total
}

func TestAKeyManagesItsOwnOrganizationAndNeverOperatorsOrTheDeployment(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		by := w.key(t, o, grant("organizations.read", "projects.*", "keys.*", "audit.*", "usage.read"))
		w.wantDeeds(t, by, o, slices.Concat(reads, audits, makes, reveals), keyward.Forbidden)
		w.wantDeeds(t, w.key(t, o), o, nil, keyward.Forbidden)

		another := w.organization(t, recoverable)
		for name, deed := range deeds() {
			if name == "list organizations" || slices.Contains(slices.Concat(deployment[:1], wholeAudits, operates), name) {
				continue // not done in one organization, or refused whatever it is
			}
			want(t, name+" of another organization", deed(t, w, by, another), keyward.NotFound)
		}
	})
}

func TestAnOperatorOfOneOrganizationDoesNotReachAnother(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o, another := w.organization(t, recoverable), w.organization(t, recoverable)
		by := w.operator(t, keyward.Owner, o)
		for name, deed := range deeds() {
			switch {
			case name == "list organizations", name == "list operators", slices.Contains(slices.Concat(deployment[:1], wholeAudits), name):
			case name == "create an operator":
				wantPointer(t, name, deed(t, w, by, another), "/organizationId")
			default:
				want(t, name, deed(t, w, by, another), keyward.NotFound)
			}
		}
		organizations, _, err := w.Organizations(w.ctx, by, control.List{Limit: 10})
		want(t, "Organizations", err, "")
		if len(organizations) != 1 || organizations[0].ID != o.ID {
			t.Errorf("it lists %d organizations, want its own", len(organizations))
		}
		operators, _, err := w.Operators(w.ctx, by, control.List{Limit: 10})
		want(t, "Operators", err, "")
		if len(operators) != 1 || operators[0].ID != by.ID {
			t.Errorf("it lists %d operators, want itself", len(operators))
		}
		_, err = w.Operator(w.ctx, by, w.root.ID)
		want(t, "read the root operator", err, keyward.NotFound)
		_, err = w.CreateOperator(w.ctx, by, keyward.Operator{Name: "new", Role: keyward.Viewer, Enabled: true}, control.NewPassword{}, control.Once{})
		want(t, "create an operator of the deployment", err, keyward.Forbidden)
	})
}

func TestNoKeyHoldsWhatOnlyOperatorsDo(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		key, _ := w.create(t, o)
		for _, permission := range []string{
			"*", "operators.*", "operators.read", "operators.write", "system.*", "system.read",
			"organizations.*", "organizations.write",
		} {
			head := w.head(t)
			_, err := w.CreateKey(w.ctx, w.root, aKey(o, managing(grant(permission))), control.Once{})
			wantPointer(t, "create with "+permission, err, "/management/0/permissions/0")
			err = w.update(w.root, key, managing(grant("keys.read", permission)))
			wantPointer(t, "update to "+permission, err, "/management/0/permissions/1")
			w.wantUnchanged(t, permission, head)
		}
	})
}

func TestAnACLHasNoCeilingAndGivesNothingInKeyward(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		everything := func(k *keyward.Key) {
			k.ACL = []keyward.Grant{grant("*", "operators.write", "system.read", "keys.*")}
		}
		maker := w.key(t, o, grant("keys.create", "keys.update"))
		out, err := w.CreateKey(w.ctx, maker, aKey(o, everything), control.Once{})
		want(t, "give any acl to a new key", err, "")
		key, secret := w.create(t, o)
		want(t, "give any acl to a key", w.update(maker, key, everything), "")
		if len(out.Key.Management) != 0 {
			t.Errorf("it has the management %v", out.Key.Management)
		}
		w.wantDeeds(t, w.present(t, secret), o, nil, keyward.Forbidden)
	})
}
