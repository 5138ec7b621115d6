package rebilly

import (
	"slices"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

// keyInput is what a client can write of a key. Its other members are the server's,
// and ignored whatever they hold: the vendor's PHP client sends back what it read.
type keyInput struct {
	Description *string          `json:"description"`
	Type        *keyward.KeyType `json:"type"`
	ACL         *[]aclEntry      `json:"acl"`
	AllowedIPs  *[]string        `json:"allowedIps"`
}

// keyChange is what a body says of a key, in Keyward's words, and what is wrong with it.
type keyChange struct {
	name   string
	kind   keyward.KeyType // "" if it is left out
	faults keyward.Faults

	acl       []keyward.Grant // nil if it is left out
	aclIsNull bool
	aclFaults keyward.Faults

	allowedIPs    []string // nil for every address
	written       []string // the same as they were sent
	anywhere      bool     // whether they are left out
	addressFaults keyward.Faults
}

// readKey reads the body of a call.
func readKey(c *api.Call) (keyChange, error) {
	// Null replaces these, and what is left out leaves them.
	noACL, noIPs := []aclEntry(nil), []string(nil)
	in := keyInput{ACL: &noACL, AllowedIPs: &noIPs}
	if err := c.Decode(&in); err != nil {
		return keyChange{}, ofBody(err, "description")
	}
	change := keyChange{aclIsNull: in.ACL == nil, anywhere: in.AllowedIPs == &noIPs}
	if in.Description == nil {
		change.faults.Add("/description", "is required")
	} else {
		change.name = *in.Description
	}
	if in.Type != nil {
		change.kind = *in.Type
		if change.kind != keyward.SecretKey && change.kind != keyward.Publishable {
			change.faults.Add("/type", "must be secret or publishable")
		}
	}
	if in.ACL != nil && in.ACL != &noACL {
		change.acl = grants(&change.aclFaults, *in.ACL)
	}
	if in.AllowedIPs != nil {
		change.written = *in.AllowedIPs
		change.allowedIPs = addresses(&change.addressFaults, *in.AllowedIPs)
	}
	return change, nil
}

// wrong says what is wrong with the change.
func (change *keyChange) wrong() error {
	faults := slices.Concat(change.faults, change.aclFaults, change.addressFaults)
	return ofBody(faults.Err(), "description")
}

// create makes a new key of a blank one. Without an ACL a secret key may do
// everything, and a publishable one nothing.
func (change *keyChange) create(key *keyward.Key) (*control.Terms, error) {
	if err := change.wrong(); err != nil {
		return nil, err
	}
	key.Name, key.Type = change.name, keyward.SecretKey
	if change.kind != "" {
		key.Type = change.kind
	}
	key.ACL, key.AllowedIPs = change.acl, change.allowedIPs
	if key.ACL == nil && key.Type == keyward.SecretKey {
		key.ACL = unrestricted()
	}
	derived := terms(key.ACL, key.OrganizationID)
	return &derived, nil
}

// update applies the change to a key, at the instant now even if it says nothing new.
// What is left out, or sent back as it was read, stays as it is, whatever this vendor
// makes of it; and so does all that the vendor does not know.
func (change keyChange) update(key *keyward.Key, now keyward.Time) (*control.Terms, error) {
	if change.acl != nil && slices.EqualFunc(change.acl, key.ACL, sameGrant) {
		change.acl, change.aclFaults = nil, nil
	}
	if change.written != nil && slices.Equal(change.written, key.AllowedIPs) {
		change.anywhere, change.addressFaults = true, nil
	}
	if change.kind != "" && change.kind != key.Type {
		change.faults = append(slices.Clip(change.faults), keyward.FieldError{Pointer: "/type", Detail: "cannot be changed"})
	}
	if change.aclIsNull {
		change.aclFaults.Add("/acl", "may not be null here; leave it out to keep it")
	}
	if err := change.wrong(); err != nil {
		return nil, err
	}
	key.Name, key.UpdatedTime = change.name, max(now, key.UpdatedTime+1)
	if !change.anywhere {
		key.AllowedIPs = change.allowedIPs
	}
	if change.acl == nil {
		return nil, nil
	}
	key.ACL = change.acl
	derived := terms(key.ACL, key.OrganizationID)
	return &derived, nil
}
