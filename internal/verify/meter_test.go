package verify_test

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyward"
	"keyward/internal/verify"

	"pgregory.net/rapid"
)

// metered returns the record of the key "m" with the secret "s" and what it is counted
// against.
func metered(account *keyward.Account, limits ...keyward.RateLimit) keyward.Record {
	return with(key("m", "s"), func(k *keyward.KeyRecord) { k.RateLimits, k.Account = limits, account })
}

func limit(name string, most int64, window time.Duration) keyward.RateLimit {
	return keyward.RateLimit{Name: name, Limit: most, Window: keyward.Duration(window)}
}

// counter is the model of a rate limit: what was used, and a rule of one line.
type counter struct {
	keyward.RateLimit
	used map[keyward.Time]int64
}

// counts returns what counts at an instant: the bucket that it is in, and sixteen before.
func (c *counter) counts(now keyward.Time) (sum int64) {
	width := keyward.Time((time.Duration(c.Window).Milliseconds() + 15) / 16)
	for at, cost := range c.used {
		if at/width >= now/width-16 {
			sum += cost
		}
	}
	return sum
}

// Whatever costs come when: five limits and a balance are spent from together or not at
// all, the first that refuses in the order of decision is the answer, and what is left is
// what the model says.
func TestLimitsAndCreditsAreAllOrNothing(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(outer)
		account := keyward.Account{Remaining: rapid.Int64Range(0, 60).Draw(t, "credits"), Epoch: 1}
		left := account.Remaining
		counters := make([]*counter, 5)
		limits := make([]keyward.RateLimit, 5)
		for i := range limits {
			limits[i] = limit(fmt.Sprint("limit", i), rapid.Int64Range(1, 30).Draw(t, "limit"),
				time.Duration(rapid.Int64Range(1000, 20_000).Draw(t, "window"))*time.Millisecond)
			counters[i] = &counter{limits[i], map[keyward.Time]int64{}}
		}
		w.commit(metered(&account, limits...))
		stored, now := account, noon
		for range rapid.IntRange(1, 60).Draw(t, "questions") {
			now += keyward.Time(rapid.Int64Range(0, 3000).Draw(t, "wait"))
			q := keyward.Request{Cost: rapid.Int64Range(0, 12).Draw(t, "cost"), DryRun: rapid.IntRange(0, 4).Draw(t, "dry") == 0}
			want := keyward.Valid
			for _, c := range counters {
				if c.counts(now)+q.Cost > c.Limit {
					want = keyward.RateLimited
				}
			}
			if want == keyward.Valid && q.Cost > left {
				want = keyward.CreditsExhausted
			}
			if want == keyward.Valid && !q.DryRun {
				left -= q.Cost
				for _, c := range counters {
					c.used[now] += q.Cost
				}
			}
			v := ask(w, &q, now, &stored)
			if v.Reason != want {
				t.Fatalf("a cost of %d at %d is %s, want %s", q.Cost, now-noon, v.Reason, want)
			}
			if v.Balance.Remaining != left {
				t.Fatalf("%d credits remain, want %d", v.Balance.Remaining, left)
			}
			for i, c := range counters {
				got := v.Allowances[i]
				if got.Name != c.Name || got.Limit != c.Limit || got.Remaining != c.Limit-c.counts(now) {
					t.Fatalf("the allowance is %+v, want %d remaining of %+v", got, c.Limit-c.counts(now), c.RateLimit)
				}
				if c.counts(got.ResetTime) != 0 || got.ResetTime > now && c.counts(got.ResetTime-1) == 0 {
					t.Fatalf("%s is said to be free at %d", c.Name, got.ResetTime-noon)
				}
			}
			for _, c := range counters {
				if v.RetryTime != 0 && v.Reason == keyward.RateLimited && c.counts(v.RetryTime)+q.Cost > c.Limit {
					t.Fatalf("a cost of %d is said to fit at %d", q.Cost, v.RetryTime-noon)
				}
			}
		}
	})
}

// ask verifies "s", and meets the claims of the engine from a stored account whenever it
// has to.
func ask(w *world, q *keyward.Request, now keyward.Time, stored *keyward.Account) *verify.Verdict {
	for {
		v := w.Verify(anyone, "s", q, now, new(verify.Verdict))
		settle(w, now, 0, stored)
		if v.Pending() == nil {
			return v
		}
	}
}

func settle(w *world, now, idle keyward.Time, stored *keyward.Account) {
	claims := w.Claims(now, idle)
	leases := make([]keyward.Lease, len(claims.Claims))
	for i, claim := range claims.Claims {
		leases[i] = stored.Meet(claim)
	}
	claims.Settle(leases, now)
}

// Many at the same time, and the replica loaded anew under them: a limit admits exactly
// what it says.
func TestALimitIsExactUnderConcurrency(t *testing.T) {
	w := newWorld(t)
	const most = 1000
	w.commit(metered(nil, limit("a", most, time.Hour), limit("b", math.MaxInt32, time.Hour)))
	var valid atomic.Int64
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			var v verify.Verdict
			for range most / 8 {
				if w.Verify(anyone, "s", &keyward.Request{Cost: 1}, noon, &v).Reason == keyward.Valid {
					valid.Add(1)
				}
			}
		})
	}
	for range 20 {
		w.load()
	}
	group.Wait()
	if got := valid.Load(); got != most {
		t.Errorf("%d of %d were valid, and the limit is %d", got, 2*most, most)
	}
}

