package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyward"
)

// Log is where states and changes come from.
type Log interface {
	// Snapshot calls load with a record of everything there is, organizations first,
	// as it was right after the change seq and at no other instant.
	Snapshot(ctx context.Context, load func(keyward.Record) error) (seq int64, err error)
	// Entries returns up to limit changes with numbers greater than after, in order
	// and without gaps. Old ones may be missing because they were pruned, the newest
	// one never is. None means that there is nothing new.
	Entries(ctx context.Context, after int64, limit int) ([]keyward.LogEntry, error)
}

// pageSize is how many changes are asked for at once.
const pageSize = 500

// Load reads everything anew beside the replica in use, and then puts it in its
// place; until then answers go on as before. The new replica never knows less than
// the old one: it first catches up with what was applied meanwhile. After an error
// the old one stays.
func (e *Engine) Load(ctx context.Context, log Log) error {
	fresh := newReplica(&e.counts)
	seq, err := log.Snapshot(ctx, func(record keyward.Record) error {
		fresh.apply(record)
		return nil
	})
	if err != nil {
		return fmt.Errorf("load the replica: %w", err)
	}
	fresh.applied.Store(seq)
	for !e.install(fresh) {
		after := fresh.applied.Load()
		entries, err := entriesAfter(ctx, log, after)
		if err == nil && len(entries) == 0 {
			err = fmt.Errorf("the log ends at change %d, but %d was applied already", after, e.Applied())
		}
		if err == nil {
			err = fresh.advance(entries)
		}
		if err != nil {
			return fmt.Errorf("load the replica: %w", err)
		}
	}
	return nil
}

// install puts a replica in the place of the current one unless it is behind.
func (e *Engine) install(fresh *replica) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if fresh.applied.Load() < e.Applied() {
		return false
	}
	old := e.current.Load()
	fresh.inheritMeters(old)
	e.current.Store(fresh)
	e.ready.Store(true)
	fresh.inherit(old)
	return true
}

// Commit applies a change that this node has just committed. Once it returns nil,
// every verification that begins takes the change into account. Changes of others
// that come before it are read from the log; if it was applied already, nothing
// happens.
func (e *Engine) Commit(ctx context.Context, log Log, entry keyward.LogEntry) error {
	own := []keyward.LogEntry{entry}
	if e.Ready() {
		if err := e.apply(own); !errors.Is(err, errGap) {
			return err
		}
	}
	if err := e.CatchUp(ctx, log); err != nil {
		return err
	}
	if err := e.apply(own); err != nil {
		return fmt.Errorf("apply change %d after %d: %w", entry.Change.Seq, e.Applied(), err)
	}
	return nil
}

// CatchUp applies every change that the log has and this engine has not. If those
// that come next were pruned, or nothing was loaded yet, it loads everything.
func (e *Engine) CatchUp(ctx context.Context, log Log) error {
	if !e.Ready() {
		return e.Load(ctx, log)
	}
	for {
		// Read without the mutex: a slow log holds up nobody's Commit.
		entries, err := entriesAfter(ctx, log, e.Applied())
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return nil
		}
		if err := e.apply(entries); errors.Is(err, errGap) {
			return e.Load(ctx, log)
		}
	}
}

// Follow catches up at once and then at every interval until ctx is done, and
// returns its error. Errors of the log are handed to warn and tried again.
func (e *Engine) Follow(ctx context.Context, log Log, every time.Duration, warn func(error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := e.CatchUp(ctx, log); err != nil && ctx.Err() == nil {
			warn(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// apply applies to the current replica what comes next for it.
func (e *Engine) apply(entries []keyward.LogEntry) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current.Load().advance(entries)
}

// entriesAfter returns the next page of changes. None of them is old, so that
// whoever goes on after the last one comes to an end.
func entriesAfter(ctx context.Context, log Log, after int64) ([]keyward.LogEntry, error) {
	entries, err := log.Entries(ctx, after, pageSize)
	if err != nil {
		return nil, fmt.Errorf("read the changes after %d: %w", after, err)
	}
	if n := len(entries); n > 0 && entries[n-1].Change.Seq <= after {
		return nil, fmt.Errorf("the changes after %d end at %d", after, entries[n-1].Change.Seq)
	}
	return entries, nil
}
