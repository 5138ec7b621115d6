package verify

import (
	"time"

	"keyward"
)

// buckets is how many parts a window has. One more is kept: the oldest, which the window
// covers in part, counts whole. So no span of the window's length ever holds more than
// the limit, and what was used counts for at most a sixteenth longer than it should.
const buckets = 16

// window counts the uses of one rate limit. It is a state machine: instants come from
// outside and never go back.
type window struct {
	keyward.RateLimit
	width  int64 // of a bucket, in milliseconds
	newest int64 // the number of the newest bucket
	counts [buckets + 1]int64
	total  int64
}

func newWindow(limit keyward.RateLimit) window {
	ms := time.Duration(limit.Window).Milliseconds()
	return window{RateLimit: limit, width: (ms + buckets - 1) / buckets}
}

// advance forgets what is too old to count at an instant.
func (w *window) advance(at int64) {
	bucket := at / w.width
	if bucket-w.newest > buckets {
		w.counts, w.total = [buckets + 1]int64{}, 0
		w.newest = bucket
	}
	for w.newest < bucket {
		w.newest++
		w.total -= w.counts[w.slot(w.newest)]
		w.counts[w.slot(w.newest)] = 0
	}
}

func (w *window) slot(bucket int64) int { return int(bucket % (buckets + 1)) }

// room returns how much may still be used. It is 0 if the limit was lowered below what
// was used already.
func (w *window) room() int64 { return max(0, w.Limit-w.total) }

// add counts a use, which must fit.
func (w *window) add(cost int64) {
	w.counts[w.slot(w.newest)] += cost
	w.total += cost
}

// reset returns the instant at which nothing counts any more, or 0 if nothing does now.
func (w *window) reset() int64 {
	for age := range int64(buckets + 1) {
		if w.counts[w.slot(w.newest-age+buckets+1)] > 0 {
			return w.leaves(w.newest - age)
		}
	}
	return 0
}

// fits returns the instant from which a cost fits if nothing else is used, 0 if it fits
// now, and -1 if it never does.
func (w *window) fits(cost int64) int64 {
	if cost > w.Limit {
		return -1
	}
	missing := cost - w.room()
	for age := int64(buckets); age >= 0 && missing > 0; age-- {
		if missing -= w.counts[w.slot(w.newest-age+buckets+1)]; missing <= 0 {
			return w.leaves(w.newest - age)
		}
	}
	return 0
}

// leaves returns the instant from which a bucket does not count.
func (w *window) leaves(bucket int64) int64 { return (bucket + buckets + 1) * w.width }

// clock makes instants that never go back from ones that may. A step back of more than
// a second is one of the machine's clock: from then on time goes on from the latest
// instant. Less is one goroutine overtaking another. A step forward is time that passed.
type clock struct {
	latest int64 // the latest instant that was returned
	offset int64 // from the machine's clock to it
}

// largestRace is how much earlier an instant may be because it was read before another,
// in milliseconds.
const largestRace = 1000

func (c *clock) at(now keyward.Time) int64 {
	at := int64(now) + c.offset
	if at < c.latest-largestRace {
		c.offset += c.latest - at
	}
	c.latest = max(c.latest, at)
	return c.latest
}

// time returns what the machine's clock will say at an instant.
func (c *clock) time(at int64) keyward.Time { return keyward.Time(at - c.offset) }
