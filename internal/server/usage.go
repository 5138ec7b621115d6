package server

import (
	"context"
	"sync/atomic"
	"time"

	"keyward"
	"keyward/internal/store"
	"keyward/internal/verify"

	"github.com/prometheus/client_golang/prometheus"
)

// usageBatch is how many counts share a transaction, so that none keeps others waiting.
const usageBatch = 512

// usageWriter takes the counts of the engine to the store, in numbered batches: one that
// failed may have been added all the same, so it alone is kept as it is and tried again,
// and added once whatever happened. All else that cannot be written goes back to the
// engine, which adds it up: a database that is away costs no memory.
type usageWriter struct {
	engine *verify.Engine
	store  *store.Store
	node   string

	number  int64
	pending []keyward.Usage // the batch with the number, if it was not added for sure

	added   atomic.Int64 // verifications that are in the store
	failed  atomic.Int64 // attempts to write that ended in an error
	waiting atomic.Int64 // verifications that an attempt could not write
	written atomic.Int64 // when everything was in the store, in ms
}

func newUsageWriter(engine *verify.Engine, s *store.Store, node string) *usageWriter {
	w := &usageWriter{engine: engine, store: s, node: node}
	w.written.Store(time.Now().UnixMilli())
	return w
}

// flush writes what was counted, with a pause after each batch. It is for one goroutine at
// a time.
func (w *usageWriter) flush(ctx context.Context, pause pause) error {
	if err := w.retry(ctx); err != nil {
		w.failed.Add(1)
		return err
	}
	counted := w.engine.Usage()
	for len(counted) > 0 {
		n, start := min(len(counted), usageBatch), time.Now()
		w.number++
		w.pending, counted = counted[:n:n], counted[n:]
		err := w.retry(ctx)
		if err == nil {
			err = pause(ctx, time.Since(start))
		} else {
			w.failed.Add(1)
		}
		if err != nil {
			w.waiting.Store(verifications(w.pending) + verifications(counted))
			w.engine.RestoreUsage(counted)
			return err
		}
	}
	w.written.Store(time.Now().UnixMilli())
	return nil
}

// retry adds the pending batch, if there is one.
func (w *usageWriter) retry(ctx context.Context) error {
	if len(w.pending) == 0 {
		return nil
	}
	err := w.store.AddUsage(ctx, store.UsageBatch{
		Writer: w.node, Number: w.number, Time: keyward.TimeOf(time.Now()), Usage: w.pending,
	})
	if err != nil {
		return err
	}
	w.added.Add(verifications(w.pending))
	w.pending = nil
	w.waiting.Store(0)
	return nil
}

// verifications returns how many were counted.
func verifications(usage []keyward.Usage) (n int64) {
	for i := range usage {
		n += usage[i].Count
	}
	return n
}

var (
	usageAddedDesc   = prometheus.NewDesc("keyward_usage_added_total", "Verifications whose counts are in the database.", nil, nil)
	usageFailedDesc  = prometheus.NewDesc("keyward_usage_flush_failures_total", "Attempts to write counts that failed.", nil, nil)
	usageWaitingDesc = prometheus.NewDesc("keyward_usage_waiting", "Verifications whose counts could not be written yet.", nil, nil)
	usageLagDesc     = prometheus.NewDesc("keyward_usage_lag_seconds", "Time since all counts were in the database.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (w *usageWriter) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(w, out) }

// Collect implements [prometheus.Collector].
func (w *usageWriter) Collect(out chan<- prometheus.Metric) {
	lag := time.Since(time.UnixMilli(w.written.Load()))
	out <- prometheus.MustNewConstMetric(usageAddedDesc, prometheus.CounterValue, float64(w.added.Load()))
	out <- prometheus.MustNewConstMetric(usageFailedDesc, prometheus.CounterValue, float64(w.failed.Load()))
	out <- prometheus.MustNewConstMetric(usageWaitingDesc, prometheus.GaugeValue, float64(w.waiting.Load()))
	out <- prometheus.MustNewConstMetric(usageLagDesc, prometheus.GaugeValue, lag.Seconds())
}
