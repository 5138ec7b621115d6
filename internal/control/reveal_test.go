package control_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/verify"
)

func TestOnlyARecoverableOrganizationGivesSecretsBack(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		key, first := w.create(t, o)
		if !key.Recoverable {
			t.Error("the key does not say that it is recoverable")
		}
		wantRevealed(t, w, key, first)
		_, second := w.rotate(t, key, time.Hour)
		wantRevealed(t, w, key, second)
		w.restart(t)
		wantRevealed(t, w, key, second)
		w.revoke(t, key)
		wantRevealed(t, w, key, second)

		plain, _ := w.create(t, w.organization(t))
		head := w.head(t)
		_, err := w.RevealKey(w.ctx, w.root, plain.OrganizationID, plain.ID)
		want(t, "reveal where nothing is kept", err, keyward.Conflict)
		_, err = w.RevealKey(w.ctx, w.root, plain.OrganizationID, key.ID)
		want(t, "reveal another organization's key", err, keyward.NotFound)
		w.wantUnchanged(t, "what was refused", head)
		_, err = w.UpdateOrganization(w.ctx, w.root, plain.OrganizationID, func(o *keyward.Organization) error {
			o.Recoverable = true
			return nil
		})
		want(t, "UpdateOrganization", err, "")
		_, err = w.RevealKey(w.ctx, w.root, plain.OrganizationID, plain.ID)
		want(t, "reveal after making it recoverable too late", err, keyward.Conflict)
	})
}

func wantRevealed(t *testing.T, w *world, key *keyward.Key, secret string) {
	t.Helper()
	head := w.head(t)
	got, err := w.RevealKey(w.ctx, w.root, key.OrganizationID, key.ID)
	want(t, "RevealKey", err, "")
	if got.Reveal() != secret {
		t.Error("RevealKey returned another secret")
	}
	event := w.lastEvent(t)
	if event.Seq != head+1 || event.Action != keyward.KeyRevealed || event.Target.ID != key.ID || len(event.Changes) != 0 {
		t.Errorf("the event is %+v", event)
	}
}

func TestAReadOfManySecretsIsOneEventThatListsThem(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		s := newScene(t, w)
		beyond, _ := w.create(t, s.o, in(s.p), managing(grant("audit.read")))
		foreign, _ := w.create(t, w.organization(t, recoverable))
		gone, _ := w.create(t, s.o, in(s.p))
		keys := []*keyward.Key{s.inP, s.inQ, s.inBoth, s.inNone, beyond, foreign, gone}
		w.delete(t, gone)
		head := w.head(t)
		secrets, err := w.Reveal(w.ctx, s.by, s.o.ID, keys)
		want(t, "Reveal", err, "")
		if len(secrets) != 2 {
			t.Errorf("%d secrets, want those of the keys in reach", len(secrets))
		}
		for _, key := range []*keyward.Key{s.inP, s.inBoth} {
			if got := w.engine.Verify(&w.root, secrets[key.ID].Reveal(), &keyward.Request{}, w.now(), new(verify.Verdict)); got.Reason != keyward.Valid || got.Subject.KeyID != key.ID {
				t.Errorf("the secret of %s is good for %+v", key.ID, got)
			}
		}
		event := w.lastEvent(t)
		if event.Seq != head+1 || event.Action != keyward.KeyRevealed || event.Actor.ID != s.by.ID ||
			event.Target != (keyward.ChangeTarget{Type: keyward.OrganizationTarget, ID: s.o.ID}) {
			t.Errorf("the event is %+v", event)
		}
		if len(event.Changes) != 1 || event.Changes[0].Field != "keyIds" ||
			string(event.Changes[0].After) != fmt.Sprintf("[%q,%q]", s.inP.ID, s.inBoth.ID) {
			t.Errorf("the event lists %s", event.Changes)
		}

		head = w.head(t)
		for name, by := range map[string]keyward.Actor{
			"an editor":              w.operator(t, keyward.Editor, s.o),
			"a key without rights":   w.key(t, s.o),
			"an operator of another": w.operator(t, keyward.Owner, w.organization(t)),
		} {
			head = w.head(t)
			secrets, err := w.Reveal(w.ctx, by, s.o.ID, keys)
			if err != nil || len(secrets) != 0 {
				t.Errorf("%s: %d secrets, error %v; want none", name, len(secrets), err)
			}
			w.wantUnchanged(t, name, head)
		}
		secrets, err = w.Reveal(w.ctx, s.by, s.o.ID, []*keyward.Key{gone})
		if err != nil || len(secrets) != 0 {
			t.Errorf("of a deleted key: %d secrets, error %v", len(secrets), err)
		}
		w.wantUnchanged(t, "a read of no secret", head)
	})
}

