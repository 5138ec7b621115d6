package main

import (
	"runtime"
	"testing"
)

func TestTheHeadroomIsNeitherALargeShareNorTooLittle(t *testing.T) {
	for sentence, test := range map[string]struct {
		live uint64
		want int
	}{
		"of next to nothing, as much as is allowed": {1, 200},
		"of a little, as much as is allowed":        {10 << 20, 200},
		"of a hundred megabytes, the same 48":       {100 << 20, 48},
		"of three hundred, the same":                {300 << 20, 16},
		"of gigabytes, a tenth":                     {3 << 30, 10},
	} {
		if got := percent(test.live); got != test.want {
			t.Errorf("%s: percent(%d) = %d, want %d", sentence, test.live, got, test.want)
		}
	}
	runtime.GC()
	if live() == 0 {
		t.Error("the runtime does not say what is live")
	}
}
