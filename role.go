package keyward

import "slices"

// KeyRole is a named set of management grants that a key can be made with. It is what
// the Gjirafa VP dialect calls a role; [Role] is what an operator is for.
//
// A role counts when it is given to a key: what it says is then written into the
// key's management. Changing or deleting it later changes no key.
type KeyRole struct {
	Number         int32   `json:"number"` // counts up from 1001 in the organization, never reused
	OrganizationID string  `json:"organizationId"`
	Name           string  `json:"name"`
	Description    string  `json:"description"`
	Management     []Grant `json:"management"`
	Enabled        bool    `json:"enabled"` // whether it can be given to keys
	BuiltIn        bool    `json:"builtIn"` // every organization has it, and nobody changes it
	CreatedBy      string  `json:"createdBy"`
	CreatedTime    Time    `json:"createdTime"`
	UpdatedTime    Time    `json:"updatedTime"`
}

// The numbers of the built-in roles (the vendor's pages name them so).
const (
	KeyRoleOwner         int32 = 4  // keys and projects
	KeyRoleAdmin         int32 = 5  // keys
	KeyRoleContentEditor int32 = 39 // nothing: in Keyward there is no content
)

// BuiltInRoles returns the roles that every organization has, in the order of their
// numbers.
func BuiltInRoles(organizationID string) []*KeyRole {
	keys := []string{string(KeysRead), string(KeysCreate), string(KeysUpdate), string(KeysRevoke), string(KeysDelete)}
	role := func(number int32, name, description string, permissions ...string) *KeyRole {
		r := &KeyRole{
			Number: number, OrganizationID: organizationID, Name: name, Description: description,
			Management: []Grant{}, Enabled: true, BuiltIn: true,
		}
		if len(permissions) > 0 {
			r.Management = []Grant{{Scope: Scope{}, Permissions: permissions}}
		}
		return r
	}
	return []*KeyRole{
		role(KeyRoleOwner, "Owner", "Keys and projects",
			slices.Concat(keys, []string{string(ProjectsRead), string(ProjectsWrite), string(OrganizationsRead)})...),
		role(KeyRoleAdmin, "Admin", "Keys", slices.Concat(keys, []string{string(ProjectsRead)})...),
		role(KeyRoleContentEditor, "Content Editor", "Nothing in the management of keys"),
	}
}

// In returns the role's grants for a key in these projects: a built-in role holds in
// the key's projects only, if it has any; a role of an organization's own is as it is
// written.
func (r *KeyRole) In(projectIDs []string) []Grant {
	grants := normalGrants(r.Management)
	if !r.BuiltIn || len(projectIDs) == 0 {
		return grants
	}
	for i := range grants {
		grants[i].Scope = Scope{scopeProject: slices.Clone(projectIDs)}
	}
	return grants
}

// Normalize gives the grants one way of writing them, after [KeyRole.Validate] found
// nothing.
func (r *KeyRole) Normalize() { r.Management = normalGrants(r.Management) }

// Validate reports every member that breaks a rule.
func (r *KeyRole) Validate() error {
	var f Faults
	if why := wrongName(r.Name); why != "" {
		f.Add("/name", "%s", why)
	}
	if why := wrongText(r.Description, 0, 1000); why != "" {
		f.Add("/description", "%s", why)
	}
	validateManagement(&f, r.Management)
	return f.Err()
}
