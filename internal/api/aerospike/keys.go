package aerospike

import (
	"context"

	"keyward"
	"keyward/internal/api"
)

// scopeReadKeys is the vendor's scope for keys.read. Which scopes a key has follows from
// its management.
const scopeReadKeys = "read:api-key"

func (h *handler) listKeys(ctx context.Context, c *api.Call) (api.Answer, error) {
	body := keyList{APIKeys: []apiKey{}}
	for key, err := range h.plane.AllKeys(ctx, c.By, c.By.OrganizationID) {
		if err != nil {
			return api.Answer{}, inScope(err, scopeReadKeys)
		}
		body.APIKeys = append(body.APIKeys, apiKey{Name: key.Name, ClientID: key.ClientID})
	}
	body.Count = len(body.APIKeys)
	return api.Answer{Body: body}, nil
}

// inScope words a right that is missing as the scope that stands for it.
func inScope(err error, scope string) error {
	if keyward.CodeOf(err) == keyward.Forbidden {
		return keyward.Errorf(keyward.Forbidden, "Missing scope %s.", scope)
	}
	return err
}
