package oauth

import (
	"errors"
	"time"

	"keyward"
	"keyward/internal/token"
	"keyward/internal/verify"
)

// patience is how long a question waits for credits that the key has, but this server
// has not leased yet.
const patience = 100 * time.Millisecond

// Verify answers into v what the engine says of the key that was presented as text: its
// secret, or an access token of any audience, which is the key that it was issued for
// as long as it lasts.
//
// It is how every surface asks: whether the actor may ask at all is checked here too.
// Errors are Forbidden, and Unavailable, also for a key whose credits cannot be had from
// the database within 100 ms; then nothing was spent, and v says nothing.
func (t *Tokens) Verify(by *keyward.Actor, text string, q *keyward.Request, v *verify.Verdict) error {
	if !t.engine.Ready() {
		return keyward.Errorf(keyward.Unavailable, "the server is starting")
	}
	if err := by.May(keyward.KeysVerify, by.OrganizationID); err != nil {
		return err
	}
	t.ask(by, text, q, v)
	if v.Pending() == nil {
		return nil
	}
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for v.Pending() != nil {
		select {
		case <-v.Pending():
			t.ask(by, text, q, v)
		case <-timeout.C:
			*v = verify.Verdict{}
			return keyward.Errorf(keyward.Unavailable, "the key's credits cannot be had from the database just now")
		}
	}
	return nil
}

func (t *Tokens) ask(by *keyward.Actor, text string, q *keyward.Request, v *verify.Verdict) {
	if token.LooksLike(text) {
		t.askToken(by, text, q, v)
		return
	}
	t.engine.Verify(by, text, q, t.now(), v)
}

func (t *Tokens) askToken(by *keyward.Actor, text string, q *keyward.Request, v *verify.Verdict) {
	clientID, version, err := t.Client(text)
	ended := errors.Is(err, token.ErrExpired)
	if err != nil && !ended {
		*v = verify.Verdict{}
		return
	}
	asked := *q
	asked.DryRun = asked.DryRun || ended
	t.engine.VerifyClient(by, clientID, version, &asked, t.now(), v)
	if !ended {
		return
	}
	v.Reason = min(v.Reason, keyward.Expired)
	for i := range v.Checks {
		v.Checks[i].Passed = v.Checks[i].Passed && v.Checks[i].Check != keyward.Expired
	}
}
