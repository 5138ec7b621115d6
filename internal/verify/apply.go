package verify

import (
	"errors"
	"strings"
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
		r.turn()
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
		o = &organization{id: strings.Clone(id)} // which may be part of more
		o.number = r.organizations.add(o)
		o.standing.Store(deletedBit) // no organization, until its record says otherwise
		r.organizationsByID[o.id] = o
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

func (r *replica) applyOperator(record *keyward.OperatorRecord) {
	o, old := r.operatorsByID[record.ID], (*operatorState)(nil)
	switch {
	case o != nil:
		old = o.state.Load()
	case record.Deleted:
		return
	default:
		o = &operator{id: record.ID}
		o.number = r.operators.add(o)
		r.operatorsByID[o.id] = o
	}
	next, ref := r.operatorState(record), refToPlace(o.number)
	o.state.Store(next) // from here on an old secret is refused

	if old != nil && (record.Deleted || old.digest != next.digest) {
		r.secrets.remove(prefix(&old.digest), ref)
	}
	if !record.Deleted && (old == nil || old.digest != next.digest) {
		r.secrets.put(prefix(&next.digest), ref)
	}
	if old == nil {
		r.people.put(r.hash(o.id), ref)
	}
	if record.Deleted {
		delete(r.operatorsByID, o.id)
		r.people.remove(r.hash(o.id), ref)
		r.retired.operators = append(r.retired.operators, o.number)
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
