package oauth

import (
	"errors"

	"keyward"
	"keyward/internal/token"
	"keyward/internal/verify"
)

// Verify answers into v what the engine says of the key that was presented as text: its
// secret, or an access token of any audience, which is the key that it was issued for
// as long as it lasts. With explain the verdict lists every check.
//
// The clock is read once. It is how every surface asks: whether the actor may ask at all
// is checked here too. Errors are Forbidden and Unavailable.
func (t *Tokens) Verify(by *keyward.Actor, text string, q *keyward.Request, explain bool, v *verify.Verdict) error {
	if !t.engine.Ready() {
		return keyward.Errorf(keyward.Unavailable, "the server is starting")
	}
	if err := by.May(keyward.KeysVerify, by.OrganizationID); err != nil {
		return err
	}
	if token.LooksLike(text) {
		t.verifyToken(by, text, q, explain, v)
		return nil
	}
	now := t.now()
	t.engine.Verify(by, text, q, now, v)
	if explain {
		v.Checks = t.engine.Explain(by, text, q, now)
	}
	return nil
}

func (t *Tokens) verifyToken(by *keyward.Actor, text string, q *keyward.Request, explain bool, v *verify.Verdict) {
	clientID, version, err := t.Client(text)
	ended := errors.Is(err, token.ErrExpired)
	if err != nil && !ended {
		*v = verify.Verdict{}
		return
	}
	asked := *q
	asked.DryRun = asked.DryRun || ended
	now := t.now()
	t.engine.VerifyClient(by, clientID, version, &asked, now, v)
	if explain {
		v.Checks = t.engine.ExplainClient(by, clientID, version, &asked, now)
	}
	if !ended {
		return
	}
	v.Reason = min(v.Reason, keyward.Expired)
	for i := range v.Checks {
		v.Checks[i].Passed = v.Checks[i].Passed && v.Checks[i].Check != keyward.Expired
	}
}
