package token

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json" // refuses duplicate members, and minds their case

	"keyward"
)

const (
	maxLength  = 8 << 10 // of a token's text, in bytes
	maxVersion = math.MaxInt32
	lastSecond = 253402300799 // the end of the year 9999
	maxSkew    = 60           // seconds by which the clock that issued a token may be ahead
)

// standard lists the claims that extra ones may not replace.
var standard = []string{"iss", "sub", "org", "ver", "jti", "aud", "iat", "exp", "nbf"}

// ErrExpired is what [Signer.Check] returns for a token in which nothing is wrong
// but its age. Its code is Unauthenticated.
var ErrExpired = keyward.Errorf(keyward.Unauthenticated, "The access token expired.")

var errNotValid = keyward.Errorf(keyward.Unauthenticated, "the access token is not valid")

// Check returns what text says if it is a token of this signer, meant for exactly
// one audience, which is one of audiences, and valid at the instant now. A token is
// void from its expiry on, without leeway; it may come from a clock that is up to a
// minute ahead.
//
// It accepts only what Issue writes (RFC 8725): EdDSA under the signer's own key,
// the header members alg, kid and typ, the standard claims in their types, and one
// spelling of each part in base64. Every error has the code Unauthenticated; all
// but [ErrExpired] are the same, and only with that one there are claims.
func (s *Signer) Check(text string, audiences []string, now keyward.Time) (Claims, error) {
	if len(text) > maxLength || strings.Count(text, ".") != 2 {
		return Claims{}, errNotValid
	}
	payload, ok := s.verify(text)
	if !ok {
		return Claims{}, errNotValid
	}
	members, ok := parse(payload)
	if !ok {
		return Claims{}, errNotValid
	}
	c, ok := s.read(members, now)
	if !ok || !slices.Contains(audiences, c.Audience) {
		return Claims{}, errNotValid
	}
	if now >= c.ExpireTime {
		return c, ErrExpired
	}
	return c, nil
}

// verify returns the payload of text, which has three parts, if its header and its
// signature are right.
func (s *Signer) verify(text string) ([]byte, bool) {
	header, rest, _ := strings.Cut(text, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	if !canonical(header) || !canonical(payload) || !canonical(signature) || !s.ours(header) {
		return nil, false
	}
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return nil, false
	}
	verified, err := signed.Verify(s.public)
	return verified, err == nil
}

// canonical reports whether part is base64url in its one spelling: go-jose, like
// the standard decoder, skips line breaks and ignores bits after the end.
func canonical(part string) bool {
	if strings.ContainsAny(part, "\r\n") {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(part)
	return err == nil
}

// ours reports whether header, in base64, is one that Issue writes. Members that
// name other keys (jwk, jku, x5c, x5u) or change the rules (crit, b64, zip) are not
// looked at: nothing but the three is allowed.
func (s *Signer) ours(header string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		return false
	}
	members, ok := parse(raw)
	if !ok || len(members) != 3 {
		return false
	}
	r := reader{members: members, ok: true}
	alg, kid, typ := r.text("alg"), r.text("kid"), r.text("typ")
	return r.ok && alg == string(jose.EdDSA) && kid == s.keyID && strings.EqualFold(typ, "JWT")
}

// read turns the members of a verified payload into claims, and reports whether
// they are complete, of this issuer, and not from the future.
func (s *Signer) read(members map[string]json.RawMessage, now keyward.Time) (Claims, bool) {
	r := reader{members: members, ok: true}
	c := Claims{
		Issuer:     r.text("iss"),
		Subject:    r.text("sub"),
		Audience:   r.audience(),
		ID:         r.text("jti"),
		Version:    int(r.number("ver", maxVersion)),
		IssuedTime: r.time("iat"),
		ExpireTime: r.time("exp"),
		Extra:      r.extra(),
	}
	if _, ok := members["org"]; ok || !c.Person() {
		c.OrganizationID = r.text("org")
	}
	if _, ok := members["nbf"]; ok && r.time("nbf") > now {
		return Claims{}, false
	}
	return c, r.ok && c.Issuer == s.issuer && c.IssuedTime <= now+maxSkew*1000
}

// parse reads a JSON object whose members have different names.
func parse(raw []byte) (map[string]json.RawMessage, bool) {
	var members map[string]json.RawMessage
	err := json.Unmarshal(raw, &members)
	return members, err == nil
}

// reader takes members out of a JSON object. ok turns false when one is missing or
// not of the type that is asked for, and stays so.
type reader struct {
	members map[string]json.RawMessage
	ok      bool
}

// text returns a string that is not empty.
func (r *reader) text(name string) string {
	var text string
	if json.Unmarshal(r.members[name], &text) != nil || text == "" {
		r.ok = false
	}
	return text
}

// number returns a whole number from 1 to last, written without fraction or exponent.
func (r *reader) number(name string, last int64) int64 {
	n, err := strconv.ParseInt(string(r.members[name]), 10, 64)
	if err != nil || n < 1 || n > last {
		r.ok = false
		return 0
	}
	return n
}

// time returns a NumericDate.
func (r *reader) time(name string) keyward.Time {
	return keyward.Time(r.number(name, lastSecond) * 1000)
}

// audience returns the one audience, which may be written as a list of one.
func (r *reader) audience() string {
	var list []string
	if json.Unmarshal(r.members["aud"], &list) != nil {
		return r.text("aud")
	}
	if len(list) != 1 || list[0] == "" {
		r.ok = false
		return ""
	}
	return list[0]
}

// extra returns the members that are no standard claims, and nil if there are none.
func (r *reader) extra() map[string]any {
	var extra map[string]any
	for name, raw := range r.members {
		if slices.Contains(standard, name) {
			continue
		}
		var value any
		if json.Unmarshal(raw, &value) != nil {
			r.ok = false
		}
		if extra == nil {
			extra = make(map[string]any)
		}
		extra[name] = value
	}
	return extra
}
