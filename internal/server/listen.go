package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"keyward"
	"keyward/internal/api/native"
	"keyward/internal/gateway"
	"keyward/internal/plainhttp"
)

// served is one listener and what answers on it.
type served struct {
	listener net.Listener
	server   interface {
		Serve(net.Listener) error
		Shutdown(context.Context) error
		Close() error
	}
}

// listen opens the listeners. Who connects waits until Run answers.
func (s *Server) listen() error {
	certificate, err := s.config.certificate()
	if err != nil {
		return err
	}
	if err := s.listenMain(certificate); err != nil {
		return err
	}
	if err := s.listenGRPC(); err != nil {
		return err
	}
	if s.config.OpsListen != "off" {
		listener, err := listenTCP("--ops-listen", s.config.OpsListen)
		if err != nil {
			return err
		}
		s.ops = s.newHTTPServer()
		s.serving = append(s.serving, served{listener, s.ops})
		s.OpsURL = "http://" + reachedAt(listener)
	}
	if s.config.VerifyListen != "" {
		return s.listenVerify(certificate)
	}
	return nil
}

// listenMain opens the listener of the API. Without TLS, which may turn out to be HTTP/2,
// plain verifications are answered before net/http sees them.
func (s *Server) listenMain(certificate *tls.Config) error {
	listener, err := listenTCP("--listen", s.config.Listen)
	if err != nil {
		return err
	}
	s.main = &plainhttp.Server{HTTP: s.newHTTPServer(), MaxBody: native.MaxBatchBody, GiveUp: true}
	if certificate == nil {
		s.URL = "http://" + reachedAt(listener)
		s.serving = append(s.serving, served{listener, s.main})
		return nil
	}
	s.URL = "https://" + reachedAt(listener)
	s.main.HTTP.TLSConfig = certificate
	s.serving = append(s.serving, served{listener, s.main.HTTP})
	return nil
}

// listenOn listens on host:port, or on unix:PATH.
func listenOn(flag, address string) (net.Listener, error) {
	if path, isSocket := strings.CutPrefix(address, unixPrefix); isSocket {
		return listenUnix(flag, path)
	}
	return listenTCP(flag, address)
}

func listenTCP(flag, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, keyward.Errorf(keyward.Unavailable, "cannot listen on %s: choose another address with %s: %w", address, flag, err)
	}
	return listener, nil
}

// newHTTPServer returns a server whose clients have as long as any.
func (s *Server) newHTTPServer() *http.Server {
	return &http.Server{
		ErrorLog: errorLog(s.config.Log), DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}
}

// reachedAt returns the address at which this machine reaches a listener.
func reachedAt(listener net.Listener) string {
	at := listener.Addr().(*net.TCPAddr)
	if at.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(at.Port))
	}
	return at.String()
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
	handlers, err := s.handlers()
	if err != nil {
		return err
	}
	s.main.HTTP.Handler, s.main.Quick, s.main.Admit = handlers.all, handlers.all.answerMain, handlers.all.admitPlain
	if s.ops != nil {
		s.ops.Handler = s.opsHandler()
	}
	if s.fast != nil {
		s.fast.HTTP.Handler, s.fast.Quick, s.fast.Admit = handlers.verification, handlers.all.answerPlain, handlers.all.admitPlain
	}
	return nil
}

func (one served) run() error {
	var err error
	if server, ok := one.server.(*http.Server); ok && server.TLSConfig != nil {
		err = server.ServeTLS(one.listener, "", "")
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
