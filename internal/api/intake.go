package api

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"time"

	"keyward"
)

// Intake is what every request passes first, whatever its surface: it gets an id, its
// client's address, and a line in the log when it is answered.
type Intake struct {
	// Proxies are trusted to say whom they speak for. If nil, nobody is.
	Proxies Proxies
	// Log takes one line a request at level Info, and at level Debug for the answers of
	// quiet routes. If nil, slog.Default().
	Log *slog.Logger
	// Observe, if set, is told of each answer: the pattern of its route ("" for
	// none), its status, and how long it took.
	Observe func(route string, status int, took time.Duration)
}

// Handler returns next behind the intake. Every response carries X-Request-Id, a
// fresh UUID v4; one that comes in is ignored. After a chunked request the connection
// is closed.
func (in Intake) Handler(next http.Handler) http.Handler {
	log := in.Log
	if log == nil {
		log = slog.Default()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{ResponseWriter: w, out: log, start: time.Now(), id: NewRequestID(), ip: in.Proxies.ClientIP(r)}
		w.Header().Set("X-Request-Id", v.id)
		if len(r.TransferEncoding) > 0 {
			// The request may have had a length as well (RFC 9112, 6.1), which net/http
			// drops: whoever stands before us may take what follows for part of this one.
			w.Header().Set("Connection", "close")
		}
		ctx := context.WithValue(r.Context(), visitKey{}, v)
		defer v.log(ctx, log, r.Method)
		if in.Observe != nil {
			defer func() { in.Observe(v.route, v.status, time.Since(v.start)) }()
		}
		next.ServeHTTP(v, r.WithContext(ctx))
	})
}

// NewRequestID returns a random UUID (RFC 9562, version 4). It cannot be foreseen, but
// is no secret: its bits are those of the runtime's generator, ChaCha8 under a seed of
// the operating system, which is no system call for each of them.
func NewRequestID() string {
	var text [36]byte
	return string(AppendRequestID(text[:0]))
}

// AppendRequestID appends what [NewRequestID] returns.
func AppendRequestID(text []byte) []byte {
	var b [16]byte
	binary.NativeEndian.PutUint64(b[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(b[8:], rand.Uint64())
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	text = append(hex.AppendEncode(text, b[0:4]), '-')
	text = append(hex.AppendEncode(text, b[4:6]), '-')
	text = append(hex.AppendEncode(text, b[6:8]), '-')
	text = append(hex.AppendEncode(text, b[8:10]), '-')
	return hex.AppendEncode(text, b[10:16])
}

// visit is one request as the intake knows it, and the response as it is written.
type visit struct {
	http.ResponseWriter
	out   *slog.Logger
	start time.Time
	id    string
	ip    netip.Addr

	route   string
	quiet   bool // its answers are not worth a line
	failed  bool // it was not answered, but refused
	actor   keyward.ActorType
	actorID string
	refusal string // why nobody or not this one is let in
	status  int
	bytes   int64
}

type visitKey struct{}

func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// RequestIDOf returns the id of the request, "" outside an [Intake].
func RequestIDOf(ctx context.Context) string {
	if v := visitOf(ctx); v != nil {
		return v.id
	}
	return ""
}

// logOf returns where what happens to the request is logged, slog.Default() outside
// an [Intake].
func logOf(ctx context.Context) *slog.Logger {
	if v := visitOf(ctx); v != nil {
		return v.out
	}
	return slog.Default()
}

// ClientIPOf returns the address of the request's client. It is invalid if it is not
// known, and outside an [Intake].
func ClientIPOf(ctx context.Context) netip.Addr {
	if v := visitOf(ctx); v != nil {
		return v.ip
	}
	return netip.Addr{}
}

// NoteRoute tells the log which route serves the request. Only the goroutine that
// serves it may do so.
func NoteRoute(ctx context.Context, pattern string) {
	if v := visitOf(ctx); v != nil {
		v.route = pattern
	}
}

// noteQuiet tells the log that the route's answers are not worth a line.
func noteQuiet(ctx context.Context) {
	if v := visitOf(ctx); v != nil {
		v.quiet = true
	}
}

// noteFailure tells the log that there was no answer, but an error.
func noteFailure(ctx context.Context) {
	if v := visitOf(ctx); v != nil {
		v.failed = true
	}
}

// NoteActor tells the log who is asking. Only the goroutine that serves the request
// may do so.
func NoteActor(ctx context.Context, by keyward.Actor) {
	if v := visitOf(ctx); v != nil {
		v.actor, v.actorID = by.Type, by.ID
	}
}

// NoteRefusal tells the log why a request was refused, which surfaces say less of. Only
// the goroutine that serves the request may do so.
func NoteRefusal(ctx context.Context, why string) {
	if v := visitOf(ctx); v != nil {
		v.refusal = why
	}
}
