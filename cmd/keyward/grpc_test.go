package main_test

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// healthy asks a server of gRPC for its health.
func healthy(t *testing.T, address string, by credentials.TransportCredentials) error {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(by))
	must(t, err)
	defer conn.Close()
	_, err = healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	return err
}

func TestGRPCHasTheServersCertificate(t *testing.T) {
	dir := t.TempDir()
	trusted := certificate(t, dir, "here")
	server := build(t).serve(t, nil, "--data", t.TempDir(), "--grpc-listen", "127.0.0.1:0",
		"--tls-cert", filepath.Join(dir, "here.cert"), "--tls-key", filepath.Join(dir, "here.key"))
	must(t, healthy(t, server.grpc, credentials.NewClientTLSFromCert(trusted, "")))
	if healthy(t, server.grpc, insecure.NewCredentials()) == nil {
		t.Error("it answers without TLS")
	}
	must(t, server.terminate())
}

// A server that was killed leaves its socket behind, which is no reason not to start.
func TestGRPCTakesASocketThatWasLeftBehind(t *testing.T) {
	dir, err := os.MkdirTemp("", "kw") // the names of sockets are short
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	address := "unix:" + filepath.Join(dir, "s")
	data := t.TempDir()
	for range 2 {
		server := build(t).serve(t, nil, "--data", data, "--grpc-listen", address)
		must(t, healthy(t, server.grpc, insecure.NewCredentials()))
		_ = server.kill()
	}
	server := build(t).serve(t, nil, "--data", data, "--grpc-listen", address)
	must(t, healthy(t, server.grpc, insecure.NewCredentials()))
	must(t, server.terminate())
	if _, err := os.Stat(filepath.Join(dir, "s")); err == nil {
		t.Error("the socket is still there after a graceful stop")
	}
}
