package server

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"math"
	"time"
)

// How often the tasks beside the answering run.
const (
	followEvery = 250 * time.Millisecond // what changes made elsewhere wait for
	usesEvery   = 2 * time.Second        // how late usage and last-used times are, and what a crash loses, if the writing keeps up
	usesBatch   = 256                    // uses that share a transaction
	sweepEvery  = time.Minute
)

// follow applies changes that were not made by this process, such as those of a
// command that works on the database.
func (s *Server) follow(ctx context.Context) {
	_ = s.engine.Follow(ctx, s.store, followEvery, func(err error) {
		s.config.Log.Warn("the change log cannot be read; answers go on from memory", slog.Any("error", err))
	})
}

// writeUses writes in batches when secrets were last used, and what was counted. It takes
// its time: verification needs the machine more.
func (s *Server) writeUses(ctx context.Context) {
	s.every(ctx, usesEvery, "usage and last-used times cannot be written; they are kept", func(ctx context.Context) error {
		return errors.Join(s.flushUses(ctx, rest), s.usage.flush(ctx, rest))
	})
}

// A pause is what a task does after each batch, which took some time. Its error ends the
// task.
type pause func(ctx context.Context, took time.Duration) error

// restFactor is how much longer than a batch the rest after it is: so writing takes no more
// than a sixteenth of one core. What waits meanwhile is added up, and is no more for it.
const restFactor = 15

func rest(ctx context.Context, took time.Duration) error {
	return sleep(ctx, min(restFactor*took, usesEvery))
}

// sleep returns after d, or with the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// hurry is for when nobody is answered any more.
func hurry(context.Context, time.Duration) error { return nil }

func (s *Server) flushUses(ctx context.Context, pause pause) error {
	uses := s.engine.Uses()
	for len(uses) > 0 {
		n, start := min(len(uses), usesBatch), time.Now()
		err := s.store.Touch(ctx, uses[:n])
		if err == nil {
			uses = uses[n:]
			err = pause(ctx, time.Since(start))
		}
		if err != nil {
			s.engine.Restore(uses)
			return err
		}
	}
	return nil
}

// flushAll writes what is still in memory.
func (s *Server) flushAll(ctx context.Context) {
	if err := s.flushUses(ctx, hurry); err != nil {
		s.config.Log.Warn("the latest last-used times are lost", slog.Any("error", err))
	}
	if err := s.usage.flush(ctx, hurry); err != nil {
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
