package keyward

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Scope narrows a grant: for each dimension, the values in which it holds. The
// empty scope holds everywhere.
type Scope map[string][]string

// Grant gives permissions where a scope matches.
//
// "*" stands for every permission and "reports.*" for everything below "reports.",
// at any depth. A star anywhere else is not a pattern and is refused by validation.
type Grant struct {
	Scope       Scope    `json:"scope"`
	Permissions []string `json:"permissions"`
}

// Limits on what one key may hold, so that no request costs more than a little.
const (
	maxGrants          = 100
	maxPermissions     = 1000 // in all grants together
	maxWanted          = 100  // permissions of one request
	maxDimensions      = 20   // of one scope
	maxScopeValues     = 1000 // of one dimension
	maxPermissionBytes = 255
)

// Allows reports whether each of the wanted permissions has a grant whose scope
// matches. Wanting nothing is always allowed; no grants give nothing.
func Allows(grants []Grant, wanted []string, scope map[string]string) bool {
	for _, permission := range wanted {
		if !allowsOne(grants, permission, scope) {
			return false
		}
	}
	return true
}

func allowsOne(grants []Grant, permission string, scope map[string]string) bool {
	for i := range grants {
		if grants[i].names(permission) && grants[i].Scope.matches(scope) {
			return true
		}
	}
	return false
}

// names reports whether one of the grant's patterns covers permission.
func (g *Grant) names(permission string) bool {
	for _, pattern := range g.Permissions {
		if covers(pattern, permission) {
			return true
		}
	}
	return false
}

// covers reports whether pattern stands for permission, itself never a pattern.
func covers(pattern, permission string) bool {
	if pattern == "*" || pattern == permission {
		return true
	}
	parent, ok := strings.CutSuffix(pattern, "*")
	return ok && strings.HasSuffix(parent, ".") &&
		len(permission) > len(parent) && strings.HasPrefix(permission, parent)
}

// matches reports whether the request carries, for each dimension, one of its
// values. A dimension without values matches nothing.
func (s Scope) matches(request map[string]string) bool {
	for dimension, values := range s {
		value, ok := request[dimension]
		if !ok || !slices.Contains(values, value) {
			return false
		}
	}
	return true
}

// validateGrants checks the shape of grants; pointer is where they stand.
func validateGrants(f *Faults, pointer string, grants []Grant) {
	if len(grants) > maxGrants {
		f.Add(pointer, "has more than %d grants", maxGrants)
		return
	}
	total := 0
	for i, g := range grants {
		at := fmt.Sprintf("%s/%d", pointer, i)
		validateScope(f, at+"/scope", g.Scope)
		if total += len(g.Permissions); total > maxPermissions {
			f.Add(at+"/permissions", "is one too many: the grants have more than %d permissions", maxPermissions)
			return
		}
		for j, p := range g.Permissions {
			if why := wrongPattern(p); why != "" {
				f.Add(fmt.Sprintf("%s/permissions/%d", at, j), "%s", why)
			}
		}
	}
}

func validateScope(f *Faults, pointer string, scope Scope) {
	if len(scope) > maxDimensions {
		f.Add(pointer, "has more than %d dimensions", maxDimensions)
		return
	}
	for _, dimension := range slices.Sorted(maps.Keys(scope)) {
		values := scope[dimension]
		at := pointer + "/" + EscapePointer(dimension)
		if why := wrongText(dimension, 1, 100); why != "" {
			f.Add(at, "the dimension's name %s", why)
		}
		if len(values) > maxScopeValues {
			f.Add(at, "has more than %d values", maxScopeValues)
			continue
		}
		for i, v := range values {
			if why := wrongText(v, 0, maxPermissionBytes); why != "" {
				f.Add(fmt.Sprintf("%s/%d", at, i), "%s", why)
			}
		}
	}
}

// wrongPattern says what is wrong with a granted permission, or "".
func wrongPattern(pattern string) string {
	if why := wrongText(pattern, 1, maxPermissionBytes); why != "" {
		return why
	}
	if pattern == "*" {
		return ""
	}
	if name := strings.TrimSuffix(pattern, ".*"); strings.Contains(name, "*") || name == "" {
		return `may hold "*" only alone or at the end, after a dot`
	}
	return ""
}

// ValidateWanted checks the permissions and the scope of a request to verify.
func ValidateWanted(f *Faults, permissions []string, scope map[string]string) {
	if len(permissions) > maxWanted {
		f.Add("/permissions", "has more than %d permissions", maxWanted)
		return
	}
	for i, p := range permissions {
		why := wrongText(p, 1, maxPermissionBytes)
		if why == "" && strings.Contains(p, "*") {
			why = `may not contain "*": ask for one permission by name`
		}
		if why != "" {
			f.Add(fmt.Sprintf("/permissions/%d", i), "%s", why)
		}
	}
	if len(scope) > maxDimensions {
		f.Add("/scope", "has more than %d dimensions", maxDimensions)
	}
}
