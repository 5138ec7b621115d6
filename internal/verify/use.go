package verify

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"sync/atomic"

	"keyward"
)

// cell is what is noted of one secret of a key: when it was last accepted, and how often
// which answer was given. It stays the same through all changes of the key.
type cell struct {
	last    atomic.Int64  // a keyward.Time that never goes back
	from    atomic.Uint64 // the coarse address of the latest use, as coarse packs it
	valid   tally
	refused tally

	owner reference // the mutating side's own: the record of the key, 0 for none
}

const pageCells = 1024

// page is a run of cells with the marks of those that are to be reported. To mark one is
// to set a bit that is nearly always set already; to report is to look at bits.
type page struct {
	cells   [pageCells]cell
	used    marks // secrets that were accepted
	counted marks // answers that were counted
}

type marks [pageCells / 64]atomic.Uint64

func (m *marks) set(i uint32) {
	if word, bit := &m[i/64], uint64(1)<<(i%64); word.Load()&bit == 0 {
		word.Or(bit)
	}
}

func (m *marks) clear(i uint32) { m[i/64].And(^(uint64(1) << (i % 64))) }

// take clears the marks and calls fn for each. Whoever notes something does that before
// it sets the mark, and here the mark is cleared before the note is read: so everything
// is in this report or in the next.
func (m *marks) take(fn func(i uint32)) {
	for w := range m {
		if m[w].Load() == 0 {
			continue
		}
		for left := m[w].Swap(0); left != 0; left &= left - 1 {
			fn(uint32(64*w + bits.TrailingZeros64(left)))
		}
	}
}

// cells are all there are. The zero value is empty.
type cells struct {
	pages directory[page]

	// The mutating side's own.
	vacant []uint32
	length uint32
}

// at returns a cell, the page that it is in, and where there.
func (c *cells) at(i uint32) (*cell, *page, uint32) {
	p := c.pages.at(i / pageCells)
	return &p.cells[i%pageCells], p, i % pageCells
}

// take returns a cell that is nobody's.
func (c *cells) take() uint32 {
	if last := len(c.vacant) - 1; last >= 0 {
		i := c.vacant[last]
		c.vacant = c.vacant[:last]
		return i
	}
	if c.length%pageCells == 0 {
		c.pages.add(new(page))
	}
	c.length++
	return c.length - 1
}

// reuse makes a cell of somebody who is gone nobody's.
func (c *cells) reuse(i uint32) {
	of, p, at := c.at(i)
	of.last.Store(0)
	of.from.Store(0)
	of.valid.word.Store(0)
	of.refused.word.Store(0)
	p.used.clear(at)
	p.counted.clear(at)
	c.vacant = append(c.vacant, i)
}

// touch notes that a secret was accepted from an address at the instant now. Instants
// before the last one, or the same, change nothing: however often a secret is used, its
// time is written once a millisecond.
func (c *cells) touch(i uint32, now keyward.Time, ip netip.Addr) {
	of, p, at := c.at(i)
	if of.raise(now) {
		of.from.Store(coarse(ip))
		p.used.set(at)
	}
}

func (c *cell) raise(now keyward.Time) bool { return raise(&c.last, now) }

// raise moves a time forward and reports whether it did.
func raise(t *atomic.Int64, now keyward.Time) bool {
	for {
		last := t.Load()
		if int64(now) <= last {
			return false
		}
		if t.CompareAndSwap(last, int64(now)) {
			return true
		}
	}
}

// The kinds of a coarse address, above its bits; no kind is no address.
const (
	coarse4 = 1 << 62
	coarse6 = 2 << 62
	kinds   = 3 << 62
)

// coarse packs the block of an address into a word: the /24 of v4, the /48 of v6.
func coarse(ip netip.Addr) uint64 {
	switch ip = ip.Unmap(); {
	case ip.Is4():
		four := ip.As4()
		return coarse4 | uint64(binary.BigEndian.Uint32(four[:])>>8)
	case ip.Is6():
		sixteen := ip.As16()
		return coarse6 | binary.BigEndian.Uint64(sixteen[:])>>16
	}
	return 0
}

// block is what coarse packed, or no prefix.
func block(packed uint64) netip.Prefix {
	var bytes [16]byte
	switch packed & kinds {
	case coarse4:
		binary.BigEndian.PutUint32(bytes[:], uint32(packed)<<8)
		return netip.PrefixFrom(netip.AddrFrom4([4]byte(bytes[:4])), 24)
	case coarse6:
		binary.BigEndian.PutUint64(bytes[:], packed<<16)
		return netip.PrefixFrom(netip.AddrFrom16(bytes), 48)
	}
	return netip.Prefix{}
}

