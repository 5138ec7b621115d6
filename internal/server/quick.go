package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/api/native"

	"github.com/prometheus/client_golang/prometheus"
)

// quick answers plain verifications before any other code looks at them, with the same
// bytes, metrics and effects. Everything else it leaves to next.
type quick struct {
	native *native.Quick
	mapped map[string]string // host names that stand for dialects
	log    *slog.Logger
	one    prometheus.Observer // of how long answers take
	batch  prometheus.Observer
	next   http.Handler // the surfaces behind their intake
	refuse func(error) http.Handler
}

// quickly returns the surfaces with the quick way before them.
func (s *Server) quickly(surfaces api.Surfaces, intake api.Intake) *quick {
	observer := func(path string) prometheus.Observer { return s.metrics.requests.WithLabelValues("POST "+path, "200") }
	return &quick{
		native: native.NewQuick(s.engine, s.tokens), mapped: surfaces.Hosts, log: s.config.Log,
		one: observer(native.VerifyPath), batch: observer(native.BatchPath), next: intake.Handler(surfaces.Handler()),
		refuse: func(err error) http.Handler {
			return intake.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { native.Refuse(w, r, err) }))
		},
	}
}

// The headers of every answer, which are shared and not to be changed.
var (
	noStore   = []string{"no-store"}
	nosniff   = []string{"nosniff"}
	mediaJSON = []string{api.MediaJSON}
)

// ServeHTTP implements [http.Handler].
func (q *quick) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !q.plain(r) {
		q.next.ServeHTTP(w, r)
		return
	}
	start := time.Now()
	asker := q.native.Admit(r.Header["Authorization"][0], keyward.TimeOf(start))
	if asker == nil {
		q.next.ServeHTTP(w, r)
		return
	}
	defer asker.Done()
	body := asker.Body(int(r.ContentLength))
	if n, err := io.ReadFull(r.Body, body); err != nil {
		r.Body = replay(body[:n], err)
		q.next.ServeHTTP(w, r)
		return
	}
	answer, observer, err := q.answer(r.Context(), asker, r.RequestURI, body)
	switch {
	case err == nil:
		writeQuick(w, answer)
		observer.Observe(time.Since(start).Seconds())
	case errors.Is(err, native.ErrDeclined):
		r.Body = replay(body, io.EOF)
		q.next.ServeHTTP(w, r)
	default:
		q.refuse(err).ServeHTTP(w, r)
	}
}

// plain reports whether nothing in a request but its credential and its body matters.
// Answers are logged at level Debug, and then by the code that does so.
func (q *quick) plain(r *http.Request) bool {
	if !q.plainParts(r.Context(), r.Method, r.RequestURI, r.Header, r.ContentLength) || len(r.TransferEncoding) > 0 {
		return false
	}
	return !q.maps(r.Host)
}

// maps reports whether a host stands for a dialect.
func (q *quick) maps(host string) bool {
	_, ok := q.mapped[api.HostName(host)]
	return ok
}

// plainParts is plain for what the two listeners have in common.
func (q *quick) plainParts(ctx context.Context, method, target string, header http.Header, length int64) bool {
	limit := int64(native.MaxVerifyBody)
	switch target {
	case native.VerifyPath:
	case native.BatchPath:
		limit = native.MaxBatchBody
	default:
		return false
	}
	media := header["Content-Type"]
	return method == http.MethodPost && 0 < length && length <= limit &&
		len(media) == 1 && media[0] == api.MediaJSON && len(header["Authorization"]) == 1 &&
		header["Content-Encoding"] == nil && header["Expect"] == nil && !q.log.Enabled(ctx, slog.LevelDebug)
}

// answer asks what the path is for.
func (q *quick) answer(ctx context.Context, asker *native.Asker, path string, body []byte) ([]byte, prometheus.Observer, error) {
	if path == native.VerifyPath {
		answer, err := asker.Verify(body)
		return answer, q.one, err
	}
	answer, err := asker.VerifyBatch(ctx, body)
	return answer, q.batch, err
}

// writeQuick sends an answer with the headers that every other has.
func writeQuick(w http.ResponseWriter, answer []byte) {
	header := w.Header()
	header["Cache-Control"] = noStore
	header["X-Content-Type-Options"] = nosniff
	header["Content-Type"] = mediaJSON
	header["X-Request-Id"] = []string{api.NewRequestID()}
	const counted = 2000 // bytes up to which net/http says the length by itself
	if len(answer) > counted {
		header["Content-Length"] = []string{strconv.Itoa(len(answer))}
	}
	_, _ = w.Write(answer) // the client has gone; nobody is left to tell
}

// replay is a body that was read already, and how that ended.
func replay(body []byte, err error) io.ReadCloser {
	return io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
}

// failing is a reader with nothing but an error.
type failing struct{ err error }

// Read implements [io.Reader].
func (f failing) Read([]byte) (int, error) { return 0, f.err }
