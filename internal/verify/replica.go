package verify

import (
	"crypto/subtle"
	"encoding/binary"
	"hash/maphash"
	"sync/atomic"

	"keyward"
)

// replica is everything that verification needs, as of the change applied. Readers
// use the tables; what changes it needs the mutating side's mutex, or a replica
// that is not published yet.
type replica struct {
	applied atomic.Int64
	size    struct{ organizations, keys, operators atomic.Int64 } // deleted ones do not count

	epoch    atomic.Pointer[epoch] // the latest one
	versions table                 // from a digest to the record of its key
	clients  table                 // from a client id to the record of its key
	secrets  table                 // from a digest to an operator
	people   table                 // from an id to an operator
	revoked  revokedTokens

	slab          slab // the records of keys
	cells         cells
	policies      directory[policy]
	organizations directory[organization]
	operators     directory[operator]

	// The mutating side's own.
	keys              table // from a name to the record of its key
	organizationsByID map[string]*organization
	operatorsByID     map[string]*operator
	shared            map[uint64]uint32 // policies by their hash
	seed              maphash.Seed
	counts            *counts // takes what was counted of keys that are gone
	retired           retired
	released          released
}

// organization is shared by all its keys and operators, so that disabling it is one
// store. It is never forgotten.
type organization struct {
	id       string
	number   uint32 // in the directory
	standing atomic.Uint32
}

// The bits of organization.standing. An organization of which nothing is known is
// not enabled.
const (
	enabledBit = 1 << iota
	deletedBit
)

// keyName identifies a key: its id may have been chosen by a client.
type keyName struct{ organizationID, id string }

// match is a secret that was found: one version of one key, as the key was at one
// instant. The epoch keeps what it refers to by number from being used for others.
type match struct {
	credential
	record  record // nil if nothing was found
	policy  *policy
	replica *replica
	epoch   *epoch
}

// operator is what stays of an operator through all changes.
type operator struct {
	id     string
	number uint32 // in the directory
	state  atomic.Pointer[operatorState]
	last   atomic.Int64 // a keyward.Time that never goes back: when it was last accepted
	used   atomic.Bool  // that is to be reported
}

// operatorState is immutable.
type operatorState struct {
	digest       keyward.Digest
	generation   int
	actor        keyward.Actor
	accepted     bool
	organization *organization // nil: the whole deployment
}

// newReplica returns an empty replica. What it counted of keys that have gone is handed
// to counts.
func newReplica(c *counts) *replica {
	r := &replica{
		organizationsByID: make(map[string]*organization),
		operatorsByID:     make(map[string]*operator),
		shared:            make(map[uint64]uint32),
		seed:              maphash.MakeSeed(),
		counts:            c,
	}
	r.epoch.Store(new(epoch))
	return r
}

// secret finds the version with the digest.
func (r *replica) secret(digest *keyward.Digest) match {
	m := match{replica: r, epoch: r.epoch.Load()}
	r.versions.find(prefix(digest), func(ref reference) bool {
		k := r.slab.at(ref)
		i := k.held(digest)
		if i >= 0 {
			m.fill(k, i)
		}
		return i >= 0
	})
	return m
}

// client finds the key with the client id, and one of its versions.
func (r *replica) client(clientID string, number int) match {
	m := match{replica: r, epoch: r.epoch.Load()}
	r.clients.find(r.hash(clientID), func(ref reference) bool {
		k := r.slab.at(ref)
		if k.clientID() != clientID {
			return false
		}
		if i := k.numbered(number); i >= 0 {
			m.fill(k, i)
		}
		return true
	})
	return m
}

// fill is for the version that a credential of a record is.
func (m *match) fill(k record, i int) {
	m.record, m.credential, m.policy = k, k.credential(i), m.replica.policies.at(k.get32(atPolicy))
}

func (m *match) found() bool { return m.record != nil }

func (m *match) organization() *organization { return m.replica.organizationOf(m.record) }

func (m *match) name() keyName { return m.replica.nameOf(m.record) }

// subject writes what the key is into s.
func (m *match) subject(s *keyward.Subject) { m.record.subject(s, m.organization(), m.policy) }

// key returns the record of the key with the name, or 0.
func (r *replica) key(name keyName) reference {
	return r.keys.find(maphash.Comparable(r.seed, name), func(ref reference) bool {
		return r.nameOf(r.slab.at(ref)) == name
	})
}

func (r *replica) organizationOf(k record) *organization {
	return r.organizations.at(k.get32(atOrganization))
}

func (r *replica) nameOf(k record) keyName { return keyName{r.organizationOf(k).id, k.keyID()} }

// operator finds the operator with the digest.
func (r *replica) operator(digest *keyward.Digest) (*operator, *operatorState) {
	var o *operator
	var s *operatorState
	if r.secrets.find(prefix(digest), func(ref reference) bool {
		o = r.operators.at(ref.place())
		s = o.state.Load()
		return same(&s.digest, digest)
	}) == 0 {
		return nil, nil
	}
	return o, s
}

// person finds the operator with the id.
func (r *replica) person(id string) (*operator, *operatorState) {
	var o *operator
	if r.people.find(r.hash(id), func(ref reference) bool {
		o = r.operators.at(ref.place())
		return o.id == id
	}) == 0 {
		return nil, nil
	}
	return o, o.state.Load()
}

// use notes that an operator was accepted at the instant now.
func (o *operator) use(now keyward.Time) {
	if raise(&o.last, now) && !o.used.Load() {
		o.used.Store(true)
	}
}

func (o *organization) load() keyward.Standing {
	bits := o.standing.Load()
	return keyward.Standing{Enabled: bits&enabledBit != 0, Deleted: bits&deletedBit != 0}
}

// same compares in constant time: how long it takes says nothing about how much of
// a digest was guessed.
func same(a, b *keyward.Digest) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

// prefix is the hash of a digest, which is as good as random already.
func prefix(digest *keyward.Digest) uint64 { return binary.LittleEndian.Uint64(digest[:]) }

func (r *replica) hash(text string) uint64 { return maphash.String(r.seed, text) }