// Uses returns what was accepted since it was last called, each secret once, with the
// time of its latest use and, of a key's, where it came from, in no particular order.
// Of two uses at once it may be the other's address. What is returned counts as
// reported; [Engine.Restore] takes that back.
func (e *Engine) Uses() []keyward.Use {
	var taken []keyward.Use
	e.eachPage(func(r *replica, of uint32, p *page) { taken = r.takeUses(of, p, taken) })

	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current.Load().takeOperatorUses(taken)
}

func (r *replica) takeOperatorUses(uses []keyward.Use) []keyward.Use {
	for id, o := range r.operatorsByID {
		if o.used.Swap(false) {
			uses = append(uses, keyward.Use{OperatorID: id, Time: keyward.Time(o.last.Load())})
		}
	}
	return uses
}

// eachPage calls fn for one page of cells after the other. It has the mutex only for
// one at a time: changes need not wait for all.
func (e *Engine) eachPage(fn func(r *replica, of uint32, p *page)) {
	for of := uint32(0); e.onePage(of, fn); of++ {
	}
}

func (e *Engine) onePage(of uint32, fn func(r *replica, of uint32, p *page)) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.current.Load()
	if of >= r.cells.pages.length {
		return false
	}
	fn(r, of, r.cells.pages.at(of))
	return true
}

// takeUses appends the uses that a page has to report. Those of keys that are gone are
// of no interest to anybody.
func (r *replica) takeUses(of uint32, p *page, uses []keyward.Use) []keyward.Use {
	p.used.take(func(i uint32) {
		c := &p.cells[i]
		if c.owner == 0 {
			return
		}
		k := r.slab.at(c.owner)
		uses = append(uses, keyward.Use{
			OrganizationID: r.organizationOf(k).id,
			KeyID:          k.keyID(),
			Version:        k.noting(of*pageCells + i),
			Time:           keyward.Time(c.last.Load()),
			IP:             block(c.from.Load()),
		})
	})
	return uses
}

// noting returns the number of the version whose uses a cell notes.
func (r record) noting(cell uint32) int {
	for i := range r.credentials() {
		if c := r.credential(i); c.cell == cell {
			return int(c.number)
		}
	}
	return 0
}

// Restore makes uses be reported again, because they could not be written. A secret
// that was used meanwhile is reported with the later time; one that is gone is not.
func (e *Engine) Restore(uses []keyward.Use) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current.Load().restore(uses)
}

func (r *replica) restore(uses []keyward.Use) {
	for i := range uses {
		if u := &uses[i]; u.OperatorID != "" {
			r.restoreOperator(u)
		} else {
			r.restoreKey(u)
		}
	}
}

func (r *replica) restoreOperator(u *keyward.Use) {
	if o := r.operatorsByID[u.OperatorID]; o != nil {
		raise(&o.last, u.Time)
		o.used.Store(true)
	}
}

func (r *replica) restoreKey(u *keyward.Use) {
	ref := r.key(keyName{u.OrganizationID, u.KeyID})
	if ref == 0 {
		return
	}
	k := r.slab.at(ref)
	i := k.numbered(u.Version)
	if i < 0 {
		return
	}
	c, p, at := r.cells.at(k.credential(i).cell)
	if c.raise(u.Time) && u.IP.IsValid() {
		c.from.Store(coarse(u.IP.Addr()))
	}
	p.used.set(at)
}

// closeCell ends the counting in a cell, whose key or replica is going. What was counted
// is kept.
func (r *replica) closeCell(c *cell) {
	if c.owner == 0 {
		return
	}
	for _, t := range []*tally{&c.valid, &c.refused} {
		if word := t.word.Swap(closed); word != 0 {
			r.counts.add(r.nameOf(r.slab.at(c.owner)), word)
		}
	}
}

// inherit takes over what was noted in a replica whose place r has taken, after readers
// could enter r. Who is still in the old one counts what it answers past its cells, which
// are closed; when a secret was last used it may note in vain.
func (r *replica) inherit(old *replica) {
	var uses []keyward.Use
	for of := range old.cells.pages.length {
		p := old.cells.pages.at(of)
		uses = old.takeUses(of, p, uses)
		for i := range p.cells {
			old.closeCell(&p.cells[i])
		}
	}
	r.restore(old.takeOperatorUses(uses))
}
