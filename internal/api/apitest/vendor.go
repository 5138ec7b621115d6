package apitest

import (
	"embed"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// The contracts of the vendors' APIs as they are documented, not as we serve them.
//
//go:embed testdata/contracts/*.openapi.yaml
var contracts embed.FS

// Vendor returns what a vendor's API is known to be: "aerospike", "rebilly" or
// "gjirafa". Its clients find the operations below the dialect's mount (/aerospike/…)
// and at the root of a host alike; for Rebilly with /organizations/{id}, without it,
// and with the slash at the end that the vendor's own client writes.
//
// These documents are about keys only, and list few errors. So a success of an
// operation that they lack is let pass, and an error that an operation does not list
// must have the form of those that its path does. Members that are read-only may be
// sent.
func Vendor(t testing.TB, name string) *Contract {
	t.Helper()
	document, err := contracts.ReadFile("testdata/contracts/" + name + "-api-keys.openapi.yaml")
	if err != nil {
		t.Fatalf("the contract of %s: %v", name, err)
	}
	c := Load(t, document)
	c.partial = true
	c.locate = func(path string) (string, bool) { return below(name, path), true }
	c.formats = []openapi3.SchemaValidationOption{openapi3.WithStringFormatValidator("ip", addresses{})}
	return c
}

// organization is what Rebilly's paths may begin with.
var organization = regexp.MustCompile(`^/organizations/[^/]+(/.+)$`)

// below returns a request's path as the vendor's document has it.
func below(name, path string) string {
	if rest, ok := strings.CutPrefix(path, "/"+name+"/"); ok {
		path = "/" + rest
	}
	if name != "rebilly" {
		return path
	}
	if found := organization.FindStringSubmatch(path); found != nil {
		path = found[1]
	}
	if path == "/api-keys/" {
		return "/api-keys"
	}
	return path
}

// addresses is the format "ip" of Rebilly's document: an address, a network in CIDR
// notation, or, as its older definitions have it, IPv4 with * for the last octets.
type addresses struct{}

var wildcards = regexp.MustCompile(`^\d{1,3}(\.(\d{1,3}|\*)){3}$`)

// Validate implements [openapi3.StringFormatValidator].
func (addresses) Validate(text string) error {
	if _, err := netip.ParseAddr(text); err == nil {
		return nil
	}
	if _, err := netip.ParsePrefix(text); err == nil {
		return nil
	}
	if wildcards.MatchString(text) {
		return nil
	}
	return fmt.Errorf("%q is not an address or a network", text)
}
