package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"keyward"
	"keyward/internal/gateway/envoy"
)

// grpcServed is the listener of gRPC and what answers on it.
type grpcServed struct {
	listener net.Listener
	server   *envoy.Server
}

// checkGRPC checks the address of gRPC.
func (c Config) checkGRPC() error {
	path, isSocket := strings.CutPrefix(c.GRPCListen, unixPrefix)
	switch {
	case c.GRPCListen == "", isSocket && path != "":
		return nil
	case isSocket:
		return keyward.Errorf(keyward.Invalid, "--grpc-listen %s names no path", c.GRPCListen)
	}
	if err := hostPort("--grpc-listen", c.GRPCListen); err != nil {
		return err
	}
	if c.TLSCert == "" && !c.InsecureHTTP && !onLoopback(c.GRPCListen) {
		return keyward.Errorf(keyward.Invalid,
			"--grpc-listen %s without TLS would show keys to the network: give --tls-cert and --tls-key, or --insecure-http", c.GRPCListen)
	}
	return nil
}

// listenGRPC opens the listener of gRPC, if there is to be one.
func (s *Server) listenGRPC() error {
	if s.config.GRPCListen == "" {
		return nil
	}
	listener, err := listenOn("--grpc-listen", s.config.GRPCListen)
	if err != nil {
		return err
	}
	s.grpc = &grpcServed{listener: listener}
	s.GRPCAddress = listener.Addr().String()
	if strings.HasPrefix(s.config.GRPCListen, unixPrefix) {
		s.GRPCAddress = s.config.GRPCListen
	}
	return nil
}

// mountGRPC puts the gateway behind the listener of gRPC.
func (s *Server) mountGRPC() error {
	if s.grpc == nil {
		return nil
	}
	proxies, err := s.config.proxies()
	if err != nil {
		return err
	}
	certificate, err := s.config.certificate()
	if err != nil {
		return err
	}
	var options []grpc.ServerOption
	if certificate != nil && s.grpc.listener.Addr().Network() != "unix" {
		options = append(options, grpc.Creds(credentials.NewTLS(certificate)))
	}
	s.grpc.server = envoy.NewServer(s.gate, envoy.Config{Proxies: proxies, Log: s.config.Log, Observe: s.metrics.observe}, options...)
	return nil
}

// run answers until the server is stopped. Without gRPC it returns at once.
func (g *grpcServed) run() error {
	if g == nil {
		return nil
	}
	g.server.Serving(true)
	if err := g.server.Serve(g.listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve %s: %w", g.listener.Addr(), err)
	}
	return nil
}

// drain lets calls that have begun come to their end, or ends them with ctx.
func (g *grpcServed) drain(ctx context.Context) {
	if g == nil || g.server == nil {
		return
	}
	g.server.Serving(false)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		g.server.GracefulStop()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		g.server.Stop()
		<-ended
	}
}

// close frees the listener.
func (g *grpcServed) close() {
	if g == nil {
		return
	}
	if g.server != nil {
		g.server.Stop()
	}
	_ = g.listener.Close() // closed already, if it was served
}
