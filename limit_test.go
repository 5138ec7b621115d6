package keyward_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"keyward"

	"pgregory.net/rapid"
)

func instant(t *testing.T, text string) keyward.Time {
	t.Helper()
	at, err := keyward.ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func refilled(amount int64, interval keyward.RefillInterval, anchor, period keyward.Time) keyward.Account {
	return keyward.Account{
		Remaining: 1, Epoch: 7, Refill: &keyward.Refill{Amount: amount, Interval: interval}, Anchor: anchor, Period: period,
	}
}

func TestARefillComesAtTheExactInstant(t *testing.T) {
	for _, test := range []struct {
		interval          keyward.RefillInterval
		anchor, from, due string
	}{
		{"hourly", "2026-01-31T09:30:00.001Z", "", "2026-01-31T10:30:00.001Z"},
		{"daily", "2026-03-28T23:59:59.999Z", "", "2026-03-29T23:59:59.999Z"},
		{"weekly", "2026-02-26T00:00:00Z", "", "2026-03-05T00:00:00Z"},
		{"monthly", "2026-01-31T09:30:00Z", "", "2026-02-28T09:30:00Z"},
		{"monthly", "2026-01-31T09:30:00Z", "2026-02-28T09:30:00Z", "2026-03-31T09:30:00Z"}, // the day comes back
		{"monthly", "2026-01-31T09:30:00Z", "2026-03-31T09:30:00Z", "2026-04-30T09:30:00Z"},
		{"monthly", "2027-12-30T00:00:00Z", "2028-01-30T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"yearly", "2028-02-29T12:00:00Z", "", "2029-02-28T12:00:00Z"},
		{"yearly", "2028-02-29T12:00:00Z", "2031-02-28T12:00:00Z", "2032-02-29T12:00:00Z"},
	} {
		from := test.from
		if from == "" {
			from = test.anchor
		}
		t.Run(fmt.Sprintf("%s of %s after %s", test.interval, test.anchor, from), func(t *testing.T) {
			a := refilled(5, test.interval, instant(t, test.anchor), instant(t, from))
			due := instant(t, test.due)
			if got := a.Due(); got != due {
				t.Fatalf("Due = %s, want %s", got, due)
			}
			if early := a; early.Settle(due-1) || early.Remaining != 1 {
				t.Errorf("a millisecond early there is a refill")
			}
			if !a.Settle(due) || a.Remaining != 5 || a.Epoch != 8 || a.Period != due {
				t.Errorf("at the instant the account is %+v", a)
			}
			if a.Settle(due) {
				t.Errorf("there is a second refill in the same period")
			}
		})
	}
}

// Whatever interval, anchor and instant: a settled account is in the period of that
// instant, and is settled once.
func TestPeriodsFollowEachOtherWithoutGaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.SampledFrom([]keyward.RefillInterval{"hourly", "daily", "weekly", "monthly", "yearly"}).Draw(t, "interval")
		anchor := keyward.Time(rapid.Int64Range(1, 4e12).Draw(t, "anchor"))
		now := anchor + keyward.Time(rapid.Int64Range(0, 1e12).Draw(t, "later"))
		a := refilled(5, interval, anchor, anchor)
		first := a.Due()
		if settled := a.Settle(now); settled != (first <= now) {
			t.Fatalf("due at %s, settled at %s: %t", first, now, settled)
		}
		if a.Period > now || a.Due() <= now {
			t.Fatalf("the period from %s to %s does not hold %s", a.Period, a.Due(), now)
		}
		if next := a; !next.Settle(a.Due()) || next.Period != a.Due() {
			t.Fatalf("after the period from %s to %s comes one from %s", a.Period, a.Due(), next.Period)
		}
	})
}

