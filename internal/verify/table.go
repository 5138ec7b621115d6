package verify

import "sync/atomic"

// reference names a thing that a table leads to: a record in the slab, or a place in a
// directory. It has refBits, and 0 is none.
type reference uint64

const (
	shardBits = 8  // of a hash choose the shard: a change of its size copies no more than that
	refBits   = 40 // of a slot are the reference
	tagBits   = 64 - refBits

	freeSlot = 0         // every search ends there
	goneSlot = 1<<64 - 1 // searches pass it by
)

// table finds references by a hash of what they stand for. Any number of goroutines may
// look at any time, and never wait. Changing it needs the mutating side's mutex: a slot
// is one word that is replaced in place, and a shard that gets too small, or too full of
// slots that are gone, is made anew beside the old one.
type table struct {
	shards [1 << shardBits]atomic.Pointer[shard]
}

// shard is an open-addressing table with linear probing. It is never more than three
// quarters full, so that every search ends at a free slot. An entry stays in its slot,
// so that nobody who searches can pass it by.
type shard struct {
	slots []atomic.Uint64

	// The mutating side's own.
	taken int // slots that are not free
	live  int // of them, those that are not gone either
}

// find returns a reference with the hash for which is answers true, or 0.
func (t *table) find(hash uint64, is func(reference) bool) reference {
	s := t.shard(hash).Load()
	if s == nil {
		return 0
	}
	tag := tagOf(hash)
	for i := s.home(tag); ; i = s.next(i) {
		slot := s.slots[i].Load()
		if slot == freeSlot {
			return 0
		}
		if slot>>refBits == tag && slot != goneSlot {
			if ref := reference(slot & (1<<refBits - 1)); is(ref) {
				return ref
			}
		}
	}
}

// put adds a reference, which must not be there under this hash yet.
func (t *table) put(hash uint64, ref reference) {
	at := t.shard(hash)
	s := at.Load()
	if s == nil || 4*(s.taken+1) > 3*len(s.slots) {
		s = s.rebuilt()
		at.Store(s)
	}
	s.add(slotOf(hash, ref))
}

// replace puts a reference in the place of another, if that is there under this hash.
func (t *table) replace(hash uint64, old, ref reference) {
	if slot := t.slot(hash, old); slot != nil {
		slot.Store(slotOf(hash, ref))
	}
}

// move puts a reference in the place of another that may be under another hash.
func (t *table) move(from uint64, old reference, to uint64, ref reference) {
	if from == to {
		t.replace(from, old, ref)
		return
	}
	t.put(to, ref)
	t.remove(from, old)
}

// remove takes a reference out, if it is there under this hash.
func (t *table) remove(hash uint64, ref reference) {
	slot := t.slot(hash, ref)
	if slot == nil {
		return
	}
	slot.Store(goneSlot)
	at := t.shard(hash)
	if s := at.Load(); s.live > 1 {
		s.live--
	} else {
		at.Store(nil)
	}
}

func (t *table) shard(hash uint64) *atomic.Pointer[shard] {
	return &t.shards[hash>>(64-shardBits)]
}

// slot returns where a reference is, or nil.
func (t *table) slot(hash uint64, ref reference) *atomic.Uint64 {
	s, want := t.shard(hash).Load(), slotOf(hash, ref)
	if s == nil {
		return nil
	}
	for i := s.home(tagOf(hash)); ; i = s.next(i) {
		switch s.slots[i].Load() {
		case want:
			return &s.slots[i]
		case freeSlot:
			return nil
		}
	}
}

func tagOf(hash uint64) uint64 { return hash >> (64 - shardBits - tagBits) & (1<<tagBits - 1) }

func slotOf(hash uint64, ref reference) uint64 { return tagOf(hash)<<refBits | uint64(ref) }

// home is the slot where the search for a tag begins: the tag as a fraction of all. So
// a shard can be made anew from nothing but its slots.
func (s *shard) home(tag uint64) int { return int(tag * uint64(len(s.slots)) >> tagBits) }

func (s *shard) next(i int) int {
	if i++; i < len(s.slots) {
		return i
	}
	return 0
}

// rebuilt returns a copy with room for more, and without the slots that are gone.
func (s *shard) rebuilt() *shard {
	if s == nil {
		return &shard{slots: make([]atomic.Uint64, 3)}
	}
	room := s.live + s.live/4 + 1
	made := &shard{slots: make([]atomic.Uint64, room+room/3+1)}
	for i := range s.slots {
		if slot := s.slots[i].Load(); slot != freeSlot && slot != goneSlot {
			made.add(slot)
		}
	}
	return made
}

func (s *shard) add(slot uint64) {
	i := s.home(slot >> refBits)
	for s.slots[i].Load() != freeSlot && s.slots[i].Load() != goneSlot {
		i = s.next(i)
	}
	if s.slots[i].Load() == freeSlot {
		s.taken++
	}
	s.live++
	s.slots[i].Store(slot)
}
