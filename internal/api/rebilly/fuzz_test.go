package rebilly

import (
	"encoding/json"
	"testing"

	"keyward"
	"keyward/internal/api"
)

// Whatever addresses are written, those that are let pass are ones that a key can have,
// none of them private, and writing them again changes nothing.
func FuzzAddresses(f *testing.F) {
	for _, text := range []string{
		"203.0.113.7", "203.0.113.9/24", "76.*.*.*", "*.*.*.*", "10.*.*.*", "1.*.2.*", "2001:db8::/32", "::ffff:10.0.0.1",
		"::ffff:0.0.0.0/96", "fe80::1%eth0", "", "*", "1.2.3.4/33",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var faults keyward.Faults
		kept := addresses(&faults, []string{text})
		if len(faults) > 0 {
			return
		}
		block, written, err := keyward.ParseAllowedIP(kept[0])
		if err != nil || written != kept[0] || private(block) {
			t.Errorf("addresses(%q) = %q: %v", text, kept, err)
		}
		if again := addresses(&faults, kept); len(faults) > 0 || again[0] != kept[0] {
			t.Errorf("addresses(%q) = %q: %v", kept, again, faults)
		}
	})
}

// Whatever ACL is written, one that is let pass reads the same when it is written
// back, and gives rights that a key can hold.
func FuzzACL(f *testing.F) {
	for _, text := range []string{
		`[]`, `[{"scope":{},"permissions":["*"]}]`, `[{"scope":[],"permissions":["GetApiKey"]}]`, `[{"scope":[ ],"permissions":[]}]`,
		`[{"scope":{"organizationId":["org_1"],"customFieldName":["a-b"]},"permissions":["PutApiKey","x"]}]`,
		`[{"scope":{"x":["y"]},"permissions":null}]`, `[{}]`, `[null]`, `[{"scope":[[]],"permissions":[""]}]`,
	} {
		f.Add(text)
	}
	read := func(text string) ([]keyward.Grant, bool) {
		var in keyInput
		var faults keyward.Faults
		if err := api.DecodeJSONLoose([]byte(`{"acl":`+text+`}`), &in); err != nil || in.ACL == nil {
			return nil, false
		}
		acl := grants(&faults, *in.ACL)
		return acl, len(faults) == 0
	}
	f.Fuzz(func(t *testing.T, text string) {
		acl, ok := read(text)
		if !ok {
			return
		}
		written, err := json.Marshal(acl)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := read(string(written)); !ok {
			t.Errorf("%q is written as %s, which is refused", text, written)
		}
		key := keyward.Key{Name: "x", Type: keyward.SecretKey, Environment: keyward.Live, Metadata: []byte("{}"), Management: terms(acl, "org_1").Grants}
		if err := key.Validate(); err != nil {
			t.Errorf("%q gives %v: %v", text, key.Management, err)
		}
	})
}
