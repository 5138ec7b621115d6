package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"keyward"
)

// Credential is the stored form of a secret: its digest, by which pepper it was
// made, and, in recoverable organizations, the sealed secret itself.
type Credential struct {
	Digest   keyward.Digest
	PepperID string
	Hint     string
	Sealed   *Sealed
}

// Sealed is an encrypted secret: the box, and the wrapped key that opens it.
type Sealed struct {
	WrappingID string // of the key that wraps
	Wrapped    []byte
	Box        []byte
}

// InsertKey adds a key, gives it the next number of its organization, and its first
// version. An id, client id or digest that was ever used is a Conflict, and so are
// numbers that have run out.
func (tx *Tx) InsertKey(ctx context.Context, k *keyward.Key, c func(*keyward.Key) (Credential, error)) error {
	if err := tx.number(ctx, k); err != nil {
		return err
	}
	credential, err := c(k)
	if err != nil {
		return err
	}
	k.Hint = credential.Hint
	encoded, err := encodeKey(k)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `INSERT INTO keys (organization_id, id, number, client_id, name, name_folded, type,
		environment, hint, acl, management, allowed_ips, owner_id, owner_folded, metadata, enabled, start_ms,
		expire_ms, role_id, created_by, api_user, api_user_folded, created_ms, updated_ms, revision, rate_limits)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)`,
		k.OrganizationID, k.ID, k.Number, k.ClientID, k.Name, keyward.Fold(k.Name), string(k.Type),
		string(k.Environment), k.Hint, encoded.acl, encoded.management, encoded.ips, text(k.OwnerID), keyward.Fold(text(k.OwnerID)), string(k.Metadata),
		k.Enabled, int64(k.StartTime), int64(k.ExpireTime), k.RoleID, k.CreatedBy, k.APIUser,
		keyward.Fold(k.APIUser), int64(k.CreatedTime), int64(k.UpdatedTime), k.Revision, encoded.limits)
	if err != nil {
		return err
	}
	if err := tx.InsertVersion(ctx, k, k.Versions[0], credential); err != nil {
		return err
	}
	return tx.setProjects(ctx, k)
}

// KeyIDUsed reports whether a key of the organization has or ever had the id.
func (r reader) KeyIDUsed(ctx context.Context, organizationID, id string) (bool, error) {
	var n int
	err := r.one(ctx, "no count", "SELECT count(*) FROM keys WHERE organization_id = $1 AND id = $2", []any{organizationID, id}, &n)
	return n > 0, err
}

// number gives the key the next number of its organization.
func (tx *Tx) number(ctx context.Context, k *keyward.Key) error {
	err := tx.one(ctx, noOrganization, `UPDATE organizations SET last_number = last_number + 1
		WHERE id = $1 AND deleted_ms = 0 AND last_number < $2 RETURNING last_number`,
		[]any{k.OrganizationID, keyward.MaxNumber}, &k.Number)
	if keyward.CodeOf(err) != keyward.NotFound {
		return err
	}
	if _, found := tx.Organization(ctx, k.OrganizationID); found == nil {
		return keyward.Errorf(keyward.Conflict, "the organization has used up its key numbers")
	}
	return err
}

// encodedKey is what of a key is kept as JSON.
type encodedKey struct{ acl, management, ips, limits string }

func encodeKey(k *keyward.Key) (encoded encodedKey, err error) {
	for into, part := range map[*string]any{
		&encoded.acl: k.ACL, &encoded.management: k.Management, &encoded.ips: k.AllowedIPs, &encoded.limits: k.RateLimits,
	} {
		data, err := json.Marshal(part)
		if err != nil {
			return encoded, keyward.Errorf(keyward.Internal, "encode a key: %w", err)
		}
		*into = string(data)
	}
	return encoded, nil
}

// UpdateKey writes what can change of a key, and counts its revision up.
func (tx *Tx) UpdateKey(ctx context.Context, k *keyward.Key) error {
	encoded, err := encodeKey(k)
	if err != nil {
		return err
	}
	k.Revision++
	err = tx.execOne(ctx, noKey, `UPDATE keys SET name = $1, name_folded = $2, hint = $3, acl = $4, management = $5,
		allowed_ips = $6, owner_id = $7, owner_folded = $8, metadata = $9, enabled = $10, start_ms = $11, expire_ms = $12,
		revoked_ms = $13, revoke_reason = $14, role_id = $15, updated_ms = $16, revision = $17, rate_limits = $18
		WHERE organization_id = $19 AND id = $20 AND deleted_ms = 0`,
		k.Name, keyward.Fold(k.Name), k.Hint, encoded.acl, encoded.management, encoded.ips, text(k.OwnerID), keyward.Fold(text(k.OwnerID)),
		string(k.Metadata), k.Enabled, int64(k.StartTime), int64(k.ExpireTime), int64(k.RevokedTime),
		text(k.RevokeReason), k.RoleID, int64(k.UpdatedTime), k.Revision, encoded.limits, k.OrganizationID, k.ID)
	if err != nil {
		return err
	}
	return tx.setProjects(ctx, k)
}

