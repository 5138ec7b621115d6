package main_test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyward/internal/pgtest"
)

// spender verifies keys of one organization over HTTP, as fast as it is answered.
type spender struct {
	caller
	organization string
}

type answered struct {
	Valid   bool
	Code    string
	Credits *struct{ Remaining int64 }
}

func newSpender(t *testing.T, server *process) *spender {
	t.Helper()
	s := &spender{caller: newCaller(server.url, rootToken)}
	s.http.Transport.(*http.Transport).MaxConnsPerHost = 256
	s.http.Transport.(*http.Transport).MaxIdleConnsPerHost = 256
	var made struct{ ID string }
	if _, err := s.call(http.MethodPost, "/v1/organizations", "", map[string]any{"name": "Acme"}, &made); err != nil {
		t.Fatal(err)
	}
	s.organization = "/v1/organizations/" + made.ID
	return s
}

// key makes a key and returns its path and its secret.
func (s *spender) key(t *testing.T, members map[string]any) (path, secret string) {
	t.Helper()
	members["name"] = "metered"
	var made struct {
		Key    struct{ ID string }
		Secret string
	}
	if _, err := s.call(http.MethodPost, s.organization+"/api-keys", "", members, &made); err != nil {
		t.Fatal(err)
	}
	return s.organization + "/api-keys/" + made.Key.ID, made.Secret
}

// verify asks until there is an answer: a server that cannot lease credits in time says
// 503 and has spent nothing.
func (s *spender) verify(secret string) (a answered, err error) {
	for {
		_, err = s.call(http.MethodPost, "/v1/verify", "", map[string]any{"key": secret}, &a)
		refused, ok := errors.AsType[*refusal](err)
		if !ok || refused.status != http.StatusServiceUnavailable {
			return a, err
		}
	}
}

func credits(n int64) map[string]any {
	return map[string]any{"credits": map[string]any{"remaining": n}}
}

// TestCreditsAreSpentToTheLastOneAndNoFurther asks 5000 times at once for 1000 credits.
func TestCreditsAreSpentToTheLastOneAndNoFurther(t *testing.T) {
	keyward := build(t)
	exact := func(t *testing.T, database string, rounds int) {
		server := keyward.serve(t, []string{"KEYWARD_MASTER_KEY=" + masterKey, "KEYWARD_ROOT_TOKEN=" + rootToken},
			"--data", t.TempDir(), "--database", database)
		s := newSpender(t, server)
		for round := range rounds {
			_, secret := s.key(t, credits(1000))
			var valid, exhausted atomic.Int64
			var group sync.WaitGroup
			for range 5000 {
				group.Go(func() {
					switch a, err := s.verify(secret); {
					case err != nil:
						t.Errorf("verify: %v", err)
					case a.Valid:
						valid.Add(1)
					case a.Code == "credits_exhausted":
						exhausted.Add(1)
					}
				})
			}
			group.Wait()
			if valid.Load() != 1000 || exhausted.Load() != 4000 {
				t.Errorf("round %d: %d valid and %d exhausted, want 1000 and 4000", round, valid.Load(), exhausted.Load())
			}
		}
	}
	t.Run("on SQLite", func(t *testing.T) {
		exact(t, "sqlite:"+filepath.Join(t.TempDir(), "keyward.db"), cycles(3, 20))
	})
	t.Run("on PostgreSQL", func(t *testing.T) {
		exact(t, pgtest.StartServer(t, pgtest.Options{Fsync: true}).URL("postgres"), cycles(1, 20))
	})
}

