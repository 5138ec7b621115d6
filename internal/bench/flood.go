package bench

import (
	"context"
	"errors"
	"sync"
)

// The names of the flood's rows.
const (
	calm     = "good traffic alone"
	flooded  = "good traffic beside the flood"
	theFlood = "the flood"
)

// How much of both there is: as much good traffic as the flood, of a service that is busy
// anyway. Beside an idle one, what the flood adds is mostly that the clients share the cores.
// Each goes on at its pace whatever the answers take.
const (
	goodPerSecond   = 20_000
	goodConnections = 64
	badPerSecond    = 20_000
	badConnections  = 64
)

// flood measures good traffic with and without a flood of keys that nobody has.
func (b *bench) flood(ctx context.Context) error {
	w, err := b.usualWorld(ctx)
	if err != nil {
		return err
	}
	s, err := b.keyward(ctx, w.Dir)
	if err != nil {
		return err
	}
	defer s.stop()
	good := b.load(s, w.plain())
	good.perSecond, good.connections = goodPerSecond, goodConnections
	bad := b.load(s, w.questions(w.strangers(requestsAtHand)))
	bad.perSecond, bad.connections, bad.contains = badPerSecond, badConnections, `"valid":false`
	var alone, beside, floods []trial
	for round := range b.Rounds + 1 { // the first one is not counted
		t, err := b.try(ctx, &contender{server: s.process, load: good}, b.Duration)
		if err != nil {
			return err
		}
		delete(t, cpu)
		before, measured := s.memory()
		with, of, err := b.tryBoth(ctx, s, good, bad)
		if err != nil {
			return err
		}
		if after, ok := s.memory(); ok && measured {
			of[memory], of[loaded] = before/megabyte, after/megabyte
		}
		if round > 0 {
			alone, beside, floods = append(alone, t), append(beside, with), append(floods, of)
		}
	}
	b.add(newRow("flood", calm, w.Size, alone))
	b.add(newRow("flood", flooded, w.Size, beside))
	row := newRow("flood", theFlood, w.Size, floods)
	row.Note = "rate: unknown and malformed keys answered, of 20 000 a second offered; memory before and after each flood"
	b.add(row)
	return nil
}

// tryBoth runs both loads at once.
func (b *bench) tryBoth(ctx context.Context, s *running, good, bad load) (with, of trial, err error) {
	var group sync.WaitGroup
	var failed error
	group.Go(func() {
		of, failed = b.try(ctx, &contender{server: s.process, load: bad}, b.Duration)
	})
	with, err = b.try(ctx, &contender{server: s.process, load: good}, b.Duration)
	group.Wait()
	if err = errors.Join(err, failed); err != nil {
		return nil, nil, err
	}
	delete(with, cpu) // it is that of both
	delete(of, cpu)
	return with, of, nil
}
