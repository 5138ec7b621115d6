package verify

import (
	"errors"
	"hash/maphash"
	"sync/atomic"

	"keyward"
)

// errGap is returned when the change that comes next is missing.
var errGap = errors.New("the next change is missing from the log")

// advance applies the changes that come next, in order, and skips those that were
// applied before. It stops at the first gap with errGap.
func (r *replica) advance(entries []keyward.LogEntry) error {
	for i := range entries {
		seq, applied := entries[i].Change.Seq, r.applied.Load()
		if seq <= applied {
			continue
		}
		if seq != applied+1 {
			return errGap
		}
		for _, record := range entries[i].Records {
			r.apply(record)
		}
		r.revoked.prune(r, entries[i].Change.Time)
		r.applied.Store(seq)
	}
	return nil
}

// apply brings one thing to the state of its record, and keeps what that points to.
func (r *replica) apply(record keyward.Record) {
	switch {
	case record.Organization != nil:
		r.applyOrganization(record.Organization)
	case record.Key != nil:
		r.applyKey(record.Key)
	case record.Operator != nil:
		r.applyOperator(record.Operator)
	case record.Token != nil:
		r.applyToken(record.Token)
	}
}

// organization returns the one with the id, which need not have a record yet.
func (r *replica) organization(id string) *organization {
	o := r.organizationsByID[id]
	if o == nil {
		o = &organization{id: id}
		o.standing.Store(deletedBit) // no organization, until its record says otherwise
		r.organizationsByID[id] = o
	}
	return o
}

func (r *replica) applyOrganization(record *keyward.OrganizationRecord) {
	o := r.organization(record.ID)
	var bits uint32
	if record.Enabled {
		bits |= enabledBit
	}
	if record.Deleted {
		bits |= deletedBit
	}
	deleted := o.standing.Swap(bits)&deletedBit != 0
	count(&r.size.organizations, !deleted, !record.Deleted)
}

// key returns the key with the name, or nil.
func (r *replica) key(name keyName) *key {
	return r.keys.get(maphash.Comparable(r.seed, name), func(k *key) bool {
		v := k.newest.Load()
		return v.KeyID == name.id && v.OrganizationID == name.organizationID
	})
}

func (r *replica) applyKey(record *keyward.KeyRecord) {
	name := keyName{record.OrganizationID, record.KeyID}
	k, old := r.key(name), &version{Subject: keyward.Subject{Deleted: true}}
	switch {
	case k != nil:
		old = k.newest.Load()
	case record.Deleted:
		return
	default:
		k = new(key)
	}
	next := k.next(old, record, r.organization(record.OrganizationID), r.meter(name, record))
	k.newest.Store(next)

	hash := maphash.Comparable(r.seed, name)
	switch {
	case old.Deleted:
		r.keys.put(hash, k)
	case next.Deleted:
		r.keys.remove(hash, k)
	}
	count(&r.size.keys, !old.Deleted, !next.Deleted)
	r.reindexVersions(old, next)
	r.reindexClient(k, old, next)
}

// meter returns what counts the uses of a key from now on, nil if nothing does.
func (r *replica) meter(name keyName, record *keyward.KeyRecord) *meter {
	m := meterFor(r.meters[name], record)
	if m == nil {
		delete(r.meters, name)
	} else {
		r.meters[name] = m
	}
	return m
}

// next makes the versions that a record describes and returns the newest.
func (k *key) next(old *version, record *keyward.KeyRecord, of *organization, m *meter) *version {
	made := version{Subject: record.Subject, organization: of, meter: m}
	// A record's texts are its own; those that many keys share need not be.
	made.OrganizationID = of.id
	made.Type = constant(made.Type, keyward.SecretKey, keyward.Publishable)
	made.Environment = constant(made.Environment, keyward.Live, keyward.Test, keyward.Sandbox)

	if made.Deleted || len(record.Credentials) == 0 {
		return &made
	}
	var newest *version
	kept := old.all()
	for _, c := range record.Credentials {
		v := made
		v.digest, v.end, v.older = c.Digest, c.ExpireTime, newest
		if was := kept[int32(c.Version)]; was != nil && was.digest == c.Digest {
			v.use = was.use
		} else {
			v.use = k.newUse(c)
		}
		newest = &v
	}
	return newest
}

