package control_test

import (
	"regexp"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/control"
)

func TestAPasswordIsKeptAsArgon2idWithItsParameters(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		form := regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)
		kept := map[string]bool{}
		for _, email := range []string{"a@example.com", "b@example.com"} {
			w.person(t, email)
			found, err := w.store.Person(w.ctx, email)
			want(t, "Person", err, "")
			if !form.MatchString(found.PasswordHash) {
				t.Errorf("kept is %q", found.PasswordHash)
			}
			kept[found.PasswordHash] = true
		}
		if len(kept) != 2 {
			t.Error("the same password is kept in the same words")
		}
	})
}

func TestWhatEndsSessions(t *testing.T) {
	update := func(password control.NewPassword, edit func(*keyward.Operator)) func(*world, *keyward.Operator) error {
		return func(w *world, o *keyward.Operator) error {
			_, err := w.UpdateOperator(w.ctx, w.root, o.ID, password, func(o *keyward.Operator) error { edit(o); return nil })
			return err
		}
	}
	none := func(*keyward.Operator) {}
	both(t, func(t *testing.T, w *world) {
		for what, test := range map[string]struct {
			change func(*world, *keyward.Operator) error
			stays  bool
		}{
			"another name":            {update(control.NewPassword{}, func(o *keyward.Operator) { o.Name = "x" }), true},
			"a change of nothing":     {update(control.NewPassword{}, none), true},
			"a new password":          {change: update(setTo(another), none)},
			"the same password again": {change: update(setTo(password), none)},
			"no password":             {change: update(control.NewPassword{Set: true}, none)},
			"another role":            {change: update(control.NewPassword{}, func(o *keyward.Operator) { o.Role = keyward.Editor })},
			"another address":         {change: update(control.NewPassword{}, func(o *keyward.Operator) { o.Email = pointer(*o.Email + "x") })},
			"being disabled":          {change: update(control.NewPassword{}, func(o *keyward.Operator) { o.Enabled = false })},
			"being disabled for a moment": {change: func(w *world, o *keyward.Operator) error {
				_, err := w.UpdateOperator(w.ctx, w.root, o.ID, control.NewPassword{}, func(o *keyward.Operator) error { o.Enabled = false; return nil })
				want(t, "UpdateOperator", err, "")
				_, err = w.UpdateOperator(w.ctx, w.root, o.ID, control.NewPassword{}, func(o *keyward.Operator) error { o.Enabled = true; return nil })
				return err
			}},
			"a new credential": {change: func(w *world, o *keyward.Operator) error {
				_, err := w.RotateOperator(w.ctx, w.root, o.ID, control.Once{})
				return err
			}},
			"being deleted": {change: func(w *world, o *keyward.Operator) error {
				_, err := w.DeleteOperator(w.ctx, w.root, o.ID)
				return err
			}},
			"its organization being disabled": {change: func(w *world, o *keyward.Operator) error {
				_, err := w.UpdateOrganization(w.ctx, w.root, *o.OrganizationID, func(o *keyward.Organization) error { o.Enabled = false; return nil })
				return err
			}},
			"its organization being deleted": {change: func(w *world, o *keyward.Operator) error {
				_, err := w.DeleteOrganization(w.ctx, w.root, *o.OrganizationID)
				return err
			}},
		} {
			email := strings.ReplaceAll(what, " ", "-") + "@example.com"
			person := w.person(t, email, of(w.organization(t)))
			out, err := w.try(email, password)
			want(t, what+": SignIn", err, "")
			by, err := w.session(person, out.Operator.Generation)
			want(t, what+": the session before", err, "")
			want(t, what, test.change(w, person), "")

			after := keyward.Unauthenticated
			if test.stays {
				after = ""
			}
			_, err = w.session(person, out.Operator.Generation)
			want(t, "the session after "+what, err, after)
			// An actor from before changes nothing either, but for what others enforce.
			if _, err := w.RevokeToken(w.ctx, by, "tok_"+what, w.now()+1000); what != "its organization being disabled" {
				want(t, "a change under way after "+what, err, after)
			}
		}
	})
}

func TestWhoSetsPasswords(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		everywhere, local := w.person(t, "a@example.com"), w.person(t, "b@example.com", of(o))
		other := w.person(t, "c@example.com", of(w.organization(t)))
		set := func(by keyward.Actor, id string) error {
			_, err := w.UpdateOperator(w.ctx, by, id, setTo(another), unchanged)
			return err
		}
		owner := w.operator(t, keyward.Owner, o)
		want(t, "an owner of the organization", set(owner, local.ID), "")
		want(t, "an owner of the organization, everywhere", set(owner, everywhere.ID), keyward.NotFound)
		want(t, "an owner of another organization", set(owner, other.ID), keyward.NotFound)
		for _, role := range []keyward.Role{keyward.Admin, keyward.Editor, keyward.Viewer, keyward.Verifier} {
			by := w.operator(t, role, o)
			before := w.Hashes()
			want(t, "for somebody else, "+string(role), set(by, local.ID), keyward.Forbidden)
			own := keyward.Invalid // it has no address
			if role == keyward.Verifier {
				own = keyward.Forbidden
			}
			if n := w.Hashes() - before; n != 0 {
				t.Errorf("a %s who may not set it has %d hashes computed", role, n)
			}
			want(t, "for itself, "+string(role), set(by, by.ID), own)
		}
		out, err := w.try("a@example.com", password)
		want(t, "SignIn", err, "")
		self, err := w.session(everywhere, out.Operator.Generation)
		want(t, "the session", err, "")
		_, err = w.UpdateOperator(w.ctx, self, everywhere.ID, setTo(another), func(o *keyward.Operator) error { o.Name = "x"; return nil })
		want(t, "one's own, and one's name", err, keyward.Forbidden)
		want(t, "one's own", set(self, everywhere.ID), "")
		want(t, "one's own, with a session that ended", set(self, everywhere.ID), keyward.Unauthenticated)
		key := w.key(t, o, grant("keys.*"))
		want(t, "a key with the id of an operator", set(keyward.Actor{Type: keyward.KeyActor, ID: local.ID, OrganizationID: o.ID, Version: key.Version}, local.ID), keyward.Forbidden)
	})
}

func TestWhatIsNoPassword(t *testing.T) {
	w := newWorld(t, sqliteURL(t))
	w.bootstrap(t)
	person := w.person(t, "a@example.com")
	for what, test := range map[string]struct {
		text string
		ok   bool
	}{
		"eleven characters":        {strings.Repeat("ä", 11), false},
		"twelve characters":        {strings.Repeat("ä", 12), true},
		"256 characters":           {strings.Repeat("語", 256), true},
		"257 characters":           {strings.Repeat("x", 257), false},
		"a line break":             {"correct horse\nbattery", false},
		"a NUL":                    {"correct horse\x00battery", false},
		"what is not UTF-8":        {"correct horse \xff battery", false},
		"nothing, which is no end": {"", false},
		"spaces and signs":         {" <&>\"'$%|\\ é ", true},
	} {
		head := w.head(t)
		_, err := w.UpdateOperator(w.ctx, w.root, person.ID, setTo(test.text), unchanged)
		if test.ok {
			want(t, what, err, "")
			_, err := w.try("a@example.com", test.text)
			want(t, "sign in with "+what, err, "")
			continue
		}
		wantPointer(t, what, err, "/password")
		if test.text != "" && strings.Contains(err.Error(), test.text) {
			t.Errorf("the error repeats the password: %v", err)
		}
		w.wantUnchanged(t, what, head)
	}
}
