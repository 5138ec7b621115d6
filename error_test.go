package keyward_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"keyward"
)

func TestTheCauseIsForLogsOnly(t *testing.T) {
	cause := errors.New("dial 10.0.0.5: password rejected")
	for name, test := range map[string]struct {
		err  error
		want string // what the caller is shown
	}{
		"at the end": {keyward.Errorf(keyward.Unavailable, "the database is away: %w", cause), "the database is away"},
		"in the middle": {
			keyward.Errorf(keyward.Unavailable, "reading %w from %s", cause, "disk"), "reading  from disk",
		},
		"alone":                 {keyward.Errorf(keyward.Unavailable, "%w", cause), ""},
		"after other arguments": {keyward.Errorf(keyward.Unavailable, "open %q (%d%%): %w", "a", 5, cause), `open "a" (5%)`},
		"a bug":                 {keyward.Errorf(keyward.Internal, "open %q: %w", "a", cause), "internal error"},
		"one of our own": {
			keyward.Errorf(keyward.Conflict, "cannot rotate: %w", keyward.Errorf(keyward.Stale, "password rejected")), "cannot rotate",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := keyward.MessageOf(test.err); got != test.want {
				t.Errorf("MessageOf = %q, want %q", got, test.want)
			}
			if got := test.err.Error(); !strings.Contains(got, "password rejected") {
				t.Errorf("Error = %q, without the cause", got)
			}
		})
	}
}

func TestACauseIsFound(t *testing.T) {
	err := keyward.Errorf(keyward.Unavailable, "reading: %w", fmt.Errorf("page 1: %w", io.ErrUnexpectedEOF))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v is not its cause", err)
	}
	if errors.Is(keyward.Errorf(keyward.Unavailable, "reading: %v", io.EOF), io.EOF) {
		t.Error("a cause that is only printed is wrapped")
	}
}

func TestAnErrorForLogsHasAllOfIt(t *testing.T) {
	if got, want := keyward.Errorf(keyward.NotFound, "no key %q", "a").Error(), `not_found: no key "a"`; got != want {
		t.Errorf("Error = %q, want %q", got, want)
	}
	var f keyward.Faults
	f.Add("/name", "is empty")
	f.Add("/acl/0", "has %d faults", 2)
	want := "invalid_request: /name is empty (and 1 more); /name is empty; /acl/0 has 2 faults"
	if got := f.Err().Error(); got != want {
		t.Errorf("Error = %q, want %q", got, want)
	}
}

func TestWhatIsNotOursTellsTheCallerNothing(t *testing.T) {
	err := fmt.Errorf("open /etc/shadow: %w", fs.ErrPermission)
	if keyward.CodeOf(err) != keyward.Internal || keyward.MessageOf(err) != "internal error" || keyward.FieldsOf(err) != nil {
		t.Errorf("the caller sees %s, %q, %v", keyward.CodeOf(err), keyward.MessageOf(err), keyward.FieldsOf(err))
	}
}

func TestCodesAreFoundThroughWrapping(t *testing.T) {
	for _, code := range []keyward.Code{
		keyward.Invalid, keyward.Unauthenticated, keyward.Forbidden, keyward.NotFound, keyward.Conflict,
		keyward.Stale, keyward.Reused, keyward.Unavailable,
	} {
		err := fmt.Errorf("while serving: %w", keyward.Errorf(code, "what happened"))
		if got := keyward.CodeOf(err); got != code {
			t.Errorf("CodeOf = %s, want %s", got, code)
		}
		if got := keyward.MessageOf(err); got != "what happened" {
			t.Errorf("MessageOf = %q, want what happened", got)
		}
	}
}

func TestAThrottledErrorSaysWhenToComeAgain(t *testing.T) {
	err := fmt.Errorf("sign in: %w", keyward.Throttle(90*time.Second, "at most %d a minute", 5))
	if keyward.CodeOf(err) != keyward.Throttled || keyward.MessageOf(err) != "at most 5 a minute" || keyward.RetryOf(err) != 90*time.Second {
		t.Errorf("%s, %q, in %s", keyward.CodeOf(err), keyward.MessageOf(err), keyward.RetryOf(err))
	}
	if wait := keyward.RetryOf(keyward.Errorf(keyward.Unavailable, "away")); wait != 0 {
		t.Errorf("another error says %s", wait)
	}
}

func TestFaultsBeyondAHundredAreNotTold(t *testing.T) {
	var f keyward.Faults
	for range 1000 {
		f.Add("/a", "is wrong")
	}
	if got := len(keyward.FieldsOf(f.Err())); got != 100 {
		t.Errorf("%d faults are told, want 100", got)
	}
}

func TestFaultsAreOneError(t *testing.T) {
	var f keyward.Faults
	if err := f.Err(); err != nil {
		t.Fatalf("no faults are the error %v", err)
	}
	f.Add("", "is not an object")
	if got, want := keyward.MessageOf(f.Err()), "is not an object"; got != want {
		t.Errorf("MessageOf = %q, want %q", got, want)
	}
	f.Add("/a", "is 100%% wrong")
	want := []keyward.FieldError{{Detail: "is not an object"}, {Pointer: "/a", Detail: "is 100% wrong"}}
	if got := keyward.FieldsOf(fmt.Errorf("read: %w", f.Err())); !slices.Equal(got, want) {
		t.Errorf("FieldsOf = %v, want %v", got, want)
	}
	if keyward.CodeOf(f.Err()) != keyward.Invalid {
		t.Errorf("CodeOf = %s, want %s", keyward.CodeOf(f.Err()), keyward.Invalid)
	}
}
