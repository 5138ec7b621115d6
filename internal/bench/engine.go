package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"keyward"
	"keyward/internal/keyring"
	"keyward/internal/verify"
)

// threads names the row of a number of threads.
func threads(n int) string {
	if n == 1 {
		return "1 thread"
	}
	return fmt.Sprintf("%d threads", n)
}

// engine measures verifications in this process, each with a reading of the clock.
func (b *bench) engine(ctx context.Context) error {
	ring, err := keyring.Parse(keyring.Generate())
	if err != nil {
		return err
	}
	defer debug.FreeOSMemory()
	for _, size := range b.Keys {
		w := &World{crowd: crowd{Seed: newSeed(), Size: size}, Organization: "org_" + fmt.Sprintf("%026d", 1), ring: ring}
		e := verify.New(ring)
		if err := e.Load(ctx, records{w}); err != nil {
			return err
		}
		a := &asker{engine: e, secrets: w.sample(min(1<<20, max(1<<10, 4*size)))}
		runtime.GC()
		counts := []int{1}
		if all := runtime.GOMAXPROCS(0); all > 1 {
			counts = append(counts, all)
		}
		trials := make([][]trial, len(counts))
		for range b.Rounds {
			for i, n := range counts {
				t, err := a.run(n, b.Duration)
				if err != nil {
					return err
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
				trials[i] = append(trials[i], t)
			}
		}
		for i, n := range counts {
			b.add(newRow("engine", threads(n), size, trials[i]))
		}
		b.say("  %d keys", size)
	}
	return nil
}

// asker asks an engine.
type asker struct {
	engine  *verify.Engine
	secrets []string
}

// run asks from n goroutines for a duration. The time is that of one verification of
// them all: two threads that do not hinder each other halve it.
func (a *asker) run(n int, d time.Duration) (trial, error) {
	var total, wrong atomic.Int64
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	busy, measured := ownCPU()
	start := time.Now()
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			done, bad := a.ask(start.Add(d))
			total.Add(done)
			wrong.Add(bad)
		})
	}
	group.Wait()
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	if wrong.Load() > 0 {
		return nil, fmt.Errorf("%d of %d keys were not valid", wrong.Load(), total.Load())
	}
	count := float64(total.Load())
	t := trial{
		rate: count / elapsed.Seconds(), perOp: float64(elapsed) / count,
		allocs: float64(after.Mallocs-before.Mallocs) / count,
	}
	if now, ok := ownCPU(); ok && measured {
		t[cpu] = float64(now-busy) / float64(time.Microsecond) / count
	}
	return t, nil
}

// ask asks until an instant, and returns how often, and how often the answer was wrong.
func (a *asker) ask(end time.Time) (done, wrong int64) {
	by := keyward.Actor{Type: keyward.OperatorActor, Management: []keyward.Grant{{Permissions: []string{string(keyward.KeysVerify)}}}}
	q := keyward.Request{Cost: 1}
	var v verify.Verdict
	i := rand.IntN(len(a.secrets))
	for {
		now := time.Now()
		if now.After(end) && done > 0 {
			return done, wrong
		}
		if a.engine.Verify(&by, a.secrets[i], &q, keyward.TimeOf(now), &v).Reason != keyward.Valid {
			wrong++
		}
		done++
		if i++; i == len(a.secrets) {
			i = 0
		}
	}
}
