package server

import (
	"context"
	"errors"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/keyring"
	"keyward/internal/store"
)

// local opens the configured database for a command of whoever has the server's
// machine, beside a server that may be running.
func local(ctx context.Context, config Config, command func(Config, *store.Store, *keyring.Keyring) error) (err error) {
	if config, err = config.withDefaults(); err != nil {
		return err
	}
	ring, err := config.loadKeyring()
	if err != nil {
		return err
	}
	s, err := openStore(ctx, config, ring, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := control.New(s, ring).Claim(ctx); err != nil {
		return err
	}
	return command(config, s, ring)
}

// ResetRoot gives the root operator a new credential, and writes it to the data
// directory. A running server follows.
func ResetRoot(ctx context.Context, config Config) (path string, secret keyward.Secret, err error) {
	err = local(ctx, config, func(config Config, s *store.Store, ring *keyring.Keyring) (err error) {
		if secret, err = control.New(s, ring).ResetRoot(ctx, config.RootToken); err != nil {
			return err
		}
		path, err = writeRootToken(config.Data, secret)
		return err
	})
	return path, secret, err
}

// VerifyAudit checks the chain of the audit trail from its first event to its last,
// and returns how many there are. An event that was altered, taken out or added is a
// Conflict.
func VerifyAudit(ctx context.Context, config Config) (events int64, err error) {
	err = local(ctx, config, func(_ Config, s *store.Store, ring *keyring.Keyring) (err error) {
		events, err = s.VerifyChain(ctx, ring.AuditMAC)
		return err
	})
	return events, err
}
