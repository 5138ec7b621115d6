package verify_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"keyward"
	"keyward/internal/verify"
)

func TestCommit(t *testing.T) {
	revoked := with(key("k", "s"), func(k *keyward.KeyRecord) { k.RevokedTime = noon })
	for sentence, story := range map[string]func(w *world){
		"a change that comes next is applied without reading the log": func(w *world) {
			w.log.fail(errAway)
			w.commit(record(key("k", "s")))
			w.wants("s", keyward.Valid)
		},
		"a change that is delivered twice is applied once": func(w *world) {
			first := w.log.commit(record(key("k", "s")))
			w.deliver(first)
			w.commit(revoked)
			w.deliver(first)
			w.wants("s", keyward.Revoked)
		},
		"changes that come before it are read from the log": func(w *world) {
			w.log.commit(record(key("k", "s")))
			w.log.commit(record(key("j", "r")))
			w.commit(revoked)
			w.wants("s", keyward.Revoked)
			w.wants("r", keyward.Valid)
		},
		"changes in the wrong order end in the right state": func(w *world) {
			first, second := w.log.commit(record(key("k", "s"))), w.log.commit(revoked)
			w.deliver(second)
			w.deliver(first)
			w.wants("s", keyward.Revoked)
		},
		"if they were pruned everything is loaded": func(w *world) {
			w.log.commit(record(key("k", "s")))
			last := w.log.commit(record(key("j", "r")))
			w.log.prune()
			w.deliver(last)
			w.wants("s", keyward.Valid)
			w.wants("r", keyward.Valid)
		},
		"a change without records counts too": func(w *world) {
			w.commit()
			w.commit(record(key("k", "s")))
			w.wants("s", keyward.Valid)
		},
		"without the log a gap is an error": func(w *world) {
			w.log.commit()
			last := w.log.commit()
			w.log.fail(errAway)
			if err := w.Commit(w.t.Context(), w.log, last); !errors.Is(err, errAway) {
				w.t.Errorf("Commit: %v, want %v", err, errAway)
			}
		},
	} {
		t.Run(sentence, func(t *testing.T) { story(newWorld(t)) })
	}
}

func TestTheFirstCommitLoads(t *testing.T) {
	w := &world{Engine: verify.New(digester{}), t: t, log: &journal{}}
	w.log.commit(organization("org", true, false))
	w.log.commit(record(key("k", "s")))
	w.commit(record(key("j", "r")))
	if !w.Ready() {
		t.Error("not ready")
	}
	w.wants("s", keyward.Valid)
	w.wants("r", keyward.Valid)
}

func TestCatchUp(t *testing.T) {
	for sentence, prepare := range map[string]func(*journal){
		"reads all there is":        func(*journal) {},
		"skips what it has already": func(j *journal) { j.twice = true },
		"loads what was pruned":     (*journal).prune,
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			const n = 1200 // more than two pages
			for i := range n {
				w.log.commit(record(key(numbered("k", i), numbered("s", i))))
			}
			prepare(w.log)
			if err := w.CatchUp(t.Context(), w.log); err != nil {
				t.Fatal(err)
			}
			if got := w.Applied(); got != n+1 {
				t.Errorf("Applied = %d, want %d", got, n+1)
			}
			for i := range n {
				w.wants(numbered("s", i), keyward.Valid)
			}
			if organizations, keys, operators := w.Size(); organizations != 1 || keys != n || operators != 0 {
				t.Errorf("Size = %d, %d, %d; want 1, %d, 0", organizations, keys, operators, n)
			}
		})
	}
}

// older answers a snapshot and then, before it is used, lets something happen.
type older struct {
	*journal
	meanwhile func()
}

func (o older) Snapshot(ctx context.Context, load func(keyward.Record) error) (int64, error) {
	seq, err := o.journal.Snapshot(ctx, load)
	o.meanwhile()
	return seq, err
}

func TestALoadNeverTakesAChangeBack(t *testing.T) {
	w := newWorld(t)
	w.commit(record(key("k", "s")))
	slow := older{w.log, func() {
		w.commit(with(key("k", "s"), func(k *keyward.KeyRecord) { k.RevokedTime = noon }))
	}}
	if err := w.Load(t.Context(), slow); err != nil {
		t.Fatal(err)
	}
	w.wants("s", keyward.Revoked)

	restored := &journal{} // a database from before
	restored.commit(organization("org", true, false), record(key("k", "s")))
	if err := w.Load(t.Context(), restored); err == nil {
		t.Error("Load took an older state for a new one")
	}
	w.wants("s", keyward.Revoked)
}

