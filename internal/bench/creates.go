package bench

import "context"

// The names of the rows of creates.
const (
	bareWriter    = "bare batched writer"
	keywardCreate = "create"
)

// createConnections is how many clients create keys.
const createConnections = 64

// creates compares durable creates.
func (b *bench) creates(ctx context.Context) error {
	w, err := Prepare(ctx, b.path("creates"), 1)
	if err != nil {
		return err
	}
	s, err := b.keyward(ctx, w.Dir)
	if err != nil {
		return err
	}
	defer s.stop()
	create := b.load(s, [][]byte{post("/v1/organizations/"+w.Organization+"/api-keys", w.Root, newKey)})
	create.status, create.contains, create.connections = "201", "", createConnections
	size, err := b.answerSize(ctx, create)
	if err != nil {
		return err
	}
	other, err := Prepare(ctx, b.path("writer"), 1)
	if err != nil {
		return err
	}
	bare, err := b.bare(ctx, Bare{Kind: writer, Database: other.database(), crowd: other.crowd, AnswerSize: size})
	if err != nil {
		return err
	}
	defer bare.stop()
	same := create
	same.network, same.address = bare.network, bare.address
	return b.contest(ctx, "creates", 0, []contender{
		{name: bareWriter, server: bare.process, load: same},
		{name: keywardCreate, server: s.process, load: create},
	})
}

// newKey is like the first key of a crowd.
const newKey = `{"name":"key 1","ownerId":"user_1","metadata":{"plan":"pro","seat":1},` +
	`"acl":[{"scope":{},"permissions":["docs.read","reports.*"]}]}`
