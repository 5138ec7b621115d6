package verify

import (
	"maps"
	"slices"
	"sync"

	"keyward"
)

// tills are the meters that want credits or have a lease of them.
type tills struct {
	mu     sync.Mutex
	wanted map[*meter]bool
	leased map[keyName]*meter
	bell   chan struct{} // holds an element if somebody wants something
}

func newTills() *tills {
	return &tills{wanted: map[*meter]bool{}, leased: map[keyName]*meter{}, bell: make(chan struct{}, 1)}
}

// want asks for a lease, unless that was done already. The meter's mutex is held.
func (t *tills) want(m *meter) {
	if m.account.asked {
		return
	}
	m.account.asked = true
	t.mu.Lock()
	t.wanted[m] = true
	t.mu.Unlock()
	select {
	case t.bell <- struct{}{}:
	default:
	}
}

// note keeps track of whether the meter has a lease. The meter's mutex is held.
func (t *tills) note(m *meter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case m.account != nil && m.account.unspent > 0:
		t.leased[m.name] = m
	case t.leased[m.name] == m:
		delete(t.leased, m.name)
	}
}

// claimants returns who wants credits, from now on nobody, and who has a lease.
func (t *tills) claimants() (wanted map[*meter]bool, leased []*meter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	wanted, t.wanted = t.wanted, map[*meter]bool{}
	return wanted, slices.Collect(maps.Values(t.leased))
}

// Leased returns how much of a key's credits of an epoch is leased by this engine and not
// spent: it is part of what the key has left.
func (e *Engine) Leased(organizationID, keyID string, epoch int64) int64 {
	e.tills.mu.Lock()
	m := e.tills.leased[keyName{organizationID, keyID}]
	e.tills.mu.Unlock()
	if m == nil {
		return 0
	}
	m = m.lock()
	defer m.mu.Unlock()
	if m.account == nil || m.account.stored.Epoch != epoch {
		return 0
	}
	return m.account.unspent
}

// Wanted holds an element when some key wants credits: it is time for [Engine.Claims].
func (e *Engine) Wanted() <-chan struct{} { return e.tills.bell }

// Claims are what keys want of their accounts, and what they give back. They are to be
// settled, whatever came of them; one goroutine at a time may make and settle claims.
type Claims struct {
	Claims []keyward.Claim
	meters []*meter
	engine *Engine
}

// Claims returns what keys want at the instant now. They give back leases from which
// nothing was spent since the instant idle; what is given back is gone from here, and
// lost if it cannot be written to the store.
func (e *Engine) Claims(now, idle keyward.Time) Claims {
	c := Claims{engine: e}
	wanted, leased := e.tills.claimants()
	for m := range wanted {
		c.add(m, func(a *account) (want, back int64) { return a.want(now), 0 }, now)
	}
	for _, m := range leased {
		if !wanted[m] {
			c.add(m, func(a *account) (want, back int64) { return 0, a.giveBack(idle) }, now)
		}
	}
	return c
}

func (c *Claims) add(m *meter, claim func(*account) (want, back int64), now keyward.Time) {
	m = m.lock()
	defer m.mu.Unlock()
	a := m.account
	if a == nil {
		return
	}
	epoch := a.stored.Epoch
	want, back := claim(a)
	if want == 0 && back == 0 {
		return
	}
	a.asked = true
	c.meters = append(c.meters, m)
	c.Claims = append(c.Claims, keyward.Claim{
		OrganizationID: m.name.organizationID, KeyID: m.name.id, Want: want, Back: back, Epoch: epoch, Time: now,
	})
}

// Settle takes in what the store made of the claims by the instant now: one lease for
// each, in their order, the zero one where it failed. Whoever waits asks again.
func (c Claims) Settle(leases []keyward.Lease, now keyward.Time) {
	for i, m := range c.meters {
		m = m.lock()
		if a := m.account; a != nil {
			a.asked = false
			a.grant(leases[i], now)
		}
		c.engine.tills.note(m)
		m.wake()
		m.mu.Unlock()
	}
}
