package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/gateway"
	"keyward/internal/keyring"
	"keyward/internal/oauth"
	"keyward/internal/plainhttp"
	"keyward/internal/store"
	"keyward/internal/token"
	"keyward/internal/verify"
)

// Server is a Keyward that listens. Run it, or Close it.
type Server struct {
	// URL is where the API is, such as http://127.0.0.1:8080.
	URL string
	// OpsURL is where metrics are, "" if nowhere.
	OpsURL string
	// GRPCAddress is where gRPC is, such as 127.0.0.1:8082 or unix:PATH, "" if nowhere.
	GRPCAddress string
	// VerifyURL is where verification alone is served, "" if nowhere: a URL, or unix:PATH.
	VerifyURL string
	// RootToken is the root operator's credential if it was generated just now.
	RootToken keyward.Secret
	// RootTokenPath is the file root-token in the data directory, "" if there is none: a
	// credential that was given is not written there.
	RootTokenPath string

	config  Config
	node    string
	store   *store.Store
	plane   *control.Plane
	engine  *verify.Engine
	tokens  *oauth.Tokens
	gate    *gateway.Gateway
	metrics *metrics
	usage   *usageWriter
	health  health
	main    *plainhttp.Server
	ops     *http.Server      // nil if it is off
	fast    *plainhttp.Server // for verification alone; nil if it is off
	serving []served
	grpc    *grpcServed // nil without
	unlock  func()
}

// Open starts everything but the answering: what cannot work fails here, with an
// error that says what to do.
func Open(ctx context.Context, config Config) (_ *Server, err error) {
	if config, err = config.withDefaults(); err != nil {
		return nil, err
	}
	s := &Server{config: config, node: nodeName(), unlock: func() {}}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := prepareData(config.Data); err != nil {
		return nil, err
	}
	if config.onSQLite() {
		unlock, err := lockDatabase(config.Database[len("sqlite:"):])
		if err != nil {
			return nil, err
		}
		s.unlock = unlock
	}
	// Before the database, so that a start that cannot work leaves nothing there.
	if err := s.listen(); err != nil {
		return nil, err
	}
	if err := s.openPlanes(ctx); err != nil {
		return nil, err
	}
	if err := s.bootstrap(ctx); err != nil {
		return nil, err
	}
	return s, s.mount()
}

// nodeName is the host's name with something that no other start has.
func nodeName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "node"
	}
	var b [4]byte
	rand.Read(b[:])
	return host + "-" + hex.EncodeToString(b[:])
}

// openPlanes opens the store and puts the control plane and the engine on it.
func (s *Server) openPlanes(ctx context.Context) error {
	ring, err := s.config.loadKeyring()
	if err != nil {
		return err
	}
	s.engine = verify.New(ring)
	s.metrics = newMetrics(s.engine)
	s.store, err = openStore(ctx, s.config, ring, s)
	if err != nil {
		return err
	}
	s.usage = newUsageWriter(s.engine, s.store, s.node)
	s.metrics.registry.MustRegister(s.usage)
	s.plane = control.New(s.store, ring)
	s.plane.Leased = s.engine.Leased
	if err := s.plane.Claim(ctx); err != nil {
		return err
	}
	if err := s.engine.Load(ctx, s.store); err != nil {
		return err
	}
	issuer := s.config.PublicURL
	if issuer == "" {
		issuer = "keyward"
	}
	signer, err := token.New(ring.TokenKey(), issuer)
	if err != nil {
		return err
	}
	s.tokens = oauth.New(signer, s.engine)
	return nil
}

// openStore opens the store; the server, if there is one, takes in what is committed.
func openStore(ctx context.Context, config Config, ring *keyring.Keyring, s *Server) (*store.Store, error) {
	c := store.Config{Chain: ring.AuditMAC, ChainKeyID: ring.AuditKeyID()}
	if s != nil {
		c.Committed, c.Settle = s.committed, s.settled
	}
	return store.Open(ctx, config.Database, c)
}

// committed has answers take a change of this server into account.
func (s *Server) committed(ctx context.Context, entry keyward.LogEntry) error {
	return s.engine.Commit(ctx, s.store, entry)
}

// settled returns once answers take the change seq into account, whoever made it.
func (s *Server) settled(ctx context.Context, seq int64) error {
	if s.engine.Ready() && s.engine.Applied() >= seq {
		return nil
	}
	return s.engine.CatchUp(ctx, s.store)
}

// bootstrap makes the root operator at the first start.
func (s *Server) bootstrap(ctx context.Context) error {
	secret, err := s.plane.Bootstrap(ctx, s.config.RootToken)
	if err != nil {
		return err
	}
	given := s.config.RootToken
	if !secret.Empty() && given.Empty() {
		s.RootToken = secret
		if _, err := writeRootToken(s.config.Data, secret); err != nil {
			return err
		}
	}
	path, err := filepath.Abs(filepath.Join(s.config.Data, rootTokenName))
	if err == nil && exists(path) {
		s.RootTokenPath = path
	}
	if !given.Empty() {
		if _, ok := s.engine.Operator(given.Reveal(), keyward.TimeOf(time.Now())); !ok {
			s.config.Log.Warn("KEYWARD_ROOT_TOKEN is ignored: the root operator was made before, with another token; " +
				"`keyward operators reset-root` replaces it")
		}
	}
	return nil
}

// Run answers until ctx is done, and then stops: it turns unready, lets requests end,
// writes what is still in memory, and closes everything.
func (s *Server) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	group.Go(func() { s.follow(background) })
	group.Go(func() { s.writeUses(background) })
	group.Go(func() { s.lease(background) })
	group.Go(func() { s.sweep(background) })
	failed := make(chan error, len(s.serving)+1)
	for _, one := range s.serving {
		group.Go(func() { failed <- one.run() })
	}
	if s.grpc != nil {
		group.Go(func() { failed <- s.grpc.run() })
	}
	s.health.ready.Store(true)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.health.ready.Store(false)
	err = errors.Join(err, s.drain())
	stop()
	group.Wait()
	s.flushAll(context.WithoutCancel(ctx))
	return errors.Join(err, s.Close())
}

// Close frees what a server holds. Run does so by itself.
func (s *Server) Close() error {
	var err error
	for _, one := range s.serving {
		err = errors.Join(err, one.server.Close())
		_ = one.listener.Close() // closed already, if it was served
	}
	s.serving = nil
	s.grpc.close()
	s.grpc = nil
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
	}
	s.unlock()
	s.unlock = func() {}
	return err
}
