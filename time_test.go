package keyward_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyward"
)

func TestParseTime(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want string // "": refused
	}{
		"UTC":                              {"2026-01-01T12:00:00Z", "2026-01-01T12:00:00.000Z"},
		"milliseconds":                     {"2026-01-01T12:00:00.123Z", "2026-01-01T12:00:00.123Z"},
		"one digit of a fraction":          {"2026-01-01T12:00:00.5Z", "2026-01-01T12:00:00.500Z"},
		"nanoseconds are cut, not rounded": {"2026-01-01T12:00:00.999999999Z", "2026-01-01T12:00:00.999Z"},
		"east of Greenwich":                {"2026-01-01T12:00:00+02:00", "2026-01-01T10:00:00.000Z"},
		"west of Greenwich":                {"2026-01-01T12:00:00-08:00", "2026-01-01T20:00:00.000Z"},
		"half an hour of offset":           {"2026-01-01T12:00:00+05:30", "2026-01-01T06:30:00.000Z"},
		"the largest offset in use":        {"2026-01-01T12:00:00+14:00", "2025-12-31T22:00:00.000Z"},
		"an unknown local offset":          {"2026-01-01T12:00:00-00:00", "2026-01-01T12:00:00.000Z"},
		"a leap day":                       {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"},
		"the first instant that is set":    {"1970-01-01T00:00:00.001Z", "1970-01-01T00:00:00.001Z"},
		"the last instant":                 {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
		"the last second with a fraction":  {"9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999Z"},
		"nothing":                          {"", ""},
		"a word":                           {"tomorrow", ""},
		"a number":                         {"1767268800", ""},
		"the epoch, which is not set":      {"1970-01-01T00:00:00Z", ""},
		"less than a millisecond after it": {"1970-01-01T00:00:00.0009Z", ""},
		"before the epoch":                 {"1969-12-31T23:59:59Z", ""},
		"before it by the offset":          {"1970-01-01T00:00:01+01:00", ""},
		"the year 0":                       {"0000-01-01T00:00:00Z", ""},
		"the year 10000":                   {"10000-01-01T00:00:00Z", ""},
		"the year 10000 by the offset":     {"9999-12-31T23:59:59-01:00", ""},
		"a signed year":                    {"+2026-01-01T12:00:00Z", ""},
		"a leap second":                    {"2016-12-31T23:59:60Z", ""},
		"a thirtieth of February":          {"2024-02-30T00:00:00Z", ""},
		"a leap day in no leap year":       {"2023-02-29T00:00:00Z", ""},
		"a leap day in 2100":               {"2100-02-29T00:00:00Z", ""},
		"a month zero":                     {"2026-00-01T00:00:00Z", ""},
		"a month thirteen":                 {"2026-13-01T00:00:00Z", ""},
		"a day zero":                       {"2026-01-00T00:00:00Z", ""},
		"an hour twenty-four":              {"2026-01-01T24:00:00Z", ""},
		"a minute sixty":                   {"2026-01-01T12:60:00Z", ""},
		"an hour of one digit":             {"2026-01-01T9:00:00Z", ""},
		"a comma before the fraction":      {"2026-01-01T12:00:00,5Z", ""},
		"a point without a fraction":       {"2026-01-01T12:00:00.Z", ""},
		"a fraction too long to be meant":  {"2026-01-01T12:00:00.0000000001+00:00", ""},
		"no zone":                          {"2026-01-01T12:00:00", ""},
		"no seconds":                       {"2026-01-01T12:00Z", ""},
		"a date alone":                     {"2026-01-01", ""},
		"a space for the T":                {"2026-01-01 12:00:00Z", ""},
		"a lower-case t":                   {"2026-01-01t12:00:00Z", ""},
		"a lower-case z":                   {"2026-01-01T12:00:00z", ""},
		"an offset without a colon":        {"2026-01-01T12:00:00+0200", ""},
		"an offset in hours":               {"2026-01-01T12:00:00+02", ""},
		"an offset of a day":               {"2026-01-01T12:00:00+24:00", ""},
		"an offset of sixty minutes":       {"2026-01-01T12:00:00+00:60", ""},
		"a named zone":                     {"2026-01-01T12:00:00 UTC", ""},
		"a space before it":                {" 2026-01-01T12:00:00Z", ""},
		"a line feed after it":             {"2026-01-01T12:00:00Z\n", ""},
		"no hyphens":                       {"20260101T120000Z", ""},
		"a week":                           {"2026-W01-4T12:00:00Z", ""},
		"digits of another script":         {"２０26-01-01T12:00:00Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := keyward.ParseTime(test.text)
			if got.String() != test.want || (err == nil) != (test.want != "") {
				t.Errorf("ParseTime(%q) = %q, %v; want %q", test.text, got, err, test.want)
			}
			if err != nil && keyward.CodeOf(err) != keyward.Invalid {
				t.Errorf("code %s, want %s", keyward.CodeOf(err), keyward.Invalid)
			}
		})
	}
}

func TestTimesAreReadBackAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		instant := keyward.Time(rapid.Int64Range(0, 253402300799999).Draw(t, "instant"))
		text, err := json.Marshal(instant)
		if err != nil {
			t.Fatal(err)
		}
		back := keyward.Time(-1)
		if err := json.Unmarshal(text, &back); err != nil || back != instant {
			t.Fatalf("%d is written %s and read as %d, %v", instant, text, back, err)
		}
		if instant != 0 && keyward.TimeOf(instant.Std()) != instant {
			t.Fatalf("%d became %d by way of %v", instant, keyward.TimeOf(instant.Std()), instant.Std())
		}
	})
}

