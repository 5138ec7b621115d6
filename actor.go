package keyward

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Permission is a right in Keyward's own API.
type Permission string

// The management permissions.
const (
	OrganizationsRead  Permission = "organizations.read"
	OrganizationsWrite Permission = "organizations.write"
	ProjectsRead       Permission = "projects.read"
	ProjectsWrite      Permission = "projects.write"
	KeysRead           Permission = "keys.read"
	KeysCreate         Permission = "keys.create"
	KeysUpdate         Permission = "keys.update" // also enables, disables and rotates
	KeysRevoke         Permission = "keys.revoke"
	KeysDelete         Permission = "keys.delete"
	KeysReveal         Permission = "keys.reveal"
	KeysVerify         Permission = "keys.verify"
	OperatorsRead      Permission = "operators.read"
	OperatorsWrite     Permission = "operators.write"
	AuditRead          Permission = "audit.read"
	UsageRead          Permission = "usage.read"
	SystemRead         Permission = "system.read"
)

// Permissions returns every management permission.
func Permissions() []Permission {
	return []Permission{
		OrganizationsRead, OrganizationsWrite, ProjectsRead, ProjectsWrite,
		KeysRead, KeysCreate, KeysUpdate, KeysRevoke, KeysDelete, KeysReveal, KeysVerify,
		OperatorsRead, OperatorsWrite, AuditRead, UsageRead, SystemRead,
	}
}

// neverForKeys reports whether p is a permission that no key can hold.
func neverForKeys(p Permission) bool {
	return p == OrganizationsWrite || p == SystemRead || strings.HasPrefix(string(p), "operators.")
}

// Role is what an operator is for; it stands for a set of permissions.
type Role string

// The roles, strongest first.
const (
	Owner    Role = "owner"    // everything
	Admin    Role = "admin"    // everything but operators and the system
	Editor   Role = "editor"   // projects and keys, but never the secret of one
	Viewer   Role = "viewer"   // reads what admins manage
	Verifier Role = "verifier" // verifies keys and nothing else
)

// Permissions returns what the role may do; nil for a role that does not exist.
func (r Role) Permissions() []Permission {
	switch r {
	case Owner:
		return Permissions()
	case Admin:
		return slices.DeleteFunc(Permissions(), func(p Permission) bool {
			return p == OperatorsRead || p == OperatorsWrite || p == SystemRead
		})
	case Editor:
		return []Permission{
			OrganizationsRead, ProjectsRead, ProjectsWrite, UsageRead,
			KeysRead, KeysCreate, KeysUpdate, KeysRevoke, KeysDelete, KeysVerify,
		}
	case Viewer:
		return []Permission{OrganizationsRead, ProjectsRead, KeysRead, AuditRead, UsageRead}
	case Verifier:
		return []Permission{KeysVerify}
	}
	return nil
}

// ActorType tells the kinds of actor apart; they are never interchangeable.
type ActorType string

// The actor types.
const (
	OperatorActor ActorType = "operator"
	KeyActor      ActorType = "key"    // a key acting through its management grants
	SystemActor   ActorType = "system" // the server itself, at its first start or from its own machine
)

// Actor is who is asking. It is made only by authentication, and passed to
// whatever changes or reads something.
type Actor struct {
	Type           ActorType
	ID             string
	Name           string
	OrganizationID string  // whose things it can reach; "" is every organization's
	Management     []Grant // what it may do there
	Version        int     // of the secret that was presented, if it is a key; the generation of whoever signed in
	User           string  // whom it acts for: a person's e-mail address, or else what made it; set for changes

	IP        netip.Addr // where the request came from, for the audit trail
	RequestID string
}

// Reaches reports whether the organization exists for this actor. What it does
// not reach is answered as if it were missing.
func (a Actor) Reaches(organizationID string) bool {
	return a.OrganizationID == "" || a.OrganizationID == organizationID
}

// May returns nil if the actor has the permission somewhere in the organization.
// An organization out of reach is NotFound, a right that is missing Forbidden.
func (a Actor) May(p Permission, organizationID string) error {
	if !a.Reaches(organizationID) {
		return Errorf(NotFound, "no such organization")
	}
	if reach := a.Projects(p); reach.None() {
		return forbidden(p)
	}
	return nil
}

