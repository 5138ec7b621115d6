package rebilly

import (
	"fmt"
	"testing"
	"time"
)

func TestAnAllowanceIsForOneWindowAndOneCaller(t *testing.T) {
	a, start := newAllowance(), time.Unix(1_780_000_000, 0)
	for i := range maxWrites {
		left, end := a.take("acme", start.Add(time.Duration(i)*time.Millisecond))
		if left != maxWrites-1-i || !end.Equal(start.Add(writeWindow)) {
			t.Fatalf("request %d: %d left until %s", i+1, left, end)
		}
	}
	for range 2 {
		if left, _ := a.take("acme", start.Add(writeWindow-1)); left >= 0 {
			t.Errorf("one too many: %d left", left)
		}
	}
	if left, _ := a.take("other", start); left != maxWrites-1 {
		t.Errorf("another caller has %d left", left)
	}
	next := start.Add(writeWindow)
	if left, end := a.take("acme", next); left != maxWrites-1 || !end.Equal(next.Add(writeWindow)) {
		t.Errorf("in the next window there are %d left until %s", left, end)
	}
}

func TestWindowsThatAreOverAreForgotten(t *testing.T) {
	a, start := newAllowance(), time.Unix(1_780_000_000, 0)
	for i := range 10_000 {
		a.take(fmt.Sprint(i), start)
	}
	a.take("much later", start.Add(writeWindow))
	if len(a.windows) != 1 {
		t.Errorf("%d callers are remembered, want 1", len(a.windows))
	}
}
