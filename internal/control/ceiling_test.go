package control_test

import (
	"fmt"
	"slices"
	"testing"

	"keyward"
	"keyward/internal/control"
)

// manager is every right to keys, and no other.
const manager = "keys.*"

func TestNobodyGivesAwayMoreManagementThanTheyHold(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		p, q := w.project(t, o), w.project(t, o)
		for name, c := range map[string]struct {
			held, given []keyward.Grant
			refused     bool
		}{
			"nothing":                          {held: []keyward.Grant{grant(manager)}},
			"the same":                         {held: []keyward.Grant{grant(manager)}, given: []keyward.Grant{grant(manager)}},
			"less":                             {held: []keyward.Grant{grant(manager)}, given: []keyward.Grant{grant("keys.read")}},
			"less, limited to a project":       {held: []keyward.Grant{grant(manager)}, given: []keyward.Grant{limited([]*keyward.Project{p}, "keys.read")}},
			"the same in two grants":           {held: []keyward.Grant{grant("keys.read", "keys.create", "keys.update"), grant("audit.read")}, given: []keyward.Grant{grant("audit.read", "keys.read")}},
			"one permission more":              {held: []keyward.Grant{grant(manager)}, given: []keyward.Grant{grant(manager), grant("audit.read")}, refused: true},
			"a pattern that reaches further":   {held: []keyward.Grant{grant("keys.read", "keys.create", "keys.update")}, given: []keyward.Grant{grant(manager)}, refused: true},
			"another project":                  {held: []keyward.Grant{grant("keys.create", "keys.update"), limited([]*keyward.Project{p}, "keys.read")}, given: []keyward.Grant{limited([]*keyward.Project{q}, "keys.read")}, refused: true},
			"one project more":                 {held: []keyward.Grant{grant("keys.create", "keys.update"), limited([]*keyward.Project{p}, "keys.read")}, given: []keyward.Grant{limited([]*keyward.Project{p, q}, "keys.read")}, refused: true},
			"both projects from two grants":    {held: []keyward.Grant{grant("keys.create", "keys.update"), limited([]*keyward.Project{p}, "keys.read"), limited([]*keyward.Project{q}, "keys.read")}, given: []keyward.Grant{limited([]*keyward.Project{p, q}, "keys.read")}},
			"the whole organization":           {held: []keyward.Grant{grant("keys.create", "keys.update"), limited([]*keyward.Project{p, q}, "keys.read")}, given: []keyward.Grant{grant("keys.read")}, refused: true},
			"a grant that holds in no project": {held: []keyward.Grant{grant("keys.create", "keys.update")}, given: []keyward.Grant{limited(nil, "keys.reveal")}},
		} {
			t.Run(name, func(t *testing.T) {
				var code keyward.Code
				if c.refused {
					code = keyward.Forbidden
				}
				by := w.key(t, o, c.held...)
				target, _ := w.create(t, o)
				head := w.head(t)
				_, err := w.CreateKey(w.ctx, by, aKey(o, managing(c.given...)), control.Once{})
				want(t, "create a key with it", err, code)
				want(t, "give it to a key", w.update(by, target, managing(c.given...)), code)
				if c.refused {
					w.wantUnchanged(t, "what was refused", head)
				}
			})
		}
	})
}

func TestAKeyThatHoldsMoreThanOneselfCanOnlyBeReadAndRevoked(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		for who, by := range map[string]keyward.Actor{
			"a key":     w.key(t, o, grant(manager)),
			"an editor": w.operator(t, keyward.Editor, o), // has no keys.reveal to begin with
		} {
			for name, touch := range touches() {
				key, secret := w.create(t, o, managing(grant("keys.reveal", "audit.read")))
				var code keyward.Code
				if !slices.Contains([]string{"read", "revoke"}, name) {
					code = keyward.Forbidden
				}
				want(t, name+" by "+who, touch(w, by, key), code)
				reason := keyward.Valid
				if name == "revoke" {
					reason = keyward.Revoked
				}
				w.wantVerdict(t, fmt.Sprint("after ", name, " by ", who), secret, reason)
			}
			key, _ := w.create(t, o, managing(grant("audit.read")))
			want(t, "take away what one does not hold, by "+who, w.update(by, key, managing()), keyward.Forbidden)
		}
	})
}

