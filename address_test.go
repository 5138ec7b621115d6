package keyward_test

import (
	"net/netip"
	"strings"
	"testing"

	"keyward"
)

func TestParseAllowedIP(t *testing.T) {
	for name, test := range map[string]struct {
		text  string
		block string // what it matches; "": refused
		kept  string // "": as written
	}{
		"a v4 address":                     {"203.0.113.7", "203.0.113.7/32", ""},
		"a v4 block":                       {"203.0.113.0/24", "203.0.113.0/24", ""},
		"a v4 block of one":                {"203.0.113.7/32", "203.0.113.7/32", ""},
		"every v4 address":                 {"0.0.0.0/0", "0.0.0.0/0", ""},
		"host bits of v4":                  {"10.0.0.1/8", "10.0.0.0/8", "10.0.0.0/8"},
		"host bits before /0":              {"10.0.0.1/0", "0.0.0.0/0", "0.0.0.0/0"},
		"a v6 address":                     {"2001:db8::7", "2001:db8::7/128", ""},
		"a v6 address at length":           {"2001:0DB8:0:0:0:0:0:7", "2001:db8::7/128", ""},
		"a v6 block":                       {"2001:db8::/32", "2001:db8::/32", ""},
		"a v6 block in capitals":           {"2001:DB8::/32", "2001:db8::/32", ""},
		"host bits of v6":                  {"2001:db8::7/32", "2001:db8::/32", "2001:db8::/32"},
		"every v6 address":                 {"::/0", "::/0", ""},
		"loopback":                         {"::1", "::1/128", ""},
		"link-local":                       {"fe80::/10", "fe80::/10", ""},
		"a mapped address":                 {"::ffff:203.0.113.7", "203.0.113.7/32", ""},
		"a mapped address in hexadecimal":  {"::ffff:cb00:7107", "203.0.113.7/32", ""},
		"a mapped block":                   {"::ffff:10.0.0.0/104", "10.0.0.0/8", ""},
		"a mapped block with host bits":    {"::ffff:10.0.0.1/104", "10.0.0.0/8", "::ffff:10.0.0.0/104"},
		"every mapped address":             {"::ffff:0.0.0.0/96", "0.0.0.0/0", ""},
		"a mapped block of one":            {"::ffff:203.0.113.7/128", "203.0.113.7/32", ""},
		"NAT64, which is not its v4":       {"64:ff9b::a00:1", "64:ff9b::a00:1/128", ""},
		"6to4, which is not its v4":        {"2002:a00:1::/48", "2002:a00:1::/48", ""},
		"v4-compatible, which is not":      {"::10.0.0.1", "::a00:1/128", ""},
		"mapped addresses and others":      {"::ffff:10.0.0.0/95", "", ""},
		"half of the mapping's own prefix": {"::ffff:10.0.0.0/90", "", ""},
		"nothing":                          {"", "", ""},
		"a name":                           {"localhost", "", ""},
		"an internationalized name":        {"bücher.example", "", ""},
		"a star":                           {"*", "", ""},
		"a v4 star":                        {"10.0.0.*", "", ""},
		"a range":                          {"10.0.0.1-10.0.0.9", "", ""},
		"a v4 prefix that is too long":     {"10.0.0.0/33", "", ""},
		"a v6 prefix that is too long":     {"2001:db8::/129", "", ""},
		"a negative prefix":                {"10.0.0.0/-1", "", ""},
		"a signed prefix":                  {"10.0.0.0/+8", "", ""},
		"a prefix with a leading zero":     {"10.0.0.0/08", "", ""},
		"no prefix after the slash":        {"10.0.0.0/", "", ""},
		"two slashes":                      {"10.0.0.0/8/8", "", ""},
		"a netmask":                        {"10.0.0.0/255.0.0.0", "", ""},
		"an octal-looking address":         {"010.0.0.1", "", ""},
		"an octal-looking block":           {"010.0.0.0/8", "", ""},
		"two parts":                        {"10.1", "", ""},
		"two parts of a block":             {"10.1/16", "", ""},
		"hexadecimal":                      {"0x7f.1", "", ""},
		"one number":                       {"2130706433", "", ""},
		"a part above 255":                 {"10.0.0.256", "", ""},
		"a zone":                           {"::1%eth0", "", ""},
		"a zone on link-local":             {"fe80::1%1", "", ""},
		"a zone on a mapped address":       {"::ffff:10.0.0.1%eth0", "", ""},
		"a zone in a block":                {"fe80::%eth0/10", "", ""},
		"a space before it":                {" 10.0.0.0/8", "", ""},
		"a space after it":                 {"10.0.0.0/8 ", "", ""},
		"a line feed after it":             {"10.0.0.1\n", "", ""},
		"brackets":                         {"[::1]", "", ""},
		"a port":                           {"10.0.0.1:80", "", ""},
		"digits of another script":         {"１0.0.0.1", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			block, kept, err := keyward.ParseAllowedIP(test.text)
			if test.block == "" {
				if keyward.CodeOf(err) != keyward.Invalid || err == nil || kept != "" || block.IsValid() {
					t.Errorf("ParseAllowedIP(%q) = %v, %q, %v; want a refusal", test.text, block, kept, err)
				}
				return
			}
			want := test.kept
			if want == "" {
				want = test.text
			}
			if err != nil || block.String() != test.block || kept != want {
				t.Errorf("ParseAllowedIP(%q) = %v, %q, %v; want %s, %q", test.text, block, kept, err, test.block, want)
			}
			again, keptAgain, err := keyward.ParseAllowedIP(kept)
			if again != block || keptAgain != kept || err != nil {
				t.Errorf("what is kept, %q, reads as %v, %q, %v", kept, again, keptAgain, err)
			}
		})
	}
}

