package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"

	"keyward/internal/keyring"
)

// writing has what a bare writer needs to make keys as durable as Keyward does: the
// same tables with the same indexes, rows of the same size, and one commit for all who
// wait. It keeps no log of changes, checks nothing and tells no replica.
type writing struct {
	db             *sql.DB
	keys, versions *sql.Stmt
	ring           *keyring.Keyring
	crowd          crowd
	last           atomic.Int64 // number of a key
	queue          chan *insertion
	answer         []byte
}

// insertion is one key on its way to the disk.
type insertion struct {
	number int64
	digest [32]byte
	done   chan error
}

// most is how many insertions share a commit.
const most = 256

// durable are the pragmas of a database that keeps what it has committed.
const durable = "&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-65536)&_pragma=temp_store(MEMORY)"

// serveWriter inserts a key for each request, into a database with one key in it.
func serveWriter(ctx context.Context, l net.Listener, b Bare) error {
	ring, err := keyring.Parse(keyring.Generate())
	if err != nil {
		return err
	}
	w := &writing{ring: ring, crowd: b.crowd, queue: make(chan *insertion, most), answer: padded(`{"valid":true`, b.AnswerSize)}
	w.last.Store(1)
	if w.db, err = openRaw(b.Database, durable); err != nil {
		return err
	}
	defer w.db.Close()
	if w.keys, err = prepared(ctx, w.db, "keys", keyColumns, ", (SELECT ?1 AS i) n"); err != nil {
		return err
	}
	if w.versions, err = prepared(ctx, w.db, "key_versions", versionColumns, ""); err != nil {
		return err
	}
	go w.write(ctx)
	return http.Serve(l, w)
}

func prepared(ctx context.Context, db *sql.DB, table string, computed map[string]string, numbers string) (*sql.Stmt, error) {
	statement, err := copying(ctx, db, table, computed)
	if err != nil {
		return nil, err
	}
	return db.PrepareContext(ctx, statement+numbers)
}

// ServeHTTP implements [http.Handler].
func (w *writing) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		return // whether it is ready
	}
	var in struct {
		Name string `json:"name"`
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err == nil {
		err = w.insert()
	}
	if err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	out.Header()["Content-Type"] = []string{"application/json"}
	out.WriteHeader(http.StatusCreated)
	_, _ = out.Write(w.answer) // whoever is gone does not read it
}

// insert returns once a new key is on the disk.
func (w *writing) insert() error {
	i := &insertion{number: w.last.Add(1), done: make(chan error, 1)}
	i.digest = w.ring.DigestString(w.crowd.secret(int(i.number)))
	w.queue <- i
	return <-i.done
}

// write commits what is waiting, over and over.
func (w *writing) write(ctx context.Context) {
	for {
		var group []*insertion
		select {
		case i := <-w.queue:
			group = append(group, i)
		case <-ctx.Done():
			return
		}
		for len(group) < most && len(w.queue) > 0 {
			group = append(group, <-w.queue)
		}
		err := w.commit(ctx, group)
		for _, i := range group {
			i.done <- err
		}
	}
}

func (w *writing) commit(ctx context.Context, group []*insertion) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing, after a commit
	keys := tx.StmtContext(ctx, w.keys)
	defer keys.Close()
	versions := tx.StmtContext(ctx, w.versions)
	defer versions.Close()
	for _, i := range group {
		if _, err := keys.ExecContext(ctx, i.number); err != nil {
			return fmt.Errorf("insert a key: %w", err)
		}
		if _, err := versions.ExecContext(ctx, i.number, i.digest[:], ""); err != nil {
			return fmt.Errorf("insert a version: %w", err)
		}
	}
	return tx.Commit()
}
