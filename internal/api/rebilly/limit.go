package rebilly

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"keyward"
	"keyward/internal/api"
)

// What an organization may write, on each node: 3000 requests in ten minutes (the
// vendor's figures for its sandbox).
const (
	maxWrites   = 3000
	writeWindow = 10 * time.Minute
)

// allowance counts requests by who makes them, in windows that begin with the first
// one. It remembers nobody for much longer than two windows, and is safe for
// concurrent use.
type allowance struct {
	mu      sync.Mutex
	windows map[string]*window
	sweep   time.Time // when windows that are over are dropped again
}

type window struct {
	end  time.Time
	used int
}

func newAllowance() *allowance { return &allowance{windows: map[string]*window{}} }

// take counts one request. It returns how many more the window has, negative if this
// one was too many, and when the window ends.
func (a *allowance) take(who string, now time.Time) (left int, end time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !now.Before(a.sweep) {
		a.forget(now)
	}
	w := a.windows[who]
	if w == nil || !now.Before(w.end) {
		w = &window{end: now.Add(writeWindow)}
		a.windows[who] = w
	}
	w.used = min(w.used+1, maxWrites+1)
	return maxWrites - w.used, w.end
}

// giveBack takes a request off the count.
func (a *allowance) giveBack(who string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.windows[who]; w != nil && w.used > 0 {
		w.used--
	}
}

// forget drops the windows that are over.
func (a *allowance) forget(now time.Time) {
	for who, w := range a.windows {
		if !now.Before(w.end) {
			delete(a.windows, who)
		}
	}
	a.sweep = now.Add(writeWindow)
}

// counted is handle within the caller's allowance: all that write in one organization
// share one; somebody of the whole deployment has one of their own, whatever the
// organization, so that nobody uses up what is another's.
func (h *handler) counted(handle api.Handler) api.Handler {
	return func(ctx context.Context, c *api.Call) (api.Answer, error) {
		who, now := c.By.OrganizationID, h.now().Std()
		if who == "" {
			who = c.By.ID
		}
		left, end := h.writes.take(who, now)
		if left < 0 {
			return api.Answer{}, exceeded{keyward.Throttle(end.Sub(now),
				"There were too many requests that change something; %d are allowed in ten minutes", maxWrites)}
		}
		answer, err := handle(ctx, c)
		if keyward.CodeOf(err) == keyward.Forbidden {
			h.writes.giveBack(who) // who may not write uses up nothing that is others'
		}
		if err != nil {
			return api.Answer{}, err
		}
		if answer.Header == nil {
			answer.Header = http.Header{}
		}
		answer.Header.Set("X-RateLimit-Limit", strconv.Itoa(maxWrites))
		answer.Header.Set("X-RateLimit-Remaining", strconv.Itoa(left))
		return answer, nil
	}
}

// exceeded is the error of one request too many for the allowance.
type exceeded struct{ error }

func (e exceeded) Unwrap() error { return e.error }