// TestKillSpendsNoCreditTwice kills a server over and over while it spends a balance. No
// more is ever accepted than there was; what is missing was leased when it was killed, an
// eighth of what was left each time, or for questions that were not answered any more.
func TestKillSpendsNoCreditTwice(t *testing.T) {
	const balance, clients = 1000, 8
	keyward := build(t)
	data := t.TempDir()
	start := func() *process {
		return keyward.serve(t, []string{"KEYWARD_MASTER_KEY=" + masterKey, "KEYWARD_ROOT_TOKEN=" + rootToken}, "--data", data)
	}
	random := rand.New(rand.NewPCG(seed(t), 0))
	server := start()
	s := newSpender(t, server)
	kills, keys, lost := cycles(20, 200), 0, int64(0)
	for kills > 0 {
		_, secret := s.key(t, credits(balance))
		keys++
		var accepted, bound int64
		for exhausted := false; !exhausted; {
			killed := make(chan error, 1)
			if kills > 0 {
				kills--
				bound += balance/8 + clients
				time.AfterFunc(time.Duration(random.Int64N(60))*time.Millisecond, func() { killed <- server.kill() })
			} else {
				killed <- nil
			}
			var n int64
			n, exhausted = spend(t, s, secret, clients)
			if accepted += n; accepted > balance {
				t.Fatalf("%d of %d credits were accepted", accepted, balance)
			}
			<-killed
			_ = server.kill()
			server = start()
			s.url = server.url
		}
		if lost += balance - accepted; balance-accepted > bound {
			t.Errorf("%d of %d credits were lost", balance-accepted, balance)
		}
	}
	t.Logf("%d keys of %d credits each, %.1f credits of each lost", keys, balance, float64(lost)/float64(keys))
}

// spend spends until the balance is exhausted, or the server is gone.
func spend(t *testing.T, s *spender, secret string, clients int) (accepted int64, exhausted bool) {
	t.Helper()
	var n atomic.Int64
	var done atomic.Bool
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for {
				a, err := s.verify(secret)
				if err != nil {
					return
				}
				if !a.Valid {
					done.Store(true)
					return
				}
				n.Add(1)
			}
		})
	}
	group.Wait()
	return n.Load(), done.Load()
}

// TestALimitHoldsInEverySlidingSecond has 64 clients ask as fast as they can for a key of
// 100 uses a second: those that are certainly within one second are never more.
func TestALimitHoldsInEverySlidingSecond(t *testing.T) {
	const most, clients = 100, 64
	keyward := build(t)
	server := keyward.serve(t, []string{"KEYWARD_ROOT_TOKEN=" + rootToken}, "--data", t.TempDir())
	s := newSpender(t, server)
	_, secret := s.key(t, map[string]any{
		"rateLimits": []map[string]any{{"name": "second", "limit": most, "window": "1s"}},
	})
	type span struct{ asked, told time.Duration }
	var mu sync.Mutex
	var valid []span
	start := time.Now()
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for time.Since(start) < 3500*time.Millisecond {
				asked := time.Since(start)
				a, err := s.verify(secret)
				if err != nil {
					t.Errorf("verify: %v", err)
					return
				}
				if a.Valid {
					mu.Lock()
					valid = append(valid, span{asked, time.Since(start)})
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	for _, first := range valid {
		within := slices.DeleteFunc(slices.Clone(valid), func(u span) bool {
			return u.asked < first.asked || u.told > first.asked+time.Second
		})
		if len(within) > most {
			t.Fatalf("%d uses were accepted within a second", len(within))
		}
	}
	if len(valid) < 2*most {
		t.Errorf("in three and a half seconds %d uses were accepted", len(valid))
	}
	t.Logf("%d uses accepted in 3.5 s", len(valid))
}

// TestABalanceThatIsSetWhileItIsSpent: what is accepted after that is not more than what
// was set, and nothing that was set is missing.
func TestABalanceThatIsSetWhileItIsSpent(t *testing.T) {
	keyward := build(t)
	server := keyward.serve(t, []string{"KEYWARD_ROOT_TOKEN=" + rootToken}, "--data", t.TempDir())
	s := newSpender(t, server)
	for range 5 {
		path, secret := s.key(t, credits(1_000_000))
		var before, after, during atomic.Int64
		var setting, set atomic.Bool
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				for {
					began := set.Load()
					early := !setting.Load()
					a, err := s.verify(secret)
					if err != nil {
						t.Errorf("verify: %v", err)
						return
					}
					switch {
					case !a.Valid:
						return
					case began:
						after.Add(1)
					case early && !setting.Load():
						before.Add(1)
					default:
						during.Add(1)
					}
				}
			})
		}
		time.Sleep(50 * time.Millisecond)
		setting.Store(true)
		if _, err := s.call(http.MethodPatch, path, "", credits(500), nil); err != nil {
			t.Fatal(err)
		}
		set.Store(true)
		group.Wait()
		if after.Load() > 500 || after.Load()+during.Load() < 500 {
			t.Errorf("%d uses were accepted before 500 credits were set, %d meanwhile, %d afterwards", before.Load(), during.Load(), after.Load())
		}
	}
}