func TestAfterAFailedLoadTheOldReplicaAnswers(t *testing.T) {
	w := newWorld(t)
	w.commit(record(key("k", "s")))
	w.log.fail(errAway)
	if err := w.Load(t.Context(), w.log); !errors.Is(err, errAway) {
		t.Errorf("Load: %v, want %v", err, errAway)
	}
	w.wants("s", keyward.Valid)
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{Engine: verify.New(digester{}), t: t, log: &journal{away: errAway}}
		ctx, stop := context.WithCancel(t.Context())
		var warnings atomic.Int64
		ended := make(chan error)
		go func() { ended <- w.Follow(ctx, w.log, time.Second, func(error) { warnings.Add(1) }) }()

		// The log is away: it warns, and goes on.
		time.Sleep(2500 * time.Millisecond)
		if w.Ready() || warnings.Load() != 3 {
			t.Errorf("Ready = %v with %d warnings; want none and 3", w.Ready(), warnings.Load())
		}
		// It is back: the next turn loads, the ones after that read what is new.
		w.log.fail(nil)
		w.log.commit(organization("org", true, false))
		time.Sleep(time.Second)
		w.log.commit(record(key("k", "s")))
		w.wants("s", keyward.Unknown)
		time.Sleep(time.Second)
		w.wants("s", keyward.Valid)
		// It was pruned: everything is loaded.
		w.log.commit(with(key("k", "s"), func(k *keyward.KeyRecord) { k.Enabled = false }))
		w.log.commit()
		w.log.prune()
		time.Sleep(time.Second)
		w.wants("s", keyward.Disabled)

		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Follow: %v, want %v", err, context.Canceled)
		}
		if n := warnings.Load(); n != 3 {
			t.Errorf("%d warnings, want 3", n)
		}
	})
}

// Keys are made and revoked one after the other, while readers ask for those whose
// revocation was acknowledged, everything is loaded anew again and again, and
// others deliver the same changes.
func TestAReturnedCommitIsNeverForgotten(t *testing.T) {
	t.Run("by readers in all places", func(t *testing.T) { revokeAmongReaders(t, digester{}, 1000) })
	t.Run("by readers in the same place", func(t *testing.T) { revokeAmongReaders(t, neighbours{}, 1000) })
}

func revokeAmongReaders(t *testing.T, digests verify.Digester, keys int) {
	w := &world{Engine: verify.New(digests), t: t, log: &journal{}}
	w.commit(organization("org", true, false))
	secrets := make([]string, keys) // made here: fmt would order what runs side by side
	for i := range secrets {
		secrets[i] = numbered("s", i)
	}
	var acknowledged atomic.Int64 // keys before this one are revoked
	done := make(chan struct{})
	var others sync.WaitGroup
	meanwhile := func(what func(turn int64)) {
		others.Go(func() {
			for turn := int64(0); ; turn++ {
				select {
				case <-done:
					return
				default:
					what(turn)
				}
			}
		})
	}
	for range 3 {
		meanwhile(func(turn int64) {
			n := acknowledged.Load()
			// The one in the making may be anything.
			w.Verify(anyone, secrets[min(n, int64(keys-1))], &keyward.Request{}, noon, new(verify.Verdict))
			if n == 0 {
				return
			}
			i := n - 1 - turn*turn%min(n, 50) // mostly the last ones
			got := w.Verify(anyone, secrets[i], &keyward.Request{}, noon, new(verify.Verdict))
			if got.Reason != keyward.Revoked {
				t.Errorf("key %d is %v after %d were revoked", i, got.Reason, n)
			}
		})
	}
	meanwhile(func(int64) { w.load() })
	meanwhile(func(int64) {
		if err := w.CatchUp(t.Context(), w.log); err != nil {
			t.Error(err)
		}
	})
	for i, secret := range secrets {
		k := key(numbered("k", i), secret)
		k.Credentials[0].Digest = digests.DigestString(secret)
		w.commit(record(k))
		w.wants(secret, keyward.Valid)
		w.commit(with(k, func(k *keyward.KeyRecord) { k.RevokedTime = noon }))
		acknowledged.Store(int64(i + 1))
	}
	close(done)
	others.Wait()
}
