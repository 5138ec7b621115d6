package native

import (
	"bytes"
	"encoding/json"
	"testing"

	"keyward"
	"keyward/internal/verify"

	"pgregory.net/rapid"
)

// verdict is an answer on the wire as encoding/json would write it.
type verdict struct {
	Valid bool           `json:"valid"`
	Code  keyward.Reason `json:"code"`
	*known
	Checks []keyward.Check `json:"checks,omitempty"`
}

type known struct {
	KeyID          string              `json:"keyId"`
	Version        int                 `json:"version"`
	OrganizationID string              `json:"organizationId"`
	ProjectIDs     []string            `json:"projectIds"`
	OwnerID        *string             `json:"ownerId"`
	Name           string              `json:"name"`
	Type           keyward.KeyType     `json:"type"`
	Environment    keyward.Environment `json:"environment"`
	Metadata       json.RawMessage     `json:"metadata"`
	ExpireTime     keyward.Time        `json:"expireTime"`
	Credits        *keyward.Balance    `json:"credits"`
	RateLimits     []keyward.Allowance `json:"rateLimits"`
}

// written is what encoding/json says of a verdict, without escaping HTML.
func written(t interface{ Fatal(...any) }, v *verify.Verdict) string {
	out := verdict{Valid: v.Reason == keyward.Valid, Code: v.Reason, Checks: v.Checks}
	if s := &v.Subject; v.Reason != keyward.Unknown {
		out.known = &known{
			KeyID: s.KeyID, Version: v.Version, OrganizationID: s.OrganizationID, ProjectIDs: append([]string{}, s.ProjectIDs...),
			Name: s.Name, Type: s.Type, Environment: s.Environment, Metadata: s.Metadata, ExpireTime: s.ExpireTime,
			Credits: v.Balance, RateLimits: append([]keyward.Allowance{}, v.Allowances...),
		}
		if s.OwnerID != "" {
			out.OwnerID = &s.OwnerID
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
}

// anyText draws what a text could hold at worst: escapes, controls, and what is not
// UTF-8.
func anyText() *rapid.Generator[string] {
	odd := rapid.SampledFrom([]string{
		"\"", "\\", "/", "<", ">", "&", "\x00", "\b", "\f", "\n", "\r", "\t", "\x1f", "\x7f", "\x80", "\xff", "\u2028", "\u2029", "\ufffd", "é", "🔑", "\xe2\x80",
	})
	return rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string {
		var text string
		for _, part := range rapid.SliceOfN(rapid.OneOf(odd, rapid.StringN(0, 5, -1)), 0, 6).Draw(t, "parts") {
			text += part
		}
		return text
	}))
}

func anyTime() *rapid.Generator[keyward.Time] {
	return rapid.OneOf(rapid.Just(keyward.Time(0)), rapid.Map(rapid.Int64Range(0, 253402300799999), func(ms int64) keyward.Time { return keyward.Time(ms) }))
}

// anyMetadata draws JSON, with space in all places.
func anyMetadata() *rapid.Generator[json.RawMessage] {
	return rapid.Custom(func(t *rapid.T) json.RawMessage {
		members := rapid.MapOfN(anyText(), anyText(), 0, 3).Draw(t, "members")
		compact, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "null") {
			return nil
		}
		var spaced bytes.Buffer
		if err := json.Indent(&spaced, compact, " ", "\t\r"); err != nil {
			t.Fatal(err)
		}
		return rapid.SampledFrom([]json.RawMessage{compact, spaced.Bytes(), []byte(`{ "a" : [ 1.50 , "\\\" x" , null ] }`)}).Draw(t, "raw")
	})
}

func anyVerdict() *rapid.Generator[*verify.Verdict] {
	return rapid.Custom(func(t *rapid.T) *verify.Verdict {
		text := anyText()
		v := &verify.Verdict{
			Reason: rapid.SampledFrom(keyward.Reasons()).Draw(t, "reason"), Version: rapid.IntRange(0, 1<<31-1).Draw(t, "version"),
			Subject: keyward.Subject{
				KeyID: text.Draw(t, "key"), OrganizationID: text.Draw(t, "organization"), OwnerID: text.Draw(t, "owner"), Name: text.Draw(t, "name"),
				ProjectIDs: rapid.SliceOfN(text, 0, 3).Draw(t, "projects"), Type: keyward.KeyType(text.Draw(t, "type")),
				Environment: keyward.Environment(text.Draw(t, "environment")), Metadata: anyMetadata().Draw(t, "metadata"), ExpireTime: anyTime().Draw(t, "end"),
			},
		}
		if rapid.Bool().Draw(t, "credits") {
			v.Balance = &keyward.Balance{Remaining: rapid.Int64().Draw(t, "remaining")}
		}
		for range rapid.IntRange(0, 3).Draw(t, "limits") {
			v.Allowances = append(v.Allowances, keyward.Allowance{
				Name: text.Draw(t, "limit"), Limit: rapid.Int64().Draw(t, "limit"), Remaining: rapid.Int64().Draw(t, "left"), ResetTime: anyTime().Draw(t, "reset"),
			})
		}
		for range rapid.IntRange(0, 2).Draw(t, "checks") {
			v.Checks = append(v.Checks, keyward.Check{Check: rapid.SampledFrom(keyward.Reasons()).Draw(t, "check"), Passed: rapid.Bool().Draw(t, "passed")})
		}
		return v
	})
}

func TestVerdictsAreWrittenAsTheStandardEncoderDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyVerdict().Draw(t, "verdict")
		got := string(appendVerdict([]byte("before"), v))
		if want := "before" + written(t, v); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}
