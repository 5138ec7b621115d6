package client

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"keyward"
)

// statusOf returns what whoever presented a key learns of the reason.
func statusOf(reason keyward.Reason) int {
	switch reason {
	case keyward.Valid:
		return http.StatusOK
	case keyward.RateLimited, keyward.CreditsExhausted:
		return http.StatusTooManyRequests
	case keyward.IPNotAllowed, keyward.PermissionDenied:
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

// retryAfterOf sets Retry-After for a use whose cost does not fit a key's rate limits:
// until those are whole again. A cost that never fits has none, and neither have credits:
// when they come back, a verdict does not say.
func retryAfterOf(v *Verdict, cost int64, now time.Time, header http.Header) {
	if v.Code != keyward.RateLimited {
		return
	}
	var last keyward.Time
	for _, limit := range v.RateLimits {
		if cost > limit.Limit {
			return
		}
		if limit.Remaining < cost {
			last = max(last, limit.ResetTime)
		}
	}
	wait := max(1, (int64(last)-now.UnixMilli()+999)/1000)
	header.Set("Retry-After", strconv.FormatInt(wait, 10))
}

// refusals are all that is said to who does not pass.
var refusals = map[int]struct {
	code   keyward.Code
	detail string
}{
	http.StatusUnauthorized:       {keyward.Unauthenticated, "a valid API key is needed"},
	http.StatusForbidden:          {keyward.Forbidden, "the request is not allowed"},
	http.StatusTooManyRequests:    {keyward.Throttled, "there were too many requests"},
	http.StatusServiceUnavailable: {keyward.Unavailable, "the API key cannot be checked now"},
}

// refuse answers with problem details (RFC 9457).
func refuse(w http.ResponseWriter, status int) {
	header := w.Header()
	if status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="api"`)
	}
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct { // who has gone needs no answer
		Type   string       `json:"type"`
		Title  string       `json:"title"`
		Status int          `json:"status"`
		Detail string       `json:"detail"`
		Code   keyward.Code `json:"code"`
	}{"about:blank", http.StatusText(status), status, refusals[status].detail, refusals[status].code})
}