// all returns v and the older ones by number, nil if there is no secret. A key may have
// had thousands: whoever needs each of them looks it up here.
func (v *version) all() map[int32]*version {
	if v.use == nil {
		return nil
	}
	byNumber := make(map[int32]*version)
	for ; v != nil; v = v.older {
		byNumber[v.use.number] = v
	}
	return byNumber
}

// newUse returns the use of a version that is new.
func (k *key) newUse(c keyward.Credential) *use {
	u := &k.first
	if u.key != nil { // taken
		u = new(use)
	}
	u.key, u.number = k, int32(c.Version)
	return u
}

// constant returns the constant that value is equal to, or else value.
func constant[T ~string](value T, constants ...T) T {
	for _, c := range constants {
		if c == value {
			return c
		}
	}
	return value
}

// reindexVersions makes digests lead to the versions of next and no longer to those
// of old. A secret is looked up by one digest, so that each moves in its own time.
func (r *replica) reindexVersions(old, next *version) {
	gone := old.all()
	for v := next; v != nil && v.use != nil; v = v.older {
		if was := gone[v.use.number]; was != nil && was.use == v.use {
			r.versions.replace(prefix(&v.digest), was, v)
			delete(gone, v.use.number)
		} else {
			r.versions.put(prefix(&v.digest), v)
		}
	}
	for _, v := range gone {
		r.versions.remove(prefix(&v.digest), v)
	}
}

func (r *replica) reindexClient(k *key, old, next *version) {
	if old.Deleted == next.Deleted && old.ClientID == next.ClientID {
		return
	}
	if !old.Deleted {
		r.clients.remove(r.hash(old.ClientID), k)
	}
	if !next.Deleted {
		r.clients.put(r.hash(next.ClientID), k)
	}
}

func (r *replica) applyOperator(record *keyward.OperatorRecord) {
	o, old := r.operatorsByID[record.ID], (*operatorState)(nil)
	switch {
	case o != nil:
		old = o.state.Load()
	case record.Deleted:
		return
	default:
		o = &operator{id: record.ID}
		o.use.operator = o
		r.operatorsByID[o.id] = o
	}
	next := r.operatorState(record)
	o.state.Store(next) // from here on an old secret is refused

	if old != nil && (record.Deleted || old.digest != next.digest) {
		r.operators.remove(prefix(&old.digest), o)
	}
	if !record.Deleted && (old == nil || old.digest != next.digest) {
		r.operators.put(prefix(&next.digest), o)
	}
	if old == nil {
		r.people.put(r.hash(o.id), o)
	}
	if record.Deleted {
		delete(r.operatorsByID, o.id)
		r.people.remove(r.hash(o.id), o)
	}
	count(&r.size.operators, old != nil, !record.Deleted)
}

func (r *replica) operatorState(record *keyward.OperatorRecord) *operatorState {
	s := &operatorState{
		digest:     record.Digest,
		generation: record.Generation,
		accepted:   record.Enabled && !record.Deleted,
		actor: keyward.Actor{
			Type:           keyward.OperatorActor,
			ID:             record.ID,
			Name:           record.Name,
			OrganizationID: record.Organization(),
			Management:     record.Management(),
		},
	}
	if s.actor.OrganizationID != "" {
		s.organization = r.organization(s.actor.OrganizationID)
	}
	return s
}

// count keeps n the number of things that are there.
func count(n *atomic.Int64, was, is bool) {
	switch {
	case is && !was:
		n.Add(1)
	case was && !is:
		n.Add(-1)
	}
}
