package control_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"keyward"
	"keyward/internal/control"
)

// everything is what a dialect may derive at most.
var everything = control.Terms{Grants: []keyward.Grant{grant(
	"keys.read", "keys.create", "keys.update", "keys.revoke", "keys.delete", "organizations.read",
)}}

// held returns the permissions that a key has in the whole organization.
func held(key *keyward.Key) []string {
	var names []string
	for _, p := range keyward.Permissions() {
		if (keyward.Actor{Management: key.Management}).Projects(p).All {
			names = append(names, string(p))
		}
	}
	return names
}

func TestWhatADialectDerivesIsCutDownToTheCreators(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		plain, keeping := w.organization(t), w.organization(t, recoverable)
		for name, test := range map[string]struct {
			of    *keyward.Organization
			by    []keyward.Grant
			edits []func(*keyward.Key)
			want  []string
		}{
			"who holds all of it gives all of it":        {plain, []keyward.Grant{grant(manager, "organizations.read")}, nil, everything.Grants[0].Permissions},
			"who holds less gives less":                  {plain, []keyward.Grant{grant("keys.create", "keys.read")}, nil, []string{"keys.read", "keys.create"}},
			"secrets that are kept may be read":          {keeping, []keyward.Grant{grant("keys.create", "keys.read", "keys.reveal")}, nil, []string{"keys.read", "keys.create", "keys.reveal"}},
			"but only by whose creator may read them":    {keeping, []keyward.Grant{grant("keys.create", "keys.read")}, nil, []string{"keys.read", "keys.create"}},
			"where none are kept there is none to read":  {plain, []keyward.Grant{grant("keys.create", "keys.read", "keys.reveal")}, nil, []string{"keys.read", "keys.create"}},
			"a publishable key manages nothing":          {plain, []keyward.Grant{grant(manager)}, []func(*keyward.Key){func(k *keyward.Key) { k.Type = keyward.Publishable }}, nil},
			"an operator gives what a key can hold only": {plain, nil, nil, everything.Grants[0].Permissions},
		} {
			t.Run(name, func(t *testing.T) {
				by := w.root
				if test.by != nil {
					by = w.key(t, test.of, test.by...)
				}
				out, err := w.CreateVendorKey(w.ctx, by, aKey(test.of, test.edits...), everything)
				want(t, "create", err, "")
				slices.Sort(test.want)
				if got := held(out.Key); !slices.Equal(slices.Sorted(slices.Values(got)), test.want) {
					t.Errorf("the key holds %v, want %v", got, test.want)
				}
			})
		}
	})
}

func TestARoleIsWrittenIntoTheKey(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		p := w.project(t, o)
		out, err := w.CreateVendorKey(w.ctx, w.root, aKey(o, in(p)), control.Terms{Role: keyward.KeyRoleAdmin})
		want(t, "create", err, "")
		key := w.reread(t, out.Key)
		reach := keyward.Actor{Management: key.Management}.Projects(keyward.KeysReveal)
		if key.RoleID != keyward.KeyRoleAdmin || reach.All || !slices.Equal(reach.ProjectIDs, []string{p.ID}) {
			t.Errorf("the key has the role %d and reveals in %+v", key.RoleID, reach)
		}
		out, err = w.CreateVendorKey(w.ctx, w.root, aKey(o), control.Terms{Role: keyward.KeyRoleContentEditor})
		want(t, "create a content editor", err, "")
		if len(out.Key.Management) != 0 {
			t.Errorf("a content editor holds %v", out.Key.Management)
		}
		head := w.head(t)
		_, err = w.CreateVendorKey(w.ctx, w.root, aKey(o), control.Terms{Role: 7})
		want(t, "create with a role that is none", err, keyward.Invalid)
		wantPointer(t, "create with a role that is none", err, "/roleId")
		w.wantUnchanged(t, "what was refused", head)
	})
}

func TestAnUpdateWithoutTermsLeavesManagementAlone(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		key, _ := w.create(t, o, managing(grant("usage.read")))
		by := w.key(t, o, grant(manager, "usage.read"))
		out, err := w.UpdateVendorKey(w.ctx, by, o.ID, key.ID, func(k *keyward.Key) (*control.Terms, error) {
			k.Name = "renamed"
			return nil, nil
		})
		want(t, "rename", err, "")
		if got := held(out.Key); !slices.Equal(got, []string{"usage.read"}) {
			t.Errorf("renamed, the key holds %v", got)
		}
		out, err = w.UpdateVendorKey(w.ctx, by, o.ID, key.ID, func(*keyward.Key) (*control.Terms, error) {
			return &control.Terms{Grants: []keyward.Grant{grant("keys.read")}}, nil
		})
		want(t, "with terms", err, "")
		if got := held(out.Key); !slices.Equal(got, []string{"keys.read"}) {
			t.Errorf("with terms, the key holds %v", got)
		}
		weak := w.key(t, o, grant("keys.update", "keys.read"))
		stronger, _ := w.create(t, o, managing(grant(manager)))
		_, err = w.UpdateVendorKey(w.ctx, weak, o.ID, stronger.ID, func(*keyward.Key) (*control.Terms, error) {
			return &control.Terms{}, nil
		})
		want(t, "take away what is beyond one's own", err, keyward.Forbidden)
	})
}

