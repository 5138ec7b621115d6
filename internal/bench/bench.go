// Package bench measures Keyward against the least that a server could do, on the
// machine where it runs: everything that docs/benchmarks.md states can be run by anybody.
//
// Servers are processes of their own, Keyward as it is shipped and the bare ones of
// [ServeBare], so that CPU time and memory are each one's. All of them get the same
// requests from the same client, in this process, one after the other and over again in
// rounds, so that what else the machine does meets them alike. What is compared are
// medians.
//
// It listens and connects on the loopback interface only, and leaves nothing behind. It
// is no test: no figure fails it.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"keyward"
)

// Options say what to measure. None is optional but Only, Huge and WRK.
type Options struct {
	Program     string // path of keyward
	Version     string
	Command     string // as it was typed
	Rounds      int
	Duration    time.Duration // of each measurement
	Connections int
	Keys        []int    // how many keys servers have, in the parts that compare that
	Only        []string // parts; none means all
	Huge        bool     // ten million keys too
	WRK         bool     // use the wrk program where it can be
	Progress    io.Writer
}

// huge is what Huge adds to Keys.
const huge = 10_000_000

// usual is how many keys there are where their number is not what is compared.
const usual = 100_000

// parts in the order in which they run.
var parts = []struct {
	name string
	run  func(*bench, context.Context) error
}{
	{"idle", (*bench).idle},
	{"http", (*bench).http},
	{"socket", (*bench).socket},
	{"flood", (*bench).flood},
	{"creates", (*bench).creates},
	{"engine", (*bench).engine},
	{"sizes", (*bench).sizes},
}

// Parts returns the names of what can be measured.
func Parts() []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// Check refuses options that mean nothing.
func (o *Options) Check() error {
	switch {
	case o.Rounds < 1 || o.Rounds > 1000:
		return keyward.Errorf(keyward.Invalid, "--rounds must be 1 to 1000, not %d", o.Rounds)
	case o.Duration < 10*time.Millisecond || o.Duration > time.Hour:
		return keyward.Errorf(keyward.Invalid, "--duration must be 10ms to 1h, not %v", o.Duration)
	case o.Connections < 1 || o.Connections > 1000:
		return keyward.Errorf(keyward.Invalid, "--connections must be 1 to 1000, not %d", o.Connections)
	case len(o.Keys) == 0:
		return keyward.Errorf(keyward.Invalid, "--keys names no number")
	}
	for _, n := range o.Keys {
		if n < 1 || n > huge {
			return keyward.Errorf(keyward.Invalid, "--keys must be 1 to %d, not %d", huge, n)
		}
	}
	for _, name := range o.Only {
		if !slices.Contains(Parts(), name) {
			return keyward.Errorf(keyward.Invalid, "--only must be of %s, not %q", strings.Join(Parts(), ", "), name)
		}
	}
	if _, err := exec.LookPath("wrk"); err != nil && o.WRK {
		return keyward.Errorf(keyward.Invalid, "--wrk: %w", err)
	}
	return nil
}

// bench is a run under way.
type bench struct {
	Options
	dir    string // of everything that is written
	report *Report
	worlds map[int]*World
}

// Run measures. The error is Invalid for options that mean nothing. A server that fails
// under load does not end the run: its row says so.
func Run(ctx context.Context, options Options) (_ *Report, err error) {
	if err := options.Check(); err != nil {
		return nil, err
	}
	if options.Huge && !slices.Contains(options.Keys, huge) {
		options.Keys = append(slices.Clone(options.Keys), huge)
	}
	slices.Sort(options.Keys)
	dir, err := os.MkdirTemp("", "keyward-bench-*")
	if err != nil {
		return nil, err
	}
	defer func() {
		if failed := os.RemoveAll(dir); err == nil {
			err = failed
		}
	}()
	b := &bench{Options: options, dir: dir, worlds: map[int]*World{}, report: &Report{
		Command: options.Command, Version: options.Version, StartTime: time.Now().UTC().Truncate(time.Second), Machine: machine(),
		Rounds: options.Rounds, Duration: options.Duration.String(), Connections: options.Connections,
	}}
	start := time.Now()
	for _, part := range parts {
		if len(b.Only) > 0 && !slices.Contains(b.Only, part.name) {
			continue
		}
		b.say("%s", part.name)
		if err := part.run(b, ctx); err != nil {
			if ctx.Err() != nil {
				err = errors.New("interrupted")
			}
			return nil, fmt.Errorf("measure %s: %w", part.name, err)
		}
	}
	b.report.Seconds = time.Since(start).Round(time.Second).Seconds()
	b.report.Goals = goals(b.report)
	return b.report, nil
}

// say tells whoever waits how far the run is.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.Progress, format+"\n", args...)
}

// add appends a row.
func (b *bench) add(row Row) { b.report.Rows = append(b.report.Rows, row) }

// world returns the data directory with a number of keys, which servers use one after
// another.
func (b *bench) world(ctx context.Context, size int) (*World, error) {
	if w := b.worlds[size]; w != nil {
		return w, nil
	}
	start := time.Now()
	w, err := Prepare(ctx, filepath.Join(b.dir, fmt.Sprint("keys-", size)), size)
	if err != nil {
		return nil, err
	}
	b.say("  prepared %d keys in %v", size, time.Since(start).Round(time.Millisecond))
	b.worlds[size] = w
	return w, nil
}

// usualWorld returns the one for comparisons of servers.
func (b *bench) usualWorld(ctx context.Context) (*World, error) {
	size := b.Keys[0]
	for _, n := range b.Keys {
		if n <= usual {
			size = n
		}
	}
	return b.world(ctx, size)
}

func newSeed() uint64 { return rand.Uint64() }