func TestAClaimIsMetFromWhatRemains(t *testing.T) {
	noon := keyward.Time(1_790_000_000_000)
	account := keyward.Account{Remaining: 10, Epoch: 3}
	for name, test := range map[string]struct {
		claim          keyward.Claim
		leased, remain int64
	}{
		"some":                                {keyward.Claim{Want: 4}, 4, 6},
		"more than there is":                  {keyward.Claim{Want: 40}, 10, 0},
		"something back":                      {keyward.Claim{Back: 5, Epoch: 3}, 0, 15},
		"something back of an epoch before":   {keyward.Claim{Back: 5, Epoch: 2}, 0, 10},
		"something back and more than before": {keyward.Claim{Back: 5, Epoch: 3, Want: 12}, 12, 3},
	} {
		t.Run(name, func(t *testing.T) {
			a := account
			test.claim.Time = noon
			lease := a.Meet(test.claim)
			if lease.Amount != test.leased || lease.Account != a || a.Remaining != test.remain {
				t.Errorf("the lease is %+v and leaves %+v", lease, a)
			}
		})
	}
	due := refilled(100, keyward.DailyRefill, noon-86_400_000, noon-86_400_000)
	if lease := due.Meet(keyward.Claim{Want: 30, Back: 8, Epoch: 7, Time: noon}); lease.Amount != 30 || due.Remaining != 70 || due.Epoch != 8 {
		t.Errorf("after the refill that is due the lease is %+v and leaves %+v", lease, due)
	}
}

func TestLimitsAndCreditsOutOfBoundsAreRefused(t *testing.T) {
	limit := func(name string, limit int64, window keyward.Duration) func(*keyward.Key) {
		return func(k *keyward.Key) { k.RateLimits = []keyward.RateLimit{{Name: name, Limit: limit, Window: window}} }
	}
	credits := func(remaining, amount int64, interval keyward.RefillInterval) func(*keyward.Key) {
		return func(k *keyward.Key) {
			k.Credits = &keyward.Credits{Remaining: remaining, Refill: &keyward.Refill{Amount: amount, Interval: interval}}
		}
	}
	second := keyward.Duration(1e9)
	for name, test := range map[string]struct {
		change func(*keyward.Key)
		want   string
	}{
		"the least":                   {limit("a", 1, second), ""},
		"the most":                    {limit(strings.Repeat("x", 64), 1e9, 366*24*3600*second), ""},
		"sixteen":                     {limits(16), ""},
		"seventeen":                   {limits(17), "/rateLimits"},
		"ten thousand":                {limits(10_000), "/rateLimits"},
		"a limit of zero":             {limit("a", 0, second), "/rateLimits/0/limit"},
		"a negative limit":            {limit("a", -1, second), "/rateLimits/0/limit"},
		"a limit beyond counting":     {limit("a", 1e9+1, second), "/rateLimits/0/limit"},
		"a window of nothing":         {limit("a", 1, 0), "/rateLimits/0/window"},
		"a window of a millisecond":   {limit("a", 1, 1e6), "/rateLimits/0/window"},
		"a window of a hundred years": {limit("a", 1, 36500*24*3600*second), "/rateLimits/0/window"},
		"no name":                     {limit("", 1, second), "/rateLimits/0/name"},
		"a name that is too long":     {limit(strings.Repeat("x", 65), 1, second), "/rateLimits/0/name"},
		"a name with a quote":         {limit(`a"b`, 1, second), "/rateLimits/0/name"},
		"a name that comes twice": {func(k *keyward.Key) {
			k.RateLimits = []keyward.RateLimit{{Name: "a", Limit: 1, Window: second}, {Name: "a", Limit: 2, Window: second}}
		}, "/rateLimits/1/name"},
		"no credits":             {credits(0, 1, "daily"), ""},
		"all credits there are":  {credits(math.MaxInt64, math.MaxInt64, "yearly"), ""},
		"negative credits":       {credits(-1, 1, "daily"), "/credits/remaining"},
		"a refill of nothing":    {credits(1, 0, "daily"), "/credits/refill/amount"},
		"a refill that takes":    {credits(1, -5, "daily"), "/credits/refill/amount"},
		"an interval of its own": {credits(1, 1, "fortnightly"), "/credits/refill/interval"},
		"no interval":            {credits(1, 1, ""), "/credits/refill/interval"},
	} {
		t.Run(name, func(t *testing.T) {
			k := keyward.Key{Name: "k", Type: keyward.SecretKey, Environment: keyward.Live, Metadata: []byte("{}")}
			test.change(&k)
			var at string
			for _, fault := range keyward.FieldsOf(k.Validate()) {
				at += fault.Pointer
			}
			if at != test.want {
				t.Errorf("faults are at %q, want %q", at, test.want)
			}
		})
	}
}

func limits(n int) func(*keyward.Key) {
	return func(k *keyward.Key) {
		for i := range n {
			k.RateLimits = append(k.RateLimits, keyward.RateLimit{Name: fmt.Sprint(i), Limit: 1, Window: keyward.Duration(1e9)})
		}
	}
}
