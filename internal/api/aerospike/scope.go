package aerospike

import (
	"keyward"
	"keyward/internal/api"
)

// scope returns the vendor's name for a permission. Which scopes a key has follows
// from its management.
func scope(p keyward.Permission) string {
	switch p {
	case keyward.KeysRead:
		return "read:api-key"
	case keyward.KeysCreate:
		return "create:api-key"
	case keyward.KeysDelete:
		return "delete:api-key"
	case keyward.OrganizationsRead:
		return "read:org"
	}
	return string(p)
}

// inScope words a right that the caller lacks altogether as the scope that stands for
// it. One that it has, but not for this key, is told as it is.
func inScope(c *api.Call, err error, p keyward.Permission) error {
	if keyward.CodeOf(err) == keyward.Forbidden && c.By.May(p, c.By.OrganizationID) != nil {
		return keyward.Errorf(keyward.Forbidden, "Missing scope %s.", scope(p))
	}
	return err
}
