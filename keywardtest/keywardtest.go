// Package keywardtest gives a test a Keyward of its own: a real server on a free
// port, with a database that goes when the test ends.
//
//	kw := keywardtest.New(t)
//	kw.URL, kw.RootToken // where it is, and the root operator's credential
//
// It is for tests only. It is not for load tests: everything shares the test's
// process.
package keywardtest

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"keyward"
	"keyward/internal/server"
)

// RootToken is the root operator's credential of every server that New starts.
const RootToken = "kwop-root-token-of-a-test-that-nobody-else-uses"

// Server is a running Keyward.
type Server struct {
	URL       string // of the API
	OpsURL    string // of metrics
	GRPC      string // the address of gRPC, "" if there is none
	VerifyURL string // of verification alone, if it was asked for
	RootToken string
	Data      string // the data directory

	stop func() error
}

// Options change how a server is started. The zero value is a server on SQLite in a
// temporary directory, that logs nothing.
type Options struct {
	// Data is the data directory, if it is to outlive the server.
	Data string
	// Database is as of `keyward serve --database`.
	Database string
	// MasterKey is 32 bytes in base64. On PostgreSQL it is required.
	MasterKey string
	// RootToken replaces the package's.
	RootToken string
	// TrustedProxies and PublicURL are as of `keyward serve`.
	TrustedProxies string
	PublicURL      string
	// Hosts are as of `keyward serve --host`.
	Hosts []string
	// AuthzRules and GRPCListen are as of `keyward serve --authz-rules` and `--grpc-listen`.
	AuthzRules string
	GRPCListen string
	// VerifyListen is as of `keyward serve --verify-listen`.
	VerifyListen string
	// TLSCert and TLSKey are as of `keyward serve`.
	TLSCert, TLSKey string
	// Log takes what the server logs.
	Log *slog.Logger
}

// New starts a server with the default options. It stops when the test ends.
func New(t testing.TB) *Server { return Start(t, Options{}) }

// Start starts a server. It stops when the test ends, if it was not stopped before;
// what goes wrong fails the test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	if options.Data == "" {
		options.Data = t.TempDir()
	}
	if options.RootToken == "" {
		options.RootToken = RootToken
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s, err := server.Open(ctx, server.Config{
		Listen: "127.0.0.1:0", OpsListen: "127.0.0.1:0",
		Data: options.Data, Database: options.Database, MasterKey: options.MasterKey,
		RootToken: keyward.ForeignSecret(options.RootToken), Version: "test",
		TrustedProxies: options.TrustedProxies, PublicURL: options.PublicURL, Hosts: options.Hosts,
		AuthzRules: options.AuthzRules, GRPCListen: options.GRPCListen, VerifyListen: options.VerifyListen,
		TLSCert: options.TLSCert, TLSKey: options.TLSKey, Log: options.Log,
	})
	if err != nil {
		cancel()
		t.Fatalf("start Keyward: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	running := &Server{
		URL: s.URL, OpsURL: s.OpsURL, GRPC: s.GRPCAddress, VerifyURL: s.VerifyURL, RootToken: options.RootToken, Data: options.Data,
	}
	stopped := false
	running.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if err := running.stop(); err != nil {
			t.Errorf("stop Keyward: %v", err)
		}
	})
	return running
}

// Stop stops the server as SIGTERM would, and waits for it. Stopping it again does
// nothing. It may be called from one goroutine only.
func (s *Server) Stop() error {
	if s.stop == nil {
		return errors.New("this server was not started by keywardtest")
	}
	return s.stop()
}
