package control_test

import (
	"slices"
	"testing"
	"time"

	"keyward"
	"keyward/internal/control"
)

// changing are the deeds that a manager's key may do and that change something, or
// are recorded.
func changing() []string { return slices.Concat(makes, reveals) }

func TestWhoIsNotAcceptedAnyMoreChangesNothing(t *testing.T) {
	manage := []keyward.Grant{grant("projects.*", "keys.*")}
	both(t, func(t *testing.T, w *world) {
		for name, end := range map[string]func(o *keyward.Organization, own *keyward.Key) error{
			"its key is revoked": func(_ *keyward.Organization, own *keyward.Key) error { return touches()["revoke"](w, w.root, own) },
			"its key is deleted": func(_ *keyward.Organization, own *keyward.Key) error { return touches()["delete"](w, w.root, own) },
			"its key is disabled": func(_ *keyward.Organization, own *keyward.Key) error {
				return w.update(w.root, own, func(k *keyward.Key) { k.Enabled = false })
			},
			"its key is put off": func(_ *keyward.Organization, own *keyward.Key) error {
				return w.update(w.root, own, func(k *keyward.Key) { k.StartTime = w.now() + 1 })
			},
			"its key has expired": func(_ *keyward.Organization, own *keyward.Key) error {
				defer w.pass(time.Second)
				return w.update(w.root, own, func(k *keyward.Key) { k.ExpireTime = w.now() + 1 })
			},
			"its version has ended": func(_ *keyward.Organization, own *keyward.Key) error { return touches()["rotate"](w, w.root, own) },
			"its organization is disabled": func(o *keyward.Organization, _ *keyward.Key) error {
				_, err := w.UpdateOrganization(w.ctx, w.root, o.ID, func(o *keyward.Organization) error { o.Enabled = false; return nil })
				return err
			},
		} {
			t.Run(name, func(t *testing.T) {
				o := w.organization(t, recoverable)
				own, secret := w.create(t, o, managing(manage...))
				by := w.present(t, secret)
				want(t, "rename itself before", w.update(by, own, rename), "")
				want(t, name, end(o, own), "")
				w.wantRefused(t, by, o, changing(), keyward.Unauthenticated)
			})
		}
	})
}

// wantRefused tries deeds, which must fail and leave no trace.
func (w *world) wantRefused(t *testing.T, by keyward.Actor, o *keyward.Organization, names []string, code keyward.Code) {
	t.Helper()
	before := w.eventsBy(t, by)
	for _, name := range names {
		want(t, name, deeds()[name](t, w, by, o), code)
	}
	if after := w.eventsBy(t, by); after != before {
		t.Errorf("it left %d audit events", after-before)
	}
}

func TestAnOperatorWhoIsDisabledOrDeletedChangesNothing(t *testing.T) {
	everything := slices.Concat(makes, reveals, ownHouse, deployment, operates[2:])
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		disabled, deleted := w.operator(t, keyward.Owner, nil), w.operator(t, keyward.Owner, nil)
		_, err := w.UpdateOperator(w.ctx, w.root, disabled.ID, control.NewPassword{}, func(o *keyward.Operator) error { o.Enabled = false; return nil })
		want(t, "disable", err, "")
		_, err = w.DeleteOperator(w.ctx, w.root, deleted.ID)
		want(t, "delete", err, "")
		w.wantRefused(t, disabled, o, everything, keyward.Unauthenticated)
		w.wantRefused(t, deleted, o, everything, keyward.Unauthenticated)
		w.wantRefused(t, keyward.Actor{Type: "stranger", ID: "str_1", Management: w.root.Management}, o, everything, keyward.Unauthenticated)

		home := w.organization(t)
		local := w.operator(t, keyward.Owner, home)
		_, err = w.DeleteOrganization(w.ctx, w.root, home.ID)
		want(t, "delete its organization", err, "")
		_, err = w.UpdateOperator(w.ctx, local, local.ID, control.NewPassword{}, func(o *keyward.Operator) error { o.Name = "still here"; return nil })
		want(t, "rename itself", err, keyward.Unauthenticated)
	})
}

func TestWhoSignedInChangesNothingForADisabledOrganization(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		person := w.person(t, "known@example.com", of(o), func(o *keyward.Operator) { o.Role = keyward.Admin })
		by, err := w.session(person, person.Generation)
		want(t, "the session", err, "")
		_, err = w.UpdateOrganization(w.ctx, w.root, o.ID, func(o *keyward.Organization) error { o.Enabled = false; return nil })
		want(t, "disable", err, "")
		w.wantRefused(t, by, o, changing(), keyward.Unauthenticated)
	})
}

func TestWhoseRightsWereReducedActsByWhatIsLeft(t *testing.T) {
	everything := slices.Concat(makes, reveals, ownHouse, deployment, operates[2:])
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		p := w.project(t, o)
		reduced := w.operator(t, keyward.Owner, nil)
		_, err := w.UpdateOperator(w.ctx, w.root, reduced.ID, control.NewPassword{}, func(o *keyward.Operator) error { o.Role = keyward.Viewer; return nil })
		want(t, "make a viewer of an owner", err, "")
		w.wantRefused(t, reduced, o, everything, keyward.Forbidden)

		own, secret := w.create(t, o, managing(grant(manager)))
		by := w.present(t, secret)
		want(t, "limit a key to a project", w.update(w.root, own, managing(limited([]*keyward.Project{p}, manager))), "")
		inside, _ := w.create(t, o, in(p))
		outside, _ := w.create(t, o)
		want(t, "update in the project", w.update(by, inside, rename), "")
		want(t, "update outside of it", w.update(by, outside, rename), keyward.NotFound)
		secrets, err := w.Reveal(w.ctx, by, o.ID, []*keyward.Key{w.reread(t, inside), w.reread(t, outside)})
		if _, shown := secrets[outside.ID]; err != nil || shown || len(secrets) != 1 {
			t.Errorf("it is shown %d secrets, error %v; want that of the project's key", len(secrets), err)
		}
	})
}

func TestAnOldVersionActsUntilItsOverlapEnds(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		own, secret := w.create(t, o, managing(grant(manager)))
		by := w.present(t, secret)
		w.rotate(t, own, time.Hour)
		_, err := w.CreateKey(w.ctx, by, aKey(o), control.Once{})
		want(t, "within the overlap", err, "")
		w.pass(time.Hour)
		_, err = w.CreateKey(w.ctx, by, aKey(o), control.Once{})
		want(t, "after it", err, keyward.Unauthenticated)
	})
}
