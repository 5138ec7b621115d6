package verify

import (
	"net/netip"

	"keyward"
)

// Holder returns the key with the secret as an actor that may do nothing by right, and the
// key itself: for what takes no more than to hold the secret, which is to end it. Whether
// the key is enabled, has begun or expired makes no difference, since all of that may
// change again.
//
// The error is Forbidden for a key that may not be used from ip, and Unauthenticated for
// one that is revoked or deleted, for a version that has ended, and for what is no secret
// of a key. It counts as no use.
func (e *Engine) Holder(secret string, ip netip.Addr, now keyward.Time) (keyward.Actor, *keyward.Subject, error) {
	return e.secret(secret).holder(ip, now)
}

// HolderClient is [Engine.Holder] for whoever holds an access token of ours, which stands
// for one version of the key with the client id.
func (e *Engine) HolderClient(clientID string, version int, ip netip.Addr, now keyward.Time) (keyward.Actor, *keyward.Subject, error) {
	return e.current.Load().client(clientID, version).holder(ip, now)
}

func (v *version) holder(ip netip.Addr, now keyward.Time) (keyward.Actor, *keyward.Subject, error) {
	switch {
	case v == nil, v.Deleted, v.RevokedTime != 0, v.organization.load().Deleted, v.end != 0 && v.end <= now:
		return keyward.Actor{}, nil, keyward.Errorf(keyward.Unauthenticated, "the credential is not accepted")
	case !v.Admits(ip):
		return keyward.Actor{}, nil, keyward.Errorf(keyward.Forbidden, "the key may not be used from this address")
	}
	return keyward.Actor{
		Type: keyward.KeyActor, ID: v.KeyID, Name: v.Name, OrganizationID: v.OrganizationID,
		Version: int(v.use.number), IP: ip,
	}, &v.Subject, nil
}
