package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"keyward"
)

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

// ClientIP returns the address of the client of r as [keyward.ClientAddress] finds it.
// Nothing else in a request is believed. It is invalid if the connection has no address, as
// on a UNIX socket.
func (p Proxies) ClientIP(r *http.Request) netip.Addr {
	connection, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return keyward.ClientAddress(connection.Addr(), r.Header.Values("X-Forwarded-For"), p)
}
