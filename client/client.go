package client

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"keyward"
)

// Client is a connection to one server, as one operator or key. The methods may be
// called concurrently, once the fields are set. It prints without its credential.
type Client struct {
	// HTTP sends the requests. If nil, it is a client that gives up on an attempt
	// after 30 seconds. Redirects are never followed, whatever it says.
	HTTP *http.Client
	// Attempts is how often a request is sent at most. If zero, it is 3.
	Attempts int
	// InsecureHTTP allows sending the credential without TLS beyond this machine.
	InsecureHTTP bool

	base  url.URL // without a slash at the end
	token keyward.Secret
}

// ErrInsecure is why nothing was sent to a server beyond this machine without TLS.
var ErrInsecure = errors.New("the connection is not encrypted")

// attemptTimeout bounds an attempt of a client whose HTTP is nil.
const attemptTimeout = 30 * time.Second

// New returns a client of the server at address, such as https://keys.example.com.
// The token is an operator's credential or an access token. Nothing is sent yet. What
// is wrong with the arguments is an error with code [keyward.Invalid], and is not
// repeated in it.
func New(address string, token keyward.Secret) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "" {
		return nil, keyward.Errorf(keyward.Invalid, "the server's address is not a URL such as https://keys.example.com")
	}
	if base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "" {
		return nil, keyward.Errorf(keyward.Invalid, "the server's address holds more than a scheme, a host and a path")
	}
	if !presentable(token.Reveal()) {
		return nil, keyward.Errorf(keyward.Invalid, "the credential is empty, or holds spaces or characters beyond ASCII")
	}
	base.Path, base.RawPath = strings.TrimRight(base.Path, "/"), strings.TrimRight(base.RawPath, "/")
	return &Client{base: *base, token: token}, nil
}

// presentable reports whether text can stand in an Authorization header.
func presentable(text string) bool {
	unfit := func(r rune) bool { return r < 0x21 || r > 0x7e }
	return text != "" && strings.IndexFunc(text, unfit) < 0
}

// sender returns what sends requests. It follows no redirects: the credential is for
// this server, and no address of the API redirects.
func (c *Client) sender() *http.Client {
	sender := http.Client{Timeout: attemptTimeout}
	if c.HTTP != nil {
		sender = *c.HTTP
	}
	sender.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &sender
}

// safe returns an error if the credential would be readable on the way.
func (c *Client) safe() error {
	if c.base.Scheme == "https" || c.InsecureHTTP || loopback(c.base.Hostname()) {
		return nil
	}
	return keyward.Errorf(keyward.Invalid,
		"%s is another machine, and without https everybody on the way could read the credential: %w", c.base.Host, ErrInsecure)
}

// loopback reports whether host is this machine (RFC 6761, section 6.3, for the name).
func loopback(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback()
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// address returns the URL of a path below the server's. Each segment is one: a
// slash in it is escaped. Empty ones and dots, which would be another path, are
// refused.
func (c *Client) address(segments []string, query url.Values) (string, error) {
	address := c.base
	plain, escaped := address.Path, address.EscapedPath()
	for _, segment := range segments {
		if segment == "" || segment == "." || segment == ".." {
			return "", keyward.Errorf(keyward.Invalid, "%q is not an id", segment)
		}
		plain += "/" + segment
		escaped += "/" + url.PathEscape(segment)
	}
	address.Path, address.RawPath, address.RawQuery = plain, escaped, query.Encode()
	return address.String(), nil
}
