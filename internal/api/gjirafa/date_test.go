package gjirafa_test

import (
	"testing"

	"keyward"
	"keyward/internal/api/gjirafa"
)

func TestDatesAreReadWithAndWithoutAZone(t *testing.T) {
	for text, want := range map[string]string{
		`null`:                                `null`,
		`"2026-02-01T00:00:00.000Z"`:          `"2026-02-01T00:00:00.000Z"`,
		`"2026-02-01T00:00:00"`:               `"2026-02-01T00:00:00.000Z"`,
		`"2026-02-01T00:00:00.1234567"`:       `"2026-02-01T00:00:00.123Z"`,
		`"2026-02-01T00:00:00.9999999+02:00"`: `"2026-01-31T22:00:00.999Z"`,
		`"2026-02-01T00:00:00ZZ"`:             ``,
		`"2026-02-01T00:00:00+02:00Z"`:        ``,
		`"2026-02-01 00:00:00"`:               ``,
		`"2026-02-01"`:                        ``,
		`"2026-02-01T24:00:00"`:               ``,
		`"0001-01-01T00:00:00"`:               ``,
		`"9999-12-31T23:59:59.9999999"`:       `"9999-12-31T23:59:59.999Z"`,
		`"9999-12-31T23:59:59-01:00"`:         ``,
		`""`:                                  ``,
		`"Z"`:                                 ``,
		`0`:                                   ``,
	} {
		var got gjirafa.Date
		err := got.UnmarshalJSON([]byte(text))
		written, _ := keyward.Time(got).MarshalJSON()
		if want == "" {
			written = nil
		}
		if (err != nil) != (want == "") || string(written) != want {
			t.Errorf("%s = %s, %v, want %s", text, written, err, want)
		}
	}
}

// FuzzDate checks that a date which is read is the same once it is written.
func FuzzDate(f *testing.F) {
	for _, seed := range []string{`null`, `"2026-02-01T00:00:00.1234567"`, `"2026-02-01T00:00:00+02:00"`, `"Z"`, `"\u0032026"`, `{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, again gjirafa.Date
		if got.UnmarshalJSON(data) != nil {
			return
		}
		text, err := keyward.Time(got).MarshalJSON()
		if err != nil || again.UnmarshalJSON(text) != nil || again != got {
			t.Errorf("%q is %d, written %s, and that is %d", data, got, text, again)
		}
	})
}
