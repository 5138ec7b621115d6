package keyward

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// Time is an instant in milliseconds since 1970 in UTC, the one precision that
// every surface and both databases share. Zero means "not set" and is null in JSON.
type Time int64

// lastTime is the end of the year 9999, the last instant that RFC 3339 can write.
const lastTime Time = 253402300799999

// ClockMargin is by how much the clocks of nodes may differ: what is void because it
// was revoked stays so for that long after it expired.
const ClockMargin = time.Hour

// TimeOf returns t, cut to the millisecond.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// dateTime is the form of RFC 3339, in capitals and to the nanosecond. The standard
// library also takes 9:30:00, a comma before the fraction, and +24:60.
var dateTime = regexp.MustCompile(
	`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// ParseTime reads an RFC 3339 date-time with any offset. Instants outside
// (1970, 9999], leap seconds and dates that do not exist are refused.
func ParseTime(text string) (Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || !dateTime.MatchString(text) {
		return 0, Errorf(Invalid, "is not an RFC 3339 date-time such as 2026-01-31T09:30:00Z")
	}
	ms := TimeOf(t)
	if ms <= 0 || ms > lastTime {
		return 0, Errorf(Invalid, "is outside the years 1970 to 9999")
	}
	return ms, nil
}

// Std returns t as a standard time in UTC, and the zero time if t is not set.
func (t Time) Std() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(t)).UTC()
}

// Add returns t moved by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// String returns RFC 3339 with milliseconds, and "" if t is not set.
func (t Time) String() string {
	if t == 0 {
		return ""
	}
	return t.Std().Format("2006-01-02T15:04:05.000Z")
}

// MarshalJSON writes the form of String, or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

// UnmarshalJSON reads null or what [ParseTime] reads.
func (t *Time) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*t = 0
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return Errorf(Invalid, "is not a string")
	}
	parsed, err := ParseTime(text)
	*t = parsed
	return err
}

// Duration is a span of time, written as in "30s", "24h" or "7d".
type Duration time.Duration

// maxDuration is a hundred years, which leaves room to add it to any instant.
const maxDuration = 36500 * 24 * time.Hour

// ParseDuration reads what [time.ParseDuration] reads, and whole days as "7d".
// Negative and sub-millisecond spans are refused, and those over a hundred years.
func ParseDuration(text string) (Duration, error) {
	const wrong = "is not a duration such as 30s, 24h or 7d"
	var days int
	if n, err := fmt.Sscanf(text, "%dd", &days); err == nil && n == 1 && text == fmt.Sprintf("%dd", days) {
		if days < 0 || days > int(maxDuration/(24*time.Hour)) {
			return 0, Errorf(Invalid, "%s", wrong)
		}
		return Duration(time.Duration(days) * 24 * time.Hour), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > maxDuration || d%time.Millisecond != 0 || len(text) > 32 {
		return 0, Errorf(Invalid, "%s", wrong)
	}
	return Duration(d), nil
}

// String writes d in the largest unit that fits it whole; a minute is 60s and a day 24h.
func (d Duration) String() string {
	std := time.Duration(d)
	for _, unit := range []struct {
		least, size time.Duration
		name        string
	}{{48 * time.Hour, 24 * time.Hour, "d"}, {time.Hour, time.Hour, "h"}, {2 * time.Minute, time.Minute, "m"}, {time.Second, time.Second, "s"}} {
		if std >= unit.least && std%unit.size == 0 {
			return fmt.Sprintf("%d%s", std/unit.size, unit.name)
		}
	}
	return std.String()
}

// MarshalJSON writes the form of String.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads what [ParseDuration] reads.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return Errorf(Invalid, "is not a string")
	}
	parsed, err := ParseDuration(text)
	*d = parsed
	return err
}
