package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/api/native"
	"keyward/internal/plainhttp"
)

func (c Config) checkVerifyListen() error {
	if c.VerifyListen == "" {
		return nil
	}
	if path, isSocket := strings.CutPrefix(c.VerifyListen, unixPrefix); isSocket {
		if path == "" {
			return keyward.Errorf(keyward.Invalid, "--verify-listen %s names no path", c.VerifyListen)
		}
		return nil
	}
	if _, _, err := net.SplitHostPort(c.VerifyListen); err != nil {
		return keyward.Errorf(keyward.Invalid, "--verify-listen must be like 127.0.0.1:8082 or unix:/run/keyward/verify.sock, not %q", c.VerifyListen)
	}
	if c.TLSCert == "" && !c.InsecureHTTP && !onLoopback(c.VerifyListen) {
		return keyward.Errorf(keyward.Invalid,
			"--verify-listen %s without TLS would show keys to the network: give --tls-cert and --tls-key, or --insecure-http behind a proxy", c.VerifyListen)
	}
	return nil
}

// listenVerify opens the listener for verification alone. On a UNIX socket there is no
// TLS: nothing leaves the machine.
func (s *Server) listenVerify(certificate *tls.Config) error {
	listener, err := listenOn("--verify-listen", s.config.VerifyListen)
	if err != nil {
		return err
	}
	s.fast = &plainhttp.Server{HTTP: s.newHTTPServer(), MaxBody: native.MaxBatchBody}
	s.serving = append(s.serving, served{listener, s.fast})
	switch {
	case strings.HasPrefix(s.config.VerifyListen, unixPrefix):
		s.VerifyURL = s.config.VerifyListen
		s.fast.HTTP.ConnContext = func(ctx context.Context, _ net.Conn) context.Context { return api.WithSocket(ctx) }
	case certificate != nil:
		s.VerifyURL = "https://" + reachedAt(listener)
		s.fast.TLS = certificate.Clone()
		s.fast.TLS.NextProtos = []string{"http/1.1"}
	default:
		s.VerifyURL = "http://" + reachedAt(listener)
	}
	return nil
}

// plainFields are the header of every answer to a plain verification, up to the value of
// its request id.
const plainFields = "Cache-Control: no-store\r\nContent-Type: " + api.MediaJSON + "\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: "

// admitPlain says whose bodies answerPlain waits for: those that may verify.
func (q *quick) admitPlain(r *plainhttp.Request) bool {
	if !q.plainParts(r.Context, r.Method, r.Target, r.Header, int64(r.Length)) {
		return false
	}
	asker := q.native.Admit(r.Header["Authorization"][0], keyward.TimeOf(r.Start))
	if asker != nil {
		asker.Done()
	}
	return asker != nil
}

// answerPlain is ServeHTTP on the listener for verification alone, where host names stand
// for nothing: it answers at a glance, or reports that it does not.
func (q *quick) answerPlain(r *plainhttp.Request) bool {
	if !q.plainParts(r.Context, r.Method, r.Target, r.Header, int64(r.Length)) {
		return false
	}
	asker := q.native.Admit(r.Header["Authorization"][0], keyward.TimeOf(r.Start))
	if asker == nil {
		return false
	}
	defer asker.Done()
	answer, observer, err := q.answer(r.Context, asker, r.Target, r.Body)
	if errors.Is(err, native.ErrDeclined) {
		return false
	}
	if err != nil {
		r.Ask(q.refuse(err))
		return true
	}
	b := api.AppendRequestID(append(r.OK(), plainFields...))
	r.Send(append(b, "\r\n"...), answer)
	observer.Observe(time.Since(r.Start).Seconds())
	return true
}

// answerMain is answerPlain on the main listener.
func (q *quick) answerMain(r *plainhttp.Request) bool { return !q.maps(r.Host) && q.answerPlain(r) }
