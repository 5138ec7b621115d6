package verify_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/verify"
)

var (
	inside  = netip.MustParseAddr("203.0.113.9")
	outside = netip.MustParseAddr("198.51.100.1")
	blocks  = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
)

// A case of the table is a key (or nothing), what is asked, and the answer.
func TestVerify(t *testing.T) {
	for sentence, test := range map[string]struct {
		key     *keyward.KeyRecord
		records []keyward.Record // beside it
		by      *keyward.Actor
		secret  string
		q       keyward.Request
		want    keyward.Reason
	}{
		"a secret of a key is valid":              {key: key("k", "s"), secret: "s", want: keyward.Valid},
		"each of its versions is":                 {key: key("k", "s", "t"), secret: "t", want: keyward.Valid},
		"another text is unknown":                 {key: key("k", "s"), secret: "S", want: keyward.Unknown},
		"nothing is unknown":                      {key: key("k", ""), secret: "", want: keyward.Unknown},
		"the longest secret is valid":             {key: key("k", long(512)), secret: long(512), want: keyward.Valid},
		"what is longer than a secret is unknown": {key: key("k", long(513)), secret: long(513), want: keyward.Unknown},
		"an operator's secret is no key's": {
			records: []keyward.Record{operator("o", "s", nil)}, secret: "s", want: keyward.Unknown,
		},
		"a deleted key is unknown":   {key: changed(func(k *keyward.KeyRecord) { k.Deleted = true }), secret: "s", want: keyward.Unknown},
		"a revoked one is revoked":   {key: changed(func(k *keyward.KeyRecord) { k.RevokedTime = noon }), secret: "s", want: keyward.Revoked},
		"a disabled one is disabled": {key: changed(func(k *keyward.KeyRecord) { k.Enabled = false }), secret: "s", want: keyward.Disabled},
		"one of a disabled organization is disabled": {
			key: key("k", "s"), records: []keyward.Record{organization("org", false, false)}, secret: "s", want: keyward.Disabled,
		},
		"one of a deleted organization is revoked": {
			key: key("k", "s"), records: []keyward.Record{organization("org", false, true)}, secret: "s", want: keyward.Revoked,
		},
		"one of an organization that nobody knows is not valid": {
			key: changed(func(k *keyward.KeyRecord) { k.OrganizationID = "nowhere" }), secret: "s", want: keyward.Revoked,
		},
		"a version that ends now has expired": {
			key: changed(func(k *keyward.KeyRecord) { k.Credentials[0].ExpireTime = noon }), secret: "s", want: keyward.Expired,
		},
		"one that ends in a moment has not": {
			key: changed(func(k *keyward.KeyRecord) { k.Credentials[0].ExpireTime = noon + 1 }), secret: "s", want: keyward.Valid,
		},
		"an address outside its blocks is not allowed": {
			key: changed(func(k *keyward.KeyRecord) { k.AllowedIPs = blocks }), secret: "s",
			q: keyward.Request{IP: outside}, want: keyward.IPNotAllowed,
		},
		"a permission without a grant is denied": {
			key: key("k", "s"), secret: "s", q: keyward.Request{Permissions: []string{"docs.read"}}, want: keyward.PermissionDenied,
		},
		"a key out of the asker's reach is unknown": {
			key: key("k", "s"), secret: "s", by: &keyward.Actor{OrganizationID: "other", Management: anyone.Management}, want: keyward.Unknown,
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			if test.key != nil {
				w.commit(record(test.key))
			}
			w.commit(test.records...)
			by := anyone
			if test.by != nil {
				by = test.by
			}
			got := w.Verify(by, test.secret, &test.q, noon, new(verify.Verdict))
			if got.Reason != test.want {
				t.Errorf("Verify = %v, want %v", got.Reason, test.want)
			}
			if (got.Subject.KeyID == "") != (test.want == keyward.Unknown) || (got.Version == 0) != (got.Subject.KeyID == "") {
				t.Errorf("Verify = %v with subject %v and version %d", got.Reason, got.Subject.KeyID, got.Version)
			}
			explained := test.q
			explained.Explain = true
			if checks := w.Verify(by, test.secret, &explained, noon, new(verify.Verdict)).Checks; (len(checks) == 0) != (test.want == keyward.Unknown) {
				t.Errorf("Explain = %v, where Verify = %v", checks, got.Reason)
			}
		})
	}
}

