package keyward

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"
)

// KeyType says where a key may be seen.
type KeyType string

// The types of key.
const (
	SecretKey   KeyType = "secret"
	Publishable KeyType = "publishable" // may stand in a browser's page
)

// Environment keeps keys for different purposes apart.
type Environment string

// The environments.
const (
	Live    Environment = "live"
	Test    Environment = "test"
	Sandbox Environment = "sandbox"
)

// Valid reports whether e is one of the environments.
func (e Environment) Valid() bool { return e == Live || e == Test || e == Sandbox }

// Status is what a key's dates and switches amount to at one instant.
type Status string

// The statuses, in the order in which they apply.
const (
	StatusRevoked   Status = "revoked"
	StatusDisabled  Status = "disabled"
	StatusScheduled Status = "scheduled" // its start is still to come
	StatusExpired   Status = "expired"
	StatusActive    Status = "active"
)

// Key is an API key: a stable identity with one or more secrets, of which only
// digests are kept.
//
// Within Keyward a key is identified by its organization and id together, since a
// client may choose the id.
type Key struct {
	ID             string          `json:"id"`
	Number         int32           `json:"number"`   // counts up in the organization, never reused
	ClientID       string          `json:"clientId"` // unique in the deployment
	OrganizationID string          `json:"organizationId"`
	ProjectIDs     []string        `json:"projectIds"`
	Name           string          `json:"name"`
	Type           KeyType         `json:"type"`
	Environment    Environment     `json:"environment"`
	Hint           string          `json:"hint"` // of the newest secret
	Status         Status          `json:"status"`
	ACL            []Grant         `json:"acl"`        // in the organization's API
	Management     []Grant         `json:"management"` // in Keyward's API
	AllowedIPs     []string        `json:"allowedIps"` // null: from anywhere
	OwnerID        *string         `json:"ownerId"`
	RateLimits     []RateLimit     `json:"rateLimits"`
	Credits        *Credits        `json:"credits"`
	Metadata       json.RawMessage `json:"metadata"`
	Recoverable    bool            `json:"recoverable"`
	Enabled        bool            `json:"enabled"`
	StartTime      Time            `json:"startTime"`
	ExpireTime     Time            `json:"expireTime"`
	RevokedTime    Time            `json:"revokedTime"`
	RevokeReason   *string         `json:"revokeReason"`
	Versions       []Version       `json:"versions"`
	CreatedBy      string          `json:"createdBy"`
	CreatedTime    Time            `json:"createdTime"`
	UpdatedTime    Time            `json:"updatedTime"`
	LastUsedTime   Time            `json:"lastUsedTime"`
	LastUsedIP     *string         `json:"lastUsedIp"` // the block that it was last used from; null: not known

	// APIUser is whom the key acts for: the e-mail address of the person who made it,
	// or made the key that made it, as it was then; or else the id of what made it.
	APIUser string `json:"-"`
	// RoleID is the role that the Gjirafa VP dialect gave the key, and 0 otherwise.
	RoleID int32 `json:"-"`
	// Account is how the credits are kept; nil if there are none.
	Account *Account `json:"-"`
	// Revision counts the key's changes, for entity tags. Use of the key is no change.
	Revision int64 `json:"-"`
}

// Version is one secret of a key. Rotating adds one.
type Version struct {
	Version      int  `json:"version"`
	CreatedTime  Time `json:"createdTime"`
	ExpireTime   Time `json:"expireTime"`
	LastUsedTime Time `json:"lastUsedTime"`
}

// The bounds of rotation.
const (
	MaxVersions = 8                   // live ones of a key
	MaxOverlap  = 30 * 24 * time.Hour // of the old secret with the new one
)

// Limits on a key's members.
const (
	maxProjects      = 100
	maxAllowedIPs    = 1000
	maxMetadataBytes = 16 << 10
)

// MaxNumber is the last number a key can have in its organization.
const MaxNumber = math.MaxInt32

// StatusAt returns the key's status at the instant now. A key that expires now has
// expired; one that starts now is active.
func (k *Key) StatusAt(now Time) Status {
	switch {
	case k.RevokedTime != 0:
		return StatusRevoked
	case !k.Enabled:
		return StatusDisabled
	case k.StartTime > now:
		return StatusScheduled
	case k.ExpireTime != 0 && k.ExpireTime <= now:
		return StatusExpired
	}
	return StatusActive
}

