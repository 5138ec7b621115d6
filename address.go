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

// maxHops is how many elements of X-Forwarded-For are looked at.
const maxHops = 100

// ClientAddress returns whom a connection speaks for, without zone, a mapped address as
// v4. It is who opened the connection; or, if that is a trusted proxy, the rightmost
// element of forwarded, the lines of X-Forwarded-For, that is not one, or the leftmost if
// all are. The result is invalid, and thus in no allow-list, if connection is, or if on the
// way there is anything but a plain address or more than 100 of them.
func ClientAddress(connection netip.Addr, forwarded []string, trusted []netip.Prefix) netip.Addr {
	client := plainAddress(connection)
	if len(forwarded) == 0 || !addressIn(trusted, client) {
		return client
	}
	rest := strings.Join(forwarded, ",")
	for range maxHops {
		var more bool
		client, rest, more = lastHop(rest)
		if !more || !addressIn(trusted, client) {
			return client // invalid ones are never trusted
		}
	}
	return netip.Addr{}
}

// lastHop splits the last element off and reports whether there are more.
func lastHop(hops string) (client netip.Addr, rest string, more bool) {
	comma := strings.LastIndexByte(hops, ',')
	last := strings.Trim(hops[comma+1:], " \t")
	if comma >= 0 {
		rest = hops[:comma]
	}
	addr, err := netip.ParseAddr(last)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, rest, comma >= 0
	}
	return plainAddress(addr), rest, comma >= 0
}

func plainAddress(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