func long(n int) string { return strings.Repeat("x", n) }

// changed returns the key "k" with the secret "s", and something else about it.
func changed(change func(*keyward.KeyRecord)) *keyward.KeyRecord {
	return with(key("k", "s"), change).Key
}

func TestAVerdictSaysWhichVersionOfWhichKey(t *testing.T) {
	w := newWorld(t)
	w.commit(record(key("k", "s", "t")))
	got := w.Verify(anyone, "t", &keyward.Request{}, noon, new(verify.Verdict))
	if got.Subject.KeyID != "k" || got.Subject.OrganizationID != "org" || got.Version != 2 {
		t.Errorf("Verify = key %q of %q, version %d; want k of org, 2", got.Subject.KeyID, got.Subject.OrganizationID, got.Version)
	}
}

func TestAnEngineThatIsNotReadyKnowsNothing(t *testing.T) {
	e := verify.New(digester{})
	if e.Ready() || e.Applied() != 0 {
		t.Errorf("Ready = %v, Applied = %d before the first Load", e.Ready(), e.Applied())
	}
	if got := e.Verify(anyone, "s", &keyward.Request{}, noon, new(verify.Verdict)); got.Reason != keyward.Unknown {
		t.Errorf("Verify = %v, want %v", got.Reason, keyward.Unknown)
	}
}

func TestATokenStandsForOneVersionOfItsKey(t *testing.T) {
	w := newWorld(t)
	k := key("k", "s", "t")
	w.commit(with(k, func(k *keyward.KeyRecord) { k.Credentials[0].ExpireTime = noon }))
	for _, test := range []struct {
		client  string
		version int
		want    keyward.Reason
	}{
		{"client-k", 2, keyward.Valid},
		{"client-k", 1, keyward.Expired},
		{"client-k", 3, keyward.Unknown},
		{"client-j", 2, keyward.Unknown},
	} {
		q := &keyward.Request{}
		if got := w.VerifyClient(anyone, test.client, test.version, q, noon, new(verify.Verdict)); got.Reason != test.want {
			t.Errorf("VerifyClient(%q, %d) = %v, want %v", test.client, test.version, got.Reason, test.want)
		}
		checks := w.VerifyClient(anyone, test.client, test.version, &keyward.Request{Explain: true}, noon, new(verify.Verdict)).Checks
		if (len(checks) == 0) != (test.want == keyward.Unknown) {
			t.Errorf("the checks of %q, %d are %v", test.client, test.version, checks)
		}
	}
	w.commit(with(k, func(k *keyward.KeyRecord) { k.Deleted = true }))
	if got := w.VerifyClient(anyone, "client-k", 2, &keyward.Request{}, noon, new(verify.Verdict)); got.Reason != keyward.Unknown {
		t.Errorf("VerifyClient = %v for a deleted key", got.Reason)
	}
}

func TestAClientIDCanBeReplaced(t *testing.T) {
	w := newWorld(t)
	w.commit(record(key("k", "s")))
	w.commit(with(key("k", "s"), func(k *keyward.KeyRecord) { k.ClientID = "new" }))
	for client, want := range map[string]keyward.Reason{"client-k": keyward.Unknown, "new": keyward.Valid} {
		if got := w.VerifyClient(anyone, client, 1, &keyward.Request{}, noon, new(verify.Verdict)); got.Reason != want {
			t.Errorf("VerifyClient(%q) = %v, want %v", client, got.Reason, want)
		}
	}
}

