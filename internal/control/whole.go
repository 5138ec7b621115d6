package control

import (
	"context"
	"iter"

	"keyward"
	"keyward/internal/filter"
)

// wholePage is how many keys one step of a walk reads.
const wholePage = 1000

// AllKeys yields an organization's keys in the order of creation: those that are not
// revoked and that the actor may read. After an error it ends. Keys that are created
// during the walk may be in it or not.
//
// It is for dialects whose lists have no pages.
func (p *Plane) AllKeys(ctx context.Context, by keyward.Actor, organizationID string) iter.Seq2[*keyward.Key, error] {
	return p.walk(ctx, by, organizationID, nil)
}

// AllKeysOf is [Plane.AllKeys] of one project, by its id.
func (p *Plane) AllKeysOf(ctx context.Context, by keyward.Actor, organizationID, projectID string) iter.Seq2[*keyward.Key, error] {
	return p.walk(ctx, by, organizationID, filter.Filter{{
		Name: "projectId", Column: "projectId", Kind: filter.List, Terms: []filter.Term{{Text: projectID}},
	}})
}

func (p *Plane) walk(ctx context.Context, by keyward.Actor, organizationID string, of filter.Filter) iter.Seq2[*keyward.Key, error] {
	return func(yield func(*keyward.Key, error) bool) {
		query := List{Limit: wholePage, HideRevoked: true, Filter: of}
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
