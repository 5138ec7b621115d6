package plainhttp

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Quick answers a request if it can, with [Request.OK] and [Request.Send]; otherwise it
// writes nothing and returns false.
type Quick func(*Request) bool

// Server serves plain requests. Its fields may not change once it serves.
type Server struct {
	// Quick is asked first. It must be safe for concurrent use.
	Quick Quick
	// Admit says of a request whose body is still on its way whether Quick may answer it
	// then. A body that it does not admit is not waited for here, and takes no space.
	Admit func(*Request) bool
	// HTTP serves all else. Its Handler, timeouts, ConnContext and ErrorLog are this
	// server's too; its timeouts and its ErrorLog must be set.
	HTTP *http.Server
	// GiveUp gives the connection to HTTP for good when Quick does not answer a request,
	// as for what is not plain. Otherwise the handler answers it here.
	GiveUp bool
	// TLS, if set, is spoken on all connections. It must name HTTP/1.1 only.
	TLS *tls.Config
	// MaxBody is how long a body may be, in bytes, to be read here.
	MaxBody int

	mu       sync.Mutex
	conns    map[*conn]struct{}
	listener net.Listener
	handed   *handedListener
	stopping atomic.Bool
	date     atomic.Pointer[date]
}

// Serve answers on l until Shutdown or Close; then it returns http.ErrServerClosed.
func (s *Server) Serve(l net.Listener) error {
	if s.stopping.Load() {
		return http.ErrServerClosed
	}
	handed := newHandedListener(l.Addr())
	s.mu.Lock()
	s.conns, s.listener, s.handed = make(map[*conn]struct{}), l, handed
	s.mu.Unlock()
	failed := make(chan error, 2)
	go func() { failed <- s.HTTP.Serve(handed) }()
	go func() { failed <- s.accept(l) }()
	err := <-failed
	if s.stopping.Load() {
		<-failed // once all that was handed over has come to its end
		return http.ErrServerClosed
	}
	_ = handed.Close()
	_ = l.Close()
	<-failed
	return err
}

// accept starts a goroutine for each connection. It waits a little when there are no
// descriptors left.
func (s *Server) accept(l net.Listener) error {
	for {
		rwc, err := l.Accept()
		if err != nil {
			if again, ok := err.(interface{ Temporary() bool }); ok && again.Temporary() && !s.stopping.Load() {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			return err
		}
		c := &conn{server: s, rwc: rwc}
		s.mu.Lock()
		if s.stopping.Load() {
			s.mu.Unlock()
			_ = rwc.Close()
			continue
		}
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		go c.serve()
	}
}

// replace has the connection go on through another one, such as TLS.
func (s *Server) replace(c *conn, by net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.rwc = by
}

// forget ends the part of a connection that is served here.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Shutdown ends the server once requests that have begun are answered, or when ctx is
// done, whose error it returns then.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopping.Store(true)
	s.mu.Lock()
	listener := s.listener
	s.mu.Unlock()
	if listener != nil {
		_ = listener.Close()
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.closeIdle() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return s.HTTP.Shutdown(ctx)
}

// closeIdle ends connections that wait for a request, and returns how many there are
// besides.
func (s *Server) closeIdle() (busy int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if !c.busy.Load() {
			// Its goroutine closes it. If a request has come in the meantime, the
			// deadline is moved, and the request is answered.
			_ = c.rwc.SetReadDeadline(time.Unix(1, 0))
		}
	}
	return len(s.conns)
}

// Close ends the server and all connections at once.
func (s *Server) Close() error {
	s.stopping.Store(true)
	s.mu.Lock()
	if s.listener != nil {
		_ = s.listener.Close()
	}
	for c := range s.conns {
		_ = c.rwc.Close()
	}
	s.mu.Unlock()
	return s.HTTP.Close()
}

// date is the Date header of one second.
type date struct {
	second int64
	text   string
}

// dateOf returns the text of the Date header.
func (s *Server) dateOf(now time.Time) string {
	second := now.Unix()
	if d := s.date.Load(); d != nil && d.second == second {
		return d.text
	}
	d := &date{second, now.UTC().Format(http.TimeFormat)}
	s.date.Store(d)
	return d.text
}
