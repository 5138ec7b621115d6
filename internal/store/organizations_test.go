package store_test

import (
	"testing"

	"keyward"
	"keyward/internal/store"
)

func organizationPromises() map[string]promise {
	return map[string]promise{
		"an organization is found by its id and its public id": func(t *testing.T, w *world) {
			want := w.organization(t, func(o *keyward.Organization) {
				o.Name, o.Prefix, o.Recoverable, o.Enabled, o.UpdatedTime = "Straße ÄÖ 🗝", "acme", true, false, noon+1
			})
			got, err := w.Organization(t.Context(), want.ID)
			wantEqual(t, "the organization by id", got, err, want)
			got, err = w.Organization(t.Context(), want.PublicID)
			wantEqual(t, "the organization by public id", got, err, want)
		},
		"a missing organization is NotFound": func(t *testing.T, w *world) {
			for _, id := range []string{"", "org_0", "%", "\x00", "\xff", "' OR 1=1 --"} {
				_, err := w.Organization(t.Context(), id)
				wantCode(t, err, keyward.NotFound)
			}
			o := w.newOrganization()
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.UpdateOrganization(t.Context(), o) })
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.DeleteOrganization(t.Context(), o.ID, noon) })
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error {
				_, err := tx.LockOrganization(t.Context(), o.ID)
				return err
			})
		},
		"an organization's name, prefix, switch and time change, the rest stays": func(t *testing.T, w *world) {
			o := w.organization(t)
			want := *o
			want.Name, want.Prefix, want.Enabled, want.UpdatedTime = "Other", "other", false, noon+5
			edit := want
			edit.PublicID, edit.Recoverable, edit.CreatedTime = "elsewhere", true, noon+9
			w.update(t, func(tx *store.Tx) error { return tx.UpdateOrganization(t.Context(), &edit) })
			got, err := w.Organization(t.Context(), o.ID)
			wantEqual(t, "the organization", got, err, &want)
		},
		"a deleted organization is gone, and its public id stays taken": func(t *testing.T, w *world) {
			o := w.organization(t)
			w.update(t, func(tx *store.Tx) error { return tx.DeleteOrganization(t.Context(), o.ID, noon+1) })
			for _, id := range []string{o.ID, o.PublicID} {
				_, err := w.Organization(t.Context(), id)
				wantCode(t, err, keyward.NotFound)
			}
			got, _, err := w.Organizations(t.Context(), "", store.Page{Limit: 10})
			wantEqual(t, "the list", got, err, []*keyward.Organization{})
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.DeleteOrganization(t.Context(), o.ID, noon) })
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.UpdateOrganization(t.Context(), o) })
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error {
				return tx.InsertKey(t.Context(), w.newKey(o.ID), secret("x"))
			})
			again := w.newOrganization(func(n *keyward.Organization) { n.PublicID = o.PublicID })
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error { return tx.InsertOrganization(t.Context(), again) })
		},
		"an id or public id of an organization that is taken is a Conflict that says so": func(t *testing.T, w *world) {
			o := w.organization(t)
			sameID := w.newOrganization(func(n *keyward.Organization) { n.ID = o.ID })
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error { return tx.InsertOrganization(t.Context(), sameID) })
			samePublicID := w.newOrganization(func(n *keyward.Organization) { n.PublicID = o.PublicID })
			err := w.refused(t, keyward.Conflict, func(tx *store.Tx) error {
				return tx.InsertOrganization(t.Context(), samePublicID)
			})
			if got, want := keyward.MessageOf(err), "this publicId is taken"; got != want {
				t.Errorf("message = %q, want %q", got, want)
			}
		},
		"text that a database cannot hold is Invalid": func(t *testing.T, w *world) {
			for _, name := range []string{"a\x00b", "a\xffb"} {
				o := w.newOrganization(func(o *keyward.Organization) { o.Name = name })
				w.refused(t, keyward.Invalid, func(tx *store.Tx) error { return tx.InsertOrganization(t.Context(), o) })
			}
			w.wantNoTrace(t, "organizations")
		},
		"a locked organization cannot be changed by others until the commit": func(t *testing.T, w *world) {
			o := w.organization(t)
			locked, changed := make(chan struct{}), make(chan error, 1)
			go func() {
				<-locked
				_, err := w.Update(t.Context(), func(tx *store.Tx) error {
					return tx.DeleteOrganization(t.Context(), o.ID, noon)
				})
				changed <- err
			}()
			w.update(t, func(tx *store.Tx) error {
				if _, err := tx.LockOrganization(t.Context(), o.ID); err != nil {
					return err
				}
				close(locked)
				return tx.InsertKey(t.Context(), w.newKey(o.ID), secret("first"))
			})
			if err := <-changed; err != nil {
				t.Error(err)
			}
		},
	}
}

