package control_test

import (
	"slices"
	"testing"
	"time"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/verify"
)

func TestRevokingIsFinal(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		key, secret := w.create(t, o)
		w.wantVerdict(t, "a new key", secret, keyward.Valid)
		out, err := w.RevokeKey(w.ctx, w.root, o.ID, key.ID, 0, "leaked", control.Once{})
		want(t, "RevokeKey", err, "")
		revoked := out.Key
		if revoked.Status != keyward.StatusRevoked || revoked.RevokedTime != w.now() || *revoked.RevokeReason != "leaked" {
			t.Errorf("the revoked key is %+v", revoked)
		}
		w.wantVerdict(t, "a revoked key", secret, keyward.Revoked)

		w.pass(time.Hour)
		head := w.head(t)
		out, err = w.RevokeKey(w.ctx, w.root, o.ID, key.ID, 0, "again", control.Once{Key: "k", Operation: "revoke"})
		want(t, "revoke again", err, "")
		if out.Key.RevokedTime != revoked.RevokedTime || *out.Key.RevokeReason != "leaked" || out.Seq != head {
			t.Errorf("revoked again it is %+v, at change %d", out.Key, out.Seq)
		}
		for name, touch := range map[string]func(*world, keyward.Actor, *keyward.Key) error{
			"update": touches()["update"], "rotate": touches()["rotate"],
			"enable": func(w *world, by keyward.Actor, key *keyward.Key) error {
				return w.update(by, key, func(k *keyward.Key) { k.RevokedTime = 0 })
			},
		} {
			want(t, name+" a revoked key", touch(w, w.root, key), keyward.Conflict)
		}
		w.wantUnchanged(t, "what a revoked key refuses", head)
		want(t, "read a revoked key", touches()["read"](w, w.root, key), "")
		w.wantVerdict(t, "a revoked key", secret, keyward.Revoked)
		w.delete(t, key)
		w.wantVerdict(t, "a deleted key", secret, keyward.Unknown)
		_, err = w.RevokeKey(w.ctx, w.root, o.ID, key.ID, 0, "line\nbreak", control.Once{})
		wantPointer(t, "a reason with a line break", err, "/reason")
	})
}

func TestARevokedKeyIsListedUnlessItIsToBeHidden(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		key, _ := w.create(t, o)
		w.revoke(t, key)
		for hide, n := range map[bool]int{false: 1, true: 0} {
			keys, _, err := w.Keys(w.ctx, w.root, o.ID, control.List{Limit: 10, HideRevoked: hide})
			if err != nil || len(keys) != n {
				t.Errorf("hiding %t: %d keys, error %v; want %d", hide, len(keys), err, n)
			}
		}
	})
}

func TestADeletedKeyIsNotFoundAndItsNamesAreNeverUsedAgain(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		chosen := func(k *keyward.Key) { k.ID = "@my-key~1.0" }
		key, secret := w.create(t, o, chosen)
		w.delete(t, key)
		for name, touch := range touches() {
			want(t, name+" a deleted key", touch(w, w.root, key), keyward.NotFound)
		}
		_, err := w.DeleteKey(w.ctx, w.root, o.ID, key.ID, 0)
		want(t, "delete it again", err, keyward.NotFound)
		w.wantVerdict(t, "a deleted key", secret, keyward.Unknown)
		keys, found, err := w.Keys(w.ctx, w.root, o.ID, control.List{Limit: 10, Count: true})
		if err != nil || len(keys) != 0 || found.Total != 0 {
			t.Errorf("lists hold %d keys of %d, error %v; want none", len(keys), found.Total, err)
		}

		head := w.head(t)
		_, err = w.CreateKey(w.ctx, w.root, aKey(o, chosen), control.Once{})
		want(t, "create one with its id", err, keyward.Conflict)
		w.wantUnchanged(t, "what was refused", head)
		next, _ := w.create(t, o)
		if next.Number != key.Number+1 {
			t.Errorf("the next key has the number %d after %d", next.Number, key.Number)
		}
		other, _ := w.create(t, w.organization(t), chosen)
		if other.ID != key.ID || other.Number != 1 {
			t.Errorf("in another organization it has the id %s and the number %d", other.ID, other.Number)
		}
	})
}