func TestATimeThatIsNotSet(t *testing.T) {
	var never keyward.Time
	if text, err := json.Marshal(never); string(text) != "null" || err != nil {
		t.Errorf("written as %s, %v; want null", text, err)
	}
	if never.String() != "" || !never.Std().IsZero() {
		t.Errorf("String = %q, Std = %v; want none", never, never.Std())
	}
	set := noon
	if err := json.Unmarshal([]byte("null"), &set); set != 0 || err != nil {
		t.Errorf("null is read as %d, %v", set, err)
	}
}

func TestTimesInJSONAreStrings(t *testing.T) {
	for _, text := range []string{`1767268800000`, `true`, `{}`, `""`, `"2026-01-01"`} {
		var instant keyward.Time
		if err := json.Unmarshal([]byte(text), &instant); keyward.CodeOf(err) != keyward.Invalid {
			t.Errorf("%s is read as %v, %v; want %s", text, instant, err, keyward.Invalid)
		}
	}
}

func TestAddMovesByMilliseconds(t *testing.T) {
	if got := noon.Add(1500*time.Millisecond + 999*time.Microsecond); got != noon+1500 {
		t.Errorf("Add = %d, want %d", got, noon+1500)
	}
	if got := noon.Add(-time.Second); got != noon-1000 {
		t.Errorf("Add = %d, want %d", got, noon-1000)
	}
}

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		text string
		want time.Duration // negative: refused
		back string        // as it is written
	}{
		"seconds":                       {"30s", 30 * time.Second, "30s"},
		"a minute of seconds":           {"60s", time.Minute, "60s"},
		"hours":                         {"12h", 12 * time.Hour, "12h"},
		"a day of hours":                {"24h", day, "24h"},
		"a day and a half of hours":     {"36h", 36 * time.Hour, "36h"},
		"days":                          {"7d", 7 * day, "7d"},
		"a hundred years":               {"36500d", 36500 * day, "36500d"},
		"a hundred years of hours":      {"876000h", 36500 * day, "36500d"},
		"milliseconds":                  {"250ms", 250 * time.Millisecond, "250ms"},
		"a part of a second":            {"1.5s", 1500 * time.Millisecond, "1.5s"},
		"several units":                 {"1h30m", 90 * time.Minute, "90m"},
		"nothing at all, with a unit":   {"0s", 0, "0s"},
		"nothing at all, in days":       {"0d", 0, "0s"},
		"nothing at all":                {"0", 0, "0s"},
		"an empty text":                 {"", -1, ""},
		"a number without a unit":       {"30", -1, ""},
		"a unit without a number":       {"d", -1, ""},
		"negative seconds":              {"-1s", -1, ""},
		"negative days":                 {"-1d", -1, ""},
		"a microsecond":                 {"1us", -1, ""},
		"a part of a millisecond":       {"1.0005s", -1, ""},
		"a day over a hundred years":    {"36501d", -1, ""},
		"an hour over a hundred years":  {"876001h", -1, ""},
		"days beyond any number":        {"99999999999999999999d", -1, ""},
		"hours beyond any number":       {"99999999999999999999h", -1, ""},
		"a part of a day":               {"1.5d", -1, ""},
		"days and hours":                {"1d12h", -1, ""},
		"days with a sign":              {"+7d", -1, ""},
		"days with a leading zero":      {"07d", -1, ""},
		"a space before the unit":       {"7 d", -1, ""},
		"a space after it":              {"7d ", -1, ""},
		"a capital":                     {"7D", -1, ""},
		"weeks":                         {"1w", -1, ""},
		"as ISO 8601 has it":            {"P7D", -1, ""},
		"an exponent":                   {"1e3s", -1, ""},
		"hexadecimal":                   {"0x10s", -1, ""},
		"a number too long to be meant": {"0000000000000000000000000000000001s", -1, ""},
		"what is no number":             {"NaNs", -1, ""},
		"digits of another script":      {"٣s", -1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := keyward.ParseDuration(test.text)
			if test.want < 0 {
				if keyward.CodeOf(err) != keyward.Invalid || got != 0 {
					t.Errorf("ParseDuration(%q) = %v, %v; want %s", test.text, got, err, keyward.Invalid)
				}
				return
			}
			if err != nil || time.Duration(got) != test.want || got.String() != test.back {
				t.Errorf("ParseDuration(%q) = %v, %v; want %v written as %s", test.text, got, err, test.want, test.back)
			}
		})
	}
}

func TestDurationsAreReadBackAsTheyAreWritten(t *testing.T) {
	units := rapid.SampledFrom([]int64{1, 1000, 60_000, 3_600_000, 86_400_000})
	rapid.Check(t, func(t *rapid.T) {
		unit := units.Draw(t, "unit")
		ms := unit * rapid.Int64Range(0, 36500*86_400_000/unit).Draw(t, "count")
		d := keyward.Duration(ms * int64(time.Millisecond))
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var back keyward.Duration
		if err := json.Unmarshal(text, &back); err != nil || back != d {
			t.Fatalf("%d ms is written %s and read as %v, %v", ms, text, back, err)
		}
	})
}

func TestDurationsInJSONAreStrings(t *testing.T) {
	for _, text := range []string{`60`, `null`, `true`, `""`, `"soon"`} {
		var d keyward.Duration
		if err := json.Unmarshal([]byte(text), &d); keyward.CodeOf(err) != keyward.Invalid {
			t.Errorf("%s is read as %v, %v; want %s", text, d, err, keyward.Invalid)
		}
	}
}
