package server

import (
	"context"
	"log/slog"
	"time"

	"keyward"
)

const (
	// idleLease is how long a lease of credits lies unused until it is given back.
	idleLease = 2 * time.Second
	// leaseRetry is how long a database that failed is left alone.
	leaseRetry = 50 * time.Millisecond
)

// lease gets credits for the keys that want some, and gives back what lies idle, until ctx
// is done. While the database fails nothing is given back: it would be lost.
func (s *Server) lease(ctx context.Context) {
	tick := time.NewTicker(idleLease / 4)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.engine.Wanted():
		case <-tick.C:
		}
		var idle keyward.Time
		if !failing {
			idle = keyward.TimeOf(time.Now()).Add(-idleLease)
		}
		err := s.settle(ctx, idle)
		if err != nil && !failing && ctx.Err() == nil {
			s.config.Log.Warn("credits cannot be leased; keys go on with what they have", slog.Any("error", err))
		}
		if failing = err != nil; failing {
			_ = sleep(ctx, leaseRetry)
		}
	}
}

// settle has the store meet what keys claim, and gives back leases from which nothing was
// spent since the instant idle. It is not interrupted: the outcome would be unknown.
func (s *Server) settle(ctx context.Context, idle keyward.Time) error {
	claims := s.engine.Claims(keyward.TimeOf(time.Now()), idle)
	if len(claims.Claims) == 0 {
		return nil
	}
	leases, err := s.store.Meet(context.WithoutCancel(ctx), claims.Claims)
	claims.Settle(leases, keyward.TimeOf(time.Now()))
	return err
}
