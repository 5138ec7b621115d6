package control

import (
	"context"

	"keyward"
	"keyward/internal/store"
)

// What follows is done by who holds a secret or an access token to that very thing, and
// takes no right. That somebody holds what it ends is for the caller to know.

// heldReason is why a key is revoked that its holder gave up.
const heldReason = "revoked by its holder"

// RevokeToken makes the access token with an id void, on every surface, until it would
// have expired anyway. Holder is whose token it is. Revoking it again changes nothing.
//
// A key need not be accepted at this moment: one that is disabled may come back, and its
// token with it. A person must be, or the error is Unauthenticated: what ended a session
// ended it for good.
func (p *Plane) RevokeToken(ctx context.Context, holder keyward.Actor, id string, expire keyward.Time) (Outcome, error) {
	revoke := func(tx *store.Tx, holder keyward.Actor) (Outcome, error) {
		first, err := tx.RevokeToken(ctx, id, expire)
		if err == nil && first {
			p.record(tx, holder, keyward.TokenRevoked, holder.OrganizationID,
				keyward.ChangeTarget{Type: keyward.TokenTarget, ID: id}, []keyward.FieldChange{})
		}
		return Outcome{}, err
	}
	if holder.Type != keyward.KeyActor {
		return p.change(ctx, holder, Once{}, revoke)
	}
	return p.commit(ctx, func(tx *store.Tx) (Outcome, error) { return revoke(tx, holder) })
}

// RevokeHeldKey ends the key that the holder is, with all its secrets: the one that is
// held is the holder's Version. The key may be disabled, or not have begun. Nothing
// changes if it is revoked already or that version has ended. A publishable key is Forbidden: what everybody may read is nobody's
// to end. One that is deleted is NotFound.
func (p *Plane) RevokeHeldKey(ctx context.Context, holder keyward.Actor) (Outcome, error) {
	if holder.Type != keyward.KeyActor {
		return Outcome{}, keyward.Errorf(keyward.Forbidden, "only a key can be revoked by its holder")
	}
	return p.commit(ctx, func(tx *store.Tx) (Outcome, error) {
		before, err := tx.LockKey(ctx, holder.OrganizationID, holder.ID)
		if err != nil {
			return Outcome{}, err
		}
		if before.Type == keyward.Publishable {
			return Outcome{}, keyward.Errorf(keyward.Forbidden, "a publishable key cannot be revoked by who reads it")
		}
		if before.RevokedTime != 0 || !lives(before, holder.Version, p.now()) {
			return Outcome{Key: p.shown(before)}, nil
		}
		after, reason := *before, heldReason
		after.RevokedTime, after.RevokeReason = p.now(), &reason
		return p.save(ctx, tx, holder, keyward.KeyRevoked, before, &after)
	})
}