func TestWhoWasDisabledIsShownNoSecret(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		key, _ := w.create(t, o)
		by := w.operator(t, keyward.Admin, nil)
		_, err := w.UpdateOperator(w.ctx, w.root, by.ID, control.NewPassword{}, func(o *keyward.Operator) error { o.Enabled = false; return nil })
		want(t, "UpdateOperator", err, "")
		head := w.head(t)
		secrets, err := w.Reveal(w.ctx, by, o.ID, []*keyward.Key{key})
		want(t, "Reveal", err, keyward.Unauthenticated)
		if len(secrets) != 0 {
			t.Error("it is shown a secret all the same")
		}
		w.wantUnchanged(t, "what was refused", head)
	})
}

func TestASecretIsForgottenWhenItsVersionHasEndedOrItsKeyIsDeleted(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		key, _ := w.create(t, o)
		w.rotate(t, key, time.Hour)
		kept := func(version int) keyward.Code {
			t.Helper()
			want(t, "Sweep", w.Sweep(w.ctx), "")
			if _, err := w.store.SealedSecret(w.ctx, o.ID, key.Number, version); err != nil {
				return keyward.CodeOf(err)
			}
			return ""
		}
		if code := kept(1); code != "" {
			t.Errorf("within the overlap the old secret is %s", code)
		}
		w.pass(time.Hour)
		head := w.head(t)
		if code := kept(1); code != keyward.NotFound {
			t.Errorf("after the overlap the old secret is kept: %q", code)
		}
		if code := kept(2); code != "" {
			t.Errorf("the new secret is %s", code)
		}
		w.wantUnchanged(t, "a sweep", head)
		w.delete(t, key)
		if code := kept(2); code != keyward.NotFound {
			t.Errorf("the secret of a deleted key is kept: %q", code)
		}
	})
}

func TestAnEncryptedSecretOpensOnlyInItsPlace(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		mine, _ := w.create(t, o)
		victim, secret := w.create(t, o)
		box, err := w.store.SealedSecret(w.ctx, o.ID, victim.Number, 1)
		want(t, "SealedSecret", err, "")
		if strings.Contains(string(box.Box)+string(box.Wrapped), secret[20:]) {
			t.Error("the box holds the secret")
		}
		w.tamper(t, `UPDATE key_secrets SET wrapped = $1, sealed = $2 WHERE key_number = $3`, box.Wrapped, box.Box, mine.Number)
		got, err := w.RevealKey(w.ctx, w.root, o.ID, mine.ID)
		want(t, "reveal a secret that was moved to another key", err, keyward.Internal)
		secrets, err := w.Reveal(w.ctx, w.root, o.ID, []*keyward.Key{mine})
		want(t, "the same in a list", err, keyward.Internal)
		if !got.Empty() || len(secrets) != 0 {
			t.Error("and yet it is returned")
		}
		w.tamper(t, `UPDATE key_secrets SET version = 2 WHERE key_number = $1`, victim.Number)
		_, err = w.RevealKey(w.ctx, w.root, o.ID, victim.ID)
		want(t, "reveal a version whose secret is not kept", err, keyward.NotFound)
	})
}

// tamper runs a statement past the store.
func (w *world) tamper(t *testing.T, statement string, args ...any) {
	t.Helper()
	driver, source := "pgx", w.url
	if path, isFile := strings.CutPrefix(w.url, "sqlite:"); isFile {
		driver, source = "sqlite", path
	}
	db, err := sql.Open(driver, source)
	want(t, "open", err, "")
	defer db.Close()
	_, err = db.ExecContext(w.ctx, statement, args...)
	want(t, "tamper", err, "")
}

func TestASecretIsShownOnceWhereItIsNotKept(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		key, _ := w.create(t, o)
		_, err := w.store.SealedSecret(w.ctx, o.ID, key.Number, 1)
		want(t, "look for the secret in the database", err, keyward.NotFound)
		secrets, err := w.Reveal(w.ctx, w.root, o.ID, []*keyward.Key{key})
		if err != nil || len(secrets) != 0 {
			t.Errorf("%d secrets, error %v", len(secrets), err)
		}
		_, err = w.FindOrganization(w.ctx, w.key(t, w.organization(t)), o.PublicID)
		want(t, "find another's organization", err, keyward.NotFound)
		found, err := w.FindOrganization(w.ctx, w.key(t, o), o.PublicID)
		if err != nil || found.ID != o.ID {
			t.Errorf("its own organization by its public id is %+v, error %v", found, err)
		}
		_, err = w.Organization(w.ctx, w.root, o.PublicID)
		want(t, "an organization by its public id, where only ids count", err, keyward.NotFound)
		_, err = w.CreateKey(w.ctx, w.root, aKey(&keyward.Organization{ID: o.PublicID}), control.Once{})
		want(t, "create a key in it by its public id", err, keyward.NotFound)
	})
}