func TestWhereTheClientIs(t *testing.T) {
	for name, test := range map[string]struct {
		list  []string // nil: from anywhere
		ip    string   // "": none given
		admit bool
	}{
		"no list, some address":                   {nil, "198.51.100.1", true},
		"no list, no address":                     {nil, "", true},
		"a list without entries, an address":      {[]string{}, "198.51.100.1", false},
		"a list without entries, no address":      {[]string{}, "", false},
		"a list and no address":                   {[]string{"0.0.0.0/0", "::/0"}, "", false},
		"the one v4 address":                      {[]string{"203.0.113.7"}, "203.0.113.7", true},
		"the next v4 address":                     {[]string{"203.0.113.7"}, "203.0.113.8", false},
		"the first of a v4 block":                 {[]string{"203.0.113.0/24"}, "203.0.113.0", true},
		"the last of a v4 block":                  {[]string{"203.0.113.0/24"}, "203.0.113.255", true},
		"just below a v4 block":                   {[]string{"203.0.113.0/24"}, "203.0.112.255", false},
		"just above a v4 block":                   {[]string{"203.0.113.0/24"}, "203.0.114.0", false},
		"a block with host bits":                  {[]string{"10.0.0.1/8"}, "10.200.0.1", true},
		"the one v6 address":                      {[]string{"2001:db8::7"}, "2001:db8::7", true},
		"the same v6 address at length":           {[]string{"2001:db8::7"}, "2001:0DB8:0:0:0:0:0:7", true},
		"the last of a v6 block":                  {[]string{"2001:db8::/32"}, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true},
		"just above a v6 block":                   {[]string{"2001:db8::/32"}, "2001:db9::", false},
		"the second entry":                        {[]string{"203.0.113.7", "2001:db8::/32"}, "2001:db8::1", true},
		"mapped client, v4 list":                  {[]string{"203.0.113.0/24"}, "::ffff:203.0.113.7", true},
		"v4 client, mapped address":               {[]string{"::ffff:203.0.113.7"}, "203.0.113.7", true},
		"v4 client, mapped block":                 {[]string{"::ffff:203.0.113.0/120"}, "203.0.113.7", true},
		"v4 client outside a mapped block":        {[]string{"::ffff:203.0.113.0/120"}, "203.0.114.7", false},
		"mapped client, mapped list":              {[]string{"::ffff:203.0.113.7"}, "::ffff:203.0.113.7", true},
		"every v4 address":                        {[]string{"0.0.0.0/0"}, "198.51.100.1", true},
		"every v4 address, mapped":                {[]string{"0.0.0.0/0"}, "::ffff:198.51.100.1", true},
		"every v4 address holds no v6 one":        {[]string{"0.0.0.0/0"}, "2001:db8::1", false},
		"every v6 address":                        {[]string{"::/0"}, "2001:db8::1", true},
		"every v6 address holds no v4 one":        {[]string{"::/0"}, "198.51.100.1", false},
		"every mapped address is every v4 one":    {[]string{"::ffff:0.0.0.0/96"}, "198.51.100.1", true},
		"NAT64 is not the v4 address":             {[]string{"10.0.0.0/8"}, "64:ff9b::a00:1", false},
		"6to4 is not the v4 address":              {[]string{"10.0.0.0/8"}, "2002:a00:1::", false},
		"v4-compatible is not the v4 address":     {[]string{"10.0.0.0/8"}, "::10.0.0.1", false},
		"the v4 address is not NAT64":             {[]string{"64:ff9b::/96"}, "10.0.0.1", false},
		"NAT64 is itself":                         {[]string{"64:ff9b::/96"}, "64:ff9b::a00:1", true},
		"a zone of the client says nothing":       {[]string{"fe80::/10"}, "fe80::1%eth0", true},
		"a zone on a mapped client says nothing":  {[]string{"203.0.113.0/24"}, "::ffff:203.0.113.7%eth0", true},
		"loopback is an address like any other":   {[]string{"10.0.0.0/8"}, "127.0.0.1", false},
		"v6 loopback is not the v4 one":           {[]string{"127.0.0.1"}, "::1", false},
		"the unspecified address is no wild card": {[]string{"0.0.0.0"}, "198.51.100.1", false},
	} {
		t.Run(name, func(t *testing.T) {
			q := welcome()
			q.subject.AllowedIPs = blocks(t, test.list)
			if test.ip != "" {
				q.request.IP = netip.MustParseAddr(test.ip)
			}
			want := keyward.IPNotAllowed
			if test.admit {
				want = keyward.Valid
			}
			if got := q.decide(); got != want {
				t.Errorf("Decide(%q from %q) = %s, want %s", test.list, test.ip, got, want)
			}
		})
	}
}