func TestAnOwnerOfAnOrganizationIsOneOnlyThere(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		owner := w.operator(t, keyward.Owner, o)
		out, err := w.CreateOperator(w.ctx, owner, keyward.Operator{
			Name: "new", Role: keyward.Owner, Enabled: true, OrganizationID: &o.ID,
		}, control.NewPassword{}, control.Once{})
		want(t, "an owner of an organization adds another", err, "")
		_, err = w.UpdateOperator(w.ctx, owner, out.Operator.ID, control.NewPassword{}, func(o *keyward.Operator) error { o.Role = keyward.Admin; return nil })
		want(t, "and makes an admin of it", err, "")
		_, err = w.UpdateOperator(w.ctx, owner, w.root.ID, control.NewPassword{}, func(o *keyward.Operator) error { o.Role = keyward.Admin; return nil })
		want(t, "but not of the root operator", err, keyward.NotFound)
		_, err = w.UpdateOrganization(w.ctx, owner, o.ID, func(o *keyward.Organization) error { o.Enabled = false; return nil })
		want(t, "and does not disable its organization", err, keyward.Forbidden)
	})
}

// A scene is an organization with two projects, keys in each, in both and in none,
// and an actor whose rights are limited to the first project.
type scene struct {
	o                *keyward.Organization
	p, q             *keyward.Project
	by               keyward.Actor
	inP, inQ, inBoth *keyward.Key
	inNone           *keyward.Key
}

func newScene(t *testing.T, w *world) scene {
	s := scene{o: w.organization(t, recoverable)}
	s.p, s.q = w.project(t, s.o), w.project(t, s.o)
	s.by = w.key(t, s.o, limited([]*keyward.Project{s.p}, "keys.*", "projects.*", "audit.read", "organizations.read"))
	s.inP, _ = w.create(t, s.o, in(s.p))
	s.inQ, _ = w.create(t, s.o, in(s.q))
	s.inBoth, _ = w.create(t, s.o, in(s.p, s.q))
	s.inNone, _ = w.create(t, s.o)
	return s
}

func TestARightInAProjectReadsKeysOfItAndWritesKeysOfNothingElse(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		s := newScene(t, w)
		for name, touch := range touches() {
			fresh := func(projects ...*keyward.Project) *keyward.Key {
				key, _ := w.create(t, s.o, in(projects...))
				return key
			}
			forBoth := keyward.Forbidden
			if name == "read" || name == "reveal" {
				forBoth = ""
			}
			want(t, name+" a key of the project", touch(w, s.by, fresh(s.p)), "")
			want(t, name+" a key of another project as well", touch(w, s.by, fresh(s.p, s.q)), forBoth)
			want(t, name+" a key of another project", touch(w, s.by, fresh(s.q)), keyward.NotFound)
			want(t, name+" a key of no project", touch(w, s.by, fresh()), keyward.NotFound)
		}
	})
}

func TestARightToReadEverywhereTurnsAMissingKeyIntoAForbiddenOne(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		s := newScene(t, w)
		by := w.key(t, s.o, grant("keys.read"), limited([]*keyward.Project{s.p}, "keys.update"))
		want(t, "update a key of the project", w.update(by, s.inP, rename), "")
		want(t, "update a key of another one", w.update(by, s.inQ, rename), keyward.Forbidden)
	})
}

