package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// WriteHeader implements [http.ResponseWriter].
func (v *visit) WriteHeader(status int) {
	if v.status < http.StatusOK { // informational ones come before the real one
		v.status = status
	}
	v.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (v *visit) Write(body []byte) (int, error) {
	if v.status < http.StatusOK {
		v.status = http.StatusOK
	}
	n, err := v.ResponseWriter.Write(body)
	v.bytes += int64(n)
	return n, err
}

// Unwrap lets [http.ResponseController] through.
func (v *visit) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// log writes the line of an answered request. Paths, queries, headers and bodies may
// hold secrets, so none of them is in it: the route stands for the path. Status 0 is
// a request that was given up.
func (v *visit) log(ctx context.Context, log *slog.Logger, method string) {
	level := slog.LevelInfo
	if v.quiet && !v.failed {
		level = slog.LevelDebug
	}
	if !log.Enabled(ctx, level) {
		return
	}
	route := v.route
	if route == "" {
		route = "-"
	}
	attrs := make([]slog.Attr, 0, 10)
	attrs = append(attrs,
		slog.String("method", knownMethod(method)),
		slog.String("route", route),
		slog.Int("status", v.status),
		slog.Duration("duration", time.Since(v.start)),
		slog.Int64("bytes", v.bytes),
		slog.String("requestId", v.id))
	if v.ip.IsValid() {
		attrs = append(attrs, slog.String("ip", v.ip.String()))
	}
	if v.actor != "" {
		attrs = append(attrs, slog.String("actorType", string(v.actor)), slog.String("actorId", v.actorID))
	}
	if v.refusal != "" {
		attrs = append(attrs, slog.String("refusal", v.refusal))
	}
	log.LogAttrs(ctx, level, "request", attrs...)
}

// knownMethod keeps invented methods, which can be any text, out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return "-"
}
