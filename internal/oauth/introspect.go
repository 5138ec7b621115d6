package oauth

import (
	"context"
	"net/netip"
	"strings"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/token"
	"keyward/internal/verify"
)

// introspection is the answer to what a token is worth (RFC 7662, 2.2). Of a token that
// is not active it says nothing more.
type introspection struct {
	Active bool `json:"active"`
	*worth
}

// worth is what an active token stands for. Times are in seconds. Members that RFC 7662
// does not name are named as they are in access tokens.
type worth struct {
	Scope       string              `json:"scope,omitempty"`
	ClientID    string              `json:"client_id"`
	TokenType   string              `json:"token_type"`
	Expire      int64               `json:"exp,omitempty"`
	Issued      int64               `json:"iat,omitempty"` // of access tokens
	NotBefore   int64               `json:"nbf,omitempty"`
	Subject     string              `json:"sub"`
	Audience    string              `json:"aud,omitempty"` // of access tokens
	Issuer      string              `json:"iss"`
	ID          string              `json:"jti,omitempty"` // of access tokens
	Org         string              `json:"org"`
	Version     int                 `json:"ver"`
	KeyID       string              `json:"key_id"`
	OwnerID     string              `json:"owner_id,omitempty"`
	Environment keyward.Environment `json:"environment"`
}

// What a token may be. A secret is no OAuth token, and has a name of its own.
const (
	typeBearer = "Bearer"
	typeAPIKey = "api_key"
)

// introspect tells what a key's secret or an access token of ours is worth to whoever may
// verify it. It asks for no permission, at no cost, and spends nothing: rate limits,
// credits and usage are as they were, and have no say in whether a token is active.
func (t *Tokens) introspect(_ context.Context, c *api.Call) (api.Answer, error) {
	if err := c.By.May(keyward.KeysVerify, c.By.OrganizationID); err != nil {
		return api.Answer{}, err
	}
	form, err := c.Form("token", "token_type_hint", "ip", "environment")
	if err != nil {
		return api.Answer{}, err
	}
	q, err := readQuestion(form)
	if err != nil {
		return api.Answer{}, err
	}
	answer, err := t.worth(&c.By, form.Text("token"), &q)
	return api.Answer{Body: answer}, err
}

// readQuestion reads what the resource knows of the request that it holds the token from.
func readQuestion(form api.Query) (keyward.Request, error) {
	q := keyward.Request{Environment: keyward.Environment(form.Text("environment")), DryRun: true}
	if form.Text("token") == "" {
		return q, keyward.Errorf(keyward.Invalid, "token is missing")
	}
	if q.Environment != "" && !q.Environment.Valid() {
		return q, keyward.Errorf(keyward.Invalid, "environment must be live, test or sandbox")
	}
	if !form.Has("ip") {
		return q, nil
	}
	ip, err := netip.ParseAddr(form.Text("ip"))
	if err != nil || ip.Zone() != "" {
		return q, keyward.Errorf(keyward.Invalid, "ip is not an IP address")
	}
	q.IP = ip
	return q, nil
}

func (t *Tokens) worth(by *keyward.Actor, text string, q *keyward.Request) (introspection, error) {
	var v verify.Verdict
	if err := t.Verify(by, text, q, &v); err != nil || v.Reason != keyward.Valid {
		return introspection{}, err
	}
	s := &v.Subject
	w := &worth{
		Scope: scopeOf(s.ACL), ClientID: s.ClientID, TokenType: typeAPIKey, Subject: s.ClientID, Issuer: t.signer.Issuer(),
		Expire: int64(s.ExpireTime) / 1000, NotBefore: (int64(s.StartTime) + 999) / 1000,
		Org: s.OrganizationID, Version: v.Version, KeyID: s.KeyID, OwnerID: s.OwnerID, Environment: s.Environment,
	}
	if !token.LooksLike(text) {
		return introspection{true, w}, nil
	}
	claims, err := t.check(text, everywhere(), t.now())
	if err != nil {
		return introspection{}, nil // it ended a moment ago
	}
	w.TokenType, w.Audience, w.ID, w.Issued = typeBearer, claims.Audience, claims.ID, int64(claims.IssuedTime)/1000
	if end := int64(claims.ExpireTime) / 1000; w.Expire == 0 || end < w.Expire {
		w.Expire = end
	}
	return introspection{true, w}, nil
}

// scopeOf returns the permissions that a key has everywhere, as a scope (RFC 6749, 3.3):
// each once, patterns such as "reports.*" as they are. What is granted in a narrower scope
// is left out, since a list of words cannot say where it holds, and so is what such a word
// cannot spell: verify knows, a scope says at most too little.
func scopeOf(acl []keyward.Grant) string {
	var words []string
	seen := map[string]bool{}
	for _, grant := range acl {
		if len(grant.Scope) > 0 {
			continue
		}
		for _, permission := range grant.Permissions {
			if !seen[permission] && scopeToken(permission) {
				words = append(words, permission)
			}
			seen[permission] = true
		}
	}
	return strings.Join(words, " ")
}

// scopeToken reports whether text is a word of a scope: visible ASCII but for quotes and
// backslashes.
func scopeToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool { return c < 0x21 || c > 0x7e || c == '"' || c == '\\' })
}
