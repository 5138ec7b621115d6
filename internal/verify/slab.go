package verify

// slab keeps records one after the other in chunks of memory that hold no pointers, so
// that the garbage collector has nothing to look for in them. A record is written once;
// its bytes are never used for anything else. The zero value is empty.
type slab struct {
	chunks directory[chunk]

	// The mutating side's own.
	tail   *chunk // where records are added
	tailID uint32
	worn   []uint32 // chunks of which more than half is dead
}

type chunk struct {
	data []byte

	// The mutating side's own, in bytes.
	used int
	dead int // of records that nothing leads to any more
	worn bool
}

const (
	align       = 8        // of records in a chunk
	smallChunk  = 64 << 10 // the size of the first ones
	chunkBits   = 20       // of the others
	offsetBits  = chunkBits - 3
	maxRecordIn = 1 << (chunkBits - 3) // larger ones have a chunk of their own
)

// refTo names the record at an offset in a chunk.
func refTo(chunk uint32, offset int) reference {
	return reference(chunk+1)<<offsetBits | reference(offset/align)
}

func (ref reference) chunk() uint32 { return uint32(ref>>offsetBits) - 1 }

func (ref reference) offset() int { return int(ref&(1<<offsetBits-1)) * align }

// at returns a record, with whatever is behind it.
func (s *slab) at(ref reference) record {
	return record(s.chunks.at(ref.chunk()).data[ref.offset():])
}

// room returns memory for a record of a size, all zero, and its name.
func (s *slab) room(size int) (reference, record) {
	if size > maxRecordIn {
		whole := &chunk{data: make([]byte, size), used: size}
		return refTo(s.chunks.add(whole), 0), record(whole.data)
	}
	if s.tail == nil || s.tail.used+size > len(s.tail.data) {
		full, number := s.tail, s.tailID
		s.tail = &chunk{data: make([]byte, smallChunk<<min(s.chunks.length, chunkBits-16))}
		s.tailID = s.chunks.add(s.tail)
		if full != nil {
			s.judge(number, full)
		}
	}
	at := s.tail.used
	s.tail.used += size
	return refTo(s.tailID, at), record(s.tail.data[at:s.tail.used])
}

// bury counts a record as dead.
func (s *slab) bury(ref reference, size int) {
	c := s.chunks.at(ref.chunk())
	c.dead += size
	s.judge(ref.chunk(), c)
}

// judge finds out whether a chunk is worn: worth emptying, which is so when more than
// half of it is dead. Then each byte that is moved was paid for by one that died.
func (s *slab) judge(number uint32, c *chunk) {
	if c != s.tail && !c.worn && 2*c.dead > c.used {
		c.worn = true
		s.worn = append(s.worn, number)
	}
}