func TestOperator(t *testing.T) {
	org := "org"
	ofOrg := func(o *keyward.OperatorRecord) { o.OrganizationID = &org }
	for sentence, test := range map[string]struct {
		records []keyward.Record
		secret  string
		want    bool
	}{
		"an operator's secret is accepted": {[]keyward.Record{operator("o", "s", nil)}, "s", true},
		"another is not":                   {[]keyward.Record{operator("o", "s", nil)}, "t", false},
		"nothing is not":                   {[]keyward.Record{operator("o", "", nil)}, "", false},
		"a key's secret is not":            {[]keyward.Record{record(key("k", "s"))}, "s", false},
		"a disabled operator is refused": {
			[]keyward.Record{operator("o", "s", func(o *keyward.OperatorRecord) { o.Enabled = false })}, "s", false,
		},
		"a deleted one is refused": {
			[]keyward.Record{
				operator("o", "s", nil),
				operator("o", "s", func(o *keyward.OperatorRecord) { o.Deleted = true }),
			}, "s", false,
		},
		"one of an organization is accepted": {[]keyward.Record{operator("o", "s", ofOrg)}, "s", true},
		"also while it is disabled": {
			[]keyward.Record{operator("o", "s", ofOrg), organization("org", false, false)}, "s", true,
		},
		"but not after it was deleted": {
			[]keyward.Record{operator("o", "s", ofOrg), organization("org", false, true)}, "s", false,
		},
		"a new secret is accepted": {[]keyward.Record{operator("o", "r", nil), operator("o", "s", nil)}, "s", true},
		"and the old one is not":   {[]keyward.Record{operator("o", "s", nil), operator("o", "r", nil)}, "s", false},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			for _, r := range test.records {
				w.commit(r)
			}
			got, ok := w.Operator(test.secret, noon)
			if ok != test.want {
				t.Fatalf("Operator = %v, want %v", ok, test.want)
			}
			if ok && (got.ID != "o" || got.Type != keyward.OperatorActor || got.May(keyward.KeysVerify, "org") != nil) {
				t.Errorf("Operator = %+v, which is not the verifier o", got)
			}
		})
	}
}

func TestAKeyActsWithItsManagement(t *testing.T) {
	w := newWorld(t)
	w.commit(with(key("k", "s"), func(k *keyward.KeyRecord) {
		k.Management = []keyward.Grant{{Permissions: []string{"keys.read"}}}
	}))
	bySecret, subject, err := w.Key("s", inside, noon)
	if err != nil || subject.KeyID != "k" {
		t.Fatalf("Key = %v, %v", subject, err)
	}
	byToken, err := w.Client("client-k", 1, inside, noon)
	if err != nil {
		t.Fatalf("Client: %v", err)
	}
	for _, actor := range []keyward.Actor{bySecret, byToken} {
		if actor.Type != keyward.KeyActor || actor.ID != "k" || actor.OrganizationID != "org" || actor.Version != 1 || actor.IP != inside {
			t.Errorf("actor = %+v", actor)
		}
		if actor.May(keyward.KeysRead, "org") != nil || actor.May(keyward.KeysVerify, "org") == nil {
			t.Errorf("management = %v, want keys.read alone", actor.Management)
		}
	}
}

