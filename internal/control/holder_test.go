package control_test

import (
	"net/netip"
	"testing"
	"time"

	"keyward"
)

// holder returns who holds the secret, as an actor.
func (w *world) holder(t testing.TB, secret string) keyward.Actor {
	t.Helper()
	by, _, err := w.engine.Holder(secret, netip.MustParseAddr("203.0.113.9"), w.now())
	want(t, "Holder", err, "")
	return by
}

func TestAHolderEndsItsOwnKeyWhateverKeepsItFromBeingUsed(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		for name, edit := range map[string]func(*keyward.Key){
			"an active key":           func(*keyward.Key) {},
			"a key without any right": func(k *keyward.Key) { k.Management = nil },
			"a disabled key":          func(k *keyward.Key) { k.Enabled = false },
			"a key that has to begin": func(k *keyward.Key) { k.StartTime = w.now().Add(time.Hour) },
			"a key that has expired":  func(k *keyward.Key) { k.ExpireTime = w.now() + 1 },
		} {
			key, secret := w.create(t, o, edit)
			w.pass(time.Second)
			out, err := w.RevokeHeldKey(w.ctx, w.holder(t, secret))
			want(t, name, err, "")
			if got := out.Key; got.RevokedTime != w.now() || got.RevokeReason == nil || *got.RevokeReason != "revoked by its holder" {
				t.Errorf("%s: revoked at %d because of %v", name, got.RevokedTime, got.RevokeReason)
			}
			if out.Seq != w.head(t) {
				t.Errorf("%s: the answer is of change %d, the last one is %d", name, out.Seq, w.head(t))
			}
			w.wantVerdict(t, name, secret, keyward.Revoked)
			events := w.events(t)
			last := events[len(events)-1]
			if last.Action != keyward.KeyRevoked || last.Actor.Type != keyward.KeyActor || last.Actor.ID != key.ID || last.Target.ID != key.ID {
				t.Errorf("%s: the audit event is %+v", name, last)
			}
		}
	})
}

func TestAHolderEndsNothingElse(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		rotated, old := w.create(t, o)
		before := w.holder(t, old)
		_, newer := w.rotate(t, rotated, 0)
		revoked, gone := w.create(t, o)
		late := w.holder(t, gone)
		w.revoke(t, revoked)
		deleted, lost := w.create(t, o)
		never := w.holder(t, lost)
		w.delete(t, deleted)
		_, page := w.create(t, o, func(k *keyward.Key) { k.Type = keyward.Publishable })
		head := w.head(t)

		_, err := w.RevokeHeldKey(w.ctx, before)
		want(t, "with a secret that a rotation ended", err, "")
		w.wantVerdict(t, "the secret after it", newer, keyward.Valid)
		_, err = w.RevokeHeldKey(w.ctx, late)
		want(t, "a key that is revoked", err, "")
		_, err = w.RevokeHeldKey(w.ctx, never)
		want(t, "a key that is deleted", err, keyward.NotFound)
		_, err = w.RevokeHeldKey(w.ctx, w.holder(t, page))
		want(t, "a publishable key", err, keyward.Forbidden)
		_, err = w.RevokeHeldKey(w.ctx, w.root)
		want(t, "an operator", err, keyward.Forbidden)
		w.wantUnchanged(t, "what is not its own", head)

		for what, secret := range map[string]string{"an ended secret": old, "a revoked key": gone, "a deleted key": lost, "garbage": "x", "nothing": ""} {
			_, _, err := w.engine.Holder(secret, netip.MustParseAddr("203.0.113.9"), w.now())
			want(t, "the holder of "+what, err, keyward.Unauthenticated)
		}
	})
}

func TestAHolderElsewhereHoldsNothing(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		_, secret := w.create(t, w.organization(t), func(k *keyward.Key) { k.AllowedIPs = []string{"203.0.113.0/24"} })
		w.holder(t, secret)
		for _, ip := range []netip.Addr{{}, netip.MustParseAddr("198.51.100.1")} {
			_, _, err := w.engine.Holder(secret, ip, w.now())
			want(t, "from "+ip.String(), err, keyward.Forbidden)
		}
	})
}

// A key that is disabled may come back, and what was revoked meanwhile stays revoked.
func TestATokenIsRevokedWhileItsKeyIsDisabled(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		key, secret := w.create(t, w.organization(t))
		holder := w.holder(t, secret)
		enable := func(on bool) {
			t.Helper()
			want(t, "UpdateKey", w.update(w.root, key, func(k *keyward.Key) { k.Enabled = on }), "")
		}
		enable(false)
		_, err := w.RevokeToken(w.ctx, holder, "tok_1", w.now().Add(time.Hour))
		want(t, "RevokeToken", err, "")
		enable(true)
		if !w.engine.Revoked("tok_1") {
			t.Error("the token came back with its key")
		}
	})
}
