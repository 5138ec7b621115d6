package server

import (
	"context"
	"log"
	"log/slog"
	"math"
	"time"
)

// How often the tasks beside the answering run.
const (
	followEvery = 250 * time.Millisecond // what changes made elsewhere wait for
	usesEvery   = 2 * time.Second        // how late usage and last-used times are, and what a crash loses of them
	sweepEvery  = time.Minute
)

// follow applies changes that were not made by this process, such as those of a
// command that works on the database.
func (s *Server) follow(ctx context.Context) {
	_ = s.engine.Follow(ctx, s.store, followEvery, func(err error) {
		s.config.Log.Warn("the change log cannot be read; answers go on from memory", slog.Any("error", err))
	})
}

// writeUses writes in batches when secrets were last used.
func (s *Server) writeUses(ctx context.Context) {
	s.every(ctx, usesEvery, "last-used times cannot be written; they are kept", s.flushUses)
}

func (s *Server) flushUses(ctx context.Context) error {
	uses := s.engine.Uses()
	for len(uses) > 0 {
		n := min(len(uses), 1000)
		if err := s.store.Touch(ctx, uses[:n]); err != nil {
			s.engine.Restore(uses)
			return err
		}
		uses = uses[n:]
	}
	return nil
}

// writeUsage writes in batches what was counted.
func (s *Server) writeUsage(ctx context.Context) {
	s.every(ctx, usesEvery, "usage cannot be written; the counts are kept", s.usage.flush)
}

// flushAll writes what is still in memory.
func (s *Server) flushAll(ctx context.Context) {
	if err := s.flushUses(ctx); err != nil {
		s.config.Log.Warn("the latest last-used times are lost", slog.Any("error", err))
	}
	if err := s.usage.flush(ctx); err != nil {
		s.config.Log.Warn("the latest usage is lost", slog.Int64("verifications", s.usage.waiting.Load()), slog.Any("error", err))
	}
	if err := s.settle(ctx, math.MaxInt64); err != nil {
		s.config.Log.Warn("credits that were leased and not spent are lost", slog.Any("error", err))
	}
}

func (s *Server) sweep(ctx context.Context) {
	s.every(ctx, sweepEvery, "what has served its time cannot be deleted", s.plane.Sweep)
}

// every runs a task at intervals until ctx is done, and says when it starts to fail.
func (s *Server) every(ctx context.Context, interval time.Duration, trouble string, task func(context.Context) error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := task(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			s.config.Log.Warn(trouble, slog.Any("error", err))
		}
		failing = err != nil
	}
}

// errorLog turns what net/http has to say into log lines.
func errorLog(logger *slog.Logger) *log.Logger {
	return slog.NewLogLogger(logger.Handler(), slog.LevelWarn)
}
