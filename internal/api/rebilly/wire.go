package rebilly

import (
	"context"

	"keyward"
	"keyward/internal/api"
)

// apiKey is a key on the wire.
type apiKey struct {
	ID          string          `json:"id"`
	Description string          `json:"description"`
	Type        keyward.KeyType `json:"type"`
	ACL         []keyward.Grant `json:"acl"`
	AllowedIPs  []string        `json:"allowedIps"` // null: from anywhere
	APIUser     string          `json:"apiUser"`
	SecretKey   string          `json:"secretKey"`
	CreatedTime keyward.Time    `json:"createdTime"`
	UpdatedTime keyward.Time    `json:"updatedTime"`
	Links       []link          `json:"_links"`
}

// link is a related resource.
type link struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

// fromKey writes a key with its secret or, if that is not to be seen, with its hint in
// the same member.
func (h *handler) fromKey(ctx context.Context, key *keyward.Key, secret keyward.Secret) apiKey {
	shown := key.Hint
	if !secret.Empty() {
		shown = secret.Reveal()
	}
	return apiKey{
		ID: key.ID, Description: key.Name, Type: key.Type, ACL: key.ACL, AllowedIPs: key.AllowedIPs,
		APIUser: key.APIUser, SecretKey: shown, CreatedTime: key.CreatedTime, UpdatedTime: key.UpdatedTime,
		Links: []link{{Rel: "self", Href: h.self(ctx, key)}},
	}
}

// self is the address of a key. It names the organization whichever way the key was
// asked for.
func (h *handler) self(ctx context.Context, key *keyward.Key) string {
	return api.Base(ctx, h.base, prefix) + "/organizations/" + key.OrganizationID + keys + "/" + key.ID
}
