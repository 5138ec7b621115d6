package verify

import (
	"math/bits"
	"slices"
	"sync/atomic"
)

// shardBits is how many bits of a hash choose the shard. A published shard is
// copied for each change: with 4096 of them, at a million keys, that is 6 KB.
const shardBits = 12

// table finds nodes by a hash of what names them. Any number of goroutines may get
// at any time, and never wait. put and remove need the mutating side's mutex; they
// work in place until the table is published, and from then on replace one shard as
// a whole, so that a reader sees it as it was or as it is.
//
// It keeps pointers and 16 bytes of overhead instead of a built-in map's copies of
// the names, which are in the nodes already.
type table[N any] struct {
	shards    [1 << shardBits]atomic.Pointer[shard[N]]
	published bool
}

// shard is an open-addressing table with linear probing. It is never more than
// three quarters full, so that every search ends at a free slot.
type shard[N any] struct {
	slots []slot[N]
	used  int
}

type slot[N any] struct {
	hash uint64
	node *N // nil if free
}

// get returns the node with the hash for which is answers true, or nil.
func (t *table[N]) get(hash uint64, is func(*N) bool) *N {
	s := t.shard(hash).Load()
	if s == nil {
		return nil
	}
	for i := s.home(hash); s.slots[i].node != nil; i = s.next(i) {
		if s.slots[i].hash == hash && is(s.slots[i].node) {
			return s.slots[i].node
		}
	}
	return nil
}

// put adds a node, which must not be there under this hash yet.
func (t *table[N]) put(hash uint64, node *N) {
	at := t.shard(hash)
	s := at.Load()
	switch {
	case s == nil:
		s = newShard[N](1)
	case 4*(s.used+1) > 3*len(s.slots):
		s = s.without(slot[N]{}, s.used+s.used/4+1)
	case t.published:
		s = s.copied()
	}
	s.add(hash, node)
	at.Store(s)
}

// replace puts a node in the place of another, if that is there under this hash.
func (t *table[N]) replace(hash uint64, old, node *N) {
	at := t.shard(hash)
	s := at.Load()
	if s == nil {
		return
	}
	if t.published {
		s = s.copied()
	}
	if i := slices.Index(s.slots, slot[N]{hash, old}); i >= 0 {
		s.slots[i].node = node
	}
	at.Store(s)
}

// remove takes a node out, if it is there under this hash.
func (t *table[N]) remove(hash uint64, node *N) {
	at := t.shard(hash)
	s := at.Load()
	if s == nil {
		return
	}
	if s = s.without(slot[N]{hash, node}, s.used); s.used == 0 {
		s = nil
	}
	at.Store(s)
}

func (t *table[N]) shard(hash uint64) *atomic.Pointer[shard[N]] {
	return &t.shards[hash>>(64-shardBits)]
}

// newShard returns an empty shard for a number of nodes.
func newShard[N any](nodes int) *shard[N] {
	return &shard[N]{slots: make([]slot[N], nodes+nodes/3+1)}
}

// home is the slot where the search for a hash begins: what is left of the hash
// after the bits that chose the shard, as a fraction of all slots.
func (s *shard[N]) home(hash uint64) int {
	i, _ := bits.Mul64(hash<<shardBits, uint64(len(s.slots)))
	return int(i)
}

func (s *shard[N]) next(i int) int {
	if i++; i < len(s.slots) {
		return i
	}
	return 0
}

func (s *shard[N]) copied() *shard[N] {
	return &shard[N]{slots: slices.Clone(s.slots), used: s.used}
}

// without returns a copy that has room for a number of nodes and lacks one slot.
func (s *shard[N]) without(gone slot[N], room int) *shard[N] {
	kept := newShard[N](room)
	for _, old := range s.slots {
		if old.node != nil && old != gone {
			kept.add(old.hash, old.node)
		}
	}
	return kept
}

func (s *shard[N]) add(hash uint64, node *N) {
	i := s.home(hash)
	for s.slots[i].node != nil {
		i = s.next(i)
	}
	s.slots[i] = slot[N]{hash, node}
	s.used++
}