func blocks(t *testing.T, list []string) []netip.Prefix {
	t.Helper()
	if list == nil {
		return nil
	}
	blocks := []netip.Prefix{}
	for _, text := range list {
		block, _, err := keyward.ParseAllowedIP(text)
		if err != nil {
			t.Fatalf("ParseAllowedIP(%q): %v", text, err)
		}
		blocks = append(blocks, block)
	}
	return blocks
}

func TestClientAddressBelievesTrustedProxiesOnly(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for name, test := range map[string]struct {
		connection string
		forwarded  []string
		want       string // "" if nobody is known
	}{
		"nobody stands between":             {"203.0.113.7", nil, "203.0.113.7"},
		"a stranger speaks for another":     {"203.0.113.7", []string{"198.51.100.1"}, "203.0.113.7"},
		"a proxy speaks for itself":         {"10.0.0.1", nil, "10.0.0.1"},
		"a proxy speaks for a client":       {"10.0.0.1", []string{"198.51.100.1"}, "198.51.100.1"},
		"a mapped proxy does so too":        {"::ffff:10.0.0.1", []string{"198.51.100.1"}, "198.51.100.1"},
		"the client wrote something itself": {"10.0.0.1", []string{"192.0.2.1, 198.51.100.1"}, "198.51.100.1"},
		"there are lines":                   {"10.0.0.1", []string{"192.0.2.1", "198.51.100.1", "10.2.3.4"}, "198.51.100.1"},
		"all are proxies":                   {"10.0.0.1", []string{"10.9.9.9, 2001:db8::1"}, "10.9.9.9"},
		"something is no address":           {"10.0.0.1", []string{"198.51.100.1, unknown"}, ""},
		"there are too many":                {"10.0.0.1", []string{strings.Repeat("10.0.0.1,", 100) + "10.0.0.1"}, ""},
	} {
		got := keyward.ClientAddress(netip.MustParseAddr(test.connection), test.forwarded, trusted)
		if want, _ := netip.ParseAddr(test.want); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := keyward.ClientAddress(netip.Addr{}, []string{"198.51.100.1"}, trusted); got.IsValid() {
		t.Errorf("a connection without address: %s", got)
	}
}