func TestPutCreatesOnceAndThenUpdates(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		put := func(by keyward.Actor, id string) (control.Outcome, bool, error) {
			return w.PutVendorKey(w.ctx, by, o.ID, id, func(k *keyward.Key) (*control.Terms, error) {
				k.Name, k.Type = "put", keyward.SecretKey
				return nil, nil
			})
		}
		first, created, err := put(w.root, "my-key")
		want(t, "put a new id", err, "")
		if !created || first.Key.ID != "my-key" || first.Secret.Empty() || first.Key.Environment != keyward.Live || !first.Key.Enabled {
			t.Errorf("a new id: created %t, %+v", created, first.Key)
		}
		again, created, err := put(w.root, "my-key")
		want(t, "put it again", err, "")
		if created || !again.Secret.Empty() || again.Key.Number != first.Key.Number {
			t.Errorf("again: created %t, %+v", created, again.Key)
		}
		_, _, err = put(w.key(t, o, grant("keys.create", "keys.read")), "my-key")
		want(t, "update with the right to create", err, keyward.Forbidden)
		_, _, err = put(w.key(t, o, grant("keys.update", "keys.read")), "other")
		want(t, "create with the right to update", err, keyward.Forbidden)
		_, _, err = put(w.key(t, o, grant("keys.read")), "my-key")
		want(t, "put with the right to read", err, keyward.Forbidden)
		_, _, err = put(w.root, "key_mine")
		want(t, "put an id in the server's form", err, keyward.Invalid)
		w.revoke(t, first.Key)
		_, _, err = put(w.root, "my-key")
		want(t, "put the id of a revoked key", err, keyward.Conflict)
		w.delete(t, first.Key)
		_, _, err = put(w.root, "my-key")
		want(t, "put the id of a deleted key", err, keyward.Conflict)
		ours, _ := w.create(t, o)
		w.delete(t, ours)
		_, _, err = put(w.root, ours.ID)
		want(t, "put the id, of the server's making, of a deleted key", err, keyward.Conflict)
	})
}

func TestManyWhoPutOneNewIDMakeOneKey(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		var made atomic.Int32
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				_, created, err := w.PutVendorKey(w.ctx, w.root, o.ID, "contested", func(k *keyward.Key) (*control.Terms, error) {
					k.Name, k.Type = "put", keyward.SecretKey
					return nil, nil
				})
				if err != nil {
					t.Errorf("put: %v", err)
				}
				if created {
					made.Add(1)
				}
			})
		}
		group.Wait()
		if made.Load() != 1 {
			t.Errorf("%d keys were made", made.Load())
		}
	})
}

func TestDialectsDoNotKnowOfRevokedKeys(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		p := w.project(t, o)
		key, _ := w.create(t, o, in(p))
		lookups := map[string]func(keyward.Actor, keyward.Permission) error{
			"by id": func(by keyward.Actor, to keyward.Permission) error {
				_, err := w.LiveKey(w.ctx, by, to, o.ID, key.ID)
				return err
			},
			"by number": func(by keyward.Actor, to keyward.Permission) error {
				_, err := w.KeyByNumber(w.ctx, by, to, o.ID, key.Number)
				return err
			},
			"by client id": func(by keyward.Actor, to keyward.Permission) error {
				_, err := w.KeyByClientID(w.ctx, by, to, o.ID, key.ClientID)
				return err
			},
		}
		reader, deleter := w.key(t, o, grant("keys.read")), w.key(t, o, grant("keys.delete"))
		elsewhere := w.key(t, o, limited([]*keyward.Project{w.project(t, o)}, "keys.read", "keys.delete"))
		stranger := w.key(t, w.organization(t), grant(manager))
		for name, find := range lookups {
			want(t, name+" to read", find(reader, keyward.KeysRead), "")
			want(t, name+" to read with the right to delete", find(deleter, keyward.KeysRead), keyward.Forbidden)
			want(t, name+" to delete", find(deleter, keyward.KeysDelete), "")
			want(t, name+" to delete with the right to read", find(reader, keyward.KeysDelete), keyward.Forbidden)
			want(t, name+" from another project", find(elsewhere, keyward.KeysDelete), keyward.NotFound)
			want(t, name+" from another organization", find(stranger, keyward.KeysRead), keyward.NotFound)
		}
		w.revoke(t, key)
		for name, find := range lookups {
			want(t, name+" when it is revoked", find(reader, keyward.KeysRead), keyward.NotFound)
		}
	})
}

func TestAKeyKnowsWhomItActsFor(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		address := "ops@example.test"
		out, err := w.CreateOperator(w.ctx, w.root, keyward.Operator{Name: "a person", Role: keyward.Admin, Email: &address, Enabled: true}, control.NewPassword{}, control.Once{})
		want(t, "create a person", err, "")
		person := w.signIn(t, out.Secret)
		made, err := w.CreateKey(w.ctx, person, aKey(o, managing(grant(manager))), control.Once{})
		want(t, "create a key", err, "")
		heir, err := w.CreateVendorKey(w.ctx, w.present(t, made.Secret.Reveal()), aKey(o), everything)
		want(t, "create a key with the key", err, "")
		plain, _ := w.create(t, o)
		for _, test := range []struct {
			key  *keyward.Key
			want string
		}{{made.Key, address}, {heir.Key, address}, {plain, w.root.ID}} {
			if got := w.reread(t, test.key).APIUser; got != test.want {
				t.Errorf("a key made by %s acts for %s, want %s", test.key.CreatedBy, got, test.want)
			}
		}
	})
}
