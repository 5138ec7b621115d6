package verify

import (
	"sync/atomic"

	"keyward"
)

// use is when a secret was last accepted, and a link in the stack of those that are
// to be reported. It belongs to a version of a key or to an operator and stays the
// same through all their changes.
type use struct {
	next     *use         // below it in the stack; written only by who set waiting
	last     atomic.Int64 // a keyward.Time that never goes back
	waiting  atomic.Bool  // it is in the stack, or on its way
	number   int32        // of the key's version
	key      *key         // nil for an operator's
	operator *operator    // nil for a key's
}

// uses is a stack of what was used since it was last taken. Nobody waits for
// anybody, and nothing is allocated until it is taken.
type uses struct{ top atomic.Pointer[use] }

// touch notes that a secret was accepted at the instant now. Instants before the
// last one, or the same, change nothing: however often a secret is used, its cache
// line is written once a millisecond.
func (s *uses) touch(u *use, now keyward.Time) {
	if u.raise(now) {
		s.push(u)
	}
}

// raise moves the time forward and reports whether it did.
func (u *use) raise(now keyward.Time) bool {
	for {
		last := u.last.Load()
		if int64(now) <= last {
			return false
		}
		if u.last.CompareAndSwap(last, int64(now)) {
			return true
		}
	}
}

// push puts u on the stack unless it is there. Whoever sees it waiting may rely on
// its latest time being taken: take clears waiting before it reads the time.
func (s *uses) push(u *use) {
	if !u.waiting.CompareAndSwap(false, true) {
		return
	}
	for {
		top := s.top.Load()
		u.next = top
		if s.top.CompareAndSwap(top, u) {
			return
		}
	}
}

// take empties the stack.
func (s *uses) take() []keyward.Use {
	var taken []keyward.Use
	for u := s.top.Swap(nil); u != nil; {
		next := u.next // before it is free to be pushed again
		u.waiting.Store(false)
		taken = append(taken, u.report())
		u = next
	}
	return taken
}

func (u *use) report() keyward.Use {
	now := keyward.Time(u.last.Load())
	if u.operator != nil {
		return keyward.Use{OperatorID: u.operator.id, Time: now}
	}
	v := u.key.newest.Load()
	return keyward.Use{OrganizationID: v.OrganizationID, KeyID: v.KeyID, Version: int(u.number), Time: now}
}

// Uses returns what was accepted since it was last called, each secret once, with
// the time of its latest use, in no particular order. What is returned counts as
// reported; [Engine.Restore] takes that back.
func (e *Engine) Uses() []keyward.Use { return e.used.take() }

// Restore makes uses be reported again, because they could not be written. A secret
// that was used meanwhile is reported with the later time; one that is gone is not.
func (e *Engine) Restore(uses []keyward.Use) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.current.Load()
	for i := range uses {
		if u := r.use(&uses[i]); u != nil {
			u.raise(uses[i].Time)
			e.used.push(u)
		}
	}
}

// use finds the node that a use was reported from, or the one in its place. It
// returns nil if there is none any more.
func (r *replica) use(of *keyward.Use) *use {
	if of.OperatorID != "" {
		if o := r.operatorsByID[of.OperatorID]; o != nil {
			return &o.use
		}
		return nil
	}
	k := r.key(keyName{of.OrganizationID, of.KeyID})
	if k == nil {
		return nil
	}
	if v := k.newest.Load().numbered(of.Version); v != nil {
		return v.use
	}
	return nil
}
