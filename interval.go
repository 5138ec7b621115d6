package keyward

import "time"

// Interval is what usage is added up by. Its steps begin at midnight, UTC, or at the
// full hour.
type Interval string

// The intervals.
const (
	Hourly  Interval = "hour"
	Daily   Interval = "day"
	Monthly Interval = "month"
)

// Valid reports whether i is one of the intervals.
func (i Interval) Valid() bool { return i == Hourly || i == Daily || i == Monthly }

// Start returns the beginning of the step of the interval that t is in.
func (i Interval) Start(t Time) Time {
	std := t.Std()
	year, month, day := std.Date()
	switch i {
	case Monthly:
		return TimeOf(time.Date(year, month, 1, 0, 0, 0, 0, time.UTC))
	case Daily:
		return TimeOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
	}
	return TimeOf(std.Truncate(time.Hour))
}
