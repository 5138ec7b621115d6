package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"keyward"
)

// Proxies are the addresses whose X-Forwarded-For is believed. The zero prefix stands for
// whoever may use a UNIX socket, and holds no address.
type Proxies []netip.Prefix

// ParseProxies reads addresses and CIDR blocks, separated by commas, and the word "unix".
// The empty text is nobody.
func ParseProxies(text string) (Proxies, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var proxies Proxies
	for element := range strings.SplitSeq(text, ",") {
		element = strings.TrimSpace(element)
		if element == "unix" {
			proxies = append(proxies, netip.Prefix{})
			continue
		}
		block, _, err := keyward.ParseAllowedIP(element)
		if err != nil {
			return nil, fmt.Errorf("trusted proxies: %q %s", element, keyward.MessageOf(err))
		}
		proxies = append(proxies, block)
	}
	return proxies, nil
}

// ClientIP returns the address of the client of r as [keyward.ClientAddress] finds it.
// Nothing else in a request is believed. It is invalid if the connection has no address, as
// on a UNIX socket that is not trusted.
func (p Proxies) ClientIP(r *http.Request) netip.Addr {
	forwarded := r.Header.Values("X-Forwarded-For")
	connection, err := netip.ParseAddrPort(r.RemoteAddr)
	switch {
	case err == nil:
		return keyward.ClientAddress(connection.Addr(), forwarded, p)
	case slices.Contains(p, netip.Prefix{}):
		return p.behindSocket(strings.Join(forwarded, ","))
	}
	return netip.Addr{}
}

// behindSocket returns whom a proxy without an address speaks for: the last of the hops
// is who has connected to it.
func (p Proxies) behindSocket(hops string) netip.Addr {
	var rest []string
	last := hops
	if comma := strings.LastIndexByte(hops, ','); comma >= 0 {
		rest, last = []string{hops[:comma]}, hops[comma+1:]
	}
	connection, err := netip.ParseAddr(strings.Trim(last, " \t"))
	if err != nil || connection.Zone() != "" {
		return netip.Addr{}
	}
	return keyward.ClientAddress(connection, rest, p)
}
