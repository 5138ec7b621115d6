package keyward

import (
	"fmt"
	"time"
)

// RateLimit bounds how much of a key may be used within any window of time: the costs
// of its uses in a span of that length never add up to more than the limit.
type RateLimit struct {
	Name   string   `json:"name"`
	Limit  int64    `json:"limit"`
	Window Duration `json:"window"`
}

// Credits are a balance that uses of a key are paid from.
type Credits struct {
	Remaining int64   `json:"remaining"`
	Refill    *Refill `json:"refill"`
}

// Refill sets the balance to an amount once in each period. Periods are counted from
// the instant at which the refill was set.
type Refill struct {
	Amount   int64          `json:"amount"`
	Interval RefillInterval `json:"interval"`
}

// RefillInterval is how long the period of a refill lasts.
type RefillInterval string

// The intervals. A month and a year end on the day and at the time of day on which they
// began, or on the last day of a month that has no such day.
const (
	HourlyRefill  RefillInterval = "hourly"
	DailyRefill   RefillInterval = "daily"
	WeeklyRefill  RefillInterval = "weekly"
	MonthlyRefill RefillInterval = "monthly"
	YearlyRefill  RefillInterval = "yearly"
)

// Balance is what is left of a key's credits.
type Balance struct {
	Remaining int64 `json:"remaining"`
}

// Allowance is what is left of one of a key's rate limits.
type Allowance struct {
	Name      string `json:"name"`
	Limit     int64  `json:"limit"`
	Remaining int64  `json:"remaining"`
	ResetTime Time   `json:"resetTime"` // when all of it is there again, if it is not used until then

	Window Duration `json:"-"` // of the limit
}

// Budget is what the counters of a key allow at one instant.
type Budget struct {
	WithinLimits  bool // the cost fits every rate limit
	WithinCredits bool // the cost fits the balance
}

// Unlimited is the budget of keys without limits and credits.
var Unlimited = Budget{WithinLimits: true, WithinCredits: true}

// Account is the balance of a key's credits as it is kept. It is spent from by leases,
// each of which was taken from Remaining before any of it is spent.
type Account struct {
	Remaining int64 // what nobody has leased
	Epoch     int64 // counts up when the balance is set, which voids the leases before
	Refill    *Refill
	Anchor    Time // from when periods are counted
	Period    Time // the start of the period that Remaining belongs to
}

// Due returns when the next refill is: in the past if it has not been made yet, and 0
// if there is none.
func (a *Account) Due() Time {
	if a.Refill == nil {
		return 0
	}
	return a.Refill.Interval.after(a.Anchor, a.Period)
}

// Settle makes the refill that is due at the instant now, if one is, and reports whether
// it did. However many periods have passed, there is one refill.
func (a *Account) Settle(now Time) bool {
	if due := a.Due(); due == 0 || due > now {
		return false
	}
	a.Remaining, a.Period = a.Refill.Amount, a.Refill.Interval.begin(a.Anchor, now)
	a.Epoch++
	return true
}

// Claim is what one node wants of the account of a key: to lease some of it, or to give
// back what it did not spend of a lease.
type Claim struct {
	OrganizationID string
	KeyID          string
	Want           int64 // to lease at most
	Back           int64 // to give back, which is void unless Epoch is still the account's
	Epoch          int64
	Time           Time // when it is claimed; a refill that is due by then is made first
}

// Lease is what a claim got, and the account as it stands after it.
type Lease struct {
	Amount  int64
	Account Account
}

// Meet answers a claim from the account.
func (a *Account) Meet(c Claim) Lease {
	if !a.Settle(c.Time) && c.Epoch == a.Epoch {
		a.Remaining += c.Back
	}
	leased := min(c.Want, a.Remaining)
	a.Remaining -= leased
	return Lease{Amount: leased, Account: *a}
}

// begin returns the start of the period that the instant now is in. Before the anchor
// there are no periods: the first one counts.
func (i RefillInterval) begin(anchor, now Time) Time {
	n := i.count(anchor, max(now, anchor))
	if start := i.nth(anchor, n); start <= now || n == 0 {
		return start
	}
	return i.nth(anchor, n-1)
}

// after returns the end of the period that begins at start.
func (i RefillInterval) after(anchor, start Time) Time {
	n := i.count(anchor, start)
	if end := i.nth(anchor, n); end > start {
		return end
	}
	return i.nth(anchor, n+1)
}

// count returns how many periods fit between the anchor and an instant, or one more.
func (i RefillInterval) count(anchor, at Time) int {
	if length := i.length(); length > 0 {
		return int(int64(at-anchor) / length.Milliseconds())
	}
	from, to := anchor.Std(), at.Std()
	months := 12*(to.Year()-from.Year()) + int(to.Month()) - int(from.Month())
	if i == YearlyRefill {
		return months / 12
	}
	return months
}

// nth returns the start of period n, where that of period 0 is the anchor.
func (i RefillInterval) nth(anchor Time, n int) Time {
	if length := i.length(); length > 0 {
		return anchor + Time(int64(n)*length.Milliseconds())
	}
	if i == YearlyRefill {
		n *= 12
	}
	t := anchor.Std()
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	day := min(t.Day(), first.AddDate(0, 1, -1).Day())
	return TimeOf(time.Date(first.Year(), first.Month(), day, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC))
}

// length returns how long every period is, and 0 for those that differ.
func (i RefillInterval) length() time.Duration {
	switch i {
	case HourlyRefill:
		return time.Hour
	case DailyRefill:
		return 24 * time.Hour
	case WeeklyRefill:
		return 7 * 24 * time.Hour
	}
	return 0
}

func (i RefillInterval) valid() bool {
	return i.length() > 0 || i == MonthlyRefill || i == YearlyRefill
}

// The bounds of rate limits and credits.
const (
	maxLimits    = 16 // of one key
	maxLimit     = 1_000_000_000
	maxLimitName = 64
	minWindow    = Duration(time.Second)
	maxWindow    = Duration(366 * 24 * time.Hour)
)

func validateLimits(f *Faults, limits []RateLimit) {
	if len(limits) > maxLimits {
		f.Add("/rateLimits", "has more than %d limits", maxLimits)
		return
	}
	names := make(map[string]bool, len(limits))
	for i, l := range limits {
		at := fmt.Sprintf("/rateLimits/%d", i)
		switch {
		case !plainName(l.Name):
			f.Add(at+"/name", "must be 1 to %d of the characters A-Z a-z 0-9 . _ -", maxLimitName)
		case names[l.Name]:
			f.Add(at+"/name", "is there twice")
		}
		names[l.Name] = true
		if l.Limit < 1 || l.Limit > maxLimit {
			f.Add(at+"/limit", "must be 1 to %d", maxLimit)
		}
		if l.Window < minWindow || l.Window > maxWindow {
			f.Add(at+"/window", "must be %s to %s", minWindow, maxWindow)
		}
	}
}

// plainName reports whether a text can name a limit everywhere, header fields included.
func plainName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return 1 <= len(name) && len(name) <= maxLimitName
}

func validateCredits(f *Faults, credits *Credits) {
	if credits == nil {
		return
	}
	if credits.Remaining < 0 {
		f.Add("/credits/remaining", "is negative")
	}
	if credits.Refill == nil {
		return
	}
	if credits.Refill.Amount < 1 {
		f.Add("/credits/refill/amount", "must be at least 1")
	}
	if !credits.Refill.Interval.valid() {
		f.Add("/credits/refill/interval", "must be hourly, daily, weekly, monthly or yearly")
	}
}