// MayThroughout returns nil if the actor has the permission in all of the organization.
// A right that is limited to some projects is not enough, and Forbidden.
func (a Actor) MayThroughout(p Permission, organizationID string) error {
	if err := a.May(p, organizationID); err != nil {
		return err
	}
	if !a.Projects(p).All {
		return Errorf(Forbidden, "needs %s in the whole organization", p)
	}
	return nil
}

// MayEverywhere returns nil if the actor has the permission in the whole deployment.
func (a Actor) MayEverywhere(p Permission) error {
	if a.OrganizationID != "" || !a.Projects(p).All {
		return Errorf(Forbidden, "needs %s for the whole deployment", p)
	}
	return nil
}

// MayRead returns nil if the actor has the permission in one of the projects, and
// NotFound if it does not: what cannot be read does not exist.
func (a Actor) MayRead(p Permission, projectIDs []string) error {
	if reach := a.Projects(p); !reach.Any(projectIDs) {
		return Errorf(NotFound, "no such key")
	}
	return nil
}

// MayWrite returns nil if the actor has the permission in all of the projects.
func (a Actor) MayWrite(p Permission, projectIDs []string) error {
	if reach := a.Projects(p); !reach.Every(projectIDs) {
		return Errorf(Forbidden, "needs %s in every project of the key", p)
	}
	return nil
}

func forbidden(p Permission) error { return Errorf(Forbidden, "needs the permission %s", p) }

// Reach is where in an organization a permission holds.
type Reach struct {
	All        bool
	ProjectIDs []string // if not All
}

// None reports whether the permission holds nowhere.
func (r Reach) None() bool { return !r.All && len(r.ProjectIDs) == 0 }

// Any reports whether the permission holds in one of the projects.
func (r Reach) Any(projectIDs []string) bool {
	return r.All || slices.ContainsFunc(projectIDs, func(id string) bool { return slices.Contains(r.ProjectIDs, id) })
}

// Every reports whether the permission holds in all of the projects. Being in no
// project is being in the organization at large, which takes a right without limits.
func (r Reach) Every(projectIDs []string) bool {
	return r.All || len(projectIDs) > 0 &&
		!slices.ContainsFunc(projectIDs, func(id string) bool { return !slices.Contains(r.ProjectIDs, id) })
}

// and returns where both hold; its projects are sorted, and nil if it is All.
func (r Reach) and(other Reach) Reach {
	switch {
	case r.All && other.All:
		return Reach{All: true}
	case r.All:
		r, other = other, r
	}
	both := slices.DeleteFunc(slices.Clone(r.ProjectIDs), func(id string) bool { return !other.Any([]string{id}) })
	slices.Sort(both)
	return Reach{ProjectIDs: slices.Compact(both)}
}

// Projects returns where the actor has the permission.
func (a Actor) Projects(p Permission) Reach {
	var reach Reach
	for i := range a.Management {
		g := &a.Management[i]
		if !g.names(string(p)) {
			continue
		}
		if len(g.Scope) == 0 {
			return Reach{All: true}
		}
		reach.ProjectIDs = append(reach.ProjectIDs, g.Scope[scopeProject]...)
	}
	return reach
}

// scopeProject is the only dimension that management grants can be limited by.
const scopeProject = "projectId"

// maxManaged bounds how many projects all management grants of a key name together:
// lists of keys look for each of them.
const maxManaged = 1000

// Covers returns nil if the actor holds everything that grants give: nobody gives
// away, or takes over, more management than their own.
func (a Actor) Covers(grants []Grant) error {
	for _, g := range grants {
		projects, limited := g.Scope[scopeProject]
		for _, p := range expand(g.Permissions) {
			reach := a.Projects(p)
			if !reach.All && (!limited || !containsAll(reach.ProjectIDs, projects)) {
				return Errorf(Forbidden, "the management goes beyond your own: it includes %s", p)
			}
		}
	}
	return nil
}

// Share returns the part of grants that the actor holds too, with each permission
// where both have it: what is derived, and not asked for, is cut down to that.
func (a Actor) Share(grants []Grant) []Grant {
	asked := Actor{Management: grants}
	shared := []Grant{}
	for _, p := range Permissions() {
		reach := a.Projects(p).and(asked.Projects(p))
		if reach.None() {
			continue
		}
		same := func(g Grant) bool { return slices.Equal(g.Scope[scopeProject], reach.ProjectIDs) }
		if i := slices.IndexFunc(shared, same); i >= 0 {
			shared[i].Permissions = append(shared[i].Permissions, string(p))
			continue
		}
		scope := Scope{}
		if !reach.All {
			scope[scopeProject] = reach.ProjectIDs
		}
		shared = append(shared, Grant{Scope: scope, Permissions: []string{string(p)}})
	}
	return shared
}

