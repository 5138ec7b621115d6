package keyward_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"keyward"
)

// noon is when every test of this file happens.
const noon keyward.Time = 1767268800000

// question is everything that a decision depends on.
type question struct {
	by         *keyward.Actor
	subject    *keyward.Subject
	org        keyward.Standing
	versionEnd keyward.Time
	request    *keyward.Request
	budget     keyward.Budget
}

// welcome returns a question to which the answer is Valid.
func welcome() *question {
	return &question{
		by: &keyward.Actor{
			Type:       keyward.OperatorActor,
			Management: []keyward.Grant{{Permissions: []string{"keys.verify"}}},
		},
		subject: &keyward.Subject{
			OrganizationID: "org_a", KeyID: "key_1", ProjectIDs: []string{"prj_1", "prj_2"},
			Type: keyward.SecretKey, Environment: keyward.Live, Enabled: true,
			ACL: []keyward.Grant{{Permissions: []string{"docs.read"}}},
		},
		org:     keyward.Standing{Enabled: true},
		request: &keyward.Request{},
		budget:  keyward.Unlimited,
	}
}

func (q *question) decide() keyward.Reason {
	return keyward.Decide(q.by, q.subject, q.org, q.versionEnd, q.request, q.budget, noon)
}

func (q *question) explain() []keyward.Check {
	return keyward.Explain(q.by, q.subject, q.org, q.versionEnd, q.request, q.budget, noon)
}

// causes gives every reason each way there is to come about.
var causes = []struct {
	name  string
	want  keyward.Reason
	apply func(*question)
}{
	{"no such key", keyward.Unknown, func(q *question) { q.subject = nil }},
	{"deleted key", keyward.Unknown, func(q *question) { q.subject.Deleted = true }},
	{"asker of another organization", keyward.Unknown, func(q *question) { q.by.OrganizationID = "org_b" }},
	{"asker without keys.verify", keyward.Unknown, func(q *question) { q.by.Management = nil }},
	{"asker of another project", keyward.Unknown, func(q *question) {
		q.by.Management = []keyward.Grant{{
			Permissions: []string{"keys.verify"}, Scope: keyward.Scope{"projectId": {"prj_3"}},
		}}
	}},
	{"asked for another organization", keyward.Unknown, func(q *question) { q.request.OrganizationID = "org_b" }},
	{"asked for another environment", keyward.Unknown, func(q *question) { q.request.Environment = keyward.Test }},
	{"revoked key", keyward.Revoked, func(q *question) { q.subject.RevokedTime = noon + 1 }},
	{"deleted organization", keyward.Revoked, func(q *question) { q.org.Deleted = true }},
	{"disabled key", keyward.Disabled, func(q *question) { q.subject.Enabled = false }},
	{"disabled organization", keyward.Disabled, func(q *question) { q.org.Enabled = false }},
	{"start to come", keyward.NotStarted, func(q *question) { q.subject.StartTime = noon + 1 }},
	{"end of the key", keyward.Expired, func(q *question) { q.subject.ExpireTime = noon }},
	{"end of the version", keyward.Expired, func(q *question) { q.versionEnd = noon }},
	{"address elsewhere", keyward.IPNotAllowed, func(q *question) {
		q.subject.AllowedIPs = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
		q.request.IP = netip.MustParseAddr("198.51.100.1")
	}},
	{"address not given", keyward.IPNotAllowed, func(q *question) {
		q.subject.AllowedIPs = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
		q.request.IP = netip.Addr{}
	}},
	{"permission not granted", keyward.PermissionDenied, func(q *question) { q.request.Permissions = []string{"docs.write"} }},
	{"permission granted elsewhere", keyward.PermissionDenied, func(q *question) {
		q.subject.ACL[0].Scope = keyward.Scope{"region": {"eu"}}
		q.request.Permissions = []string{"docs.read"}
	}},
	{"limit reached", keyward.RateLimited, func(q *question) { q.budget.WithinLimits = false }},
	{"balance spent", keyward.CreditsExhausted, func(q *question) { q.budget.WithinCredits = false }},
}

func TestEveryCauseHasItsReason(t *testing.T) {
	seen := map[keyward.Reason]bool{welcome().decide(): true}
	for _, cause := range causes {
		t.Run(cause.name, func(t *testing.T) {
			q := welcome()
			cause.apply(q)
			if got := q.decide(); got != cause.want {
				t.Errorf("Decide = %s, want %s", got, cause.want)
			}
			seen[cause.want] = true
		})
	}
	for _, reason := range keyward.Reasons() {
		if !seen[reason] {
			t.Errorf("no cause leads to %s", reason)
		}
	}
}

