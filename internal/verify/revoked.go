package verify

import "keyward"

// revokedTokens are the access tokens that were revoked and may not have expired yet.
type revokedTokens struct {
	byID table[revokedToken]

	// The mutating side's own.
	all  []*revokedToken
	left int // of all, when they were last pruned
}

// revokedToken is immutable.
type revokedToken struct {
	id     string
	expire keyward.Time
}

// isRevoked reports whether the token with the id is known to be revoked.
func (r *replica) isRevoked(id string) bool {
	return r.revoked.byID.get(r.hash(id), func(t *revokedToken) bool { return t.id == id }) != nil
}

func (r *replica) applyToken(record *keyward.TokenRecord) {
	if r.isRevoked(record.ID) {
		return
	}
	t := &revokedToken{record.ID, record.ExpireTime}
	r.revoked.byID.put(r.hash(t.id), t)
	r.revoked.all = append(r.revoked.all, t)
}

// prune forgets those that expired long before now, unless that was done when there
// were half as many: it costs little for each token, and keeps few too many.
func (s *revokedTokens) prune(r *replica, now keyward.Time) {
	const few = 64
	if len(s.all) < few || len(s.all) < 2*s.left {
		return
	}
	kept := make([]*revokedToken, 0, len(s.all)/2)
	for _, t := range s.all {
		if t.expire.Add(keyward.ClockMargin) > now {
			kept = append(kept, t)
		} else {
			s.byID.remove(r.hash(t.id), t)
		}
	}
	s.all, s.left = kept, len(kept)
}
