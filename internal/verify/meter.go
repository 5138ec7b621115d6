package verify

import (
	"math"
	"slices"
	"strings"
	"sync"

	"keyward"
)

// meter is what the uses of one key are counted against: its rate limits and its
// credits. It stays the same through all changes of the key. Those that use the same key
// at the same time wait for each other, for as long as it takes to decide; others do not.
type meter struct {
	mu      sync.Mutex
	name    keyName
	clock   clock
	windows []window
	account *account      // nil if uses cost no credits
	settled chan struct{} // closed when the account's lease came, or did not; nil if nobody waits
	moved   *meter        // what counts instead, since everything was loaded anew
}

// lock returns the meter that counts now, locked.
func (m *meter) lock() *meter {
	for {
		m.mu.Lock()
		if m.moved == nil {
			return m
		}
		next := m.moved
		m.mu.Unlock()
		m = next
	}
}

// moveTo hands everything that was counted over to a meter which nobody uses yet.
func (m *meter) moveTo(next *meter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next.clock = m.clock
	next.inherit(m.windows)
	if m.account != nil && next.account != nil {
		stored := next.account.stored
		next.account = m.account
		next.account.update(stored)
	}
	m.moved = next
	m.wake()
}

// meterFor returns the meter of a key as its record wants it: nil if nothing is counted.
// The old one, if there is one, goes on with what it has counted, by the names of limits
// whose window is the same.
func meterFor(old *meter, record *keyward.KeyRecord) *meter {
	counted := !record.Deleted && (len(record.RateLimits) > 0 || record.Account != nil)
	m := old
	if m == nil {
		if !counted {
			return nil
		}
		m = &meter{name: keyName{strings.Clone(record.OrganizationID), strings.Clone(record.KeyID)}}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limit(record.RateLimits)
	m.credit(record.Account)
	if !counted {
		return nil
	}
	return m
}

// limit takes in the rate limits of a record.
func (m *meter) limit(limits []keyward.RateLimit) {
	before := m.windows
	m.windows = make([]window, len(limits))
	for i, limit := range limits {
		m.windows[i] = newWindow(limit)
	}
	m.inherit(before)
}

// inherit goes on with what was counted by windows of the same name and length.
func (m *meter) inherit(before []window) {
	for i := range m.windows {
		w := &m.windows[i]
		was := slices.IndexFunc(before, func(b window) bool { return b.Name == w.Name && b.Window == w.Window })
		if was >= 0 {
			limit := w.Limit
			*w = before[was]
			w.Limit = limit
		}
	}
}

// credit takes in the account of a record, nil for none.
func (m *meter) credit(stored *keyward.Account) {
	switch {
	case stored == nil:
		m.account = nil
	case m.account == nil:
		m.account = &account{stored: *stored, due: stored.Due()}
	default:
		m.account.update(*stored)
	}
	m.wake()
}

// quote is what a cost meets at one instant.
type quote struct {
	keyward.Budget
	pending bool // the balance has it, but the lease has not
}

// quote says whether a cost fits, and spends nothing.
func (m *meter) quote(cost int64, now keyward.Time) quote {
	q := quote{Budget: keyward.Unlimited}
	at := m.clock.at(now)
	for i := range m.windows {
		w := &m.windows[i]
		w.advance(at)
		q.WithinLimits = q.WithinLimits && cost <= w.room()
	}
	if m.account != nil {
		p := m.account.price(cost, now)
		q.WithinCredits, q.pending = p != missing, p == pending
	}
	return q
}

// spend takes a cost from everything at once. The latest quote said that it fits.
func (m *meter) spend(cost int64, now keyward.Time) {
	for i := range m.windows {
		m.windows[i].add(cost)
	}
	if m.account != nil {
		m.account.pay(cost, now)
	}
}

// report writes what is left, and when a cost that was refused may pass.
func (m *meter) report(v *Verdict, cost int64, now keyward.Time) {
	retry, never := now, false
	for i := range m.windows {
		w := &m.windows[i]
		allowance := keyward.Allowance{Name: w.Name, Limit: w.Limit, Window: w.Window, Remaining: w.room(), ResetTime: now}
		if reset := w.reset(); reset != 0 {
			allowance.ResetTime = m.clock.time(reset)
		}
		v.Allowances = append(v.Allowances, allowance)
		switch fits := w.fits(cost); {
		case fits > 0:
			retry = max(retry, m.clock.time(fits))
		case fits < 0:
			never = true
		}
	}
	if a := m.account; a != nil {
		v.balance.Remaining = a.balance(now)
		v.Balance = &v.balance
		if v.Reason == keyward.CreditsExhausted {
			retry = max(retry, a.due)
			never = never || a.due == 0 || cost > a.stored.Refill.Amount
		}
	}
	if (v.Reason == keyward.RateLimited || v.Reason == keyward.CreditsExhausted) && !never {
		v.RetryTime = retry
	}
}

// wait adds a cost to what is waited for, and returns what is closed when there is news.
func (m *meter) wait(cost int64, now keyward.Time) <-chan struct{} {
	a := m.account
	a.demand = min(a.demand, math.MaxInt64-cost) + cost
	a.demand = min(a.demand, a.balance(now))
	if m.settled == nil {
		m.settled = make(chan struct{})
	}
	return m.settled
}

// wake lets those who wait ask again.
func (m *meter) wake() {
	if m.settled != nil {
		close(m.settled)
		m.settled = nil
	}
}
