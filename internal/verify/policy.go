package verify

import (
	"hash/maphash"
	"maps"
	"net/netip"
	"slices"

	"keyward"
)

// policy is what of a key needs pointers. It is immutable, and most keys share it with
// others; a key that is metered has one of its own.
type policy struct {
	ProjectIDs []string
	ACL        []keyward.Grant
	Management []keyward.Grant
	AllowedIPs []netip.Prefix
	meter      *meter // nil if nothing of the key is counted

	// The mutating side's own.
	hash    uint64
	records int // that name it
}

// share returns the number of the policy that a key has, for one more record.
func (r *replica) share(k *keyward.KeyRecord, m *meter) uint32 {
	p := &policy{
		ProjectIDs: k.ProjectIDs, ACL: k.ACL, Management: k.Management, AllowedIPs: k.AllowedIPs,
		meter: m, records: 1,
	}
	if m != nil {
		return r.policies.add(p)
	}
	p.hash = p.sum(r.seed)
	i, taken := r.shared[p.hash]
	if taken {
		if known := r.policies.at(i); known.equal(p) {
			known.records++
			return i
		}
	}
	made := r.policies.add(p)
	if !taken { // or else it is not shared: two policies with one hash are as good as impossible
		r.shared[p.hash] = made
	}
	return made
}

// unshare takes back one [replica.share].
func (r *replica) unshare(i uint32) {
	p := r.policies.at(i)
	if p.records--; p.records > 0 {
		return
	}
	if shared, ok := r.shared[p.hash]; ok && shared == i {
		delete(r.shared, p.hash)
	}
	r.retired.policies = append(r.retired.policies, i)
}

// sum is a hash of all that the policy says.
func (p *policy) sum(seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	sumTexts(&h, p.ProjectIDs)
	sumGrants(&h, p.ACL)
	sumGrants(&h, p.Management)
	for _, block := range p.AllowedIPs {
		maphash.WriteComparable(&h, block)
	}
	return h.Sum64()
}

func sumTexts(h *maphash.Hash, texts []string) {
	for _, text := range texts {
		_, _ = h.WriteString(text)
		_ = h.WriteByte(0)
	}
	_ = h.WriteByte(1)
}

func sumGrants(h *maphash.Hash, grants []keyward.Grant) {
	for i := range grants {
		sumTexts(h, grants[i].Permissions)
		var scope uint64 // the same in whatever order the map gives
		for dimension, values := range grants[i].Scope {
			var one maphash.Hash
			one.SetSeed(h.Seed())
			_, _ = one.WriteString(dimension)
			sumTexts(&one, values)
			scope += one.Sum64()
		}
		maphash.WriteComparable(h, scope)
	}
	_ = h.WriteByte(2)
}

// equal reports whether two policies say the same, to the difference between a list
// that is empty and none: for addresses that is between nowhere and anywhere.
func (p *policy) equal(q *policy) bool {
	return equalLists(p.ProjectIDs, q.ProjectIDs, func(a, b string) bool { return a == b }) &&
		equalLists(p.ACL, q.ACL, equalGrants) && equalLists(p.Management, q.Management, equalGrants) &&
		equalLists(p.AllowedIPs, q.AllowedIPs, func(a, b netip.Prefix) bool { return a == b })
}

func equalGrants(a, b keyward.Grant) bool {
	return slices.Equal(a.Permissions, b.Permissions) && maps.EqualFunc(a.Scope, b.Scope, slices.Equal)
}

func equalLists[T any](a, b []T, equal func(a, b T) bool) bool {
	return (a == nil) == (b == nil) && slices.EqualFunc(a, b, equal)
}
