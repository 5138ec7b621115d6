// Package envoy answers Envoy's external authorization filter over gRPC
// (envoy.service.auth.v3.Authorization): the same questions, and the same answers, as
// /authz/verify has for other proxies, in Envoy's messages.
//
// It translates and decides nothing: that is for package gateway. What is wrong with a
// request or its key is an answer; what is wrong with Envoy's own configuration, or with
// this server, is a gRPC error, which Envoy treats as its failure mode says.
package envoy

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/gateway"
)

// Config is what a server needs besides the gateway. The zero value trusts nobody.
type Config struct {
	// Proxies may say in X-Forwarded-For whom they speak for.
	Proxies api.Proxies
	// Log takes refusals at level Info, and what passes at level Debug.
	Log *slog.Logger
	// Observe, if set, is told of each answer: its method, the status that Envoy gives the
	// client (0 if there was no answer), and how long it took.
	Observe func(method string, status int, took time.Duration)
}

// Server is a gRPC server with Envoy's authorization and the health service.
type Server struct {
	*grpc.Server
	health *health.Server
}

// The bounds of connections and messages.
const (
	maxMessage     = 1 << 20 // bytes; Envoy sends headers, and no body unless it is told to
	maxMetadata    = 32 << 10
	maxStreams     = 1000 // of one connection
	connectTimeout = 10 * time.Second
	minPing        = 10 * time.Second
)

// method is what answers are counted under.
const method = "/envoy.service.auth.v3.Authorization/Check"

// NewServer returns a server that answers with gate. It is not serving, for those who ask
// for its health, until Serving is called.
func NewServer(gate *gateway.Gateway, config Config, options ...grpc.ServerOption) *Server {
	s := &Server{health: health.NewServer()}
	s.Server = grpc.NewServer(append(
		options,
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxHeaderListSize(maxMetadata), grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(connectTimeout),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
	)...)
	s.health.SetServingStatus("", healthv1.HealthCheckResponse_NOT_SERVING)
	s.health.SetServingStatus(authv3.Authorization_ServiceDesc.ServiceName, healthv1.HealthCheckResponse_NOT_SERVING)
	healthv1.RegisterHealthServer(s.Server, s.health)
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	authv3.RegisterAuthorizationServer(s.Server, &checker{gate: gate, config: config})
	return s
}

// Serving tells who asks for the server's health whether to send requests.
func (s *Server) Serving(on bool) {
	if on {
		s.health.Resume()
		return
	}
	s.health.Shutdown()
}

// checker is Envoy's authorization service.
type checker struct {
	authv3.UnimplementedAuthorizationServer
	gate   *gateway.Gateway
	config Config
}

// Check implements [authv3.AuthorizationServer].
func (c *checker) Check(ctx context.Context, in *authv3.CheckRequest) (answer *authv3.CheckResponse, err error) {
	start, id := time.Now(), api.NewRequestID()
	var out gateway.Outcome
	defer func() {
		if cause := recover(); cause != nil {
			c.config.Log.Error("request panicked", slog.String("surface", "envoy"), slog.String("requestId", id), slog.Any("panic", cause))
			answer, err = nil, status.Error(codes.Internal, "internal error")
		}
		if c.config.Observe != nil {
			c.config.Observe(method, out.Status, time.Since(start))
		}
	}()
	if out, err = c.check(ctx, in); err != nil {
		c.config.Log.Info("envoy was not answered", slog.String("requestId", id), slog.String("error", err.Error()))
		return nil, failure(err)
	}
	level := slog.LevelDebug
	if out.Status != http.StatusOK {
		level = slog.LevelInfo
	}
	c.config.Log.LogAttrs(ctx, level, "envoy was answered", slog.String("requestId", id), slog.Int("status", out.Status), slog.String("refusal", out.Why))
	return response(&out, in.GetAttributes(), id), nil
}

// check decides. Errors are those of package gateway, and Invalid for a question that
// Envoy would not ask as it should be configured.
func (c *checker) check(ctx context.Context, in *authv3.CheckRequest) (gateway.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return gateway.Outcome{}, err // nobody is waiting: nothing is spent
	}
	by, err := c.caller(ctx)
	if err != nil {
		return gateway.Outcome{}, err
	}
	q, err := c.question(in.GetAttributes())
	if err != nil {
		return gateway.Outcome{}, err
	}
	return c.gate.Decide(&by, q)
}

// caller returns which Envoy asks: by the metadata keyward-authorization, or by the UNIX
// socket that it came through.
func (c *checker) caller(ctx context.Context) (keyward.Actor, error) {
	sent, _ := metadata.FromIncomingContext(ctx)
	from, ok := peer.FromContext(ctx)
	socket := ok && from.Addr != nil && from.Addr.Network() == "unix"
	by, err := c.gate.Caller(sent.Get("keyward-authorization"), socket)
	if ok && err == nil {
		by.IP = address(from)
	}
	return by, err
}

func address(from *peer.Peer) netip.Addr {
	at, _ := netip.ParseAddrPort(from.Addr.String())
	return at.Addr().Unmap()
}

// failure words an error for Envoy.
func failure(err error) error {
	if _, ours := status.FromError(err); ours {
		return err
	}
	code := codes.Internal
	switch keyward.CodeOf(err) {
	case keyward.Unauthenticated:
		code = codes.Unauthenticated
	case keyward.Forbidden, keyward.NotFound:
		code = codes.PermissionDenied
	case keyward.Invalid:
		code = codes.InvalidArgument
	case keyward.Unavailable:
		code = codes.Unavailable
	}
	message := keyward.MessageOf(err)
	for _, field := range keyward.FieldsOf(err) {
		message += "; " + field.Pointer + " " + field.Detail
	}
	return status.Error(code, message)
}
