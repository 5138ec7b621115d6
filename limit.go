package keyward

import "fmt"

// RateLimit bounds how much of a key may be used within any window of time.
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

// Refill sets the balance to an amount once in each period.
type Refill struct {
	Amount   int64  `json:"amount"`
	Interval string `json:"interval"`
}

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
}

// Budget is what the counters of a key allow at one instant.
type Budget struct {
	WithinLimits  bool // the cost fits every rate limit
	WithinCredits bool // the cost fits the balance
}

// Unlimited is the budget of keys without limits and credits.
var Unlimited = Budget{WithinLimits: true, WithinCredits: true}

// validateLimits refuses limits and credits: this version does not count yet, and
// a limit that is not enforced is worse than none.
func validateLimits(f *Faults, limits []RateLimit, credits *Credits) {
	for i := range limits {
		f.Add(fmt.Sprintf("/rateLimits/%d", i), "is not enforced by this version, so it is not accepted")
	}
	if credits != nil {
		f.Add("/credits", "is not enforced by this version, so it is not accepted")
	}
}
