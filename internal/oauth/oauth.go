// Package oauth is OAuth 2.0 from a key: whoever has a key's client id and secret
// gets an access token for it (RFC 6749, 4.4), and who presents a token is the key. A
// person who signed in gets one too. Whoever guards an API may ask what a key or a token
// is worth (RFC 7662), and whoever holds one may end it (RFC 7009).
//
// Each surface names the audience, the lifetime and the extra claims of the tokens
// that it issues, and words the errors; the rules are here. It has no opinion on
// what a token may do: rights are looked up in the key, at every use, so that they
// end with it.
package oauth

import (
	"net/netip"
	"time"

	"keyward"
	"keyward/internal/token"
	"keyward/internal/verify"
)

// The audiences of access tokens: which surfaces they are for.
const (
	AudienceKeyward   = "keyward"
	AudienceAerospike = "aerospike"
	AudienceRebilly   = "rebilly"
)

// Tokens issues and accepts access tokens. It is safe for concurrent use.
type Tokens struct {
	signer *token.Signer
	engine *verify.Engine
	ids    keyward.IDs
	now    func() keyward.Time
}

// New returns the tokens that signer signs, for the keys that engine knows.
func New(signer *token.Signer, engine *verify.Engine) *Tokens {
	return &Tokens{signer: signer, engine: engine, now: func() keyward.Time { return keyward.TimeOf(time.Now()) }}
}

// JWKS returns the public keys that tokens are checked with (RFC 7517), as JSON.
func (t *Tokens) JWKS() []byte { return t.signer.JWKS() }

// Issued is a new access token.
type Issued struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"` // seconds
}

// Kind is what the tokens of one surface have in common.
type Kind struct {
	Audience string
	Life     time.Duration
	// Claims returns what the surface's tokens carry beside the standard claims. It
	// may be nil.
	Claims func(*keyward.Subject) map[string]any
}

// Issue returns a token for the key with this client id and secret, as used from ip.
// Anything but an active secret key is Unauthenticated; a wrong address, Forbidden.
func (t *Tokens) Issue(kind Kind, clientID string, secret keyward.Secret, ip netip.Addr) (Issued, error) {
	now := t.now()
	by, subject, err := t.client(clientID, secret, ip, now)
	if err != nil {
		return Issued{}, err
	}
	claims := token.Claims{
		Subject: clientID, OrganizationID: subject.OrganizationID, Version: by.Version, Audience: kind.Audience,
		ID: t.ids.New(keyward.TokenPrefix, now), IssuedTime: now, ExpireTime: now.Add(kind.Life),
	}
	if kind.Claims != nil {
		claims.Extra = kind.Claims(&subject)
	}
	text, err := t.signer.Issue(claims)
	if err != nil {
		return Issued{}, keyward.Errorf(keyward.Internal, "sign a token: %w", err)
	}
	return Issued{AccessToken: text, TokenType: "Bearer", ExpiresIn: int(kind.Life.Seconds())}, nil
}

// client returns the key that authenticates with its client id and secret.
func (t *Tokens) client(id string, secret keyward.Secret, ip netip.Addr, now keyward.Time) (keyward.Actor, keyward.Subject, error) {
	by, subject, err := t.engine.Key(secret.Reveal(), ip, now)
	if err == nil && subject.ClientID != id {
		err = keyward.Errorf(keyward.Unauthenticated, "the credential is not accepted")
	}
	if err != nil {
		return keyward.Actor{}, keyward.Subject{}, err
	}
	return by, subject, nil
}

// Actor returns who is behind a token for one of the audiences, as used from ip: a key,
// or the operator who signed in. Key, version, operator, organization and revocation
// are checked as they are now. Errors are Unauthenticated, with [token.ErrExpired] told
// apart, or Forbidden for an address.
func (t *Tokens) Actor(text string, audiences []string, ip netip.Addr) (keyward.Actor, error) {
	now := t.now()
	claims, err := t.check(text, audiences, now)
	if err != nil {
		return keyward.Actor{}, err
	}
	if claims.Person() {
		by, err := t.engine.Person(claims.Subject, claims.OrganizationID, claims.Version, now)
		by.IP = ip
		return by, err
	}
	by, err := t.engine.Client(claims.Subject, claims.Version, ip, now)
	if err == nil && by.OrganizationID != claims.OrganizationID {
		err = keyward.Errorf(keyward.Unauthenticated, "the token is not for this key")
	}
	if err != nil {
		return keyward.Actor{}, err
	}
	return by, nil
}

// check is what every use of a token begins with: it is ours, for one of the audiences,
// and was not revoked. Only with [token.ErrExpired] there are claims beside an error.
func (t *Tokens) check(text string, audiences []string, now keyward.Time) (token.Claims, error) {
	claims, err := t.signer.Check(text, audiences, now)
	if claims.ID != "" && t.engine.Revoked(claims.ID) {
		return token.Claims{}, keyward.Errorf(keyward.Unauthenticated, "the access token was revoked")
	}
	return claims, err
}

func everywhere() []string { return []string{AudienceKeyward, AudienceAerospike, AudienceRebilly} }

// Client returns which version of which key a token of any audience stands for, for
// verification: whether the key is still good is not looked at. With
// [token.ErrExpired] it returns them too; any other error is Unauthenticated. The token
// of a person stands for no key.
func (t *Tokens) Client(text string) (clientID string, version int, err error) {
	claims, err := t.check(text, everywhere(), t.now())
	if claims.Person() {
		return "", 0, keyward.Errorf(keyward.Unauthenticated, "the token is not that of a key")
	}
	return claims.Subject, claims.Version, err
}

// Presented returns what a token of any audience is revoked by: its id, and when it
// expires by itself. Errors are Unauthenticated.
func (t *Tokens) Presented(text string) (id string, expire keyward.Time, err error) {
	claims, err := t.check(text, everywhere(), t.now())
	return claims.ID, claims.ExpireTime, err
}
