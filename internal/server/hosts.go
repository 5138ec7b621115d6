package server

import (
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"keyward"
)

// dialects maps the surfaces that can have host names of their own to where they are
// mounted.
func dialects() map[string]string {
	return map[string]string{"aerospike": "/aerospike/", "rebilly": "/rebilly/", "gjirafa": "/gjirafa/"}
}

var hostForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

// hosts returns the prefix that each host name stands for: those that were asked for
// as dialect=name, and each dialect's name below localhost.
func (c Config) hosts() (map[string]string, error) {
	known := dialects()
	found := map[string]string{}
	for name, prefix := range known {
		found[name+".localhost"] = prefix
	}
	for _, text := range c.Hosts {
		dialect, host, ok := strings.Cut(text, "=")
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		prefix := known[dialect]
		_, noName := netip.ParseAddr(host)
		switch {
		case !ok || prefix == "":
			return nil, keyward.Errorf(keyward.Invalid, "--host %s must be like rebilly=keys.example.com, with one of %s",
				text, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case !hostForm.MatchString(host) || len(host) > 253 || noName == nil || host == "localhost":
			return nil, keyward.Errorf(keyward.Invalid, "--host %s does not name a host such as keys.example.com, without port", text)
		case c.publicHost() == host:
			return nil, keyward.Errorf(keyward.Invalid, "--host %s is the host of --public-url, where the other APIs would be out of reach", text)
		case found[host] != "" && found[host] != prefix:
			return nil, keyward.Errorf(keyward.Invalid, "--host gives %s to two dialects", host)
		}
		found[host] = prefix
	}
	return found, nil
}

// publicHost returns the host name of the public URL, if there is one.
func (c Config) publicHost() string {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}
