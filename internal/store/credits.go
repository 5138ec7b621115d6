package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"keyward"
)

// packedAccount is the account of key k as one text, "" if it has none: a column that
// costs no join.
const packedAccount = `COALESCE((SELECT c.remaining || ' ' || c.epoch || ' ' || c.anchor_ms || ' ' || c.period_ms || ' ' ||
	c.refill_amount || ' ' || c.refill_interval FROM credits c
	WHERE c.organization_id = k.organization_id AND c.key_number = k.number AND c.active), '')`

func unpackAccount(packed string) *keyward.Account {
	if packed == "" {
		return nil
	}
	var a keyward.Account
	var refill keyward.Refill
	// Without a refill the interval is empty, and missing here.
	_, _ = fmt.Sscan(packed, &a.Remaining, &a.Epoch, &a.Anchor, &a.Period, &refill.Amount, &refill.Interval)
	if refill.Amount > 0 {
		a.Refill = &refill
	}
	return &a
}

// SetCredits gives a key a balance, in place of the one that it may have: leases of that
// are void.
func (tx *Tx) SetCredits(ctx context.Context, k *keyward.Key, balance int64, refill *keyward.Refill, now keyward.Time) error {
	amount, interval := refillColumns(refill)
	_, err := tx.exec(ctx, `INSERT INTO credits (organization_id, key_number, active, remaining, epoch, refill_amount,
		refill_interval, anchor_ms, period_ms) VALUES ($1, $2, TRUE, $3, 1, $4, $5, $6, $6)
		ON CONFLICT (organization_id, key_number) DO UPDATE SET active = TRUE, remaining = $3, epoch = credits.epoch + 1,
		refill_amount = $4, refill_interval = $5, anchor_ms = $6, period_ms = $6`,
		k.OrganizationID, k.Number, balance, amount, interval, int64(now))
	return err
}

// SetRefill changes how a balance is refilled, and leaves the balance as it is.
func (tx *Tx) SetRefill(ctx context.Context, k *keyward.Key, refill *keyward.Refill, now keyward.Time) error {
	amount, interval := refillColumns(refill)
	return tx.execOne(ctx, noKey, `UPDATE credits SET refill_amount = $1, refill_interval = $2, anchor_ms = $3, period_ms = $3
		WHERE organization_id = $4 AND key_number = $5 AND active`, amount, interval, int64(now), k.OrganizationID, k.Number)
}

// EndCredits takes a key's balance away: its uses cost nothing any more.
func (tx *Tx) EndCredits(ctx context.Context, k *keyward.Key) error {
	return tx.execOne(ctx, noKey, `UPDATE credits SET active = FALSE, epoch = epoch + 1
		WHERE organization_id = $1 AND key_number = $2 AND active`, k.OrganizationID, k.Number)
}

func refillColumns(refill *keyward.Refill) (amount int64, interval string) {
	if refill == nil {
		return 0, ""
	}
	return refill.Amount, string(refill.Interval)
}

// claimGroup is how many claims share a transaction, so that none keeps others waiting.
const claimGroup = 100

// Meet answers claims on accounts, and returns as many leases, in their order. A key that
// has no account, or none any more, leases nothing. It is no change of the keys: the log
// does not show it. After an error some claims may have leases and the rest have none; of
// these it is not known whether they were written, so that what they gave back is not to
// be given back again.
func (s *Store) Meet(ctx context.Context, claims []keyward.Claim) ([]keyward.Lease, error) {
	leases := make([]keyward.Lease, len(claims))
	order := make([]int, len(claims)) // one for all nodes, so that none waits for another in a circle
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &claims[i], &claims[j]
		return cmp.Or(cmp.Compare(a.OrganizationID, b.OrganizationID), cmp.Compare(a.KeyID, b.KeyID))
	})
	for group := range slices.Chunk(order, claimGroup) {
		made := make([]keyward.Lease, len(group))
		_, err := s.Update(ctx, func(tx *Tx) error {
			for at, i := range group {
				var err error
				if made[at], err = tx.meet(ctx, claims[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return leases, err
		}
		for at, i := range group {
			leases[i] = made[at]
		}
	}
	return leases, nil
}

func (tx *Tx) meet(ctx context.Context, claim keyward.Claim) (keyward.Lease, error) {
	var a keyward.Account
	var refill keyward.Refill
	var number int32
	err := tx.one(ctx, noKey, `SELECT key_number, remaining, epoch, anchor_ms, period_ms, refill_amount, refill_interval
		FROM credits WHERE organization_id = $1 AND active
		AND key_number = (SELECT number FROM keys WHERE organization_id = $1 AND id = $2 AND deleted_ms = 0)`+tx.engine.locking(),
		[]any{claim.OrganizationID, claim.KeyID}, &number, &a.Remaining, &a.Epoch, &a.Anchor, &a.Period, &refill.Amount, &refill.Interval)
	if keyward.CodeOf(err) == keyward.NotFound {
		return keyward.Lease{}, nil
	}
	if err != nil {
		return keyward.Lease{}, err
	}
	if refill.Amount > 0 {
		a.Refill = &refill
	}
	lease := a.Meet(claim)
	_, err = tx.exec(ctx, `UPDATE credits SET remaining = $1, epoch = $2, period_ms = $3
		WHERE organization_id = $4 AND key_number = $5`,
		a.Remaining, a.Epoch, int64(a.Period), claim.OrganizationID, number)
	return lease, err
}
