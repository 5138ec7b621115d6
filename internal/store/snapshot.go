package store

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"

	"keyward"
)

const (
	maxHelpers  = 3      // connections beside the first that read keys
	keysInASpan = 20_000 // that one of them reads at a time
	batchSize   = 256    // keys that are handed over at once
)

// Snapshot gives load the state of everything that replicas keep, organizations
// first, and returns the seq that it is the state of. load is called by one goroutine.
//
// Keys are read by several connections at once. Each has a snapshot of its own, and
// reads only if that is of the same seq: as changes are numbered in the order of their
// commits, it has the same changes then.
func (s *Store) Snapshot(ctx context.Context, load func(keyward.Record) error) (seq int64, err error) {
	err = s.engine.snapshot(ctx, func(r reader) error {
		h, err := readHead(ctx, r)
		if err != nil {
			return err
		}
		seq = h.seq
		if err := r.organizationRecords(ctx, "", load); err != nil {
			return err
		}
		if err := r.operatorRecords(ctx, "", load); err != nil {
			return err
		}
		if err := r.tokenRecords(ctx, "1 = 1", nil, load); err != nil {
			return err
		}
		spans, err := s.spans(ctx, r)
		if err != nil {
			return err
		}
		return s.readKeys(ctx, r, seq, spans, load)
	})
	return seq, err
}

// place is one in the order of keys.
type place struct {
	organizationID string
	number         int64
}

// span is the keys from a place on that come before another.
type span struct{ from, to place }

// spans divides the keys, by the numbers that organizations have given away.
func (s *Store) spans(ctx context.Context, r reader) ([]span, error) {
	var last []place
	err := r.each(ctx, "SELECT id, last_number FROM organizations", nil, func(scan func(...any) error) error {
		var p place
		err := scan(&p.organizationID, &p.number)
		last = append(last, p)
		return err
	})
	slices.SortFunc(last, func(a, b place) int { return strings.Compare(a.organizationID, b.organizationID) })

	spans := []span{{to: place{organizationID: "\U0010ffff"}}} // greater than any id
	var size int64                                             // of the last span
	for _, o := range last {
		for number := int64(0); number < o.number; {
			if size == s.spanSize {
				cut := place{o.organizationID, number + 1}
				end := len(spans) - 1
				spans = append(spans, span{cut, spans[end].to})
				spans[end].to, size = cut, 0
			}
			step := min(s.spanSize-size, o.number-number)
			number, size = number+step, size+step
		}
	}
	return spans, err
}

// readKeys loads the keys, read by r and by helpers.
func (s *Store) readKeys(ctx context.Context, r reader, seq int64, spans []span, load func(keyward.Record) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	k := keyReaders{spans: make(chan span, len(spans)), batches: make(chan []*keyward.KeyRecord, 2*maxHelpers), stop: cancel}
	for _, p := range spans {
		k.spans <- p
	}
	close(k.spans)
	var group sync.WaitGroup
	group.Go(func() { k.read(ctx, r) })
	for range min(maxHelpers, runtime.GOMAXPROCS(0)-1, len(spans)-1) {
		group.Go(func() {
			// Without a connection, or at another seq, it is of no help, and of no harm.
			_ = s.engine.snapshot(ctx, func(r reader) error {
				if h, err := readHead(ctx, r); err == nil && h.seq == seq {
					k.read(ctx, r)
				}
				return nil
			})
		})
	}
	go func() {
		group.Wait()
		close(k.batches)
	}()
	for batch := range k.batches {
		for i := 0; i < len(batch) && ctx.Err() == nil; i++ {
			if err := load(keyward.Record{Key: batch[i]}); err != nil {
				cancel(err)
			}
		}
	}
	if ctx.Err() != nil {
		return s.engine.classify(context.Cause(ctx))
	}
	return nil
}

// keyReaders are the connections that read keys, span after span.
type keyReaders struct {
	spans   chan span // closed when there are no more
	batches chan []*keyward.KeyRecord
	stop    context.CancelCauseFunc
}

// read reads spans until there are no more, or one of them cannot be read.
func (k *keyReaders) read(ctx context.Context, r reader) {
	defer r.engine.relax(ctx, r)
	u := newUnpacker()
	for p := range k.spans {
		if err := k.readSpan(ctx, r, u, p); err != nil {
			k.stop(err)
			return
		}
	}
}

func (k *keyReaders) readSpan(ctx context.Context, r reader, u *unpacker, p span) error {
	var batch []*keyward.KeyRecord
	send := func() error {
		select {
		case k.batches <- batch:
			batch = nil
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	err := r.eachKeyRecord(ctx, u, `WHERE k.deleted_ms = 0
		AND (k.organization_id, k.number) >= ($2, $3) AND (k.organization_id, k.number) < ($4, $5)
		ORDER BY k.organization_id, k.number, v.version`,
		[]any{p.from.organizationID, p.from.number, p.to.organizationID, p.to.number},
		func(record *keyward.KeyRecord) error {
			batch = append(batch, record)
			if len(batch) < batchSize {
				return nil
			}
			return send()
		})
	if err != nil {
		return err
	}
	return send()
}
