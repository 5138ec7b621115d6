package rebilly

import (
	"slices"
	"testing"

	"keyward"
)

// Whatever a permission is called, it gives no right that keys cannot hold, none that
// "*" does not give, and none at all if it is not the exact name of an operation.
func FuzzOperation(f *testing.F) {
	operations := []string{"*", "GetApiKeyCollection", "GetApiKey", "PostApiKey", "PutApiKey", "DeleteApiKey", "GetOrganizationCollection", "GetOrganization"}
	for _, name := range append(operations, "", "getapikey", "GetApiKey ", "GetApiKey.*", "**", "PatchOrganization", "keys.read", "GetApiKey\x00") {
		f.Add(name)
	}
	all := management("*")
	f.Fuzz(func(t *testing.T, name string) {
		given := management(name)
		if (len(given) > 0) != slices.Contains(operations, name) {
			t.Errorf("%q gives %v", name, given)
		}
		for _, p := range given {
			if !slices.Contains(all, p) || p == keyward.KeysReveal || p == keyward.OrganizationsWrite {
				t.Errorf("%q gives %s", name, p)
			}
		}
	})
}
