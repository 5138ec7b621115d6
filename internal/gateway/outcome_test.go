package gateway_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"keyward"
	"keyward/internal/gateway"
	"keyward/internal/verify"
)

const noon = keyward.Time(1_800_000_000_000)

func subject() keyward.Subject {
	return keyward.Subject{
		OrganizationID: "org_1", KeyID: "key_1", OwnerID: "Zoë, 50%", ProjectIDs: []string{"prj_1", "a,b"}, Environment: keyward.Live,
	}
}

func TestClientsLearnNoMoreThanAStatus(t *testing.T) {
	want := map[keyward.Reason]int{
		keyward.Unknown: 401, keyward.Revoked: 401, keyward.Disabled: 401, keyward.NotStarted: 401, keyward.Expired: 401,
		keyward.IPNotAllowed: 403, keyward.PermissionDenied: 403,
		keyward.RateLimited: 429, keyward.CreditsExhausted: 429, keyward.Valid: 200,
	}
	for _, reason := range keyward.Reasons() {
		out := gateway.OutcomeOf(&verify.Verdict{Reason: reason, Subject: subject()}, noon)
		if out.Status != want[reason] {
			t.Errorf("%s is %d, want %d", reason, out.Status, want[reason])
		}
		if known := out.Upstream != nil; known != (reason == keyward.Valid) {
			t.Errorf("%s: the identity is there: %v", reason, known)
		}
		challenge := out.Client.Get("Www-Authenticate")
		if (challenge != "") != (out.Status == 401) {
			t.Errorf("%s: WWW-Authenticate is %q", reason, challenge)
		}
	}
}

func TestIdentityIsVisibleASCII(t *testing.T) {
	out := gateway.OutcomeOf(&verify.Verdict{Reason: keyward.Valid, Subject: subject()}, noon)
	for name, want := range map[string]string{
		"X-Keyward-Key-Id": "key_1", "X-Keyward-Organization-Id": "org_1", "X-Keyward-Project-Ids": "prj_1,a%2Cb",
		"X-Keyward-Owner-Id": "Zo%C3%AB%2C%2050%25", "X-Keyward-Environment": "live",
	} {
		if got := out.Upstream.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestEveryIdentityHeaderIsSetEvenIfThereIsNothingToSay(t *testing.T) {
	full := gateway.OutcomeOf(&verify.Verdict{Reason: keyward.Valid, Subject: subject()}, noon)
	bare := gateway.OutcomeOf(&verify.Verdict{Reason: keyward.Valid}, noon)
	for name := range full.Upstream {
		if got := bare.Upstream[name]; !slices.Equal(got, []string{""}) {
			t.Errorf("%s of a key without any: %q, want one empty value", name, got)
		}
	}
}

func TestLimitsAreToldInTheFormOfTheDraft(t *testing.T) {
	allowances := []keyward.Allowance{
		{Name: "requests", Limit: 100, Remaining: 99, ResetTime: noon + 1, Window: keyward.Duration(time.Minute)},
		{Name: `a"b\ü`, Limit: 1 << 62, Remaining: 0, ResetTime: noon - 5000, Window: keyward.Duration(1500 * time.Millisecond)},
	}
	for name, test := range map[string]struct {
		v    verify.Verdict
		want map[string]string
	}{
		"a key without limits": {
			verify.Verdict{Reason: keyward.Valid},
			map[string]string{"RateLimit": "", "RateLimit-Policy": "", "Retry-After": ""},
		},
		"a key with limits": {
			verify.Verdict{Reason: keyward.Valid, Allowances: allowances},
			map[string]string{
				"RateLimit":        `"requests";r=99;t=1, "a\"b\\%C3%BC";r=0;t=0`,
				"RateLimit-Policy": `"requests";q=100;w=60, "a\"b\\%C3%BC";q=999999999999999;w=2`,
				"Retry-After":      "",
			},
		},
		"a limit that is used up for a while": {
			verify.Verdict{Reason: keyward.RateLimited, Allowances: allowances[:1], RetryTime: noon + 1001},
			map[string]string{"RateLimit": `"requests";r=99;t=1`, "Retry-After": "2"},
		},
		"a limit that is over any moment": {
			verify.Verdict{Reason: keyward.RateLimited, RetryTime: noon}, map[string]string{"Retry-After": "1"},
		},
		"a cost that never fits": {
			verify.Verdict{Reason: keyward.CreditsExhausted}, map[string]string{"Retry-After": ""},
		},
		"a refusal for another reason": {
			verify.Verdict{Reason: keyward.PermissionDenied, Allowances: allowances},
			map[string]string{"RateLimit": "", "RateLimit-Policy": "", "Retry-After": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			out := gateway.OutcomeOf(&test.v, noon)
			for header, want := range test.want {
				if got := out.Client.Get(header); got != want {
					t.Errorf("%s: %q, want %q", http.CanonicalHeaderKey(header), got, want)
				}
			}
		})
	}
}
