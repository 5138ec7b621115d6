package control

import (
	"context"
	"iter"

	"keyward"
)

// wholePage is how many keys one step of a walk reads.
const wholePage = 1000

// AllKeys yields an organization's keys in the order of creation: those that are not
// revoked and that the actor may read. After an error it ends. Keys that are created
// during the walk may be in it or not.
//
// It is for dialects whose lists have no pages.
func (p *Plane) AllKeys(ctx context.Context, by keyward.Actor, organizationID string) iter.Seq2[*keyward.Key, error] {
	return func(yield func(*keyward.Key, error) bool) {
		query := List{Limit: wholePage, HideRevoked: true}
		for {
			keys, found, err := p.Keys(ctx, by, organizationID, query)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, key := range keys {
				if !yield(key, nil) {
					return
				}
			}
			if found.Cursor == "" {
				return
			}
			query.Cursor = found.Cursor
		}
	}
}

// MayReadAllKeys returns nil if the actor may read every key of the organization. A
// right that is limited to some projects is not enough, and Forbidden.
func (p *Plane) MayReadAllKeys(by keyward.Actor, organizationID string) error {
	if err := by.May(keyward.KeysRead, organizationID); err != nil {
		return err
	}
	if !by.Projects(keyward.KeysRead).All {
		return keyward.Errorf(keyward.Forbidden, "needs %s in the whole organization", keyward.KeysRead)
	}
	return nil
}
