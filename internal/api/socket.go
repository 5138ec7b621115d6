package api

import "context"

type socketKey struct{}

// WithSocket returns the context of a connection that came through a UNIX socket.
func WithSocket(ctx context.Context) context.Context {
	return context.WithValue(ctx, socketKey{}, true)
}

// ThroughSocket reports whether the request came through a UNIX socket, which only
// those can open whom the file system lets. Nothing in a request can claim that.
func ThroughSocket(ctx context.Context) bool {
	through, _ := ctx.Value(socketKey{}).(bool)
	return through
}
