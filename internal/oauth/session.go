package oauth

import (
	"time"

	"keyward"
	"keyward/internal/token"
)

// How long a session lasts: if nobody says otherwise, at most, and at least.
const (
	sessionLife    = time.Hour
	maxSessionLife = 24 * time.Hour
	minSessionLife = time.Second
)

// Session is the access token of a person who signed in.
type Session struct {
	ID         string // the jti
	Token      string
	IssuedTime keyward.Time
	ExpireTime keyward.Time
}

// SessionEnd returns when a session that begins now is to end: at the instant asked
// for, or after an hour if that is zero. One less than a second or more than a day
// ahead is Invalid.
func (t *Tokens) SessionEnd(asked keyward.Time) (keyward.Time, error) {
	now := t.now()
	switch {
	case asked == 0:
		return now.Add(sessionLife), nil
	case asked < now.Add(minSessionLife), asked > now.Add(maxSessionLife):
		return 0, keyward.Errorf(keyward.Invalid, "must be a second to 24 hours from now")
	}
	return asked, nil
}

// Begin issues the token of an operator who has just signed in, until what SessionEnd
// returned. It is good for the operator's generation.
func (t *Tokens) Begin(o *keyward.Operator, audience string, end keyward.Time) (Session, error) {
	now := t.now()
	claims := token.Claims{
		Subject: o.ID, OrganizationID: o.Organization(), Version: o.Generation, Audience: audience,
		ID: t.ids.New(keyward.TokenPrefix, now), IssuedTime: now, ExpireTime: end,
	}
	text, err := t.signer.Issue(claims)
	if err != nil {
		return Session{}, keyward.Errorf(keyward.Internal, "sign a token: %w", err)
	}
	const second = keyward.Time(time.Second / time.Millisecond)
	return Session{ID: claims.ID, Token: text, IssuedTime: now, ExpireTime: end - end%second}, nil
}
