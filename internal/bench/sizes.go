package bench

import (
	"context"
	"fmt"
	"os"
	"time"
)

const megabyte = 1e6

// idle measures a server that has nothing to do: a first start in an empty directory.
func (b *bench) idle(ctx context.Context) error {
	program, err := os.Stat(b.Program)
	if err != nil {
		return err
	}
	var trials []trial
	for round := range b.Rounds {
		began := time.Now()
		s, err := b.keyward(ctx, b.path(fmt.Sprint("idle-", round)))
		if err != nil {
			return err
		}
		t := trial{binary: float64(program.Size()) / megabyte, ready: milliseconds(time.Since(began))}
		select {
		case <-time.After(b.warming()): // what a start needs for a moment is gone
		case <-ctx.Done():
		}
		if resident, ok := s.process.memory(); ok {
			t[memory] = resident / megabyte
		}
		s.stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		trials = append(trials, t)
	}
	row := newRow("idle", "first start", 0, trials)
	row.Note = "in an empty directory: makes the database, the master key and the root operator"
	b.add(row)
	return nil
}

// sizes measures starts, memory and verifications with different numbers of keys.
func (b *bench) sizes(ctx context.Context) error {
	for _, size := range b.Keys {
		w, err := b.world(ctx, size)
		if err != nil {
			return err
		}
		requests := w.plain()
		var trials []trial
		for range b.Rounds {
			t, err := b.trySize(ctx, w, requests)
			if err != nil {
				return err
			}
			trials = append(trials, t)
		}
		b.add(newRow("sizes", plainVerify, size, trials))
		if size > usual { // nobody else needs it, and it is large
			delete(b.worlds, size)
			if err := os.RemoveAll(w.Dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// trySize starts a server and loads it.
func (b *bench) trySize(ctx context.Context, w *World, requests [][]byte) (trial, error) {
	began := time.Now()
	s, err := b.keyward(ctx, w.Dir)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	took := time.Since(began)
	before, measured := s.process.memory()
	c := &contender{server: s.process, load: b.load(s, requests)}
	if _, err := c.load.run(ctx, b.warming()); err != nil {
		return nil, err
	}
	t, err := b.try(ctx, c, b.Duration)
	if err != nil {
		return nil, err
	}
	t[ready] = milliseconds(took)
	if after, ok := s.process.memory(); ok && measured {
		t[memory], t[loaded] = before/megabyte, after/megabyte
	}
	return t, nil
}
