package keyward_test

import (
	"slices"
	"testing"

	"keyward"
)

func TestAnOrganizationIsWrongAt(t *testing.T) {
	for name, test := range map[string]struct {
		prefix, publicID string
		want             []string
	}{
		"nothing":                         {"kw", "abcdefgh", nil},
		"the shortest prefix":             {"a", "abcdefgh", nil},
		"the longest prefix":              {"abcdefghij12", "abcdefgh", nil},
		"a prefix of digits":              {"42", "abcdefgh", nil},
		"a prefix that begins with pub":   {"publish", "abcdefgh", nil},
		"a prefix that begins as kwop":    {"kwops", "abcdefgh", nil},
		"no prefix":                       {"", "abcdefgh", []string{"/prefix"}},
		"a prefix of 13":                  {"abcdefghij123", "abcdefgh", []string{"/prefix"}},
		"a prefix in capitals":            {"KW", "abcdefgh", []string{"/prefix"}},
		"an underscore in it":             {"k_w", "abcdefgh", []string{"/prefix"}},
		"a hyphen in it":                  {"k-w", "abcdefgh", []string{"/prefix"}},
		"a letter of another script":      {"kм", "abcdefgh", []string{"/prefix"}},
		"a line feed after it":            {"kw\n", "abcdefgh", []string{"/prefix"}},
		"the operators' prefix":           {"kwop", "abcdefgh", []string{"/prefix"}},
		"the mark of publishable keys":    {"pub", "abcdefgh", []string{"/prefix"}},
		"the mark at the end":             {"kwpub", "abcdefgh", []string{"/prefix"}},
		"no public id":                    {"kw", "", []string{"/publicId"}},
		"a public id of seven":            {"kw", "abcdefg", []string{"/publicId"}},
		"a public id of nine":             {"kw", "abcdefghi", []string{"/publicId"}},
		"a public id in capitals":         {"kw", "ABCDEFGH", []string{"/publicId"}},
		"a public id with a digit":        {"kw", "abcdefg1", []string{"/publicId"}},
		"a line feed after the public id": {"kw", "abcdefgh\n", []string{"/publicId"}},
		"prefix and public id":            {"", "", []string{"/prefix", "/publicId"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := keyward.Organization{Name: "Example", Prefix: test.prefix, PublicID: test.publicID}
			if got := pointers(o.Validate()); !slices.Equal(got, test.want) {
				t.Errorf("Validate finds fault at %q, want %q: %v", got, test.want, o.Validate())
			}
			p := keyward.Project{Name: "Example", PublicID: test.publicID}
			if got, want := p.Validate() != nil, slices.Contains(test.want, "/publicId"); got != want {
				t.Errorf("a project with that public id is wrong: %t, want %t", got, want)
			}
		})
	}
}

func TestEverySecretOfAnOrganizationHasThePublishedForm(t *testing.T) {
	for _, prefix := range []string{"kw", "a", "abcdefghij12"} {
		o := keyward.Organization{Name: "Example", Prefix: prefix, PublicID: "abcdefgh"}
		for keyType, want := range map[keyward.KeyType]string{keyward.SecretKey: prefix, keyward.Publishable: prefix + "pub"} {
			if got := o.SecretPrefix(keyType); got != want {
				t.Errorf("SecretPrefix(%s) = %q, want %q", keyType, got, want)
			}
			if !keyward.NewSecret(o.SecretPrefix(keyType), keyward.Live).Generated() {
				t.Errorf("a %s secret with the prefix %q is not recognised", keyType, prefix)
			}
		}
	}
}
