package bench

import (
	"context"
	"fmt"
	"time"
)

// contender is one kind of requests to one server.
type contender struct {
	name      string
	server    *process // nil if it cannot be measured
	load      load
	questions int // in each request; 0 is 1
	note      string
	odd       int64 // answers that were not the expected ones, but few
}

// contest measures contenders in turns, round after round, and adds a row for each. A
// round that is not counted comes first. Who fails is left out, and the row says why.
func (b *bench) contest(ctx context.Context, part string, keys int, contenders []contender) error {
	trials := make([][]trial, len(contenders))
	for round := range b.Rounds + 1 {
		for i := range contenders {
			c := &contenders[i]
			if c.server == nil {
				continue
			}
			duration := b.Duration
			if round == 0 {
				duration = b.warming()
			}
			t, err := b.try(ctx, c, duration)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case round == 0: // what is wrong will show again
				c.odd = 0
			case err != nil:
				c.server, c.note, trials[i] = nil, "failed: "+err.Error(), nil
			default:
				trials[i] = append(trials[i], t)
			}
		}
		b.say("  round %d of %d", round, b.Rounds)
	}
	for i, c := range contenders {
		row := newRow(part, c.name, keys, trials[i])
		if row.Note = c.note; row.Note == "" && c.odd > 0 {
			row.Note = fmt.Sprintf("%d answers were not the expected ones, and are not counted", c.odd)
		}
		b.add(row)
	}
	return nil
}

// warming is how long a server is loaded before it is measured.
func (b *bench) warming() time.Duration { return min(b.Duration, max(b.Duration/3, time.Second)) }

// try loads a server once. Rate and CPU are those of a question, latencies those of a
// request. What a server puts off, such as writing down usage, counts when it is done.
func (b *bench) try(ctx context.Context, c *contender, d time.Duration) (trial, error) {
	run := c.load.run
	if b.WRK && c.load.network == "tcp" {
		run = b.runWRK(&c.load)
	}
	before, measured := c.server.cpu()
	out, err := run(ctx, d)
	if err != nil {
		return nil, err
	}
	if err := out.check(); err != nil {
		return nil, err
	}
	c.odd += out.odd
	after, _ := c.server.cpu()
	questions := float64(out.answers) * float64(max(1, c.questions))
	half, most := out.quantiles()
	t := trial{rate: questions / out.elapsed.Seconds(), p50: milliseconds(half), p99: milliseconds(most)}
	if measured {
		t[cpu] = float64((after - before).Microseconds()) / questions
	}
	return t, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