func containsAll(have, want []string) bool {
	held := make(map[string]bool, len(have))
	for _, s := range have {
		held[s] = true
	}
	return !slices.ContainsFunc(want, func(s string) bool { return !held[s] })
}

// expand returns the permissions that patterns stand for.
func expand(patterns []string) []Permission {
	var named []Permission
	for _, p := range Permissions() {
		if slices.ContainsFunc(patterns, func(pattern string) bool { return covers(pattern, string(p)) }) {
			named = append(named, p)
		}
	}
	return named
}

// validateManagement checks that grants are ones that a key can hold.
func validateManagement(f *Faults, grants []Grant) {
	validateGrants(f, "/management", grants)
	projects := 0
	for _, g := range grants {
		projects += len(g.Scope[scopeProject])
	}
	if projects > maxManaged {
		f.Add("/management", "names more than %d projects", maxManaged)
	}
	for i, g := range grants {
		for _, dimension := range slices.Sorted(maps.Keys(g.Scope)) {
			if dimension != scopeProject {
				f.Add(fmt.Sprintf("/management/%d/scope/%s", i, EscapePointer(dimension)),
					"is not a dimension of management: only projectId is")
			}
		}
		for j, pattern := range g.Permissions {
			at := fmt.Sprintf("/management/%d/permissions/%d", i, j)
			named := expand([]string{pattern})
			if len(named) == 0 {
				f.Add(at, "is not a management permission, such as keys.read or keys.*")
			} else if k := slices.IndexFunc(named, neverForKeys); k >= 0 {
				f.Add(at, "includes %s, which no key can hold", named[k])
			}
		}
	}
}

// Operator is somebody or something that administers Keyward. Operators and keys
// are never interchangeable: other table, other secrets, other type.
type Operator struct {
	ID             string  `json:"id"`
	Name           string  `json:"name"`
	Role           Role    `json:"role"`
	OrganizationID *string `json:"organizationId"` // null: the whole deployment
	Email          *string `json:"email"`
	HasPassword    bool    `json:"hasPassword"` // whether it can sign in
	Enabled        bool    `json:"enabled"`
	Hint           string  `json:"hint"`
	CreatedBy      string  `json:"createdBy"`
	CreatedTime    Time    `json:"createdTime"`
	UpdatedTime    Time    `json:"updatedTime"`
	LastUsedTime   Time    `json:"lastUsedTime"`

	// Generation counts up when everything that was issued to a person by signing in
	// ends at once, such as with a change of the password. The first one is 1.
	Generation int `json:"-"`
}

// Organization returns the id of the operator's organization, "" for the whole
// deployment.
func (o *Operator) Organization() string {
	if o.OrganizationID == nil {
		return ""
	}
	return *o.OrganizationID
}

// Management returns the operator's rights as grants.
func (o *Operator) Management() []Grant {
	permissions := o.Role.Permissions()
	names := make([]string, len(permissions))
	for i, p := range permissions {
		names[i] = string(p)
	}
	return []Grant{{Permissions: names}}
}

// Validate reports every member that breaks a rule.
func (o *Operator) Validate() error {
	var f Faults
	if why := wrongName(o.Name); why != "" {
		f.Add("/name", "%s", why)
	}
	if o.Role.Permissions() == nil {
		f.Add("/role", "must be one of owner, admin, editor, viewer, verifier")
	}
	if o.Email != nil {
		if why := wrongEmail(*o.Email); why != "" {
			f.Add("/email", "%s", why)
		}
		if o.Role == Verifier {
			f.Add("/email", "is for people; a verifier is a program")
		}
	}
	switch {
	case o.HasPassword && o.Role == Verifier:
		f.Add("/password", "is for people; a verifier is a program")
	case o.HasPassword && o.Email == nil:
		f.Add("/password", "needs an e-mail address to sign in with")
	}
	return f.Err()
}

// wrongEmail says why text is no address, or "": one @ with something on both
// sides. Only its owner can say more.
func wrongEmail(text string) string {
	if why := wrongText(text, 3, 254); why != "" {
		return why
	}
	local, domain, ok := strings.Cut(text, "@")
	if !ok || local == "" || domain == "" || strings.ContainsAny(text, " \t,;<>\"") || strings.Contains(domain, "@") {
		return "is not an e-mail address"
	}
	return ""
}
