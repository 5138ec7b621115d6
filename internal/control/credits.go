package control

import (
	"context"
	"reflect"

	"keyward"
	"keyward/internal/store"
)

// counted fills in what a key has left of its credits: what is stored, what is leased by
// this node and not spent yet, and a refill that is due and will be made by the next use.
func (p *Plane) counted(key *keyward.Key) *keyward.Key {
	if key.Account == nil {
		key.Credits = nil
		return key
	}
	account := *key.Account
	account.Settle(p.now())
	left := account.Remaining
	if p.Leased != nil {
		left += p.Leased(key.OrganizationID, key.ID, account.Epoch)
	}
	key.Credits = &keyward.Credits{Remaining: left, Refill: account.Refill}
	return key
}

// keepCredits makes the account of a key what a change made of its credits. A balance
// that was set is the balance from now on, whatever was leased before. One that the change
// does not speak of goes on: it is only refilled in another way, if that was changed.
func (p *Plane) keepCredits(ctx context.Context, tx *store.Tx, before, after *keyward.Key) error {
	was, is, now := before.Credits, after.Credits, p.now()
	switch {
	case reflect.DeepEqual(was, is):
		return nil
	case is == nil:
		after.Account = nil
		return tx.EndCredits(ctx, after)
	case was != nil && was.Remaining == is.Remaining && !due(before.Account, now):
		account := *before.Account
		account.Refill, account.Anchor, account.Period = is.Refill, now, now
		after.Account = &account
		return tx.SetRefill(ctx, after, is.Refill, now)
	}
	after.Account = &keyward.Account{Remaining: is.Remaining, Refill: is.Refill, Anchor: now, Period: now}
	return tx.SetCredits(ctx, after, is.Remaining, is.Refill, now)
}

// due reports whether a refill is still to be made, of what lies before now.
func due(account *keyward.Account, now keyward.Time) bool {
	next := account.Due()
	return next != 0 && next <= now
}
