// Package server is a whole Keyward in one process: it wires the store, the control
// plane, the verification engine and the surfaces together, and runs them.
//
// It is what `keyward serve` and the tests start. It holds no rules: those are in
// the packages that it wires.
package server

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/gateway"
)

// Config is what a server needs to know. The zero value of a field is its default.
type Config struct {
	// Listen is the address of the API, by default 127.0.0.1:8080.
	Listen string
	// OpsListen is the address for machines: metrics and profiles. By default
	// 127.0.0.1:8081; "off" for none.
	OpsListen string
	// GRPCListen is the address for Envoy's external authorization over gRPC: host:port, or
	// unix:PATH. By default there is none.
	GRPCListen string
	// VerifyListen is the address of verification alone: host:port, or unix:PATH. If it
	// is empty there is none.
	VerifyListen string
	// Data is the directory of the database, the master key and the root token. By
	// default ./data.
	Data string
	// Database is sqlite:PATH or postgres://…; by default keyward.db in Data.
	Database string
	// MasterKey is 32 bytes in base64. If it is empty: MasterKeyFile; or, on SQLite,
	// the file master.key in Data, which is made if there is none.
	MasterKey     string
	MasterKeyFile string
	// RootToken becomes the credential of the root operator at the first start. If
	// it is empty, one is generated.
	RootToken keyward.Secret
	// TrustedProxies may say in X-Forwarded-For whom they speak for: addresses and
	// CIDR blocks with commas between, and "unix" for whoever may use a UNIX socket.
	TrustedProxies string
	// PublicURL is the base of links and the issuer of tokens. Without it links are
	// paths, and the issuer is "keyward".
	PublicURL string
	// Hosts are host names at whose root one dialect is served, and nothing else: each
	// as dialect=name, such as rebilly=keys.example.com.
	Hosts []string
	// AuthzRules is a file that says what each route of the API behind gateways takes.
	// Without it gateways say so themselves.
	AuthzRules string
	// TLSCert and TLSKey are the files of a certificate and its key, in PEM.
	TLSCert string
	TLSKey  string
	// InsecureHTTP allows listening without TLS beyond the loopback interface, such
	// as behind a proxy.
	InsecureHTTP bool
	// Version is what the server calls itself.
	Version string
	// Log takes everything that the server has to say. By default slog.Default().
	Log *slog.Logger
}

// How long connections may take.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	drainTimeout  = 20 * time.Second
	maxHeader     = 32 << 10
)

// withDefaults returns the configuration with every field set, or says what cannot be.
func (c Config) withDefaults() (Config, error) {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&c.Listen, "127.0.0.1:8080")
	set(&c.OpsListen, "127.0.0.1:8081")
	set(&c.Data, "data")
	set(&c.Database, "sqlite:"+filepath.Join(c.Data, "keyward.db"))
	set(&c.Version, "devel")
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return c, keyward.Errorf(keyward.Invalid, "--tls-cert and --tls-key go together")
	}
	if err := hostPort("--listen", c.Listen); err != nil {
		return c, err
	}
	if c.TLSCert == "" && !c.InsecureHTTP && !onLoopback(c.Listen) {
		return c, keyward.Errorf(keyward.Invalid,
			"listening on %s without TLS would show keys to the network: give --tls-cert and --tls-key, or --insecure-http behind a proxy", c.Listen)
	}
	if err := hostPort("--ops-listen", c.OpsListen); err != nil && c.OpsListen != "off" {
		return c, err
	}
	if c.OpsListen != "off" && !c.InsecureHTTP && !onLoopback(c.OpsListen) {
		return c, keyward.Errorf(keyward.Invalid,
			"--ops-listen %s would show profiles of the memory to the network: choose an address of this machine only, or give --insecure-http", c.OpsListen)
	}
	if err := c.checkGRPC(); err != nil {
		return c, err
	}
	if err := c.checkVerifyListen(); err != nil {
		return c, err
	}
	if _, err := c.proxies(); err != nil {
		return c, err
	}
	if _, err := c.authzRules(); err != nil {
		return c, err
	}
	if !c.onSQLite() && !c.onPostgres() {
		return c, keyward.Errorf(keyward.Invalid, "--database is neither sqlite:PATH nor postgres://…")
	}
	base, err := publicURL(c.PublicURL)
	if err != nil {
		return c, err
	}
	c.PublicURL = base
	_, err = c.hosts()
	return c, err
}

// hostPort checks the form of an address to listen on.
func hostPort(flag, address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return keyward.Errorf(keyward.Invalid, "%s must be like 127.0.0.1:8080, not %q", flag, address)
	}
	return nil
}

// onLoopback reports whether an address to listen on is reached from this machine only.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// publicURL checks the base of links and takes the slash from its end.
func publicURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", keyward.Errorf(keyward.Invalid, "--public-url must be like https://keys.example.com")
	}
	return strings.TrimSuffix(text, "/"), nil
}

func (c Config) onSQLite() bool { return strings.HasPrefix(c.Database, "sqlite:") }

func (c Config) onPostgres() bool {
	return strings.HasPrefix(c.Database, "postgres://") || strings.HasPrefix(c.Database, "postgresql://")
}

func (c Config) proxies() (api.Proxies, error) {
	proxies, err := api.ParseProxies(c.TrustedProxies)
	if err != nil {
		return nil, keyward.Errorf(keyward.Invalid, "--trusted-proxies cannot be used: %w", err)
	}
	return proxies, nil
}

// authzRules are nil without a file of them.
func (c Config) authzRules() (*gateway.Rules, error) {
	if c.AuthzRules == "" {
		return nil, nil
	}
	rules, err := gateway.LoadRules(c.AuthzRules)
	if err != nil {
		return nil, keyward.Errorf(keyward.Invalid, "--authz-rules cannot be used: %w", err)
	}
	return rules, nil
}

func (c Config) certificate() (*tls.Config, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, keyward.Errorf(keyward.Invalid, "--tls-cert and --tls-key cannot be used: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}, nil
}
