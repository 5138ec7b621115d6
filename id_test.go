package keyward_test

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"keyward"
)

func TestIDsHaveThePublishedForm(t *testing.T) {
	form := regexp.MustCompile(`^key_[0-7][0-9a-hjkmnp-tv-z]{25}$`)
	var ids keyward.IDs
	for range 1000 {
		if id := ids.New(keyward.KeyPrefix, noon); !form.MatchString(id) {
			t.Fatalf("id %q, want %s", id, form)
		}
	}
}

func TestAnIDBeginsWithItsTime(t *testing.T) {
	var one, other keyward.IDs
	a, b := one.New("org", noon), other.New("org", noon)
	if a[:4+9] != b[:4+9] {
		t.Errorf("%s and %s are of one instant, but begin differently", a, b)
	}
	if a == b {
		t.Errorf("two sources made the same id %s", a)
	}
}

func TestIDsSortInTheOrderOfCreation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ids keyward.IDs
		// The clock stands still, goes on, and steps back.
		steps := rapid.SliceOf(rapid.SampledFrom([]keyward.Time{0, 0, 0, 1, 1000, -1, -3_600_000})).Draw(t, "steps")
		now, last := noon, ""
		for _, step := range steps {
			now += step
			id := ids.New("key", now)
			if id <= last {
				t.Fatalf("%s was made after %s", id, last)
			}
			last = id
		}
	})
}

func TestIDsSortWithinOneMillisecond(t *testing.T) {
	var ids keyward.IDs
	made := make([]string, 10_000)
	for i := range made {
		made[i] = ids.New("evt", noon)
	}
	if !slices.IsSorted(made) || len(slices.Compact(made)) != 10_000 {
		t.Error("ids of one millisecond are out of order or there twice")
	}
}

func TestIDsSortUnderConcurrency(t *testing.T) {
	var ids keyward.IDs
	made := make([][]string, 8)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			for n := range 1000 {
				made[i] = append(made[i], ids.New("key", noon+keyward.Time(n/100)))
			}
		})
	}
	wg.Wait()
	for i, list := range made {
		if !slices.IsSorted(list) {
			t.Errorf("what goroutine %d made is out of order", i)
		}
	}
	all := slices.Concat(made...)
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != 8000 {
		t.Errorf("%d different ids, want 8000", n)
	}
}

func TestWhichIDsAClientMayChoose(t *testing.T) {
	for name, test := range map[string]struct {
		id   string
		want bool
	}{
		"a word":                           {"ci-runner", true},
		"one character":                    {"a", true},
		"digits":                           {"42", true},
		"every character there is":         {"@~-._aZ09", true},
		"an address":                       {"user@example.com", true},
		"50 characters":                    {strings.Repeat("a", 50), true},
		"a UUID":                           {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", true},
		"three dots":                       {"...", true},
		"a dot and a letter":               {".a", true},
		"a hyphen":                         {"-", true},
		"another letter case":              {"CI-runner", true},
		"the prefix of keys, in capitals":  {"KEY_1", true},
		"the prefix without an underscore": {"key1", true},
		"the prefix further on":            {"my_key_1", true},
		"another type's prefix":            {"org_1", true},
		"nothing":                          {"", false},
		"a dot, which paths swallow":       {".", false},
		"two dots":                         {"..", false},
		"51 characters":                    {strings.Repeat("a", 51), false},
		"a kilobyte":                       {strings.Repeat("a", 1024), false},
		"the prefix of made ids":           {"key_1", false},
		"the prefix alone":                 {"key_", false},
		"what a made id looks like":        {"key_01k0000000000000000000000", false},
		"a space":                          {"a b", false},
		"a slash":                          {"a/b", false},
		"a backslash":                      {`a\b`, false},
		"a percent sign":                   {"a%2fb", false},
		"a colon":                          {"a:b", false},
		"a plus sign":                      {"a+b", false},
		"a question mark":                  {"a?b", false},
		"a number sign":                    {"a#b", false},
		"a semicolon":                      {"a;b", false},
		"a line feed at the end":           {"a\n", false},
		"NUL":                              {"a\x00", false},
		"a composed letter":                {"caf\u00e9", false},
		"a decomposed letter":              {"cafe\u0301", false},
		"digits of another script":         {"٣", false},
		"a fullwidth letter":               {"ａ", false},
		"the sign for kelvin":              {"\u212aey", false},
		"what is not UTF-8":                {"a\xff", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := keyward.ValidKeyID(test.id); got != test.want {
				t.Errorf("ValidKeyID(%q) = %t, want %t", test.id, got, test.want)
			}
		})
	}
}

func TestAMadeIDCannotBeTakenBeforeItsTime(t *testing.T) {
	var ids keyward.IDs
	if id := ids.New(keyward.KeyPrefix, noon); keyward.ValidKeyID(id) {
		t.Errorf("a client may choose %s", id)
	}
}

func TestRandomIdsHaveTheirForms(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		client, public := keyward.NewClientID(), keyward.NewPublicID()
		if !regexp.MustCompile(`^[A-Za-z0-9]{32}$`).MatchString(client) {
			t.Fatalf("client id %q", client)
		}
		if !regexp.MustCompile(`^[a-z]{8}$`).MatchString(public) {
			t.Fatalf("public id %q", public)
		}
		if seen[client] {
			t.Fatalf("client id %s twice", client)
		}
		seen[client] = true
	}
}
