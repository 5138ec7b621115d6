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

	versions  table[version]  // by digest
	clients   table[key]      // by client id
	operators table[operator] // by digest
	people    table[operator] // the same by id
	revoked   revokedTokens

	// The mutating side's own.
	keys              table[key] // by name
	meters            map[keyName]*meter
	organizationsByID map[string]*organization
	operatorsByID     map[string]*operator
	seed              maphash.Seed
}

// organization is shared by all its keys and operators, so that disabling it is one
// store.
type organization struct {
	id       string
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

// key is what stays of a key through all its changes. newest is never nil; the
// versions of a key are replaced all at once.
type key struct {
	newest atomic.Pointer[version]
	first  use // of one of its versions: most keys have no other
}

// version is all that a decision about one secret depends on, in one piece of
// memory, and immutable. Each change of a key makes its versions anew, with the same
// use.
type version struct {
	keyward.Subject
	organization *organization
	digest       keyward.Digest
	end          keyward.Time
	use          *use     // nil if there is no secret: the key has none, or is deleted
	older        *version // of the same key
	meter        *meter   // nil if nothing counts its uses
}

// operator is what stays of an operator through all changes.
type operator struct {
	id    string
	state atomic.Pointer[operatorState]
	use
}

// operatorState is immutable.
type operatorState struct {
	digest       keyward.Digest
	generation   int
	actor        keyward.Actor
	accepted     bool
	organization *organization // nil: the whole deployment
}

func newReplica() *replica {
	return &replica{
		meters:            make(map[keyName]*meter),
		organizationsByID: make(map[string]*organization),
		operatorsByID:     make(map[string]*operator),
		seed:              maphash.MakeSeed(),
	}
}

// publish makes every further change a copy, since readers may be there from now on.
func (r *replica) publish() {
	r.versions.published = true
	r.clients.published = true
	r.operators.published = true
	r.people.published = true
	r.revoked.byID.published = true
	r.keys.published = true
}

// secret finds the version with the digest, or nil.
func (r *replica) secret(digest *keyward.Digest) *version {
	return r.versions.get(prefix(digest), func(v *version) bool { return same(&v.digest, digest) })
}

// client finds the key with the client id, and one of its versions, or nil.
func (r *replica) client(clientID string, number int) *version {
	var newest *version
	k := r.clients.get(r.hash(clientID), func(k *key) bool {
		newest = k.newest.Load()
		return newest.ClientID == clientID
	})
	if k == nil {
		return nil
	}
	return newest.numbered(number)
}

// operator finds the operator with the digest.
func (r *replica) operator(digest *keyward.Digest) (*operator, *operatorState) {
	var found *operatorState
	o := r.operators.get(prefix(digest), func(o *operator) bool {
		found = o.state.Load()
		return same(&found.digest, digest)
	})
	if o == nil {
		return nil, nil
	}
	return o, found
}

// person finds the operator with the id.
func (r *replica) person(id string) (*operator, *operatorState) {
	o := r.people.get(r.hash(id), func(o *operator) bool { return o.id == id })
	if o == nil {
		return nil, nil
	}
	return o, o.state.Load()
}

// numbered returns the version with the number among v and the older ones, or nil.
func (v *version) numbered(number int) *version {
	for ; v != nil; v = v.older {
		if v.use != nil && int(v.use.number) == number {
			return v
		}
	}
	return nil
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