func TestARightInAProjectCreatesNothingOutsideOfItAndMovesNothingOverItsBorder(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		s := newScene(t, w)
		create := func(projects ...*keyward.Project) error {
			_, err := w.CreateKey(w.ctx, s.by, aKey(s.o, in(projects...)), control.Once{})
			return err
		}
		want(t, "create in the project", create(s.p), "")
		want(t, "create in both", create(s.p, s.q), keyward.Forbidden)
		want(t, "create in the other", create(s.q), keyward.Forbidden)
		want(t, "create in none", create(), keyward.Forbidden)

		want(t, "move out of the project", w.update(s.by, s.inP, in(s.q)), keyward.Forbidden)
		want(t, "move out of all projects", w.update(s.by, s.inP, in()), keyward.Forbidden)
		want(t, "add the other project", w.update(s.by, s.inP, in(s.p, s.q)), keyward.Forbidden)
		want(t, "take the other project away", w.update(s.by, s.inBoth, in(s.p)), keyward.Forbidden)
		want(t, "move in from the other", w.update(s.by, s.inQ, in(s.p)), keyward.NotFound)

		_, err := w.CreateProject(w.ctx, s.by, keyward.Project{OrganizationID: s.o.ID, Name: "new"}, control.Once{})
		want(t, "create a project", err, keyward.Forbidden)
		_, err = w.UpdateProject(w.ctx, s.by, s.o.ID, s.p.ID, func(p *keyward.Project) error { p.Name = "renamed"; return nil })
		want(t, "rename the project", err, "")
		_, err = w.UpdateProject(w.ctx, s.by, s.o.ID, s.q.ID, func(p *keyward.Project) error { p.Name = "renamed"; return nil })
		want(t, "rename the other", err, keyward.NotFound)
		_, err = w.Project(w.ctx, s.by, s.o.ID, s.q.ID)
		want(t, "read the other", err, keyward.NotFound)
		_, err = w.DeleteProject(w.ctx, w.key(t, s.o, grant("projects.read")), s.o.ID, s.q.ID)
		want(t, "delete a project that one may only read", err, keyward.Forbidden)
		_, _, err = w.Changes(w.ctx, s.by, s.o.ID, control.List{Limit: 10})
		want(t, "read the audit trail, which belongs to no project", err, keyward.Forbidden)
	})
}

func TestListsHoldWhatMayBeRead(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		s := newScene(t, w)
		wantKeys := func(what string, want ...*keyward.Key) {
			t.Helper()
			keys, found, err := w.Keys(w.ctx, s.by, s.o.ID, control.List{Limit: 10, Count: true})
			if err != nil || len(keys) != len(want) || found.Total != int64(len(want)) {
				t.Fatalf("%s: %d keys of %d, error %v; want %d", what, len(keys), found.Total, err, len(want))
			}
			for i, key := range keys {
				if key.ID != want[i].ID {
					t.Errorf("%s: entry %d is %s, want %s", what, i, key.ID, want[i].ID)
				}
			}
		}
		wantKeys("limited to a project", s.inP, s.inBoth)
		want(t, "to read all keys", s.by.MayThroughout(keyward.KeysRead, s.o.ID), keyward.Forbidden)
		want(t, "to read all keys of another organization", s.by.MayThroughout(keyward.KeysRead, "org_none"), keyward.NotFound)
		want(t, "to read all keys as root", w.root.MayThroughout(keyward.KeysRead, s.o.ID), "")
		projects, _, err := w.Projects(w.ctx, s.by, s.o.ID, control.List{Limit: 10})
		want(t, "Projects", err, "")
		if len(projects) != 1 || projects[0].ID != s.p.ID {
			t.Errorf("%d projects, want the one in reach", len(projects))
		}
		_, err = w.DeleteProject(w.ctx, w.root, s.o.ID, s.p.ID)
		want(t, "DeleteProject", err, "")
		wantKeys("when the project is gone")
		_, err = w.Key(w.ctx, s.by, s.o.ID, s.inP.ID)
		want(t, "read a key that was in it", err, keyward.NotFound)
	})
}
