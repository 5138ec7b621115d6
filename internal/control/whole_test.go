package control_test

import (
	"testing"

	"keyward"
	"keyward/internal/control"
)

func TestAProjectsKeysAreForThoseWhoHoldThePermissionThere(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		s := newScene(t, w)
		other := w.project(t, w.organization(t))
		mixed := w.key(t, s.o, limited([]*keyward.Project{s.p}, "keys.update"), limited([]*keyward.Project{s.q}, "keys.read"))
		whole := w.key(t, s.o, grant("keys.*"))
		for what, test := range map[string]struct {
			by         keyward.Actor
			permission keyward.Permission
			id         string
			want       keyward.Code
		}{
			"in the project":                           {s.by, keyward.KeysUpdate, s.p.ID, ""},
			"by the public id":                         {s.by, keyward.KeysUpdate, s.p.PublicID, ""},
			"in another project":                       {s.by, keyward.KeysUpdate, s.q.ID, keyward.NotFound},
			"in the whole organization":                {whole, keyward.KeysUpdate, s.q.ID, ""},
			"in one whose keys may be read only":       {mixed, keyward.KeysUpdate, s.q.ID, keyward.Forbidden},
			"in a project that there is not":           {whole, keyward.KeysUpdate, "zzzzzzzz", keyward.NotFound},
			"in a project of another organization":     {whole, keyward.KeysUpdate, other.ID, keyward.NotFound},
			"nowhere":                                  {mixed, keyward.KeysDelete, s.p.ID, keyward.Forbidden},
			"nowhere, and the project there is not":    {mixed, keyward.KeysDelete, "zzzzzzzz", keyward.Forbidden},
			"nowhere, and the project is not in reach": {mixed, keyward.KeysDelete, other.ID, keyward.Forbidden},
		} {
			project, err := w.ProjectFor(w.ctx, test.by, test.permission, test.id)
			want(t, what, err, test.want)
			if test.want == "" && project.ID != test.id && project.PublicID != test.id {
				t.Errorf("%s: the project is %s, want %s", what, project.ID, test.id)
			}
		}
	})
}

func TestAllKeysOfAProjectAreThoseInIt(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		s := newScene(t, w)
		_, err := w.RevokeKey(w.ctx, w.root, s.o.ID, s.inQ.ID, 0, "", control.Once{})
		want(t, "RevokeKey", err, "")
		walk := func(by keyward.Actor, project *keyward.Project, ids ...string) {
			t.Helper()
			var got []string
			for key, err := range w.AllKeysOf(w.ctx, by, s.o.ID, project.ID) {
				want(t, "AllKeysOf", err, "")
				got = append(got, key.ID)
			}
			if len(got) != len(ids) {
				t.Fatalf("the keys are %q, want %q", got, ids)
			}
			for i := range ids {
				if got[i] != ids[i] {
					t.Errorf("key %d is %s, want %s", i, got[i], ids[i])
				}
			}
		}
		walk(w.root, s.p, s.inP.ID, s.inBoth.ID)
		walk(w.root, s.q, s.inBoth.ID)
		walk(s.by, s.q, s.inBoth.ID)
	})
}
