package verify

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"keyward"
)

// tally counts the answers of one label: a reason and an hour. Most keys get one answer
// after another of the same; an answer of another label takes the place over, and what
// was counted goes to the counts.
type tally struct{ word atomic.Uint64 }

// The word of a tally: the hour, the reason, and how many; 0 if nothing was counted.
const (
	reasonBits = 4
	countBits  = 33
	countMask  = 1<<countBits - 1

	closed = 1<<64 - 1 // nothing is counted here any more: its reason is none
)

const hour keyward.Time = 3_600_000

// labelOf returns the word of a tally that has counted nothing of the label yet.
func labelOf(reason keyward.Reason, now keyward.Time) uint64 {
	return (uint64(now/hour)<<reasonBits | uint64(reason)) << countBits
}

// add counts one answer and returns the word before, which was displaced unless
// [continues] says otherwise.
func (t *tally) add(label uint64) (before uint64) {
	for {
		before = t.word.Load()
		after := label + 1
		if continues(before, label) {
			after = before + 1
		}
		if before == closed || t.word.CompareAndSwap(before, after) {
			return before
		}
	}
}

// continues reports whether a tally with a word can go on counting a label.
func continues(word, label uint64) bool {
	return word&^countMask == label && word&countMask != countMask
}

// counts are answers by the names of their keys. They hold what no tally does: that is
// little, since tallies seldom change their label.
type counts struct {
	mu sync.Mutex
	of map[countOf]*int64
}

type countOf struct {
	keyName
	label uint64
}

// add adds what a tally with the word has counted.
func (c *counts) add(name keyName, word uint64) {
	if n := int64(word & countMask); n > 0 {
		c.addCount(countOf{name, word &^ countMask}, n)
	}
}

func (c *counts) addCount(of countOf, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := c.of[of]
	if held == nil {
		if c.of == nil {
			c.of = make(map[countOf]*int64)
		}
		// The names may be part of a chunk, which is not worth keeping for them.
		of.keyName = keyName{strings.Clone(of.organizationID), strings.Clone(of.id)}
		held = new(int64)
		c.of[of] = held
	}
	*held += n
}

func (c *counts) take() map[countOf]*int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.of
	c.of = nil
	return of
}

// count counts an answer about a key that was found. Whether its tally goes on, is taken
// over, or was closed because the key has gone, each answer is counted once.
func (e *Engine) count(m *match, reason keyward.Reason, now keyward.Time) {
	c, p, at := m.replica.cells.at(m.cell)
	t := &c.refused
	if reason == keyward.Valid {
		t = &c.valid
	}
	label := labelOf(reason, now)
	switch before := t.add(label); {
	case continues(before, label):
	case before == 0:
		p.counted.set(at)
	case before == closed:
		e.counts.add(m.name(), label+1)
	default:
		e.counts.add(m.name(), before)
	}
	runtime.KeepAlive(m.epoch)
}

// Usage returns how often which answer was given about which key since it was last
// called, dry runs left out. It may have several counts of the same key, hour and
// reason, which add up. What is returned counts as reported; [Engine.RestoreUsage]
// takes that back.
func (e *Engine) Usage() []keyward.Usage {
	var taken []keyward.Usage
	e.eachPage(func(r *replica, _ uint32, p *page) {
		p.counted.take(func(i uint32) {
			for _, t := range []*tally{&p.cells[i].valid, &p.cells[i].refused} {
				taken = r.reportUsage(&p.cells[i], t, taken)
			}
		})
	})
	for of, n := range e.counts.take() {
		taken = append(taken, of.usage(*n))
	}
	return taken
}

// reportUsage appends what a tally has counted, and empties it. One of a key that is
// gone was emptied for good when it went.
func (r *replica) reportUsage(c *cell, t *tally, usage []keyward.Usage) []keyward.Usage {
	if c.owner == 0 {
		return usage
	}
	word := t.word.Swap(0)
	if word == 0 {
		return usage
	}
	return append(usage, countOf{r.nameOf(r.slab.at(c.owner)), word &^ countMask}.usage(int64(word&countMask)))
}

func (of countOf) usage(n int64) keyward.Usage {
	label := of.label >> countBits
	return keyward.Usage{
		OrganizationID: of.organizationID, KeyID: of.id,
		Hour: keyward.Time(label>>reasonBits) * hour, Reason: keyward.Reason(label & (1<<reasonBits - 1)),
		Count: n,
	}
}

// RestoreUsage makes counts be reported again, because they could not be written.
func (e *Engine) RestoreUsage(usage []keyward.Usage) {
	for i := range usage {
		u := &usage[i]
		e.counts.addCount(countOf{keyName{u.OrganizationID, u.KeyID}, labelOf(u.Reason, u.Hour)}, u.Count)
	}
}
