package verify

import (
	"keyward"
)

// account is the credits of one key on this node: what was leased from the store, and is
// spent from here. It is a state machine: it asks for leases, and is told what became of
// them. What it has was taken from the stored balance before, so that no crash and no
// other node can make it spend twice.
//
// spent + unspent + the stored balance + what crashes lost = what was granted.
type account struct {
	stored  keyward.Account // as of the latest word from the store
	due     keyward.Time    // stored.Due()
	unspent int64           // of the lease
	demand  int64           // what uses wait for
	size    int64           // of the next lease, by what was spent lately
	asked   bool            // for a lease, and no answer yet
	leased  keyward.Time    // when the latest lease came
	spent   keyward.Time    // when something was spent
}

// share bounds how much of a balance one lease takes, and thus what a crash loses of it.
const share = 8

// A price is how a cost stands to an account at one instant.
type price uint8

const (
	covered price = iota // the lease has it
	pending              // the balance has it, so that a lease would
	missing              // the balance has not
)

// price says whether a cost can be paid now. Nothing is spent.
func (a *account) price(cost int64, now keyward.Time) price {
	unspent, stored := a.standing(now)
	switch {
	case cost <= unspent:
		return covered
	case cost-unspent <= stored:
		return pending
	}
	return missing
}

// standing returns what is left of the lease and of the stored balance at an instant: a
// refill that is due has voided the one and set the other.
func (a *account) standing(now keyward.Time) (unspent, stored int64) {
	if a.due != 0 && a.due <= now {
		return 0, a.stored.Refill.Amount
	}
	return a.unspent, a.stored.Remaining
}

// balance returns all that is left.
func (a *account) balance(now keyward.Time) int64 {
	unspent, stored := a.standing(now)
	return unspent + stored
}

// pay spends a cost that is covered.
func (a *account) pay(cost int64, now keyward.Time) {
	a.unspent -= cost
	a.spent = max(a.spent, now)
}

// target is how much a lease should hold: what was spent lately, but no more than a part
// of what is left.
func (a *account) target(now keyward.Time) int64 {
	return max(1, min(a.size, a.balance(now)/share))
}

// low reports whether another lease should be asked for before this one is used up.
func (a *account) low(now keyward.Time) bool {
	return !a.asked && a.stored.Remaining > 0 && 2*a.unspent < a.target(now)
}

// want returns how much to lease now. A balance is leased faster the faster it is spent,
// but no more of it at once than the target, unless uses wait for more.
func (a *account) want(now keyward.Time) int64 {
	const second = 1000
	switch {
	case now-a.leased < second:
		a.size = min(2*max(a.size, 1), 1<<40)
	case now-a.leased > 4*second:
		a.size = max(a.size/2, 1)
	}
	want := max(a.demand, a.target(now)-a.unspent, 1)
	a.demand = 0
	return want
}

// grant takes in a lease. One of an epoch that is over is void.
func (a *account) grant(lease keyward.Lease, now keyward.Time) {
	if lease.Account.Epoch < a.stored.Epoch {
		return
	}
	if lease.Account.Epoch > a.stored.Epoch {
		a.unspent = 0
	}
	a.stored, a.due = lease.Account, lease.Account.Due()
	a.unspent += lease.Amount
	a.leased = max(a.leased, now)
}

// update takes in the account of a record, which may be older than what is known.
func (a *account) update(stored keyward.Account) {
	switch {
	case stored.Epoch > a.stored.Epoch:
		a.unspent, a.demand, a.stored = 0, 0, stored
	case stored.Epoch == a.stored.Epoch:
		stored.Remaining = a.stored.Remaining // leases are ahead of records
		a.stored = stored
	}
	a.due = a.stored.Due()
}

// giveBack takes out what was last spent from before an instant.
func (a *account) giveBack(before keyward.Time) int64 {
	if max(a.spent, a.leased) >= before {
		return 0
	}
	back := a.unspent
	a.unspent, a.stored.Remaining = 0, a.stored.Remaining+back
	return back
}