func TestAKeyThatDoesNotVerifyCannotAct(t *testing.T) {
	for sentence, test := range map[string]struct {
		change func(*keyward.KeyRecord)
		want   keyward.Code
	}{
		"revoked":                   {func(k *keyward.KeyRecord) { k.RevokedTime = noon }, keyward.Unauthenticated},
		"disabled":                  {func(k *keyward.KeyRecord) { k.Enabled = false }, keyward.Unauthenticated},
		"scheduled":                 {func(k *keyward.KeyRecord) { k.StartTime = noon + 1 }, keyward.Unauthenticated},
		"expired":                   {func(k *keyward.KeyRecord) { k.ExpireTime = noon }, keyward.Unauthenticated},
		"deleted":                   {func(k *keyward.KeyRecord) { k.Deleted = true }, keyward.Unauthenticated},
		"publishable":               {func(k *keyward.KeyRecord) { k.Type = keyward.Publishable }, keyward.Unauthenticated},
		"without the version":       {func(k *keyward.KeyRecord) { k.Credentials = nil }, keyward.Unauthenticated},
		"used from a wrong address": {func(k *keyward.KeyRecord) { k.AllowedIPs = blocks }, keyward.Forbidden},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			w.commit(with(key("k", "s"), test.change))
			if _, _, err := w.Key("s", outside, noon); keyward.CodeOf(err) != test.want {
				t.Errorf("Key: %v, want %v", err, test.want)
			}
			if _, err := w.Client("client-k", 1, outside, noon); keyward.CodeOf(err) != test.want {
				t.Errorf("Client: %v, want %v", err, test.want)
			}
			if used := w.Uses(); len(used) > 0 {
				t.Errorf("Uses = %v, but nothing was accepted", used)
			}
		})
	}
}

func TestAnsweringAllocatesNothing(t *testing.T) {
	w := newWorld(t)
	w.commit(with(key("k", "s"), func(k *keyward.KeyRecord) {
		k.AllowedIPs = blocks
		k.ACL = []keyward.Grant{{Scope: keyward.Scope{"region": {"eu"}}, Permissions: []string{"docs.*"}}}
	}), with(key("m", "metered"), func(k *keyward.KeyRecord) {
		k.RateLimits = []keyward.RateLimit{{Name: "a", Limit: 1, Window: keyward.Duration(time.Hour)}, {Name: "b", Limit: 1e9, Window: keyward.Duration(time.Second)}}
	}), operator("o", "op", nil))
	scope := map[string]string{"region": "eu"}
	now := noon
	var v verify.Verdict
	w.Verify(anyone, "metered", &keyward.Request{Cost: 1}, now, &v)
	for sentence, test := range map[string]struct {
		secret string
		q      keyward.Request
		want   keyward.Reason
	}{
		"valid":          {"s", keyward.Request{IP: inside, Permissions: []string{"docs.read"}, Scope: scope}, keyward.Valid},
		"unknown":        {"a secret of which nobody has ever heard, and rather a long one", keyward.Request{}, keyward.Unknown},
		"wrong address":  {"s", keyward.Request{IP: outside}, keyward.IPNotAllowed},
		"not permitted":  {"s", keyward.Request{IP: inside, Permissions: []string{"admin"}}, keyward.PermissionDenied},
		"too long":       {long(600), keyward.Request{}, keyward.Unknown},
		"with limits":    {"metered", keyward.Request{}, keyward.Valid},
		"limited":        {"metered", keyward.Request{Cost: 1}, keyward.RateLimited},
		"not that place": {"s", keyward.Request{IP: inside, Permissions: []string{"docs.read"}}, keyward.PermissionDenied},
	} {
		t.Run(sentence, func(t *testing.T) {
			allocated := testing.AllocsPerRun(100, func() {
				now++ // so that each is a new use
				if got := w.Verify(anyone, test.secret, &test.q, now, &v); got.Reason != test.want {
					t.Errorf("Verify = %v, want %v", got.Reason, test.want)
				}
			})
			if allocated != 0 {
				t.Errorf("%v allocations a Verify", allocated)
			}
		})
	}
	if n := testing.AllocsPerRun(100, func() {
		now++
		w.VerifyClient(anyone, "client-k", 1, &keyward.Request{IP: inside}, now, &v)
	}); n != 0 {
		t.Errorf("%v allocations a VerifyClient", n)
	}
	if n := testing.AllocsPerRun(100, func() { now++; w.Operator("op", now) }); n != 0 {
		t.Errorf("%v allocations an Operator", n)
	}
	if n := testing.AllocsPerRun(100, func() { now++; w.Key("s", inside, now) }); n != 0 {
		t.Errorf("%v allocations a Key", n)
	}
}
