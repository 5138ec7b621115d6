package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"keyward/internal/api"
)

// However many ask, few answers are made at a time, and everybody gets one.
func TestFewRunAtATime(t *testing.T) {
	var running, most atomic.Int32
	started := make(chan struct{}, 16)
	finish := make(chan struct{})
	handle := api.Few(func(context.Context, *api.Call) (api.Answer, error) {
		now := running.Add(1)
		defer running.Add(-1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		started <- struct{}{}
		<-finish
		return api.Answer{Body: []string{"a"}}, nil
	})
	surface := echo().Handler([]api.Route{{Pattern: "GET /list", Open: true, Handle: handle}})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			w := httptest.NewRecorder()
			surface.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/list", nil))
			if w.Code != http.StatusOK || w.Body.String() != `["a"]` {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	<-started
	<-started
	close(finish)
	group.Wait()
	if got := most.Load(); got != 2 {
		t.Errorf("%d ran at a time", got)
	}
}
