package control_test

import (
	"slices"
	"testing"
	"time"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/verify"
)

func TestRotationGivesOneKeyAnotherSecretForAnOverlap(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		key, first := w.create(t, o)
		start := w.now()
		rotated, second := w.rotate(t, key, time.Hour)
		if rotated.ID != key.ID || rotated.Number != key.Number || rotated.ClientID != key.ClientID || rotated.Hint == key.Hint {
			t.Errorf("after the rotation it is %+v", rotated)
		}
		wantVersions(t, rotated, start.Add(time.Hour), 0)
		if now := w.reread(t, key); now.Hint != rotated.Hint || now.Revision != rotated.Revision {
			t.Errorf("read again it is %+v, want %+v", now, rotated)
		}
		w.wantVerdict(t, "the old secret within the overlap", first, keyward.Valid)
		w.wantVerdict(t, "the new secret", second, keyward.Valid)
		for version, secret := range map[int]string{1: first, 2: second} {
			if got := w.engine.Verify(&w.root, secret, &keyward.Request{}, w.now(), new(verify.Verdict)).Version; got != version {
				t.Errorf("verify says version %d, want %d", got, version)
			}
		}
		w.pass(time.Hour - time.Millisecond)
		w.wantVerdict(t, "the old secret at the last moment", first, keyward.Valid)
		w.pass(time.Millisecond)
		w.wantVerdict(t, "the old secret after the overlap", first, keyward.Expired)
		w.wantVerdict(t, "the new secret after the overlap", second, keyward.Valid)

		rotated, third := w.rotate(t, key, 0)
		wantVersions(t, rotated, start.Add(time.Hour), w.now(), 0)
		w.wantVerdict(t, "a secret that is rotated without overlap", second, keyward.Expired)
		w.wantVerdict(t, "the third secret", third, keyward.Valid)
	})
}

// wantVersions compares when the versions of a key end, in their order from 1 on.
func wantVersions(t *testing.T, key *keyward.Key, ends ...keyward.Time) {
	t.Helper()
	var got []keyward.Time
	for i, v := range key.Versions {
		got = append(got, v.ExpireTime)
		if v.Version != i+1 {
			t.Errorf("version %d stands at place %d", v.Version, i+1)
		}
	}
	if !slices.Equal(got, ends) {
		t.Errorf("the versions end at %v, want %v", got, ends)
	}
}

func TestAnOldVersionEndsAtTheEarliestOfAllItsEnds(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		start := w.now()
		key, _ := w.create(t, o)
		w.rotate(t, key, time.Hour)
		rotated, _ := w.rotate(t, key, 2*time.Hour)
		wantVersions(t, rotated, start.Add(time.Hour), start.Add(2*time.Hour), 0)
		rotated, _ = w.rotate(t, key, time.Minute)
		wantVersions(t, rotated, start.Add(time.Minute), start.Add(time.Minute), start.Add(time.Minute), 0)

		ending, first := w.create(t, o, func(k *keyward.Key) { k.ExpireTime = start.Add(time.Hour) })
		rotated, second := w.rotate(t, ending, 24*time.Hour)
		wantVersions(t, rotated, start.Add(time.Hour), 0)
		w.pass(time.Hour)
		w.wantVerdict(t, "the old secret of a key that has expired", first, keyward.Expired)
		w.wantVerdict(t, "its new secret", second, keyward.Expired)
		want(t, "extend", w.update(w.root, ending, func(k *keyward.Key) { k.ExpireTime = 0 }), "")
		w.wantVerdict(t, "the new secret of a key that was extended", second, keyward.Valid)
		w.wantVerdict(t, "the old secret, whose end has come", first, keyward.Expired)
	})
}

func TestOnlyAKeyThatHasNotEndedIsRotated(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		soon := func(k *keyward.Key) { k.ExpireTime = w.now().Add(time.Minute) }
		disabled := func(k *keyward.Key) { k.Enabled = false }
		expired, _ := w.create(t, o, soon)
		dormant, _ := w.create(t, o, soon, disabled)
		resting, _ := w.create(t, o, disabled)
		scheduled, _ := w.create(t, o, func(k *keyward.Key) { k.StartTime = w.now().Add(time.Hour) })
		revoked, _ := w.create(t, o)
		w.revoke(t, revoked)
		w.pass(time.Minute)
		rotate := touches()["rotate"]
		want(t, "rotate an expired key", rotate(w, w.root, expired), keyward.Conflict)
		want(t, "rotate an expired key that is disabled too", rotate(w, w.root, dormant), keyward.Conflict)
		want(t, "rotate a revoked key", rotate(w, w.root, revoked), keyward.Conflict)
		want(t, "rotate a disabled key", rotate(w, w.root, resting), "")
		want(t, "rotate a scheduled key", rotate(w, w.root, scheduled), "")
	})
}

func TestAKeyHasAtMostEightLiveVersions(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		key, first := w.create(t, o)
		secrets := []string{first}
		for range keyward.MaxVersions - 1 {
			_, secret := w.rotate(t, key, time.Hour)
			secrets = append(secrets, secret)
		}
		for _, secret := range secrets {
			w.wantVerdict(t, "one of eight secrets", secret, keyward.Valid)
		}
		rotate := func(overlap time.Duration) error {
			_, err := w.RotateKey(w.ctx, w.root, o.ID, key.ID, 0, keyward.Duration(overlap), control.Once{})
			return err
		}
		head := w.head(t)
		want(t, "a ninth", rotate(time.Hour), keyward.Conflict)
		want(t, "a ninth with the least overlap", rotate(time.Millisecond), keyward.Conflict)
		w.wantUnchanged(t, "a ninth", head)
		rotated, _ := w.rotate(t, key, 0)
		if n := len(rotated.LiveVersions(w.now())); n != 1 {
			t.Errorf("%d versions live after a rotation without overlap", n)
		}
		for range keyward.MaxVersions - 1 {
			w.rotate(t, key, time.Hour)
		}
		w.pass(time.Hour)
		want(t, "another, when the old ones have ended", rotate(time.Hour), "")
	})
}

func TestAnOverlapIsAtMostThirtyDays(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		key, _ := w.create(t, o)
		_, err := w.RotateKey(w.ctx, w.root, o.ID, key.ID, 0, keyward.Duration(keyward.MaxOverlap+time.Millisecond), control.Once{})
		wantPointer(t, "30d and a moment", err, "/overlap")
		rotated, _ := w.rotate(t, key, keyward.MaxOverlap)
		wantVersions(t, rotated, w.now().Add(30*24*time.Hour), 0)
	})
}

func TestSecretsBeginAsTheirOrganizationAndTypeSay(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, func(o *keyward.Organization) { o.Prefix = "acme" })
		key, secret := w.create(t, o, func(k *keyward.Key) { k.Type, k.Environment = keyward.Publishable, keyward.Test })
		_, rotated := w.rotate(t, key, 0)
		for _, secret := range []string{secret, rotated} {
			if s := keyward.ForeignSecret(secret); !s.Generated() || secret[:13] != "acmepub_test_" {
				t.Errorf("the secret begins %q and is of our form: %t", secret[:13], s.Generated())
			}
		}
	})
}
