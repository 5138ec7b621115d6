package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"keyward"
	"keyward/client"

	"github.com/spf13/pflag"
)

// newKey is what the flags of `keys create` say.
type newKey struct {
	kind, environment  string
	permissions, scope []string
	acl                string
	manages            []string
	projects           []string
	allowedIPs         []string
	owner              string
	expires            string
	metadata           string
	limits             []string
	credits            int64
	refill             string

	set *pflag.FlagSet // which says whether --credits was given
}

func (n *newKey) flags(f *pflag.FlagSet) {
	n.set = f
	f.StringSliceVar(&n.permissions, "permission", nil, "`permission` that it gives, such as docs.read or reports.*; repeatable")
	f.StringArrayVar(&n.scope, "scope", nil, "where it gives them, as `dimension=value`; repeatable (default everywhere)")
	f.StringVar(&n.acl, "acl", "", "instead of both, all grants as `JSON`, or @file")
	f.StringSliceVar(&n.manages, "manage", nil, "`permission` that it has in Keyward itself, such as keys.read or keys.*; repeatable (default none)")
	f.StringVar(&n.kind, "type", "", "`type`: secret or publishable (default secret)")
	f.StringVar(&n.environment, "environment", "", "`name`: live, test or sandbox (default live)")
	f.StringSliceVar(&n.projects, "project", nil, "`id` of a project that it belongs to; repeatable")
	f.StringSliceVar(&n.allowedIPs, "allowed-ip", nil, "`address` or CIDR block that it may be used from; repeatable")
	f.StringVar(&n.owner, "owner", "", "`id` of whose it is, in your own words")
	f.StringVar(&n.expires, "expires", "", "`when` it ends: a span such as 30d or an RFC 3339 instant")
	f.StringArrayVar(&n.limits, "rate-limit", nil, "`name=limit/window`, such as burst=100/60s; repeatable")
	f.Int64Var(&n.credits, "credits", 0, "`number` of credits that its uses are paid from (default: they cost nothing)")
	f.StringVar(&n.refill, "refill", "", "sets the credits to an `amount/interval`, such as 1000/monthly, or hourly, daily, weekly, yearly")
	f.StringVar(&n.metadata, "metadata", "", "an object of your own as `JSON`, or @file")
}

// read checks the flags as far as the server cannot.
func (n *newKey) read(name string) (client.NewKey, error) {
	key := client.NewKey{
		Name: name, Type: keyward.KeyType(n.kind), Environment: keyward.Environment(n.environment),
		ProjectIDs: n.projects, AllowedIPs: n.allowedIPs, OwnerID: n.owner,
	}
	for _, given := range [][]string{n.permissions, n.manages} {
		if given != nil && len(given) == 0 || slices.Contains(given, "") {
			return key, &usageError{errors.New("--permission and --manage take a permission, such as docs.read or keys.*")}
		}
	}
	if len(n.manages) > 0 {
		key.Management = []keyward.Grant{{Scope: keyward.Scope{}, Permissions: n.manages}}
	}
	var err error
	if key.ACL, err = n.grants(); err != nil {
		return key, err
	}
	if key.RateLimits, err = n.rateLimits(); err != nil {
		return key, err
	}
	if key.Credits, err = n.balance(); err != nil {
		return key, err
	}
	if key.ExpireTime, err = n.end(); err != nil || n.metadata == "" {
		return key, err
	}
	if key.Metadata, err = textOrFile("--metadata", n.metadata); err == nil && !json.Valid(key.Metadata) {
		err = &usageError{errors.New(`--metadata takes JSON such as {"plan": "pro"}`)}
	}
	return key, err
}

// grants returns what the key allows: one grant of --permission and --scope, or those
// of --acl.
func (n *newKey) grants() ([]keyward.Grant, error) {
	switch {
	case n.acl != "" && (len(n.permissions) > 0 || len(n.scope) > 0):
		return nil, &usageError{errors.New("--acl stands for --permission and --scope: use one or the other")}
	case n.acl != "":
		text, err := textOrFile("--acl", n.acl)
		if err != nil {
			return nil, err
		}
		return grantsOf(text)
	case len(n.permissions) > 0:
		scope, err := scopeOf(n.scope)
		return []keyward.Grant{{Scope: scope, Permissions: n.permissions}}, err
	case len(n.scope) > 0:
		return nil, &usageError{errors.New("--scope says where a --permission holds, but there is none")}
	}
	return nil, nil
}

// end returns when the key expires: 0 for never.
func (n *newKey) end() (keyward.Time, error) {
	if n.expires == "" {
		return 0, nil
	}
	if span, err := keyward.ParseDuration(n.expires); err == nil {
		return keyward.TimeOf(time.Now()).Add(time.Duration(span)), nil
	}
	at, err := keyward.ParseTime(n.expires)
	if err != nil {
		return 0, &usageError{fmt.Errorf("--expires takes a span such as 30d or an instant such as 2026-01-31T09:30:00Z, not %q", n.expires)}
	}
	return at, nil
}

// rateLimits returns the limits of --rate-limit.
func (n *newKey) rateLimits() ([]keyward.RateLimit, error) {
	var limits []keyward.RateLimit
	for _, text := range n.limits {
		name, bound, named := strings.Cut(text, "=")
		most, span, ok := strings.Cut(bound, "/")
		limit, err := strconv.ParseInt(most, 10, 64)
		window, wrong := keyward.ParseDuration(span)
		if !named || !ok || err != nil || wrong != nil {
			return nil, &usageError{fmt.Errorf("--rate-limit takes name=limit/window such as burst=100/60s, not %q", text)}
		}
		limits = append(limits, keyward.RateLimit{Name: name, Limit: limit, Window: window})
	}
	return limits, nil
}

// balance returns the credits of --credits and --refill. With a refill alone, the balance
// begins at its amount.
func (n *newKey) balance() (*keyward.Credits, error) {
	if n.refill == "" {
		if !n.set.Changed("credits") {
			return nil, nil
		}
		return &keyward.Credits{Remaining: n.credits}, nil
	}
	text, interval, ok := strings.Cut(n.refill, "/")
	amount, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return nil, &usageError{fmt.Errorf("--refill takes amount/interval such as 1000/monthly, not %q", n.refill)}
	}
	credits := keyward.Credits{
		Remaining: amount, Refill: &keyward.Refill{Amount: amount, Interval: keyward.RefillInterval(interval)},
	}
	if n.set.Changed("credits") {
		credits.Remaining = n.credits
	}
	return &credits, nil
}

// limitsText writes rate limits as --rate-limit takes them.
func limitsText(limits []keyward.RateLimit) string {
	texts := make([]string, len(limits))
	for i, l := range limits {
		texts[i] = fmt.Sprintf("%s=%d/%s", l.Name, l.Limit, l.Window)
	}
	return strings.Join(texts, " ")
}

// creditsText writes a balance and its refill.
func creditsText(c *keyward.Credits) string {
	switch {
	case c == nil:
		return ""
	case c.Refill == nil:
		return strconv.FormatInt(c.Remaining, 10)
	}
	return fmt.Sprintf("%d, refilled to %d %s", c.Remaining, c.Refill.Amount, c.Refill.Interval)
}