func TestOfTwoReasonsTheEarlierWins(t *testing.T) {
	for i, one := range causes {
		for _, other := range causes[i+1:] {
			t.Run(one.name+" and "+other.name, func(t *testing.T) {
				q := welcome()
				other.apply(q) // the first of all takes the subject away, so it comes last
				one.apply(q)
				if got, want := q.decide(), min(one.want, other.want); got != want {
					t.Errorf("Decide = %s, want %s", got, want)
				}
			})
		}
	}
}

func TestReasonsAreDecidedInThePublishedOrder(t *testing.T) {
	published := []string{
		"not_found", "revoked", "disabled", "not_started", "expired", "ip_not_allowed",
		"permission_denied", "rate_limited", "credits_exhausted", "valid",
	}
	var got []string
	for _, reason := range keyward.Reasons() {
		got = append(got, reason.String())
	}
	if !slices.Equal(got, published) {
		t.Errorf("Reasons = %q, want %q", got, published)
	}
}

func TestReasonsAreReadBackAsTheyAreWritten(t *testing.T) {
	for _, reason := range keyward.Reasons() {
		text, err := json.Marshal(reason)
		if err != nil {
			t.Fatal(err)
		}
		var back keyward.Reason
		if err := json.Unmarshal(text, &back); err != nil || back != reason {
			t.Errorf("%s reads back as %v, %v", text, back, err)
		}
	}
	var r keyward.Reason
	if err := r.UnmarshalText([]byte("VALID")); keyward.CodeOf(err) != keyward.Invalid {
		t.Errorf("UnmarshalText(VALID) = %v, want %s", err, keyward.Invalid)
	}
}

func TestTheInstantDecides(t *testing.T) {
	for name, test := range map[string]struct {
		start, end, versionEnd keyward.Time
		want                   keyward.Reason
	}{
		"no times at all":                          {0, 0, 0, keyward.Valid},
		"started a moment ago":                     {noon - 1, 0, 0, keyward.Valid},
		"starts this very instant":                 {noon, 0, 0, keyward.Valid},
		"starts in a moment":                       {noon + 1, 0, 0, keyward.NotStarted},
		"expired a moment ago":                     {0, noon - 1, 0, keyward.Expired},
		"expires this very instant":                {0, noon, 0, keyward.Expired},
		"expires in a moment":                      {0, noon + 1, 0, keyward.Valid},
		"version ended a moment ago":               {0, 0, noon - 1, keyward.Expired},
		"version ends this very instant":           {0, 0, noon, keyward.Expired},
		"version ends in a moment":                 {0, 0, noon + 1, keyward.Valid},
		"version ended before the key":             {0, noon + 1, noon, keyward.Expired},
		"key ended before the version":             {0, noon, noon + 1, keyward.Expired},
		"key and version end in a moment":          {0, noon + 1, noon + 1, keyward.Valid},
		"starts and ends this instant":             {noon, noon, 0, keyward.Expired},
		"not started wins over an ended version":   {noon + 1, 0, noon, keyward.NotStarted},
		"a start and an end around the instant":    {noon, noon + 1, 0, keyward.Valid},
		"an end at the far end of time is no trap": {0, 253402300799999, 253402300799999, keyward.Valid},
	} {
		t.Run(name, func(t *testing.T) {
			q := welcome()
			q.subject.StartTime, q.subject.ExpireTime, q.versionEnd = test.start, test.end, test.versionEnd
			if got := q.decide(); got != test.want {
				t.Errorf("Decide = %s, want %s", got, test.want)
			}
		})
	}
}

func TestWhoMayAskAboutTheKey(t *testing.T) {
	in := func(projects ...string) keyward.Scope { return keyward.Scope{"projectId": projects} }
	for name, test := range map[string]struct {
		by           keyward.Actor
		projects     []string // of the key
		organization string   // asked for
		environment  keyward.Environment
		want         keyward.Reason
	}{
		"an owner of the deployment": {
			by: operator("", keyward.Owner), want: keyward.Valid,
		},
		"a verifier of the organization": {
			by: operator("org_a", keyward.Verifier), want: keyward.Valid,
		},
		"a verifier of another": {
			by: operator("org_b", keyward.Verifier), want: keyward.Unknown,
		},
		"a viewer, who reads but does not verify": {
			by: operator("org_a", keyward.Viewer), want: keyward.Unknown,
		},
		"nobody":                         {by: keyward.Actor{}, want: keyward.Unknown},
		"a key with keys.verify":         {by: key("org_a", nil, "keys.verify"), want: keyward.Valid},
		"a key with all of keys":         {by: key("org_a", nil, "keys.*"), want: keyward.Valid},
		"a key with keys.read only":      {by: key("org_a", nil, "keys.read"), want: keyward.Unknown},
		"a key of another organization":  {by: key("org_b", nil, "keys.verify"), want: keyward.Unknown},
		"limited to one of the projects": {by: key("org_a", in("prj_2"), "keys.verify"), want: keyward.Valid},
		"limited to no project of it":    {by: key("org_a", in("prj_9"), "keys.verify"), want: keyward.Unknown},
		"limited to nothing":             {by: key("org_a", in(), "keys.verify"), want: keyward.Unknown},
		"limited, and a key in no project": {
			by: key("org_a", in("prj_1"), "keys.verify"), projects: []string{}, want: keyward.Unknown,
		},
		"unlimited, and a key in no project": {
			by: key("org_a", nil, "keys.verify"), projects: []string{}, want: keyward.Valid,
		},
		"asked for its organization": {
			by: operator("", keyward.Owner), organization: "org_a", want: keyward.Valid,
		},
		"asked for another organization": {
			by: operator("", keyward.Owner), organization: "org_b", want: keyward.Unknown,
		},
		"asked for its environment": {
			by: operator("", keyward.Owner), environment: keyward.Live, want: keyward.Valid,
		},
		"asked for another environment": {
			by: operator("", keyward.Owner), environment: keyward.Sandbox, want: keyward.Unknown,
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := welcome()
			q.by = &test.by
			if test.projects != nil {
				q.subject.ProjectIDs = test.projects
			}
			q.request.OrganizationID, q.request.Environment = test.organization, test.environment
			if got := q.decide(); got != test.want {
				t.Errorf("Decide = %s, want %s", got, test.want)
			}
		})
	}
}

