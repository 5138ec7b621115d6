package plainhttp

import (
	"net"
	"net/http"
	"sync"
)

// handedListener gives connections to an http.Server that were accepted elsewhere.
type handedListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	addr   net.Addr
}

func newHandedListener(addr net.Addr) *handedListener {
	return &handedListener{conns: make(chan net.Conn), closed: make(chan struct{}), addr: addr}
}

// give passes a connection on, and reports whether it was taken.
func (l *handedListener) give(c net.Conn) bool {
	select {
	case l.conns <- c:
		return true
	case <-l.closed:
		return false
	}
}

// Accept implements [net.Listener].
func (l *handedListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, http.ErrServerClosed
	}
}

// Close implements [net.Listener].
func (l *handedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements [net.Listener].
func (l *handedListener) Addr() net.Addr { return l.addr }

// handedConn is a connection of which some bytes were read already.
type handedConn struct {
	net.Conn
	mu   sync.Mutex // net/http reads in the background
	read []byte
	err  error // what reading on gives, if not what the connection does
}

// Read implements [net.Conn].
func (c *handedConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	if len(c.read) > 0 {
		defer c.mu.Unlock()
		n := copy(b, c.read)
		c.read = c.read[n:]
		return n, nil
	}
	c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	return c.Conn.Read(b)
}

// CloseWrite lets net/http end its half first, as it does for others.
func (c *handedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
