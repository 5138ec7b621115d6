package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"

	"keyward"
)

// NewKey is what a key is created from. Only Name is required.
type NewKey struct {
	Name        string              `json:"name"`
	Type        keyward.KeyType     `json:"type,omitzero"`        // keyward.SecretKey if empty
	Environment keyward.Environment `json:"environment,omitzero"` // keyward.Live if empty
	ProjectIDs  []string            `json:"projectIds,omitzero"`
	ACL         []keyward.Grant     `json:"acl,omitzero"`        // in your API; none grants nothing
	Management  []keyward.Grant     `json:"management,omitzero"` // in Keyward's API
	AllowedIPs  []string            `json:"allowedIps,omitzero"` // nil: from anywhere
	OwnerID     string              `json:"ownerId,omitzero"`
	RateLimits  []keyward.RateLimit `json:"rateLimits,omitzero"`
	Credits     *keyward.Credits    `json:"credits,omitzero"`
	Metadata    json.RawMessage     `json:"metadata,omitzero"` // an object
	StartTime   keyward.Time        `json:"startTime,omitzero"`
	ExpireTime  keyward.Time        `json:"expireTime,omitzero"`
}

// Issued is a key with its new secret, which is shown this once. Encoded as JSON, the
// secret does not show.
type Issued struct {
	Key         keyward.Key         `json:"key"`
	Secret      keyward.Secret      `json:"secret"`
	Propagation keyward.Propagation `json:"propagation"`
}

// Revoked is a key that was revoked. When Propagation lists nobody as pending, no
// node accepts it any more.
type Revoked struct {
	Key         keyward.Key         `json:"key"`
	Propagation keyward.Propagation `json:"propagation"`
}

// CreateKey creates a key in an organization.
func (c *Client) CreateKey(ctx context.Context, organizationID string, key NewKey) (Issued, error) {
	key.ACL, key.Management = written(key.ACL), written(key.Management)
	return c.issue(ctx, keysPath(organizationID), key)
}

// written returns grants in which nil is what it means: no scope, no permissions.
func written(grants []keyward.Grant) []keyward.Grant {
	var out []keyward.Grant
	for _, g := range grants {
		if g.Scope == nil {
			g.Scope = keyward.Scope{}
		}
		if g.Permissions == nil {
			g.Permissions = []string{}
		}
		out = append(out, g)
	}
	return out
}

// Changes are members of a key with their new values, named as in [NewKey]'s JSON: a
// merge patch (RFC 7396), in which nil resets a member.
type Changes map[string]any

// UpdateKey changes a key, and leaves what is not named as it is.
func (c *Client) UpdateKey(ctx context.Context, organizationID, keyID string, changes Changes) (keyward.Key, error) {
	var key keyward.Key
	err := c.do(ctx, call{method: http.MethodPatch, path: keysPath(organizationID, keyID), body: changes, into: &key})
	return key, err
}

// RotateKey gives a key a new secret. The ones it has go on for the overlap, at most
// [keyward.MaxOverlap], and never beyond their own end.
func (c *Client) RotateKey(ctx context.Context, organizationID, keyID string, overlap keyward.Duration) (Issued, error) {
	return c.issue(ctx, keysPath(organizationID, keyID, "rotate"), struct {
		Overlap keyward.Duration `json:"overlap"`
	}{overlap})
}

// issue posts what the server answers with a new secret.
func (c *Client) issue(ctx context.Context, path []string, body any) (Issued, error) {
	var in struct {
		Key         keyward.Key         `json:"key"`
		Secret      string              `json:"secret"`
		Propagation keyward.Propagation `json:"propagation"`
	}
	err := c.do(ctx, call{method: http.MethodPost, path: path, body: body, once: true, into: &in})
	if err != nil {
		return Issued{}, err
	}
	return Issued{in.Key, keyward.ForeignSecret(in.Secret), in.Propagation}, nil
}

// RevokeKey ends a key for good. Of a revoked key the reason stays as it is.
func (c *Client) RevokeKey(ctx context.Context, organizationID, keyID, reason string) (Revoked, error) {
	body := struct {
		Reason string `json:"reason"`
	}{reason}
	var revoked Revoked
	err := c.do(ctx, call{
		method: http.MethodPost, path: keysPath(organizationID, keyID, "revoke"), body: body, once: true, into: &revoked,
	})
	return revoked, err
}

// DeleteKey revokes a key and hides it. If the answer was lost and the call is made
// again, the key is not found.
func (c *Client) DeleteKey(ctx context.Context, organizationID, keyID string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: keysPath(organizationID, keyID)})
}

// Key returns one key.
func (c *Client) Key(ctx context.Context, organizationID, keyID string) (keyward.Key, error) {
	var key keyward.Key
	err := c.do(ctx, call{method: http.MethodGet, path: keysPath(organizationID, keyID), into: &key})
	return key, err
}

// Keys returns the keys of an organization that the list asks for, of which it
// fetches a page at a time. An error is the last thing it yields.
func (c *Client) Keys(ctx context.Context, organizationID string, list List) iter.Seq2[keyward.Key, error] {
	return pages[keyward.Key](ctx, c, keysPath(organizationID), list.values())
}

// KeysPage returns one page of the list.
func (c *Client) KeysPage(ctx context.Context, organizationID string, list List) (Page[keyward.Key], error) {
	return page[keyward.Key](ctx, c, keysPath(organizationID), list.values())
}

func keysPath(organizationID string, below ...string) []string {
	return append(organizationsPath(organizationID, "api-keys"), below...)
}
