package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"keyward"
)

// maxHops is how many elements of X-Forwarded-For are looked at.
const maxHops = 100

// Proxies are the addresses whose X-Forwarded-For is believed.
type Proxies []netip.Prefix

// ParseProxies reads addresses and CIDR blocks, separated by commas. The empty text is
// nobody.
func ParseProxies(text string) (Proxies, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var proxies Proxies
	for element := range strings.SplitSeq(text, ",") {
		element = strings.TrimSpace(element)
		block, _, err := keyward.ParseAllowedIP(element)
		if err != nil {
			return nil, fmt.Errorf("trusted proxies: %q %s", element, keyward.MessageOf(err))
		}
		proxies = append(proxies, block)
	}
	return proxies, nil
}

// ClientIP returns the address of the client of r, without zone, a mapped one as v4.
//
// It is the connection's; or, if that is a trusted proxy, the rightmost element of
// X-Forwarded-For that is not one, or the leftmost if all are. Nothing else in a
// request is believed. The result is invalid, and thus in no allow-list, if the
// connection has no address, as on a UNIX socket, or if on the way there is anything
// but a plain address or more than 100 of them.
func (p Proxies) ClientIP(r *http.Request) netip.Addr {
	connection, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	client := plain(connection.Addr())
	if !p.trust(client) {
		return client
	}
	hops := r.Header.Values("X-Forwarded-For")
	if len(hops) == 0 {
		return client
	}
	rest := strings.Join(hops, ",")
	for range maxHops {
		var more bool
		client, rest, more = lastHop(rest)
		if !more || !p.trust(client) {
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
	return plain(addr), rest, comma >= 0
}

func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func (p Proxies) trust(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(block netip.Prefix) bool { return block.Contains(addr) })
}
