// Package token provides access tokens: JWTs (RFC 7519) signed with EdDSA, which
// it issues, checks strictly, and whose public key it publishes as a JWK set.
//
// A token only says which key and version it was made from, or which operator signed
// in. It holds no rights, so a token that checks out is a question to the replica, not
// an answer: whether the key still lives, and what it may do, is not decided here. Nor are tokens of other
// issuers this package's business.
package token

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"keyward"
)

// Claims is what a token says. All but Extra must be present, except that a person of
// the whole deployment has no organization.
type Claims struct {
	Issuer         string       // iss: this deployment, such as by its public URL
	Subject        string       // sub: the client id of the key, or the id of the operator
	OrganizationID string       // org; it is absent if empty
	Audience       string       // aud: the surface that the token is for
	ID             string       // jti
	Version        int          // ver: the key's version, or the operator's generation, from 1
	IssuedTime     keyward.Time // iat, in whole seconds
	ExpireTime     keyward.Time // exp, in whole seconds: the first instant at which it is void

	// Extra holds claims that a vendor's tokens have besides, at the top level. It
	// is nil if there are none. Numbers in checked tokens are float64.
	Extra map[string]any
}

// Person reports whether the token is that of an operator who signed in. Client ids
// never look like an operator's id.
func (c *Claims) Person() bool { return strings.HasPrefix(c.Subject, keyward.OperatorPrefix+"_") }

// Signer issues and checks the tokens of one issuer under one key. It is safe for
// concurrent use.
type Signer struct {
	issuer string
	public ed25519.PublicKey
	keyID  string // the key's thumbprint (RFC 7638)
	jws    jose.Signer
	jwks   []byte
}

// New returns a Signer for tokens of issuer, such as the public URL of the deployment.
func New(key ed25519.PrivateKey, issuer string) (*Signer, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("access tokens need an Ed25519 private key")
	}
	if issuer == "" {
		return nil, errors.New("access tokens need an issuer, such as the public URL")
	}
	public := slices.Clone(key.Public().(ed25519.PublicKey))
	jwk := jose.JSONWebKey{Key: public, Use: "sig", Algorithm: string(jose.EdDSA)}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("name the token key: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{jwk}})
	if err != nil {
		return nil, fmt.Errorf("publish the token key: %w", err)
	}
	jws, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: slices.Clone(key), KeyID: jwk.KeyID}},
		(&jose.SignerOptions{}).WithType("JWT"),
	)
	if err != nil {
		return nil, fmt.Errorf("sign with the token key: %w", err)
	}
	return &Signer{issuer: issuer, public: public, keyID: jwk.KeyID, jws: jws, jwks: jwks}, nil
}

// Issuer returns the issuer of the tokens.
func (s *Signer) Issuer() string { return s.issuer }

// JWKS returns the public key as a JSON Web Key Set (RFC 7517, RFC 8037).
func (s *Signer) JWKS() []byte { return bytes.Clone(s.jwks) }

// Issue returns a signed token (JWS compact serialization). Times are cut to the
// second. An empty Issuer stands for the signer's own. It is an error if Check
// would not accept the token, or if an extra claim has the name of a standard one.
func (s *Signer) Issue(c Claims) (string, error) {
	if c.Issuer == "" {
		c.Issuer = s.issuer
	}
	if err := s.complete(c); err != nil {
		return "", err
	}
	claims := map[string]any{
		"iss": c.Issuer,
		"sub": c.Subject,
		"ver": c.Version,
		"jti": c.ID,
		"aud": c.Audience,
		"iat": seconds(c.IssuedTime),
		"exp": seconds(c.ExpireTime),
	}
	if c.OrganizationID != "" {
		claims["org"] = c.OrganizationID
	}
	for name, value := range c.Extra {
		if slices.Contains(standard, name) {
			return "", fmt.Errorf("access token: the extra claim %q is a standard one", name)
		}
		claims[name] = value
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("access token: %w", err)
	}
	signed, err := s.jws.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("access token: %w", err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("access token: %w", err)
	}
	if len(text) > maxLength {
		return "", fmt.Errorf("access token: longer than %d bytes", maxLength)
	}
	return text, nil
}

// complete reports what keeps c from becoming a token.
func (s *Signer) complete(c Claims) error {
	for name, value := range map[string]string{
		"sub": c.Subject, "org": c.OrganizationID, "jti": c.ID, "aud": c.Audience,
	} {
		if value == "" && !(name == "org" && c.Person()) {
			return fmt.Errorf("access token: %s is empty", name)
		}
	}
	switch issued, expire := seconds(c.IssuedTime), seconds(c.ExpireTime); {
	case c.Issuer != s.issuer:
		return fmt.Errorf("access token: the issuer is %q, not %q", s.issuer, c.Issuer)
	case c.Version < 1 || c.Version > maxVersion:
		return fmt.Errorf("access token: version %d is out of range", c.Version)
	case issued < 1 || expire > lastSecond || expire <= issued:
		return errors.New("access token: it must be issued after 1970, expire later, and before the year 10000")
	}
	return nil
}

// LooksLike reports whether text has the outer form of a token, which no generated
// secret has: it begins a JSON object in base64 and has three parts.
func LooksLike(text string) bool {
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2
}

// seconds is the NumericDate of t.
func seconds(t keyward.Time) int64 { return int64(t) / 1000 }
