package rebilly

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"keyward"
)

// addresses returns allowed addresses as they are kept: null for none, and blocks for
// the stars of the older definition. What is no address, or is private, is noted.
func addresses(faults *keyward.Faults, texts []string) []string {
	var kept []string
	for i, text := range texts {
		block, written, err := keyward.ParseAllowedIP(starless(text))
		switch at := fmt.Sprintf("/allowedIps/%d", i); {
		case err != nil:
			faults.Add(at, "%s", keyward.MessageOf(err))
		case private(block):
			faults.Add(at, "is in a private subnet")
		}
		kept = append(kept, written)
	}
	return kept
}

// starless writes an IPv4 address whose last octets are stars as the block that it
// stands for: 76.*.*.* is 76.0.0.0/8. Anything else is returned as it is.
func starless(text string) string {
	octets := strings.Split(text, ".")
	first := slices.Index(octets, "*")
	if len(octets) != 4 || first < 0 {
		return text
	}
	for i := first; i < len(octets); i++ {
		if octets[i] != "*" {
			return text
		}
		octets[i] = "0"
	}
	return fmt.Sprintf("%s/%d", strings.Join(octets, "."), 8*first)
}

// private reports whether all of a block is in one private subnet. A block that is
// wider holds public addresses too.
func private(block netip.Prefix) bool {
	return slices.ContainsFunc(privateSubnets, func(subnet netip.Prefix) bool {
		return subnet.Bits() <= block.Bits() && subnet.Contains(block.Addr())
	})
}

// privateSubnets are those from which nobody comes over the Internet (RFC 1918, 6598,
// 4193; loopback and link-local addresses).
var privateSubnets = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("::1/128"),
}
