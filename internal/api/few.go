package api

import (
	"context"
	"encoding/json"
	"time"

	"keyward"
)

// How many calls of a handler behind [Few] run at a time, and how long others wait.
const (
	fewAtOnce = 2
	fewWait   = 10 * time.Second
)

// Few returns handle such that few calls of it run at the same time: it is for answers
// that hold a list of any length, so that a hundred of them do not take all the memory.
// A call that waits too long is Unavailable. The body is encoded before the next call
// begins, and what it was made of is let go; who reads slowly keeps nobody waiting.
func Few(handle Handler) Handler {
	turns := make(chan struct{}, fewAtOnce)
	return func(ctx context.Context, c *Call) (Answer, error) {
		deadline := time.NewTimer(fewWait)
		defer deadline.Stop()
		select {
		case turns <- struct{}{}:
		case <-deadline.C:
			return Answer{}, keyward.Errorf(keyward.Unavailable, "too many lists are being read; try again")
		case <-ctx.Done():
			return Answer{}, keyward.Errorf(keyward.Unavailable, "the client has gone: %w", ctx.Err())
		}
		defer func() { <-turns }()
		answer, err := handle(ctx, c)
		if err != nil {
			return Answer{}, err
		}
		text, _, err := encode(answer.Body)
		answer.Body = json.RawMessage(text)
		return answer, err
	}
}
