package control_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/store"
)

// once is a request with an idempotency key.
func once(key, body string) control.Once {
	return control.Once{Key: key, Operation: "POST /things", Fingerprint: sha256.Sum256([]byte(body))}
}

// written is everything of an outcome that a caller sees.
func written(t testing.TB, out control.Outcome) string {
	t.Helper()
	text, err := json.Marshal([]any{
		out.Organization, out.Project, out.Key, out.Operator, out.Secret.Reveal(), out.Propagation,
	})
	want(t, "Marshal", err, "")
	return string(text)
}

func TestARequestThatIsRepeatedGetsTheSameAnswerAndChangesNothing(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		key, _ := w.create(t, o)
		other, _ := w.create(t, o)
		operator := w.operator(t, keyward.Viewer, o)
		for name, request := range map[string]func() (control.Outcome, error){
			"create an organization": func() (control.Outcome, error) {
				return w.CreateOrganization(w.ctx, w.root, keyward.Organization{Name: "new", Enabled: true}, once("organization", ""))
			},
			"create a project": func() (control.Outcome, error) {
				return w.CreateProject(w.ctx, w.root, keyward.Project{OrganizationID: o.ID, Name: "new"}, once("project", ""))
			},
			"create a key": func() (control.Outcome, error) {
				return w.CreateKey(w.ctx, w.root, aKey(o), once("key", ""))
			},
			"rotate a key": func() (control.Outcome, error) {
				return w.RotateKey(w.ctx, w.root, o.ID, key.ID, 0, 0, once("rotate", ""))
			},
			"revoke a key": func() (control.Outcome, error) {
				return w.RevokeKey(w.ctx, w.root, o.ID, other.ID, 0, "", once("revoke", ""))
			},
			"create an operator": func() (control.Outcome, error) {
				return w.CreateOperator(w.ctx, w.root, keyward.Operator{Name: "new", Role: keyward.Viewer, Enabled: true}, control.NewPassword{}, once("operator", ""))
			},
			"rotate an operator": func() (control.Outcome, error) {
				return w.RotateOperator(w.ctx, w.root, operator.ID, once("credential", ""))
			},
		} {
			first, err := request()
			want(t, name, err, "")
			head := w.head(t)
			w.pass(time.Minute)
			again, err := request()
			want(t, name+" again", err, "")
			if before, after := written(t, first), written(t, again); before != after {
				t.Errorf("%s: the second answer is\n%s\nnot\n%s", name, after, before)
			}
			if first.Replayed || !again.Replayed || first.Key != nil && first.Key.Revision != again.Key.Revision {
				t.Errorf("%s: replayed %t, then %t", name, first.Replayed, again.Replayed)
			}
			w.wantUnchanged(t, name+" again", head)
		}
	})
}

func TestAnIdempotencyKeyIsForOneRequestOfOneActor(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		create := func(by keyward.Actor, once control.Once) (control.Outcome, error) {
			return w.CreateKey(w.ctx, by, aKey(o), once)
		}
		first, err := create(w.root, once("k", "body"))
		want(t, "first", err, "")
		head := w.head(t)
		_, err = create(w.root, once("k", "another body"))
		want(t, "with another body", err, keyward.Reused)
		w.wantUnchanged(t, "another body", head)
		elsewhere := once("k", "body")
		elsewhere.Operation = "POST /others"
		for name, request := range map[string]struct {
			by   keyward.Actor
			once control.Once
		}{
			"another actor":       {w.operator(t, keyward.Admin, nil), once("k", "body")},
			"a key":               {w.key(t, o, grant(manager)), once("k", "body")},
			"another operation":   {w.root, elsewhere},
			"another letter case": {w.root, once("K", "body")},
			"none":                {w.root, control.Once{}},
		} {
			out, err := create(request.by, request.once)
			if err != nil || out.Replayed || out.Key.ID == first.Key.ID {
				t.Errorf("%s: %+v, error %v; want a new key", name, out.Key, err)
			}
		}
		for _, wrong := range []string{strings.Repeat("k", 256), "a b", "ä", "a\n"} {
			_, err := create(w.root, once(wrong, "body"))
			want(t, "the key "+wrong, err, keyward.Invalid)
		}
		_, err = create(w.root, once(strings.Repeat("~", 255), "body"))
		want(t, "the longest key", err, "")
	})
}

func TestAnAnswerIsKeptForADay(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		create := func(body string) control.Outcome {
			t.Helper()
			out, err := w.CreateKey(w.ctx, w.root, aKey(o), once("k", body))
			want(t, "CreateKey", err, "")
			return out
		}
		first := create("body")
		w.pass(24 * time.Hour)
		if again := create("body"); again.Key.ID != first.Key.ID {
			t.Errorf("after a day it made %s", again.Key.ID)
		}
		w.pass(time.Millisecond)
		second := create("another body")
		if second.Key.ID == first.Key.ID || second.Replayed {
			t.Error("after more than a day it is the same key")
		}
		if again := create("another body"); again.Key.ID != second.Key.ID {
			t.Error("the new answer is not kept")
		}
		w.pass(25 * time.Hour)
		want(t, "Sweep", w.Sweep(w.ctx), "")
		_, err := w.store.Replay(w.ctx, w.replay("k"))
		want(t, "what is kept after a sweep", err, keyward.NotFound)
	})
}

// replay is how the root operator's answer is found in the store.
func (w *world) replay(key string) store.Replay {
	return store.Replay{
		Actor: "operator  " + w.root.ID, Operation: "POST /things", HeaderHash: w.ring.HeaderHash(key),
	}
}