// setProjects makes the key's memberships what its ProjectIDs say.
func (tx *Tx) setProjects(ctx context.Context, k *keyward.Key) error {
	if k.Revision > 1 {
		_, err := tx.exec(ctx, "DELETE FROM key_projects WHERE organization_id = $1 AND key_number = $2",
			k.OrganizationID, k.Number)
		if err != nil {
			return err
		}
	}
	for _, id := range k.ProjectIDs {
		_, err := tx.exec(ctx, "INSERT INTO key_projects (organization_id, project_id, key_number) VALUES ($1, $2, $3)",
			k.OrganizationID, id, k.Number)
		if err != nil {
			return err
		}
	}
	return nil
}

// DeleteKey makes a tombstone of a key, revoked if it was not, and forgets its
// secrets. Its id, number, client id and digests stay taken.
func (tx *Tx) DeleteKey(ctx context.Context, k *keyward.Key, now keyward.Time) error {
	err := tx.execOne(ctx, noKey, `UPDATE keys SET deleted_ms = $1, updated_ms = $1, revision = revision + 1,
		revoked_ms = CASE WHEN revoked_ms = 0 THEN $1 ELSE revoked_ms END
		WHERE organization_id = $2 AND id = $3 AND deleted_ms = 0`, int64(now), k.OrganizationID, k.ID)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "DELETE FROM key_secrets WHERE organization_id = $1 AND key_number = $2",
		k.OrganizationID, k.Number)
	return err
}

// InsertVersion adds a version to a key. A digest that was ever used is a Conflict,
// and so is an operator's.
func (tx *Tx) InsertVersion(ctx context.Context, k *keyward.Key, v keyward.Version, c Credential) error {
	if err := tx.unused(ctx, "operators", c.Digest); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `INSERT INTO key_versions (organization_id, key_number, version, digest, pepper_id, hint,
		created_ms, expire_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		k.OrganizationID, k.Number, v.Version, c.Digest[:], c.PepperID, c.Hint, int64(v.CreatedTime), int64(v.ExpireTime))
	if err != nil || c.Sealed == nil {
		return err
	}
	_, err = tx.exec(ctx, `INSERT INTO key_secrets (organization_id, key_number, version, wrapping_id, wrapped, sealed)
		VALUES ($1, $2, $3, $4, $5, $6)`,
		k.OrganizationID, k.Number, v.Version, c.Sealed.WrappingID, c.Sealed.Wrapped, c.Sealed.Box)
	return err
}

// EndVersion sets when a version of a key ends.
func (tx *Tx) EndVersion(ctx context.Context, k *keyward.Key, version int, end keyward.Time) error {
	return tx.execOne(ctx, noKey, `UPDATE key_versions SET expire_ms = $1
		WHERE organization_id = $2 AND key_number = $3 AND version = $4`, int64(end), k.OrganizationID, k.Number, version)
}

// SealedSecret returns the sealed secret of a version of a key; there being none is
// NotFound.
func (r reader) SealedSecret(ctx context.Context, organizationID string, number int32, version int) (Sealed, error) {
	var s Sealed
	err := r.one(ctx, "the secret of this key is not kept", `SELECT wrapping_id, wrapped, sealed FROM key_secrets
		WHERE organization_id = $1 AND key_number = $2 AND version = $3`,
		[]any{organizationID, number, version}, &s.WrappingID, &s.Wrapped, &s.Box)
	return s, err
}

// secretsAtOnce is how many keys one query of [reader.SealedSecrets] looks for.
const secretsAtOnce = 100

// SealedSecrets returns the sealed secrets of the newest versions of an organization's
// keys, by the number of the key. Keys of which none is kept are not among them.
func (r reader) SealedSecrets(ctx context.Context, organizationID string, keys []*keyward.Key) (map[int32]Sealed, error) {
	newest := make(map[int32]int, len(keys))
	for _, k := range keys {
		newest[k.Number] = k.Versions[len(k.Versions)-1].Version
	}
	found := map[int32]Sealed{}
	for some := range slices.Chunk(keys, secretsAtOnce) {
		l := listing{args: []any{organizationID}}
		marks := make([]string, secretsAtOnce) // always as many, so that all queries are one text
		for i := range marks {
			marks[i] = l.arg(some[min(i, len(some)-1)].Number)
		}
		err := r.each(ctx, `SELECT key_number, version, wrapping_id, wrapped, sealed FROM key_secrets
			WHERE organization_id = $1 AND key_number IN (`+strings.Join(marks, ", ")+")", l.args,
			func(scan func(...any) error) error {
				var number int32
				var version int
				var s Sealed
				err := scan(&number, &version, &s.WrappingID, &s.Wrapped, &s.Box)
				if err == nil && version == newest[number] {
					found[number] = s
				}
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// DropSecrets forgets the secrets of versions that have ended.
func (tx *Tx) DropSecrets(ctx context.Context, now keyward.Time) error {
	_, err := tx.exec(ctx, `DELETE FROM key_secrets WHERE EXISTS (SELECT 1 FROM key_versions v
		WHERE v.organization_id = key_secrets.organization_id AND v.key_number = key_secrets.key_number
		AND v.version = key_secrets.version AND v.expire_ms > 0 AND v.expire_ms <= $1)`, int64(now))
	return err
}
