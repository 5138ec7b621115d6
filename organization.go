package keyward

import (
	"encoding/json"
	"regexp"
	"strings"
)

// DefaultPrefix begins the secrets of organizations that choose none.
const DefaultPrefix = "kw"

// Organization is the tenant: it owns projects and keys.
type Organization struct {
	ID          string `json:"id"`
	PublicID    string `json:"publicId"` // eight lower-case letters, unique in the deployment
	Name        string `json:"name"`
	Prefix      string `json:"prefix"`      // of its keys' secrets
	Recoverable bool   `json:"recoverable"` // whether secrets are kept, encrypted; decided at creation
	Enabled     bool   `json:"enabled"`
	CreatedTime Time   `json:"createdTime"`
	UpdatedTime Time   `json:"updatedTime"`

	// Profile is what only vendors' clients know of the organization: a JSON object
	// with a member for each dialect, nil if there is nothing. No decision depends on it.
	Profile json.RawMessage `json:"-"`
}

var prefixForm = regexp.MustCompile(`^[a-z0-9]{1,12}$`)

// Validate reports every member that breaks a rule.
func (o *Organization) Validate() error {
	var f Faults
	if why := wrongName(o.Name); why != "" {
		f.Add("/name", "%s", why)
	}
	switch {
	case !prefixForm.MatchString(o.Prefix):
		f.Add("/prefix", "must be 1 to 12 lower-case letters and digits")
	case o.Prefix == OperatorSecretPrefix:
		f.Add("/prefix", "is reserved for operators")
	case strings.HasSuffix(o.Prefix, publishableSuffix):
		f.Add("/prefix", "may not end in %q, which marks publishable keys", publishableSuffix)
	}
	if !publicID.MatchString(o.PublicID) {
		f.Add("/publicId", "must be eight lower-case letters")
	}
	return f.Err()
}

// publishableSuffix is appended to the prefix of publishable keys.
const publishableSuffix = "pub"

// SecretPrefix returns how secrets of the given type of key begin.
func (o *Organization) SecretPrefix(t KeyType) string {
	if t == Publishable {
		return o.Prefix + publishableSuffix
	}
	return o.Prefix
}

// Project is a group of keys within an organization; a key may be in several.
type Project struct {
	ID             string `json:"id"`
	PublicID       string `json:"publicId"`
	OrganizationID string `json:"organizationId"`
	Name           string `json:"name"`
	CreatedTime    Time   `json:"createdTime"`
	UpdatedTime    Time   `json:"updatedTime"`
}

// Validate reports every member that breaks a rule.
func (p *Project) Validate() error {
	var f Faults
	if why := wrongName(p.Name); why != "" {
		f.Add("/name", "%s", why)
	}
	if !publicID.MatchString(p.PublicID) {
		f.Add("/publicId", "must be eight lower-case letters")
	}
	return f.Err()
}
