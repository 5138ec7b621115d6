package bench

import (
	"math/bits"
	"time"
)

// precision is how many buckets share a power of two: a quantile is off by 3 % at most.
const precision = 32

// latencies counts durations. The zero value is ready; it is not safe for concurrent use.
type latencies struct {
	buckets [precision * 40]uint64 // up to hours
	total   uint64
}

// add counts a duration.
func (l *latencies) add(d time.Duration) {
	l.buckets[bucketOf(uint64(max(d, 0)))]++
	l.total++
}

// merge counts what other counted.
func (l *latencies) merge(other *latencies) {
	for i, n := range other.buckets {
		l.buckets[i] += n
	}
	l.total += other.total
}

// quantile returns the duration that a share q of all does not exceed, 0 if there are none.
func (l *latencies) quantile(q float64) time.Duration {
	rank := uint64(q * float64(l.total))
	for i, n := range l.buckets {
		if n > rank {
			return time.Duration(bucketMiddle(i))
		}
		rank -= n
	}
	return 0
}

// bucketOf returns the bucket of a number: one each below 32, then 32 for each doubling.
func bucketOf(n uint64) int {
	if n < precision {
		return int(n)
	}
	shift := bits.Len64(n) - bits.Len64(precision)
	i := shift*precision + int(n>>shift)
	return min(i, precision*40-1)
}

// bucketMiddle returns a number in the middle of the bucket.
func bucketMiddle(i int) uint64 {
	if i < 2*precision {
		return uint64(i)
	}
	shift := i/precision - 1
	low := uint64(i-shift*precision) << shift
	return low + 1<<(shift-1)
}
