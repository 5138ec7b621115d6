package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"

	"keyward"
	"keyward/internal/gateway"
)

// served is one listener and what answers on it.
type served struct {
	listener net.Listener
	server   *http.Server
}

// listen opens the listeners. Who connects waits until Run answers.
func (s *Server) listen() error {
	certificate, err := s.config.certificate()
	if err != nil {
		return err
	}
	address, err := s.serve("--listen", s.config.Listen, certificate)
	if err != nil {
		return err
	}
	s.URL = "http://" + address
	if certificate != nil {
		s.URL = "https://" + address
	}
	if err := s.listenGRPC(); err != nil {
		return err
	}
	if s.config.OpsListen == "off" {
		return nil
	}
	if address, err = s.serve("--ops-listen", s.config.OpsListen, nil); err != nil {
		return err
	}
	s.OpsURL = "http://" + address
	return nil
}

// serve opens a listener, and returns where this machine reaches it.
func (s *Server) serve(flag, address string, certificate *tls.Config) (string, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", keyward.Errorf(keyward.Unavailable, "cannot listen on %s: choose another address with %s: %w", address, flag, err)
	}
	s.serving = append(s.serving, served{listener, &http.Server{
		TLSConfig: certificate, ErrorLog: errorLog(s.config.Log), DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}})
	at := listener.Addr().(*net.TCPAddr)
	if at.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(at.Port)), nil
	}
	return at.String(), nil
}

// mount puts the handlers on the listeners.
func (s *Server) mount() error {
	rules, err := s.config.authzRules()
	if err != nil {
		return err
	}
	s.gate = gateway.New(s.tokens, s.engine, rules)
	if err := s.mountGRPC(); err != nil {
		return err
	}
	handler, err := s.handler()
	if err != nil {
		return err
	}
	for i, handler := range []http.Handler{handler, s.opsHandler()}[:len(s.serving)] {
		s.serving[i].server.Handler = handler
	}
	return nil
}

func (one served) run() error {
	var err error
	if one.server.TLSConfig != nil {
		err = one.server.ServeTLS(one.listener, "", "")
	} else {
		err = one.server.Serve(one.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve %s: %w", one.listener.Addr(), err)
}

// drain lets requests that have begun come to their end.
func (s *Server) drain() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	var group sync.WaitGroup
	group.Go(func() { s.grpc.drain(ctx) })
	defer group.Wait()
	var err error
	for _, one := range s.serving {
		if one.server.Shutdown(ctx) != nil {
			err = errors.Join(err, one.server.Close())
		}
	}
	return err
}
