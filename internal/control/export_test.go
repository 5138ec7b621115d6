package control

import "keyward"

// Clock makes the plane ask now what time it is, so that tests pass days in no time
// on a real database.
func (p *Plane) Clock(now func() keyward.Time) { p.now = now }

// Hashes returns how many hashes of passwords were computed.
func (p *Plane) Hashes() int64 { return p.passwords.computed.Load() }

// Hashing returns how many wait for a core to hash a password on.
func (p *Plane) Hashing() int64 { return p.passwords.waiting.Load() }

// OccupyCores lets nobody hash a password until free is called.
func (p *Plane) OccupyCores() (free func()) {
	for range cap(p.passwords.turns) {
		p.passwords.turns <- struct{}{}
	}
	return func() {
		for range cap(p.passwords.turns) {
			<-p.passwords.turns
		}
	}
}