// LiveVersions returns the versions that have not ended at the instant now.
func (k *Key) LiveVersions(now Time) []Version {
	return slices.DeleteFunc(slices.Clone(k.Versions), func(v Version) bool {
		return v.ExpireTime != 0 && v.ExpireTime <= now
	})
}

// Validate reports every member that breaks a rule. It looks only at the key
// itself: whether its projects exist, or its dates have passed, is not for it.
func (k *Key) Validate() error {
	var f Faults
	if why := wrongName(k.Name); why != "" {
		f.Add("/name", "%s", why)
	}
	if k.Type != SecretKey && k.Type != Publishable {
		f.Add("/type", "must be secret or publishable")
	}
	if !k.Environment.Valid() {
		f.Add("/environment", "must be live, test or sandbox")
	}
	if k.OwnerID != nil {
		if why := wrongText(*k.OwnerID, 1, 255); why != "" {
			f.Add("/ownerId", "%s", why)
		}
	}
	if k.StartTime != 0 && k.ExpireTime != 0 && k.ExpireTime <= k.StartTime {
		f.Add("/expireTime", "is not after startTime")
	}
	validateGrants(&f, "/acl", k.ACL)
	validateManagement(&f, k.Management)
	if k.Type == Publishable && len(k.Management) > 0 {
		f.Add("/management", "cannot be held by a publishable key")
	}
	k.validateProjects(&f)
	k.validateAllowedIPs(&f)
	k.validateMetadata(&f)
	validateLimits(&f, k.RateLimits)
	validateCredits(&f, k.Credits)
	return f.Err()
}

func (k *Key) validateProjects(f *Faults) {
	if len(k.ProjectIDs) > maxProjects {
		f.Add("/projectIds", "has more than %d projects", maxProjects)
		return
	}
	for i, id := range k.ProjectIDs {
		if slices.Contains(k.ProjectIDs[:i], id) {
			f.Add(fmt.Sprintf("/projectIds/%d", i), "is there twice")
		}
	}
}

func (k *Key) validateAllowedIPs(f *Faults) {
	switch {
	case k.AllowedIPs == nil:
		return
	case len(k.AllowedIPs) == 0:
		f.Add("/allowedIps", "is empty, so that no address would match; null lifts the restriction")
	case len(k.AllowedIPs) > maxAllowedIPs:
		f.Add("/allowedIps", "has more than %d entries", maxAllowedIPs)
		return
	}
	for i, text := range k.AllowedIPs {
		if _, _, err := ParseAllowedIP(text); err != nil {
			f.Add(fmt.Sprintf("/allowedIps/%d", i), "%s", MessageOf(err))
		}
	}
}

func (k *Key) validateMetadata(f *Faults) {
	if len(k.Metadata) > maxMetadataBytes {
		f.Add("/metadata", "is larger than %d bytes", maxMetadataBytes)
		return
	}
	if data := bytes.TrimSpace(k.Metadata); len(data) == 0 || data[0] != '{' || !json.Valid(data) || !utf8.Valid(data) {
		f.Add("/metadata", "is not an object")
	}
}

// Normalize gives members their defaults and one way of writing them, after
// [Key.Validate] found nothing: absent lists are empty, host bits of address
// blocks are cleared.
func (k *Key) Normalize() {
	if k.ProjectIDs == nil {
		k.ProjectIDs = []string{}
	}
	k.ACL, k.Management = normalGrants(k.ACL), normalGrants(k.Management)
	if k.RateLimits == nil {
		k.RateLimits = []RateLimit{}
	}
	for i, text := range k.AllowedIPs {
		if _, written, err := ParseAllowedIP(text); err == nil {
			k.AllowedIPs[i] = written
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, k.Metadata); err == nil {
		k.Metadata = compact.Bytes()
	}
}

func normalGrants(grants []Grant) []Grant {
	normal := make([]Grant, len(grants))
	for i, g := range grants {
		normal[i] = Grant{Scope: Scope{}, Permissions: slices.Clone(g.Permissions)}
		if g.Permissions == nil {
			normal[i].Permissions = []string{}
		}
		for dimension, values := range g.Scope {
			normal[i].Scope[dimension] = append([]string{}, values...)
		}
	}
	return normal
}

// ValidateReason checks why a key is revoked, as somebody wrote it.
func ValidateReason(reason string) error {
	var f Faults
	if why := wrongText(reason, 0, 255); why != "" {
		f.Add("/reason", "%s", why)
	}
	return f.Err()
}
