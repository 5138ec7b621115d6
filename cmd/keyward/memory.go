package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How much garbage may pile up before it is collected. A replica of many keys holds next
// to no pointers, so that to collect costs the same whatever it weighs; garbage of as much
// again, which is Go's default, would double what the server takes.
const (
	headroom        = 48 << 20 // bytes
	leastPercent    = 10       // of what is live, where that is much
	mostPercent     = 200      // where it is little
	loadingPercent  = 20       // while what is live grows
	headroomChecked = time.Minute
)

// collector sets how often the garbage collector runs, unless whoever started the program
// has said so by GOGC or GOMEMLIMIT.
type collector struct{ off bool }

func newCollector() collector {
	return collector{off: os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != ""}
}

// loading is for the time before settle, when the server reads everything it has.
func (c collector) loading() {
	if !c.off {
		debug.SetGCPercent(loadingPercent)
	}
}

// settle returns to the system what only the loading took.
func (c collector) settle() {
	if !c.off {
		debug.FreeOSMemory()
		debug.SetGCPercent(percent(live()))
	}
}

// follow keeps the headroom right as keys come and go, until ctx is done.
func (c collector) follow(ctx context.Context) {
	if c.off {
		return
	}
	tick := time.NewTicker(headroomChecked)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			debug.SetGCPercent(percent(live()))
		}
	}
}

// percent returns how much garbage there may be, of so many bytes that are live.
func percent(live uint64) int {
	return int(min(max(headroom*100/max(live, 1), leastPercent), mostPercent))
}

// live returns how many bytes the last collection left.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
