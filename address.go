package keyward

import (
	"net/netip"
	"strings"
)

// ParseAllowedIP reads an address or a CIDR block of an allow-list. It returns the
// block to match, and the text as it is kept: as written, but with the host bits
// of a block cleared. A v4 address mapped into v6 is the v4 address (RFC 4291,
// 2.5.5.2); other transition forms are not. Zones are refused.
func ParseAllowedIP(text string) (netip.Prefix, string, error) {
	const wrong = "is not an IP address or a CIDR block such as 203.0.113.0/24"
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, "", Errorf(Invalid, wrong)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), text, nil
	}
	block, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, "", Errorf(Invalid, wrong)
	}
	if block.Addr().Is4In6() && block.Bits() < 96 {
		return netip.Prefix{}, "", Errorf(Invalid, "is a block of mapped addresses and of others")
	}
	if block != block.Masked() {
		block = block.Masked()
		text = block.String()
	}
	if addr := block.Addr(); addr.Is4In6() {
		block = netip.PrefixFrom(addr.Unmap(), block.Bits()-96)
	}
	return block, text, nil
}

// addressIn reports whether one of the blocks holds addr, which may be mapped.
func addressIn(blocks []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, block := range blocks {
		if block.Contains(addr) {
			return true
		}
	}
	return false
}