func projectPromises() map[string]promise {
	return map[string]promise{
		"a project is found by its id and its public id, in its organization only": func(t *testing.T, w *world) {
			o, other := w.organization(t), w.organization(t)
			want := w.project(t, o.ID)
			for _, id := range []string{want.ID, want.PublicID} {
				got, err := w.Project(t.Context(), o.ID, id)
				wantEqual(t, "the project", got, err, want)
				_, err = w.Project(t.Context(), other.ID, id)
				wantCode(t, err, keyward.NotFound)
			}
		},
		"a project of no organization is NotFound": func(t *testing.T, w *world) {
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.InsertProject(t.Context(), w.newProject("org_0")) })
		},
		"a project's name changes": func(t *testing.T, w *world) {
			o := w.organization(t)
			p := w.project(t, o.ID)
			p.Name, p.UpdatedTime = "Other", noon+5
			w.update(t, func(tx *store.Tx) error { return tx.UpdateProject(t.Context(), p) })
			got, err := w.Project(t.Context(), o.ID, p.ID)
			wantEqual(t, "the project", got, err, p)
			p.OrganizationID = "org_0"
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.UpdateProject(t.Context(), p) })
		},
		"a public id is of an organization or of a project": func(t *testing.T, w *world) {
			o := w.organization(t)
			p := w.newProject(o.ID)
			p.PublicID = o.PublicID
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error { return tx.InsertProject(t.Context(), p) })
			other := w.newProject(o.ID)
			w.update(t, func(tx *store.Tx) error { return tx.InsertProject(t.Context(), other) })
			second := w.newOrganization()
			second.PublicID = other.PublicID
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error { return tx.InsertOrganization(t.Context(), second) })
		},
		"a public id of a project is unique in the deployment, even after its end": func(t *testing.T, w *world) {
			o, other := w.organization(t), w.organization(t)
			p := w.project(t, o.ID)
			again := w.newProject(other.ID)
			again.PublicID = p.PublicID
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error { return tx.InsertProject(t.Context(), again) })
			w.update(t, func(tx *store.Tx) error { return tx.DeleteProject(t.Context(), o.ID, p.ID, noon) })
			w.refused(t, keyward.Conflict, func(tx *store.Tx) error { return tx.InsertProject(t.Context(), again) })
		},
		"a deleted project is gone, and its keys lose the membership": func(t *testing.T, w *world) {
			o := w.organization(t)
			p, stays := w.project(t, o.ID), w.project(t, o.ID)
			k := w.key(t, o.ID, func(k *keyward.Key) { k.ProjectIDs = []string{p.ID, stays.ID} })
			w.update(t, func(tx *store.Tx) error { return tx.DeleteProject(t.Context(), o.ID, p.ID, noon) })
			_, err := w.Project(t.Context(), o.ID, p.ID)
			wantCode(t, err, keyward.NotFound)
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.DeleteProject(t.Context(), o.ID, p.ID, noon) })
			k.ProjectIDs = []string{stays.ID}
			got, err := w.Key(t.Context(), o.ID, k.ID)
			wantEqual(t, "the key", got, err, k)
			projects, _, err := w.Projects(t.Context(), o.ID, keyward.Reach{All: true}, store.Page{Limit: 10})
			wantEqual(t, "the projects", projects, err, []*keyward.Project{stays})
		},
		"a list of projects holds those in reach only": func(t *testing.T, w *world) {
			o, other := w.organization(t), w.organization(t)
			a, b, foreign := w.project(t, o.ID), w.project(t, o.ID), w.project(t, other.ID)
			for _, test := range []struct {
				reach keyward.Reach
				want  []*keyward.Project
			}{
				{keyward.Reach{All: true}, []*keyward.Project{a, b}},
				{keyward.Reach{ProjectIDs: []string{b.ID, foreign.ID}}, []*keyward.Project{b}},
				{keyward.Reach{}, []*keyward.Project{}},
			} {
				got, found, err := w.Projects(t.Context(), o.ID, test.reach, store.Page{Limit: 10, Count: true})
				wantEqual(t, "the list", got, err, test.want)
				wantEqual(t, "its total", found, err, store.Found{Total: int64(len(test.want))})
			}
		},
	}
}