func TestAClientChoosesOnlyIdsThatTheServerDoesNotMake(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		for _, id := range []string{".", "..", "key_1", "a b", "a/b", "ä", string(make([]byte, 51))} {
			_, err := w.CreateKey(w.ctx, w.root, aKey(o, func(k *keyward.Key) { k.ID = id }), control.Once{})
			wantPointer(t, "the id "+id, err, "/id")
		}
		key, _ := w.create(t, o)
		if !keyward.ValidKeyID("x"+key.ID) || keyward.ValidKeyID(key.ID) || len(key.ClientID) != 32 {
			t.Errorf("the server made the id %q and the client id %q", key.ID, key.ClientID)
		}
	})
}

func TestAKeyIsWhatItsDatesAndSwitchesSay(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		key, secret := w.create(t, o, func(k *keyward.Key) {
			k.StartTime, k.ExpireTime = w.now().Add(time.Hour), w.now().Add(2*time.Hour)
		})
		wantStatus := func(status keyward.Status, reason keyward.Reason) {
			t.Helper()
			if got := w.reread(t, key).Status; got != status {
				t.Errorf("the status is %s, want %s", got, status)
			}
			w.wantVerdict(t, "the key", secret, reason)
		}
		wantStatus(keyward.StatusScheduled, keyward.NotStarted)
		w.pass(time.Hour)
		wantStatus(keyward.StatusActive, keyward.Valid)
		want(t, "disable", w.update(w.root, key, func(k *keyward.Key) { k.Enabled = false }), "")
		wantStatus(keyward.StatusDisabled, keyward.Disabled)
		want(t, "enable", w.update(w.root, key, func(k *keyward.Key) { k.Enabled = true }), "")
		wantStatus(keyward.StatusActive, keyward.Valid)
		w.pass(time.Hour)
		wantStatus(keyward.StatusExpired, keyward.Expired)

		want(t, "rename an expired key", w.update(w.root, key, rename), "")
		past := func(k *keyward.Key) { k.ExpireTime = w.now() }
		_, err := w.CreateKey(w.ctx, w.root, aKey(o, past), control.Once{})
		wantPointer(t, "create a key that has expired", err, "/expireTime")
		other, _ := w.create(t, o)
		wantPointer(t, "let a key expire in the past", w.update(w.root, other, past), "/expireTime")
		want(t, "extend", w.update(w.root, key, func(k *keyward.Key) { k.ExpireTime = w.now() + 1 }), "")
		wantStatus(keyward.StatusActive, keyward.Valid)
		want(t, "lift the end", w.update(w.root, key, func(k *keyward.Key) { k.ExpireTime = 0 }), "")
		w.pass(time.Hour)
		wantStatus(keyward.StatusActive, keyward.Valid)
	})
}

func TestAKeyIsInProjectsOfItsOrganizationOnly(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o, another := w.organization(t), w.organization(t)
		p, foreign, gone := w.project(t, o), w.project(t, another), w.project(t, o)
		_, err := w.DeleteProject(w.ctx, w.root, o.ID, gone.ID)
		want(t, "DeleteProject", err, "")
		key, _ := w.create(t, o, in(p))
		public := &keyward.Project{ID: p.PublicID}
		for name, project := range map[string]*keyward.Project{"foreign": foreign, "deleted": gone, "by its public id": public} {
			_, err := w.CreateKey(w.ctx, w.root, aKey(o, in(p, project)), control.Once{})
			wantPointer(t, "create in a project that is "+name, err, "/projectIds/1")
			wantPointer(t, "move to a project that is "+name, w.update(w.root, key, in(project)), "/projectIds/0")
		}
	})
}