func TestAKeptAnswerOpensOnlyWithTheHeader(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		const header = "5f1c9a52-header-value"
		out, err := w.CreateKey(w.ctx, w.root, aKey(w.organization(t)), once(header, ""))
		want(t, "CreateKey", err, "")
		row, err := w.store.Replay(w.ctx, w.replay(header))
		want(t, "Replay", err, "")
		if plain := sha256.Sum256([]byte(header)); row.HeaderHash == plain {
			t.Error("the header is found by a hash that everybody can make")
		}
		for what, text := range map[string]string{"the secret": out.Secret.Reveal(), "the header": header, "the id": out.Key.ID} {
			if bytes.Contains(row.Sealed, []byte(text)) {
				t.Errorf("the row holds %s", what)
			}
		}
		if _, err := w.ring.OpenWith("another", row.Sealed, row.Actor, row.Operation); err == nil {
			t.Error("another header opens it")
		}
		if _, err := w.ring.OpenWith(header, row.Sealed, "operator  opr_2", row.Operation); err == nil {
			t.Error("it opens for another actor")
		}
		plain, err := w.ring.OpenWith(header, row.Sealed, row.Actor, row.Operation)
		if err != nil || !bytes.Contains(plain, []byte(out.Secret.Reveal())) {
			t.Errorf("the header does not open the answer: %v", err)
		}
	})
}

func TestAFailureIsNotKept(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		nameless := aKey(o, func(k *keyward.Key) { k.Name = "" })
		_, err := w.CreateKey(w.ctx, w.root, nameless, once("k", "nameless"))
		want(t, "a key without a name", err, keyward.Invalid)
		out, err := w.CreateKey(w.ctx, w.root, aKey(o), once("k", "named"))
		if err != nil || out.Replayed {
			t.Errorf("the request that was put right: replayed %t, error %v", out.Replayed, err)
		}
		chosen := aKey(o, func(k *keyward.Key) { k.ID = "mine" })
		_, err = w.CreateKey(w.ctx, w.root, chosen, control.Once{})
		want(t, "a key", err, "")
		_, err = w.CreateKey(w.ctx, w.root, chosen, once("k2", ""))
		want(t, "a conflict that has nothing to do with the idempotency key", err, keyward.Conflict)
	})
}

func TestWhoMayNotAskAgainIsNotAnswered(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		create := func(by keyward.Actor) error {
			_, err := w.CreateKey(w.ctx, by, aKey(o, managing(grant("audit.read"))), once("k", ""))
			return err
		}
		for name, c := range map[string]struct {
			edit func(*keyward.Operator)
			code keyward.Code
		}{
			"disabled":                     {func(o *keyward.Operator) { o.Enabled = false }, keyward.Unauthenticated},
			"a viewer now":                 {func(o *keyward.Operator) { o.Role = keyward.Viewer }, keyward.Forbidden},
			"below what the key was given": {func(o *keyward.Operator) { o.Role = keyward.Editor }, keyward.Forbidden},
		} {
			by := w.operator(t, keyward.Admin, nil)
			want(t, "first", create(by), "")
			_, err := w.UpdateOperator(w.ctx, w.root, by.ID, control.NewPassword{}, func(o *keyward.Operator) error { c.edit(o); return nil })
			want(t, "UpdateOperator", err, "")
			want(t, "again by an operator who is "+name, create(by), c.code)
		}
		own, secret := w.create(t, o, managing(grant("keys.*", "audit.read")))
		by := w.present(t, secret)
		want(t, "first by a key", create(by), "")
		w.revoke(t, own)
		want(t, "again by a key that is revoked", create(by), keyward.Unauthenticated)
	})
}

func TestFiftyOfTheSameRequestAtOnceMakeOneKey(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		head := w.head(t)
		another := control.New(w.store, w.ring) // another node, which knows nothing of this one's requests
		another.Clock(w.now)
		answers := make([]string, 50)
		var fresh sync.Map
		var group sync.WaitGroup
		for i := range answers {
			plane := w.Plane
			if i%2 == 1 {
				plane = another
			}
			group.Go(func() {
				out, err := plane.CreateKey(w.ctx, w.root, aKey(o), once("k", "body"))
				if err != nil {
					t.Errorf("request %d: %v", i, err)
					return
				}
				answers[i] = written(t, out)
				if !out.Replayed {
					fresh.Store(i, true)
				}
			})
		}
		group.Wait()
		for i, answer := range answers {
			if answer != answers[0] {
				t.Errorf("answer %d is\n%s\nnot\n%s", i, answer, answers[0])
			}
		}
		n := 0
		fresh.Range(func(any, any) bool { n++; return true })
		if w.head(t) != head+1 || n != 1 {
			t.Errorf("%d changes, %d answers that are not repeated; want one of each", w.head(t)-head, n)
		}
	})
}

func TestADuplicateWaitsFiveSecondsForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sqliteURL(t))
		w.bootstrap(t)
		o := w.organization(t)
		release := make(chan struct{})
		hold := func(keyward.LogEntry) { <-release }
		create := func(ctx context.Context) error {
			_, err := w.CreateKey(ctx, w.root, aKey(o), once("k", ""))
			return err
		}
		w.hold.Store(&hold)
		first := make(chan error)
		go func() { first <- create(w.ctx) }()
		synctest.Wait()

		start := time.Now()
		want(t, "while the first is being answered", create(w.ctx), keyward.Conflict)
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("it waited %s", waited)
		}
		gone, cancel := context.WithTimeout(w.ctx, time.Second)
		defer cancel()
		want(t, "for a caller who goes", create(gone), keyward.Unavailable)

		second := make(chan error)
		go func() { second <- create(w.ctx) }()
		synctest.Wait()
		w.hold.Store(nil)
		close(release)
		for _, done := range []chan error{first, second} {
			if err := <-done; err != nil {
				t.Error(fmt.Errorf("in time: %w", err))
			}
		}
	})
}
