package control

import (
	"context"
	"time"

	"keyward"
	"keyward/internal/store"
)

// RotateKey adds a version with a new secret to a key. The versions before it end
// after the overlap, or when they would have ended anyway, if that is sooner; none
// outlives the key. If revision is not 0, the key must still have it; otherwise the
// error is Stale.
func (p *Plane) RotateKey(ctx context.Context, by keyward.Actor, organizationID, id string, revision int64, overlap keyward.Duration, once Once) (Outcome, error) {
	may := func(by keyward.Actor) error {
		if time.Duration(overlap) > keyward.MaxOverlap {
			return keyward.Faults{{Pointer: "/overlap", Detail: "is longer than 30d"}}.Err()
		}
		return by.May(keyward.KeysUpdate, organizationID)
	}
	return p.once(ctx, by, once, may, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		if err := by.May(keyward.KeysUpdate, organizationID); err != nil {
			return Outcome{}, err
		}
		key, err := p.locked(ctx, tx, by, keyward.KeysUpdate, organizationID, id)
		if err != nil {
			return Outcome{}, err
		}
		if err := by.Covers(key.Management); err != nil {
			return Outcome{}, err
		}
		if err := fresh(key, revision); err != nil {
			return Outcome{}, err
		}
		organization, err := p.organizationIn(ctx, tx, organizationID)
		if err != nil {
			return Outcome{}, err
		}
		return p.rotate(ctx, tx, by, organization, key, overlap)
	})
}

func (p *Plane) rotate(ctx context.Context, tx *store.Tx, by keyward.Actor, organization *keyward.Organization, before *keyward.Key, overlap keyward.Duration) (Outcome, error) {
	now := p.now()
	switch { // not by its status, which for one that is disabled says no more
	case before.RevokedTime != 0:
		return Outcome{}, keyward.Errorf(keyward.Conflict, "the key is revoked")
	case before.ExpireTime != 0 && before.ExpireTime <= now:
		return Outcome{}, keyward.Errorf(keyward.Conflict, "the key has expired")
	}
	after := *before
	after.Versions = retire(before.Versions, now.Add(time.Duration(overlap)), before.ExpireTime)
	if live := len(after.LiveVersions(now)); live >= keyward.MaxVersions {
		return Outcome{}, keyward.Errorf(keyward.Conflict,
			"the key has %d live versions already; the next one can be made when one of them ends", live)
	}
	for i, v := range after.Versions {
		if v.ExpireTime == before.Versions[i].ExpireTime {
			continue
		}
		if err := tx.EndVersion(ctx, &after, v.Version, v.ExpireTime); err != nil {
			return Outcome{}, err
		}
	}
	version := keyward.Version{Version: after.Versions[len(after.Versions)-1].Version + 1, CreatedTime: now}
	after.Versions = append(after.Versions, version)
	secret := keyward.NewSecret(organization.SecretPrefix(after.Type), after.Environment)
	credential, err := p.credential(secret, version.Version)(&after)
	if err != nil {
		return Outcome{}, err
	}
	if err := tx.InsertVersion(ctx, &after, version, credential); err != nil {
		return Outcome{}, err
	}
	after.Hint = credential.Hint
	out, err := p.save(ctx, tx, by, keyward.KeyRotated, before, &after)
	out.Secret = secret
	return out, err
}

// retire returns the versions with the end that a rotation gives them: at end, if
// they would last longer, and never after the key.
func retire(versions []keyward.Version, end, keyEnd keyward.Time) []keyward.Version {
	if keyEnd != 0 {
		end = min(end, keyEnd)
	}
	retired := make([]keyward.Version, len(versions))
	for i, v := range versions {
		if v.ExpireTime == 0 || v.ExpireTime > end {
			v.ExpireTime = end
		}
		retired[i] = v
	}
	return retired
}