func TestADeletedProjectLeavesItsKeysWithoutIt(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		p, q := w.project(t, o), w.project(t, o)
		key, secret := w.create(t, o, in(p, q))
		verifier := w.key(t, o, limited([]*keyward.Project{p}, "keys.verify"))
		ask := func() keyward.Reason {
			return w.engine.Verify(&verifier, secret, &keyward.Request{}, w.now(), new(verify.Verdict)).Reason
		}
		if got := ask(); got != keyward.Valid {
			t.Fatalf("before: %s", got)
		}
		_, err := w.DeleteProject(w.ctx, w.root, o.ID, p.PublicID)
		want(t, "DeleteProject", err, "")
		if got := w.reread(t, key).ProjectIDs; !slices.Equal(got, []string{q.ID}) {
			t.Errorf("the key is in %v, want %s", got, q.ID)
		}
		if got := ask(); got != keyward.Unknown {
			t.Errorf("verify for the project that is gone: %s", got)
		}
		verdict := w.engine.Verify(&w.root, secret, &keyward.Request{}, w.now(), new(verify.Verdict))
		if verdict.Reason != keyward.Valid || !slices.Equal(verdict.Subject.ProjectIDs, []string{q.ID}) {
			t.Errorf("the replica has %+v", verdict)
		}
		want(t, "rename the key", w.update(w.root, key, rename), "")
		_, err = w.Project(w.ctx, w.root, o.ID, p.ID)
		want(t, "read the project", err, keyward.NotFound)
		_, err = w.UpdateProject(w.ctx, w.root, o.ID, p.ID, func(*keyward.Project) error { return nil })
		want(t, "update the project", err, keyward.NotFound)
	})
}

func TestADisabledOrganizationRestsAndADeletedOneHasEnded(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		key, secret := w.create(t, o, managing(grant("keys.*")))
		enable := func(on bool) {
			_, err := w.UpdateOrganization(w.ctx, w.root, o.ID, func(o *keyward.Organization) error { o.Enabled = on; return nil })
			want(t, "UpdateOrganization", err, "")
		}
		enable(false)
		w.wantVerdict(t, "a key of a disabled organization", secret, keyward.Disabled)
		_, err := w.engine.Client(key.ClientID, 1, w.root.IP, w.now())
		want(t, "a token of a disabled organization", err, keyward.Unauthenticated)
		want(t, "update its key all the same", w.update(w.root, key, rename), "")
		enable(true)
		w.wantVerdict(t, "a key of an organization that is enabled again", secret, keyward.Valid)

		head := w.head(t)
		_, err = w.DeleteOrganization(w.ctx, w.root, o.ID)
		want(t, "DeleteOrganization", err, "")
		if now := w.head(t); now != head+1 {
			t.Errorf("deleting it took %d changes, want one", now-head)
		}
		w.wantVerdict(t, "a key of a deleted organization", secret, keyward.Revoked)
		for name, touch := range touches() {
			want(t, name+" a key of a deleted organization", touch(w, w.root, key), keyward.NotFound)
		}
		for name, err := range map[string]error{
			"create a key":     second(w.CreateKey(w.ctx, w.root, aKey(o), control.Once{})),
			"create a project": second(w.CreateProject(w.ctx, w.root, keyward.Project{OrganizationID: o.ID, Name: "new"}, control.Once{})),
			"read it":          second(w.Organization(w.ctx, w.root, o.ID)),
			"find it":          second(w.FindOrganization(w.ctx, w.root, o.PublicID)),
			"delete it again":  second(w.DeleteOrganization(w.ctx, w.root, o.ID)),
			"enable it": second(w.UpdateOrganization(w.ctx, w.root, o.ID, func(o *keyward.Organization) error {
				o.Enabled = true
				return nil
			})),
		} {
			want(t, name, err, keyward.NotFound)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestAChangeOfWhatIsNotThereAnyMoreIsStale(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		key, _ := w.create(t, o)
		want(t, "rename", w.update(w.root, key, rename), "")
		now := w.reread(t, key)
		if now.Revision != key.Revision+1 {
			t.Errorf("revision %d after %d", now.Revision, key.Revision)
		}
		again := func(*keyward.Key) error { return nil }
		_, err := w.UpdateKey(w.ctx, w.root, o.ID, key.ID, key.Revision, again)
		want(t, "update by the old revision", err, keyward.Stale)
		_, err = w.DeleteKey(w.ctx, w.root, o.ID, key.ID, key.Revision)
		want(t, "delete by the old revision", err, keyward.Stale)
		out, err := w.UpdateKey(w.ctx, w.root, o.ID, key.ID, now.Revision, again)
		if err != nil || out.Key.Revision != now.Revision {
			t.Errorf("a change of nothing: %+v, error %v", out.Key, err)
		}
		_, err = w.DeleteKey(w.ctx, w.root, o.ID, key.ID, now.Revision)
		want(t, "delete by the new revision", err, "")
	})
}

