package oauth

import (
	"context"
	"net/http"
	"net/netip"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
	"keyward/internal/token"
)

// held is what somebody who presents it holds, and may therefore end.
type held struct {
	by       keyward.Actor
	clientID string
	tokenID  string // of an access token; "" if it is the key itself
	expire   keyward.Time
}

// revoke ends what its holder presents (RFC 7009): a key with all its secrets, or one
// access token. To hold it is all that it takes. A client that says who it is must be the
// one that the token was issued to. What is not known, or has ended, is answered as if it
// had just been revoked.
func (t *Tokens) revoke(plane *control.Plane) api.Handler {
	return func(ctx context.Context, c *api.Call) (api.Answer, error) {
		form, err := c.Form("token", "token_type_hint")
		if err != nil {
			return api.Answer{}, err
		}
		client, err := ReadRequest(c)
		if err != nil {
			return api.Answer{}, err
		}
		text, ip := form.Text("token"), api.ClientIPOf(ctx)
		if text == "" {
			return refuse(http.StatusBadRequest, "invalid_request", "token is missing"), nil
		}
		switch err := t.identify(client, ip); keyward.CodeOf(err) {
		case keyward.Unauthenticated, keyward.Forbidden:
			return unknownClient(keyward.MessageOf(err)), nil
		case keyward.Unavailable:
			return api.Answer{}, err
		}
		holds, err := t.held(text, ip)
		switch keyward.CodeOf(err) {
		case keyward.Unauthenticated:
			return gone(), nil
		case keyward.Forbidden:
			return refuse(http.StatusForbidden, "access_denied", keyward.MessageOf(err)), nil
		}
		if client.ClientID != "" && client.ClientID != holds.clientID {
			return refuse(http.StatusBadRequest, "invalid_grant", "the token was issued to another client"), nil
		}
		holds.by.RequestID = api.RequestIDOf(ctx)
		return end(ctx, plane, holds)
	}
}

// identify checks the client, if it says who it is and proves it. Errors are
// Unauthenticated, Forbidden and Unavailable.
func (t *Tokens) identify(client Request, ip netip.Addr) error {
	if !t.engine.Ready() {
		return keyward.Errorf(keyward.Unavailable, "the server is starting")
	}
	if client.ClientSecret.Empty() && !client.Basic {
		return nil
	}
	_, _, err := t.client(client.ClientID, client.ClientSecret, ip, t.now())
	return err
}

// held returns what text is, for whoever presents it. Errors are Unauthenticated if that
// has ended or was never there, and Forbidden for a key that may not be used from ip.
func (t *Tokens) held(text string, ip netip.Addr) (held, error) {
	now := t.now()
	if !token.LooksLike(text) {
		by, subject, err := t.engine.Holder(text, ip, now)
		if err != nil {
			return held{}, err
		}
		return held{by: by, clientID: subject.ClientID}, nil
	}
	claims, err := t.check(text, everywhere(), now)
	if err != nil {
		return held{}, err
	}
	holds := held{clientID: claims.Subject, tokenID: claims.ID, expire: claims.ExpireTime}
	if claims.Person() {
		holds.by, err = t.engine.Person(claims.Subject, claims.OrganizationID, claims.Version, now)
		holds.by.IP = ip
	} else {
		holds.by, _, err = t.engine.HolderClient(claims.Subject, claims.Version, ip, now)
	}
	if err == nil && holds.by.OrganizationID != claims.OrganizationID {
		err = keyward.Errorf(keyward.Unauthenticated, "the token is not for this key")
	}
	return holds, err
}

// end revokes what somebody holds.
func end(ctx context.Context, plane *control.Plane, holds held) (api.Answer, error) {
	var out control.Outcome
	var err error
	if holds.tokenID != "" {
		out, err = plane.RevokeToken(ctx, holds.by, holds.tokenID, holds.expire)
	} else {
		out, err = plane.RevokeHeldKey(ctx, holds.by)
	}
	switch keyward.CodeOf(err) {
	case keyward.NotFound, keyward.Unauthenticated: // it ended a moment ago
		return gone(), nil
	case keyward.Forbidden:
		return refuse(http.StatusBadRequest, "unsupported_token_type", keyward.MessageOf(err)), nil
	}
	return api.Answer{Status: http.StatusOK, Header: api.Propagated(out.Propagation)}, err
}

// gone answers that a token is void, and was before.
func gone() api.Answer { return api.Answer{Status: http.StatusOK} }