// operator is an operator's actor, of one organization or of all.
func operator(organization string, role keyward.Role) keyward.Actor {
	o := keyward.Operator{Role: role}
	return keyward.Actor{Type: keyward.OperatorActor, OrganizationID: organization, Management: o.Management()}
}

// key is a key's actor with one management grant.
func key(organization string, scope keyward.Scope, permissions ...string) keyward.Actor {
	return keyward.Actor{
		Type: keyward.KeyActor, OrganizationID: organization,
		Management: []keyward.Grant{{Scope: scope, Permissions: permissions}},
	}
}

func TestExplainAgreesWithDecide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := welcome()
		names := []string{}
		for _, cause := range causes {
			if q.subject != nil && rapid.IntRange(0, 4).Draw(t, cause.name) == 0 {
				cause.apply(q)
				names = append(names, cause.name)
			}
		}
		reason, checks := q.decide(), q.explain()
		if reason == keyward.Unknown {
			if checks != nil {
				t.Fatalf("Explain tells about an unseen key (%q): %v", names, checks)
			}
			return
		}
		if err := agree(reason, checks); err != nil {
			t.Fatalf("with %q: %v", names, err)
		}
	})
}

// agree reports how checks contradict the reason or their own order.
func agree(reason keyward.Reason, checks []keyward.Check) error {
	if len(checks) != int(keyward.Valid) {
		return fmt.Errorf("%d checks, want one for each reason but valid", len(checks))
	}
	first := keyward.Valid
	for i, check := range checks {
		if check.Check != keyward.Reason(i) {
			return fmt.Errorf("check %d is %s, out of order", i, check.Check)
		}
		if !check.Passed && first == keyward.Valid {
			first = check.Check
		}
	}
	if first != reason {
		return fmt.Errorf("Decide = %s, but the first failed check is %s", reason, first)
	}
	return nil
}

func TestExplainSaysNothingAboutUnseenKeys(t *testing.T) {
	for _, cause := range causes {
		q := welcome()
		cause.apply(q)
		if checks := q.explain(); (checks == nil) != (cause.want == keyward.Unknown) {
			t.Errorf("%s: Explain = %v", cause.name, checks)
		}
	}
}

func TestExplainNamesEveryFailedCheck(t *testing.T) {
	q := welcome()
	q.org.Enabled = false
	q.subject.ExpireTime = noon
	q.budget.WithinCredits = false
	var failed []keyward.Reason
	for _, check := range q.explain() {
		if !check.Passed {
			failed = append(failed, check.Check)
		}
	}
	want := []keyward.Reason{keyward.Disabled, keyward.Expired, keyward.CreditsExhausted}
	if !slices.Equal(failed, want) {
		t.Errorf("failed checks = %v, want %v", failed, want)
	}
	text, err := json.Marshal(q.explain()[2])
	if want := `{"check":"disabled","passed":false}`; err != nil || string(text) != want {
		t.Errorf("a check is written %s, %v; want %s", text, err, want)
	}
}

func TestDecideAllocatesNothing(t *testing.T) {
	q := welcome()
	q.subject.AllowedIPs = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	q.subject.ACL[0].Scope = keyward.Scope{"region": {"eu"}}
	q.request.IP = netip.MustParseAddr("203.0.113.7")
	q.request.Permissions = []string{"docs.read"}
	q.request.Scope = map[string]string{"region": "eu"}
	if got := q.decide(); got != keyward.Valid {
		t.Fatalf("Decide = %s, want valid", got)
	}
	if n := testing.AllocsPerRun(100, func() { q.decide() }); n != 0 {
		t.Errorf("Decide allocates %v times, want 0", n)
	}
}
