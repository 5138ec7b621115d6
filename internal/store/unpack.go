package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"keyward"
)

// packing separates the members of a packed key. No member holds it: names and texts may
// have no control character, and JSON escapes them.
const packing = "\x1f"

// keyRecords reads the digest of each version of a key and, as one text, what else
// replicas keep: to get a column out of a database takes longer than to cut a text. $1 is
// packing.
const keyRecords = `SELECT v.digest, concat_ws($1, k.organization_id, k.id, k.client_id, k.name, k.owner_id, k.type,
	k.environment, k.enabled, k.start_ms, k.expire_ms, k.revoked_ms, k.deleted_ms, v.version, v.expire_ms,
	k.acl, k.management, k.allowed_ips, k.rate_limits, k.metadata, ` + packedAccount + `,
	COALESCE((SELECT string_agg(p.id, ' ') FROM key_projects m
		JOIN projects p ON p.organization_id = m.organization_id AND p.id = m.project_id
		WHERE m.organization_id = k.organization_id AND m.key_number = k.number AND p.deleted_ms = 0), ''))
	FROM keys k JOIN key_versions v ON v.organization_id = k.organization_id AND v.key_number = k.number `

// eachKeyRecord calls fn for each key that meets the condition, whose arguments are
// numbered from $2. It ends in an order of keys and then versions.
func (r reader) eachKeyRecord(ctx context.Context, u *unpacker, condition string, args []any, fn func(*keyward.KeyRecord) error) error {
	var current *keyward.KeyRecord
	err := r.each(ctx, keyRecords+condition, append([]any{packing}, args...), func(scan func(...any) error) error {
		next, err := u.scan(scan)
		if err != nil {
			return err
		}
		if current != nil && current.KeyID == next.KeyID && current.OrganizationID == next.OrganizationID {
			current.Credentials = append(current.Credentials, next.Credentials...)
			return nil
		}
		if current != nil {
			if err := fn(current); err != nil {
				return err
			}
		}
		current = next
		return nil
	})
	if err == nil && current != nil {
		err = fn(current)
	}
	return err
}

// unpacker makes records of packed keys. It remembers lists, which many keys have in
// common: their records share them.
type unpacker struct {
	digest   sql.RawBytes
	grants   known[[]keyward.Grant]
	blocks   known[[]netip.Prefix]
	limits   known[[]keyward.RateLimit]
	projects known[[]string]
}

func newUnpacker() *unpacker {
	return &unpacker{
		grants: known[[]keyward.Grant]{read: readList[keyward.Grant]},
		limits: known[[]keyward.RateLimit]{read: readList[keyward.RateLimit]},
		blocks: known[[]netip.Prefix]{read: readBlocks},
		projects: known[[]string]{read: func(text string) ([]string, error) {
			return slices.Sorted(strings.FieldsSeq(text)), nil
		}},
	}
}

func (u *unpacker) scan(scan func(...any) error) (*keyward.KeyRecord, error) {
	var packed string
	if err := scan(&u.digest, &packed); err != nil {
		return nil, err
	}
	k, err := u.unpack(packed)
	if err != nil {
		return nil, keyward.Errorf(keyward.Internal, "the stored key %s cannot be read: %w", k.KeyID, err)
	}
	copy(k.Credentials[0].Digest[:], u.digest)
	return k, nil
}

// unpack reads the members in the order of keyRecords. The texts of the record are parts
// of packed.
func (u *unpacker) unpack(packed string) (*keyward.KeyRecord, error) {
	m := members{rest: packed}
	k := &keyward.KeyRecord{Credentials: make([]keyward.Credential, 1)}
	k.OrganizationID, k.KeyID, k.ClientID = m.text(), m.text(), m.text()
	k.Name, k.OwnerID = m.text(), m.text()
	k.Type, k.Environment = keyward.KeyType(m.text()), keyward.Environment(m.text())
	k.Enabled = m.flag()
	k.StartTime, k.ExpireTime, k.RevokedTime, k.Deleted = m.time(), m.time(), m.time(), m.time() != 0
	k.Credentials[0].Version, k.Credentials[0].ExpireTime = int(m.number()), m.time()
	k.ACL = take(&m, &u.grants, "[]")
	k.Management = take(&m, &u.grants, "[]")
	k.AllowedIPs = take(&m, &u.blocks, "null")
	k.RateLimits = take(&m, &u.limits, "[]")
	k.Metadata = json.RawMessage(m.text())
	k.Account = unpackAccount(m.text())
	k.ProjectIDs = take(&m, &u.projects, "")
	return k, m.err
}

// members are what is left of a packed key, and the first error in it.
type members struct {
	rest string
	err  error
}

func (m *members) text() string {
	text, rest, _ := strings.Cut(m.rest, packing)
	m.rest = rest
	return text
}

func (m *members) number() int64 {
	n, err := strconv.ParseInt(m.text(), 10, 64)
	m.fail(err)
	return n
}

func (m *members) time() keyward.Time { return keyward.Time(m.number()) }

// flag reads a boolean as either database writes it.
func (m *members) flag() bool {
	on, err := strconv.ParseBool(m.text())
	m.fail(err)
	return on
}

func (m *members) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

// take reads a list, which is nil for the text that says that there is none.
func take[T any](m *members, lists *known[[]T], none string) []T {
	text := m.text()
	if text == none {
		return nil
	}
	list, err := lists.get(text)
	m.fail(err)
	return list
}

// known remembers what texts say, as many as are worth it.
type known[T any] struct {
	read func(text string) (T, error)
	of   map[string]T
}

const maxKnown = 4096

func (k *known[T]) get(text string) (T, error) {
	if value, ok := k.of[text]; ok {
		return value, nil
	}
	text = strings.Clone(text) // it is part of a longer one
	value, err := k.read(text)
	if err != nil {
		return value, err
	}
	if k.of == nil || len(k.of) >= maxKnown {
		k.of = make(map[string]T)
	}
	k.of[text] = value
	return value, nil
}

func readList[T any](text string) (list []T, err error) {
	err = json.Unmarshal([]byte(text), &list)
	return list, err
}

func readBlocks(text string) ([]netip.Prefix, error) {
	allowed, err := readList[string](text)
	if err != nil {
		return nil, err
	}
	blocks := make([]netip.Prefix, len(allowed))
	for i, text := range allowed {
		if blocks[i], _, err = keyward.ParseAllowedIP(text); err != nil {
			return nil, err
		}
	}
	return blocks, nil
}
