package verify

import (
	"hash/maphash"

	"keyward"
)

// applyKey brings a key to the state of its record.
func (r *replica) applyKey(k *keyward.KeyRecord) {
	name := keyName{k.OrganizationID, k.KeyID}
	old := r.key(name)
	count(&r.size.keys, old != 0, !k.Deleted)
	if !k.Deleted {
		r.putKey(name, old, k)
	} else if old != 0 {
		r.removeKey(name, old)
	}
	r.tidy()
}

// putKey writes a key, and has all that led to its old record, if there is one, lead to
// the new one. A secret is looked up by one digest, so that each moves in its own time.
func (r *replica) putKey(name keyName, old reference, k *keyward.KeyRecord) {
	var was record
	var metered *meter
	if old != 0 {
		was = r.slab.at(old)
		metered = r.meterOf(was)
	}
	kept := was.kept(k.Credentials)
	noted := make([]uint32, len(kept))
	for i, at := range kept {
		if at >= 0 {
			noted[i] = was.credential(at).cell
		} else {
			noted[i] = r.cells.take()
		}
	}
	size, flags := shape(k)
	ref, made := r.slab.room(size)
	made.encode(k, flags, r.organization(name.organizationID).number, r.share(k, meterFor(metered, k)), noted)
	r.own(ref, made)

	for i := range k.Credentials {
		digest := prefix(&k.Credentials[i].Digest)
		if kept[i] >= 0 {
			r.versions.replace(digest, old, ref)
		} else {
			r.versions.put(digest, ref)
		}
	}
	hash, client := maphash.Comparable(r.seed, name), r.hash(k.ClientID)
	if old == 0 {
		r.clients.put(client, ref)
		r.keys.put(hash, ref)
		return
	}
	r.clients.move(r.hash(was.clientID()), old, client, ref)
	r.keys.replace(hash, old, ref)
	for i := range was.without(kept) {
		r.endVersion(old, was, i)
	}
	r.bury(old, was)
}

func (r *replica) removeKey(name keyName, ref reference) {
	k := r.slab.at(ref)
	meterFor(r.meterOf(k), &keyward.KeyRecord{Subject: keyward.Subject{Deleted: true}})
	for i := range k.credentials() {
		r.endVersion(ref, k, i)
	}
	r.clients.remove(r.hash(k.clientID()), ref)
	r.keys.remove(maphash.Comparable(r.seed, name), ref)
	r.bury(ref, k)
}

// endVersion has nothing lead to a version any more. What was counted of it is kept.
func (r *replica) endVersion(ref reference, k record, i int) {
	r.versions.remove(prefix(k.digest(i)), ref)
	number := k.credential(i).cell
	c, _, _ := r.cells.at(number)
	r.closeCell(c)
	c.owner = 0
	r.retired.cells = append(r.retired.cells, number)
}

// meterOf returns what counts the uses of a key, or nil.
func (r *replica) meterOf(k record) *meter { return r.policies.at(k.get32(atPolicy)).meter }

// inheritMeters goes on with what was counted in a replica whose place r is to take.
func (r *replica) inheritMeters(old *replica) {
	for i := range old.policies.length {
		p := old.policies.at(i)
		if p == nil || p.meter == nil || p.records == 0 {
			continue
		}
		if ref := r.key(p.meter.name); ref != 0 {
			if next := r.meterOf(r.slab.at(ref)); next != nil {
				p.meter.moveTo(next)
			}
		}
	}
}

// kept returns, for each of the credentials, which one of r it is: the same secret of
// the same version; -1 if none is. A key may have had thousands, nearly always in the
// same order.
func (r record) kept(credentials []keyward.Credential) []int {
	kept := make([]int, len(credentials))
	for i := range kept {
		kept[i] = -1
	}
	if r == nil {
		return kept
	}
	n := r.credentials()
	next := n - 1 // they are the other way round in r
	for i := range credentials {
		for step := range n {
			at := (next - step + n) % n
			if c := r.credential(at); int(c.number) == credentials[i].Version && *r.digest(at) == credentials[i].Digest {
				kept[i], next = at, at-1+n
				break
			}
		}
	}
	return kept
}

// without yields the credentials that are not among those kept.
func (r record) without(kept []int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		stays := make([]bool, r.credentials())
		for _, i := range kept {
			if i >= 0 {
				stays[i] = true
			}
		}
		for i, stay := range stays {
			if !stay && !yield(i) {
				return
			}
		}
	}
}

// own makes a record the one that its cells belong to.
func (r *replica) own(ref reference, k record) {
	for i := range k.credentials() {
		c, _, _ := r.cells.at(k.credential(i).cell)
		c.owner = ref
	}
}

// bury ends a record to which nothing leads any more.
func (r *replica) bury(ref reference, k record) {
	r.unshare(k.get32(atPolicy))
	r.slab.bury(ref, k.size())
}

// tidy empties the chunks that are worn.
func (r *replica) tidy() {
	for len(r.slab.worn) > 0 {
		last := len(r.slab.worn) - 1
		number := r.slab.worn[last]
		r.slab.worn = r.slab.worn[:last]
		r.empty(number)
	}
}

// empty moves the records of a chunk that are alive to where there is room, and retires
// it. Readers find a record at one place or the other: it is the same.
func (r *replica) empty(number uint32) {
	c := r.slab.chunks.at(number)
	for at := 0; at < c.used && c.dead < c.used; {
		ref := refTo(number, at)
		k := r.slab.at(ref)
		k = k[:k.size()]
		if name := r.nameOf(k); r.key(name) == ref {
			r.moveKey(name, ref, k)
			c.dead += len(k)
		}
		at += len(k)
	}
	r.retired.chunks = append(r.retired.chunks, number)
}

func (r *replica) moveKey(name keyName, old reference, k record) {
	ref, made := r.slab.room(len(k))
	copy(made, k)
	r.own(ref, made)
	for i := range k.credentials() {
		r.versions.replace(prefix(k.digest(i)), old, ref)
	}
	r.clients.replace(r.hash(k.clientID()), old, ref)
	r.keys.replace(maphash.Comparable(r.seed, name), old, ref)
}
