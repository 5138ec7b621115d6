package verify

import (
	"runtime"

	"keyward"
)

// revokedTokens are the access tokens that were revoked and may not have expired yet.
type revokedTokens struct {
	byID   table
	tokens directory[revokedToken]

	// The mutating side's own.
	all  []uint32 // their numbers
	left int      // of all, when they were last pruned
}

// revokedToken is immutable.
type revokedToken struct {
	id     string
	expire keyward.Time
}

// isRevoked reports whether the token with the id is known to be revoked.
func (r *replica) isRevoked(id string) bool {
	held := r.epoch.Load()
	found := r.revoked.byID.find(r.hash(id), func(ref reference) bool {
		return r.revoked.tokens.at(ref.place()).id == id
	})
	runtime.KeepAlive(held)
	return found != 0
}

func (r *replica) applyToken(record *keyward.TokenRecord) {
	if r.isRevoked(record.ID) {
		return
	}
	i := r.revoked.tokens.add(&revokedToken{record.ID, record.ExpireTime})
	r.revoked.byID.put(r.hash(record.ID), refToPlace(i))
	r.revoked.all = append(r.revoked.all, i)
}

// prune forgets those that expired long before now, unless that was done when there
// were half as many: it costs little for each token, and keeps few too many.
func (s *revokedTokens) prune(r *replica, now keyward.Time) {
	const few = 64
	if len(s.all) < few || len(s.all) < 2*s.left {
		return
	}
	kept := make([]uint32, 0, len(s.all)/2)
	for _, i := range s.all {
		t := s.tokens.at(i)
		if t.expire.Add(keyward.ClockMargin) > now {
			kept = append(kept, i)
			continue
		}
		s.byID.remove(r.hash(t.id), refToPlace(i))
		r.retired.tokens = append(r.retired.tokens, i)
	}
	s.all, s.left = kept, len(kept)
}
