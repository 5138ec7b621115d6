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
func (e *Engine) Holder(secret string, ip netip.Addr, now keyward.Time) (keyward.Actor, keyward.Subject, error) {
	m := e.secret(secret)
	return m.holder(ip, now)
}

// HolderClient is [Engine.Holder] for whoever holds an access token of ours, which stands
// for one version of the key with the client id.
func (e *Engine) HolderClient(clientID string, version int, ip netip.Addr, now keyward.Time) (keyward.Actor, keyward.Subject, error) {
	m := e.current.Load().client(clientID, version)
	return m.holder(ip, now)
}

func (m *match) holder(ip netip.Addr, now keyward.Time) (by keyward.Actor, key keyward.Subject, err error) {
	if m.found() {
		m.subject(&key)
	}
	switch {
	case !m.found(), key.RevokedTime != 0, m.organization().load().Deleted, m.end != 0 && m.end <= now:
		return keyward.Actor{}, keyward.Subject{}, keyward.Errorf(keyward.Unauthenticated, "the credential is not accepted")
	case !key.Admits(ip):
		return keyward.Actor{}, keyward.Subject{}, keyward.Errorf(keyward.Forbidden, "the key may not be used from this address")
	}
	return keyward.Actor{
		Type: keyward.KeyActor, ID: key.KeyID, Name: key.Name, OrganizationID: key.OrganizationID,
		Version: int(m.number), IP: ip,
	}, key, nil
}
