package verify

import (
	"runtime"
	"sync"
)

// epoch is what a reader holds while it is in the replica. A number that became free is
// not given to anything else before every reader has left who may have seen it in use:
// it is retired, and the garbage collector says when nobody holds the epoch any more.
type epoch struct {
	next *epoch // so that an epoch does not end before those that began earlier
}

// retired are numbers, by what they stood for.
type retired struct{ chunks, policies, cells, operators, tokens []uint32 }

func (f *retired) empty() bool {
	return len(f.chunks)+len(f.policies)+len(f.cells)+len(f.operators)+len(f.tokens) == 0
}

// released are numbers whose epoch has ended.
type released struct {
	mu  sync.Mutex
	all []retired
}

func (f *released) add(numbers retired) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, numbers)
}

func (f *released) take() []retired {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.all
	f.all = nil
	return all
}

// turn begins a new epoch, if something was retired, and takes back what was retired in
// those that have ended. Whoever enters from now on cannot see what is retired: nothing
// leads there any more.
func (r *replica) turn() {
	for _, numbers := range r.released.take() {
		r.reuse(numbers)
	}
	if r.retired.empty() {
		return
	}
	old, next := r.epoch.Load(), new(epoch)
	old.next = next
	r.epoch.Store(next)
	runtime.AddCleanup(old, r.released.add, r.retired)
	r.retired = retired{}
}

func (r *replica) reuse(numbers retired) {
	for _, i := range numbers.chunks {
		r.slab.chunks.remove(i)
	}
	for _, i := range numbers.policies {
		r.policies.remove(i)
	}
	for _, i := range numbers.operators {
		r.operators.remove(i)
	}
	for _, i := range numbers.tokens {
		r.revoked.tokens.remove(i)
	}
	for _, i := range numbers.cells {
		r.cells.reuse(i)
	}
}
