package verify

import (
	"testing"
	"time"

	"keyward"

	"pgregory.net/rapid"
)

func windowOf(limit int64, length time.Duration) window {
	return newWindow(keyward.RateLimit{Name: "requests", Limit: limit, Window: keyward.Duration(length)})
}

// Whatever is used and when: no span as long as the window holds more than the limit, and
// nothing is refused that would fit a span longer by a sixteenth, and by rounding.
func TestAWindowIsNeverPassedAndHardlyEarly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := time.Duration(rapid.Int64Range(1000, 100_000).Draw(t, "length")) * time.Millisecond
		limit := rapid.Int64Range(1, 50).Draw(t, "limit")
		w := windowOf(limit, length)
		type use struct{ at, cost int64 }
		var used []use
		within := func(from, to int64) (sum int64) { // (from, to]
			for _, u := range used {
				if from < u.at && u.at <= to {
					sum += u.cost
				}
			}
			return sum
		}
		now := int64(1_790_000_000_000)
		for range rapid.IntRange(1, 200).Draw(t, "uses") {
			now += rapid.Int64Range(0, length.Milliseconds()/8).Draw(t, "wait")
			cost := rapid.Int64Range(0, limit+2).Draw(t, "cost")
			w.advance(now)
			fits := w.fits(cost)
			if cost > w.room() {
				if fits == 0 {
					t.Fatalf("a cost that does not fit is said to fit now")
				}
				if longer := within(now-w.width*(buckets+1), now); longer+cost <= limit {
					t.Fatalf("%d was refused although only %d of %d were used in a window longer by a bucket", cost, longer, limit)
				}
				if later := w; fits > 0 {
					later.advance(fits - 1)
					early := later.room()
					later.advance(fits)
					if early >= cost || later.room() < cost {
						t.Fatalf("%d fits from %d on: there is room for %d just before and for %d then", cost, fits, early, later.room())
					}
				}
				continue
			}
			if fits != 0 {
				t.Fatalf("a cost that fits is said to fit at %d only", fits)
			}
			w.add(cost)
			used = append(used, use{now, cost})
			if sum := within(now-length.Milliseconds(), now); sum > limit {
				t.Fatalf("%d were used within %s, and the limit is %d", sum, length, limit)
			}
		}
		if reset := w.reset(); reset != 0 {
			w.advance(reset - 1)
			before := w.total
			w.advance(reset)
			if before == 0 || w.total != 0 {
				t.Fatalf("%d count just before the reset, and %d at it", before, w.total)
			}
		}
	})
}

func TestAClockNeverGoesBack(t *testing.T) {
	const noon = 1_790_000_000_000
	for name, test := range map[string]struct{ instants, want []int64 }{
		"time that passes":              {[]int64{0, 5, 7}, []int64{0, 5, 7}},
		"one that was overtaken":        {[]int64{10, 9, 11}, []int64{10, 10, 11}},
		"a step back":                   {[]int64{10_000, 4000, 4005}, []int64{10_000, 10_000, 10_005}},
		"a step back and forward again": {[]int64{10_000, 4000, 10_000}, []int64{10_000, 10_000, 16_000}},
		"a step forward":                {[]int64{0, 3_600_000}, []int64{0, 3_600_000}},
	} {
		t.Run(name, func(t *testing.T) {
			var c clock
			for i, at := range test.instants {
				if got := c.at(noon + keyward.Time(at)); got != noon+test.want[i] {
					t.Errorf("instant %d is %d, want %d", i, got-noon, test.want[i])
				}
				if got := c.time(c.latest); got < noon {
					t.Errorf("the machine's clock said %s", got)
				}
			}
		})
	}
}
