package verify

import (
	"testing"

	"keyward"

	"pgregory.net/rapid"
)

// A bank is a stored account and nodes that spend from it, with everything that was ever
// granted and spent in an epoch.
type bank struct {
	stored keyward.Account
	nodes  []*account
	spent  map[int64]int64 // by epoch
	funded map[int64]int64
}

// Whatever nodes spend, claim, give back, lose and miss, and whenever the balance is set or
// refilled: an epoch is never spent beyond what it was funded with, and what is not lost
// can be spent to the last credit.
func TestCreditsAreNeverSpentTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := keyward.Time(1_790_000_000_000)
		b := bank{
			stored: keyward.Account{Remaining: rapid.Int64Range(0, 200).Draw(t, "balance"), Epoch: 1, Anchor: now, Period: now},
			spent:  map[int64]int64{}, funded: map[int64]int64{},
		}
		if rapid.Bool().Draw(t, "refilled") {
			b.stored.Refill = &keyward.Refill{Amount: rapid.Int64Range(1, 100).Draw(t, "amount"), Interval: keyward.HourlyRefill}
		}
		b.funded[1] = b.stored.Remaining
		for range 3 {
			b.nodes = append(b.nodes, &account{stored: b.stored, due: b.stored.Due()})
		}
		lost := int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"time passes": func(t *rapid.T) { now += keyward.Time(rapid.Int64Range(1, 1_500_000).Draw(t, "wait")) },
			"a node spends": func(t *rapid.T) {
				a := b.any(t)
				if cost := rapid.Int64Range(0, 20).Draw(t, "cost"); a.price(cost, now) == covered {
					a.pay(cost, now)
					b.spent[a.stored.Epoch] += cost
				} else {
					a.demand += cost
				}
			},
			"a node claims": func(t *rapid.T) {
				a := b.any(t)
				lease := b.meet(keyward.Claim{Want: a.want(now), Epoch: a.stored.Epoch, Time: now})
				if rapid.IntRange(0, 9).Draw(t, "answer") == 0 {
					lost += lease.Amount
					return
				}
				a.grant(lease, now)
			},
			"a node gives back": func(t *rapid.T) {
				a := b.any(t)
				epoch := a.stored.Epoch
				if back := a.giveBack(now - 2000); back > 0 {
					a.grant(b.meet(keyward.Claim{Back: back, Epoch: epoch, Time: now}), now)
				}
			},
			"a node crashes": func(t *rapid.T) {
				a := b.any(t)
				lost += a.unspent
				*a = account{stored: b.stored, due: b.stored.Due()}
			},
			"the balance is set": func(t *rapid.T) {
				b.stored.Remaining, b.stored.Epoch = rapid.Int64Range(0, 200).Draw(t, "balance"), b.stored.Epoch+1
				b.stored.Anchor, b.stored.Period = now, now
				b.funded[b.stored.Epoch] = b.stored.Remaining
			},
			"a node hears of it": func(t *rapid.T) { b.any(t).update(b.stored) },
			"": func(t *rapid.T) {
				for epoch, spent := range b.spent {
					if spent > b.funded[epoch] {
						t.Fatalf("epoch %d was funded with %d and spent %d", epoch, b.funded[epoch], spent)
					}
				}
			},
		})
		for _, a := range b.nodes { // to the last credit
			for {
				a.demand = 1
				a.grant(b.meet(keyward.Claim{Want: a.want(now), Epoch: a.stored.Epoch, Time: now}), now)
				if a.price(1, now) != covered {
					break
				}
				a.pay(1, now)
				b.spent[a.stored.Epoch]++
			}
		}
		epoch := b.stored.Epoch
		if left := b.funded[epoch] - b.spent[epoch]; left < 0 || left > lost {
			t.Fatalf("of %d credits %d were spent, and %d were lost in all", b.funded[epoch], b.spent[epoch], lost)
		}
	})
}

func (b *bank) any(t *rapid.T) *account { return rapid.SampledFrom(b.nodes).Draw(t, "node") }

func (b *bank) meet(claim keyward.Claim) keyward.Lease {
	epoch := b.stored.Epoch
	lease := b.stored.Meet(claim)
	if b.stored.Epoch > epoch {
		b.funded[b.stored.Epoch] = b.stored.Refill.Amount
	}
	return lease
}

// A crash loses what is leased and not spent, so that is never more than an eighth of what
// is left, however fast the balance is spent, unless uses wait for more.
func TestALeaseHoldsAPartOfWhatIsLeft(t *testing.T) {
	now := keyward.Time(1_790_000_000_000)
	stored := keyward.Account{Remaining: 1000, Epoch: 1}
	a := &account{stored: stored}
	for used := range 1000 {
		if a.price(1, now) == pending {
			a.demand = 1
		}
		if a.demand > 0 || a.low(now) {
			left := a.balance(now)
			a.grant(stored.Meet(keyward.Claim{Want: a.want(now), Time: now}), now)
			if a.unspent > max(1, left/share) {
				t.Fatalf("after %d uses %d of %d left are leased", used, a.unspent, left)
			}
		}
		a.pay(1, now)
	}
	if stored.Remaining != 0 || a.price(1, now) != missing {
		t.Errorf("after all uses %d remain", stored.Remaining)
	}
}
