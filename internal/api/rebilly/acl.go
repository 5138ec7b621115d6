package rebilly

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"unicode/utf8"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

// aclEntry is one entry of an ACL as it is written.
type aclEntry struct {
	Scope       *aclScope `json:"scope"`
	Permissions *[]string `json:"permissions"`
}

// aclScope is what an entry is limited to, by the vendor's names.
type aclScope map[string][]string

// scopeMember is what the values of one member of a scope must be.
type scopeMember struct {
	longest int // in characters
	form    *regexp.Regexp
}

var word = regexp.MustCompile(`^[\w-]+$`)

// scopeMembers are the members that a scope can have.
func scopeMembers() map[string]scopeMember {
	return map[string]scopeMember{
		"organizationId":  {longest: 50},
		"productId":       {longest: 50},
		"planId":          {longest: 50},
		"customFieldName": {longest: 60, form: word},
	}
}

// UnmarshalJSON implements [json.Unmarshaler]. The empty array, as which the vendor's
// PHP client writes an empty object, is the empty scope.
func (s *aclScope) UnmarshalJSON(text []byte) error {
	*s = aclScope{}
	if text[0] == '[' && len(bytes.TrimSpace(text[1:len(text)-1])) == 0 {
		return nil
	}
	if text[0] != '{' {
		return keyward.Errorf(keyward.Invalid, "must be an object")
	}
	return api.DecodeJSON(text, (*map[string][]string)(s))
}

// check notes what the vendor's definition does not have. The pointer is where the
// scope stands.
func (s aclScope) check(faults *keyward.Faults, pointer string) {
	members := scopeMembers()
	for _, name := range slices.Sorted(maps.Keys(s)) {
		member, ok := members[name]
		at := pointer + "/" + keyward.EscapePointer(name)
		switch values := s[name]; {
		case !ok:
			faults.Add(at, "is not a member here")
		case values == nil:
			faults.Add(at, "may not be null")
		default:
			member.check(faults, at, values)
		}
	}
}

func (m scopeMember) check(faults *keyward.Faults, at string, values []string) {
	for i, value := range values {
		switch at := fmt.Sprintf("%s/%d", at, i); {
		case utf8.RuneCountInString(value) > m.longest:
			faults.Add(at, "is longer than %d characters", m.longest)
		case m.form != nil && !m.form.MatchString(value):
			faults.Add(at, "must be letters, digits, _ and -")
		}
	}
}

// grants returns what entries say in Keyward's words. What is missing is noted.
func grants(faults *keyward.Faults, entries []aclEntry) []keyward.Grant {
	acl := make([]keyward.Grant, len(entries))
	for i, entry := range entries {
		if entry.Scope == nil {
			faults.Add(fmt.Sprintf("/acl/%d/scope", i), "is required; {} is every scope")
		} else {
			acl[i].Scope = keyward.Scope(*entry.Scope)
			entry.Scope.check(faults, fmt.Sprintf("/acl/%d/scope", i))
		}
		if entry.Permissions == nil {
			faults.Add(fmt.Sprintf("/acl/%d/permissions", i), "is required")
		} else {
			acl[i].Permissions = *entry.Permissions
		}
	}
	return acl
}

// sameGrant reports whether two grants say the same in the same words.
func sameGrant(a, b keyward.Grant) bool {
	return maps.EqualFunc(a.Scope, b.Scope, slices.Equal) && slices.Equal(a.Permissions, b.Permissions)
}

// unrestricted is the ACL of a secret key that is made without one.
func unrestricted() []keyward.Grant {
	return []keyward.Grant{{Scope: keyward.Scope{}, Permissions: []string{"*"}}}
}

// terms returns what an ACL says about keys and organizations themselves. Entries for
// other organizations say nothing; the other members of a scope restrict data that
// is not here.
func terms(acl []keyward.Grant, organizationID string) control.Terms {
	held := map[keyward.Permission]bool{}
	for _, entry := range acl {
		if in, limited := entry.Scope["organizationId"]; limited && !slices.Contains(in, organizationID) {
			continue
		}
		for _, operation := range entry.Permissions {
			for _, p := range management(operation) {
				held[p] = true
			}
		}
	}
	var given []string
	for _, p := range keyward.Permissions() {
		if held[p] {
			given = append(given, string(p))
		}
	}
	if given == nil {
		return control.Terms{}
	}
	return control.Terms{Grants: []keyward.Grant{{Scope: keyward.Scope{}, Permissions: given}}}
}

// management returns what the vendor's operation takes here; "*" is all of them, and
// most are about other things.
func management(operation string) []keyward.Permission {
	switch operation {
	case "GetApiKeyCollection", "GetApiKey":
		return []keyward.Permission{keyward.KeysRead}
	case "PostApiKey":
		return []keyward.Permission{keyward.KeysCreate}
	case "PutApiKey":
		return []keyward.Permission{keyward.KeysCreate, keyward.KeysUpdate}
	case "DeleteApiKey":
		return []keyward.Permission{keyward.KeysDelete, keyward.KeysRevoke}
	case "GetOrganizationCollection", "GetOrganization":
		return []keyward.Permission{keyward.OrganizationsRead}
	case "*":
		return []keyward.Permission{
			keyward.OrganizationsRead,
			keyward.KeysRead, keyward.KeysCreate, keyward.KeysUpdate, keyward.KeysRevoke, keyward.KeysDelete,
		}
	}
	return nil
}