func TestWhatBreaksARuleIsRefusedAndNamed(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		p := w.project(t, o)
		key, _ := w.create(t, o)
		nameless := func(k *keyward.Key) { k.Name = " " }
		head := w.head(t)
		for name, err := range map[string]error{
			"create a key":           second(w.CreateKey(w.ctx, w.root, aKey(o, nameless), control.Once{})),
			"update a key":           w.update(w.root, key, nameless),
			"create an organization": second(w.CreateOrganization(w.ctx, w.root, keyward.Organization{}, control.Once{})),
			"update an organization": second(w.UpdateOrganization(w.ctx, w.root, o.ID, func(o *keyward.Organization) error { o.Name = ""; return nil })),
			"create a project":       second(w.CreateProject(w.ctx, w.root, keyward.Project{OrganizationID: o.ID}, control.Once{})),
			"update a project":       second(w.UpdateProject(w.ctx, w.root, o.ID, p.ID, func(p *keyward.Project) error { p.Name = ""; return nil })),
			"create an operator":     second(w.CreateOperator(w.ctx, w.root, keyward.Operator{Role: keyward.Viewer}, control.NewPassword{}, control.Once{})),
			"update an operator":     second(w.UpdateOperator(w.ctx, w.root, w.root.ID, control.NewPassword{}, func(o *keyward.Operator) error { o.Name = ""; return nil })),
		} {
			wantPointer(t, name, err, "/name")
		}
		wrong := keyward.Errorf(keyward.Invalid, "the patch is wrong")
		for name, err := range map[string]error{
			"key":          second(w.UpdateKey(w.ctx, w.root, o.ID, key.ID, 0, func(*keyward.Key) error { return wrong })),
			"organization": second(w.UpdateOrganization(w.ctx, w.root, o.ID, func(*keyward.Organization) error { return wrong })),
			"project":      second(w.UpdateProject(w.ctx, w.root, o.ID, p.ID, func(*keyward.Project) error { return wrong })),
			"operator":     second(w.UpdateOperator(w.ctx, w.root, w.root.ID, control.NewPassword{}, func(*keyward.Operator) error { return wrong })),
		} {
			want(t, "a wrong patch of a "+name, err, keyward.Invalid)
		}
		for name, err := range map[string]error{
			"organization": second(w.UpdateOrganization(w.ctx, w.root, o.ID, func(*keyward.Organization) error { return nil })),
			"project":      second(w.UpdateProject(w.ctx, w.root, o.ID, p.ID, func(*keyward.Project) error { return nil })),
			"operator":     second(w.UpdateOperator(w.ctx, w.root, w.root.ID, control.NewPassword{}, func(*keyward.Operator) error { return nil })),
		} {
			want(t, "a patch that changes nothing of a "+name, err, "")
		}
		w.wantUnchanged(t, "all of this", head)
	})
}