func TestAChangeOfTheKeyKeepsWhatWasCounted(t *testing.T) {
	w := newWorld(t)
	account := &keyward.Account{Remaining: 10, Epoch: 1}
	stored := *account
	w.commit(metered(account, limit("a", 5, time.Hour), limit("b", 5, time.Hour)))
	ask(w, &keyward.Request{Cost: 4}, noon, &stored)
	renamed := metered(account, limit("b", 9, time.Hour), limit("a", 3, time.Hour), limit("c", 5, time.Hour))
	renamed.Key.Name = "another"
	w.commit(renamed)

	v := ask(w, &keyward.Request{Cost: 0}, noon, &stored)
	var left []int64
	for _, a := range v.Allowances {
		left = append(left, a.Remaining)
	}
	if fmt.Sprint(left) != "[5 0 5]" || v.Balance.Remaining != 6 {
		t.Errorf("left are %v and %d credits, want [5 0 5] and 6", left, v.Balance.Remaining)
	}
	w.commit(metered(nil))
	if v := w.Verify(anyone, "s", &keyward.Request{Cost: 100}, noon, new(verify.Verdict)); v.Reason != keyward.Valid || v.Balance != nil || len(v.Allowances) != 0 {
		t.Errorf("without limits and credits the answer is %+v", v)
	}
}

func TestALeaseThatLiesIdleIsGivenBack(t *testing.T) {
	w := newWorld(t)
	stored := keyward.Account{Remaining: 1000, Epoch: 1}
	account := stored
	w.commit(metered(&account))
	for range 40 {
		ask(w, &keyward.Request{Cost: 1}, noon, &stored)
	}
	leased := w.Leased("org", "m", 1)
	if leased == 0 || stored.Remaining+leased != 960 {
		t.Fatalf("%d are leased and %d remain, want 960 together", leased, stored.Remaining)
	}
	settle(w, noon+1000, noon, &stored)
	if got := w.Leased("org", "m", 1); got != leased {
		t.Errorf("a lease that was used just now is given back")
	}
	settle(w, noon+3000, noon+1000, &stored)
	if got := w.Leased("org", "m", 1); got != 0 || stored.Remaining != 960 {
		t.Errorf("%d are still leased, and %d remain", got, stored.Remaining)
	}
}

func TestABalanceThatIsSetVoidsLeases(t *testing.T) {
	w := newWorld(t)
	stored := keyward.Account{Remaining: 1000, Epoch: 1}
	account := stored
	w.commit(metered(&account))
	ask(w, &keyward.Request{Cost: 100}, noon, &stored)
	stored = keyward.Account{Remaining: 3, Epoch: 2}
	account = stored
	w.commit(metered(&account))
	for i, want := range []keyward.Reason{keyward.Valid, keyward.Valid, keyward.Valid, keyward.CreditsExhausted} {
		if got := ask(w, &keyward.Request{Cost: 1}, noon, &stored); got.Reason != want {
			t.Errorf("use %d is %s, want %s", i+1, got.Reason, want)
		}
	}
}

func TestARefillIsMadeByTheFirstUseAfterIt(t *testing.T) {
	w := newWorld(t)
	stored := keyward.Account{
		Remaining: 1, Epoch: 1, Anchor: noon, Period: noon, Refill: &keyward.Refill{Amount: 2, Interval: keyward.HourlyRefill},
	}
	account := stored
	w.commit(metered(&account))
	const hour = keyward.Time(3_600_000)
	for _, use := range []struct {
		at   keyward.Time
		want keyward.Reason
	}{
		{0, keyward.Valid},
		{hour - 1, keyward.CreditsExhausted},
		{hour, keyward.Valid},
		{hour, keyward.Valid},
		{hour, keyward.CreditsExhausted},
		{5*hour + 10, keyward.Valid},
		{5*hour + 20, keyward.Valid},
		{6*hour - 1, keyward.CreditsExhausted},
	} {
		v := ask(w, &keyward.Request{Cost: 1}, noon+use.at, &stored)
		if v.Reason != use.want {
			t.Errorf("a use at %d is %s, want %s", use.at, v.Reason, use.want)
		}
		if v.Reason == keyward.CreditsExhausted && (v.RetryTime-noon)%hour != 0 {
			t.Errorf("a use at %d may be tried again at %d", use.at, v.RetryTime-noon)
		}
	}
}

func TestAKeyWhoseCreditsCannotBeHadIsNotAnswered(t *testing.T) {
	w := newWorld(t)
	account := keyward.Account{Remaining: 1000, Epoch: 1}
	w.commit(metered(&account))
	var v verify.Verdict
	w.Verify(anyone, "s", &keyward.Request{Cost: 1}, noon, &v)
	waiting := v.Pending()
	if waiting == nil || v.Reason == keyward.Valid {
		t.Fatalf("without a lease the answer is %s", v.Reason)
	}
	if n := w.Answered(keyward.CreditsExhausted) + w.Answered(keyward.Valid); n != 0 {
		t.Errorf("a question without an answer is counted")
	}
	claims := w.Claims(noon, 0)
	claims.Settle(make([]keyward.Lease, len(claims.Claims)), noon) // the database failed
	select {
	case <-waiting:
	default:
		t.Errorf("who waits is not told")
	}
	if w.Verify(anyone, "s", &keyward.Request{Cost: 1}, noon, &v); v.Pending() == nil {
		t.Errorf("after a lease that failed the answer is %s", v.Reason)
	}
	if w.Verify(anyone, "s", &keyward.Request{Cost: 1, DryRun: true}, noon, &v); v.Reason != keyward.Valid {
		t.Errorf("a dry run waits for a lease")
	}
}
