package control_test

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/store"
)

const (
	password = "correct horse battery staple, in twenty words"
	another  = "another horse battery staple, in other words!"
)

var client = netip.MustParseAddr("203.0.113.9")

// setTo is a change to a password.
func setTo(text string) control.NewPassword {
	secret := keyward.ForeignSecret(text)
	return control.NewPassword{Set: true, Secret: &secret}
}

// person adds an operator with an e-mail address and a password.
func (w *world) person(t testing.TB, email string, edits ...func(*keyward.Operator)) *keyward.Operator {
	t.Helper()
	w.secrets = append(w.secrets, password, another)
	o := keyward.Operator{Name: "a person", Role: keyward.Viewer, Enabled: true, Email: &email}
	for _, edit := range edits {
		edit(&o)
	}
	out, err := w.CreateOperator(w.ctx, w.root, o, setTo(password), control.Once{})
	want(t, "CreateOperator", err, "")
	return out.Operator
}

func of(organization *keyward.Organization) func(*keyward.Operator) {
	return func(o *keyward.Operator) { o.OrganizationID = &organization.ID }
}

// try signs in from the usual address.
func (w *world) try(email, text string) (control.Outcome, error) {
	return w.SignIn(w.ctx, email, keyward.ForeignSecret(text), client, "request-1")
}

// session returns the actor behind what was issued to a person in a generation.
func (w *world) session(o *keyward.Operator, generation int) (keyward.Actor, error) {
	return w.engine.Person(o.ID, o.Organization(), generation, w.now())
}

// unchanged leaves the members of an operator as they are.
func unchanged(*keyward.Operator) error { return nil }

func TestAPersonSignsIn(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		person := w.person(t, "Somebody@Example.com", of(o))
		out, err := w.try("somebody@example.COM", password)
		want(t, "SignIn", err, "")
		if out.Operator.ID != person.ID || out.Operator.Generation != 1 || out.Seq != w.head(t) {
			t.Errorf("signed in as %+v by change %d", out.Operator, out.Seq)
		}
		events := w.events(t)
		got := events[len(events)-1]
		if got.Action != "session.created" || got.Target != (keyward.ChangeTarget{Type: "operator", ID: person.ID}) ||
			got.Actor.ID != person.ID || *got.OrganizationID != o.ID || *got.IP != client.String() || *got.RequestID != "request-1" {
			t.Errorf("the audit event is %+v", got)
		}
		by, err := w.session(person, out.Operator.Generation)
		want(t, "the session", err, "")
		if by.Type != keyward.OperatorActor || by.ID != person.ID || by.OrganizationID != o.ID {
			t.Errorf("the actor is %+v", by)
		}
		if _, err := w.Key(w.ctx, by, o.ID, "key_none"); keyward.CodeOf(err) != keyward.NotFound {
			t.Errorf("a session reads: %v", err)
		}
	})
}

// Whoever tries to sign in learns nothing but that it failed: neither by the answer nor
// by the work that it takes.
func TestEveryFailureToSignInIsTheSame(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		disabledHome, deletedHome := w.organization(t), w.organization(t)
		w.person(t, "known@example.com")
		w.person(t, "disabled@example.com", func(o *keyward.Operator) { o.Enabled = false })
		w.person(t, "disabled-home@example.com", of(disabledHome))
		w.person(t, "deleted-home@example.com", of(deletedHome))
		gone := w.person(t, "gone@example.com")
		bare := w.person(t, "bare@example.com")
		_, err := w.UpdateOperator(w.ctx, w.root, bare.ID, control.NewPassword{Set: true}, unchanged)
		want(t, "take the password away", err, "")
		_, err = w.DeleteOperator(w.ctx, w.root, gone.ID)
		want(t, "DeleteOperator", err, "")
		_, err = w.UpdateOrganization(w.ctx, w.root, disabledHome.ID, func(o *keyward.Organization) error { o.Enabled = false; return nil })
		want(t, "UpdateOrganization", err, "")
		_, err = w.DeleteOrganization(w.ctx, w.root, deletedHome.ID)
		want(t, "DeleteOrganization", err, "")

		head := w.head(t)
		const refusal = "unauthenticated: the e-mail address or the password is wrong"
		for what, attempt := range map[string][2]string{
			"a wrong password":              {"known@example.com", another},
			"a part of the password":        {"known@example.com", password[:len(password)-1]},
			"no password":                   {"known@example.com", ""},
			"a long password":               {"known@example.com", strings.Repeat("x", 10_000)},
			"an unknown address":            {"unknown@example.com", password},
			"no address":                    {"", password},
			"an address of odd bytes":       {"\x00\xff", password},
			"a disabled operator":           {"disabled@example.com", password},
			"a disabled organization":       {"disabled-home@example.com", password},
			"a deleted organization":        {"deleted-home@example.com", password},
			"a deleted operator":            {"gone@example.com", password},
			"an operator without password":  {"bare@example.com", password},
			"an operator without, and none": {"bare@example.com", ""},
		} {
			before := w.Hashes()
			_, err := w.try(attempt[0], attempt[1])
			if err == nil || err.Error() != refusal {
				t.Errorf("%s: %v, want %s", what, err, refusal)
			}
			if n := w.Hashes() - before; n != 1 {
				t.Errorf("%s took %d hashes, want 1", what, n)
			}
		}
		w.wantUnchanged(t, "failures to sign in", head)
	})
}

func TestGuessesAreThrottled(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.person(t, "known@example.com")
		w.person(t, "other@example.com")
		for _, email := range []string{"known@example.com", "unknown@example.com"} {
			for range 10 {
				_, err := w.try(email, another)
				want(t, "a guess", err, keyward.Unauthenticated)
			}
			w.pass(time.Minute)
			before := w.Hashes()
			_, err := w.try(strings.ToUpper(email), password)
			want(t, "one guess too many, although it is right", err, keyward.Throttled)
			if wait := keyward.RetryOf(err); wait != 14*time.Minute || w.Hashes() != before {
				t.Errorf("it may be tried again in %s, and took %d hashes; want 14m and none", wait, w.Hashes()-before)
			}
		}
		_, err := w.try("other@example.com", password)
		want(t, "somebody else", err, "")

		w.restart(t)
		_, err = w.try("known@example.com", password)
		want(t, "after a restart", err, keyward.Throttled)
		w.pass(14 * time.Minute)
		for range 9 {
			_, err := w.try("known@example.com", another)
			want(t, "a guess in the next window", err, keyward.Unauthenticated)
		}
		for range 3 { // signing in ends the count
			_, err = w.try("known@example.com", password)
			want(t, "the right password", err, "")
		}
	})
}

func TestGuessesFromOneAddressAreThrottled(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.person(t, "known@example.com")
		for address, network := range map[string]string{"198.51.100.7": "198.51.100.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64"} {
			_, err := w.store.Update(w.ctx, func(tx *store.Tx) error {
				for range 99 {
					if _, err := tx.CountAttempt(w.ctx, w.ring.Blind("sign-in/address", network), w.now(), w.now()+1000); err != nil {
						return err
					}
				}
				return nil
			})
			want(t, "99 attempts before", err, "")
			from := func(address, password string) error {
				ip := netip.MustParseAddr(address)
				_, err := w.SignIn(w.ctx, "known@example.com", keyward.ForeignSecret(password), ip, "")
				return err
			}
			want(t, "the hundredth from "+address, from(address, password), "")
			want(t, "another one, since signing in is not counted", from(address, "a wrong password"), keyward.Unauthenticated)
			want(t, "one more from "+address, from(address, password), keyward.Throttled)
			want(t, "from elsewhere", from("2001:db8:1:3::1", password), "")
		}
		_, err := w.SignIn(w.ctx, "known@example.com", keyward.ForeignSecret(password), netip.MustParseAddr("2001:db8:1:2:ffff::1"), "")
		want(t, "another address of the same network", err, keyward.Throttled)
		w.pass(time.Second)
		_, err = w.SignIn(w.ctx, "known@example.com", keyward.ForeignSecret(password), netip.MustParseAddr("198.51.100.7"), "")
		want(t, "later", err, "")
	})
}

func TestConcurrentGuessesNeverExceedTheThrottle(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.person(t, "known@example.com")
		before := w.Hashes()
		var group sync.WaitGroup
		for range 40 {
			group.Go(func() {
				_, err := w.try("known@example.com", another)
				if code := keyward.CodeOf(err); code != keyward.Unauthenticated && code != keyward.Throttled {
					t.Errorf("a guess: %v", err)
				}
			})
		}
		group.Wait()
		if n := w.Hashes() - before; n != 10 {
			t.Errorf("%d of 40 guesses were compared, want 10", n)
		}
	})
}

func TestFewWaitForTheirPasswordToBeChecked(t *testing.T) {
	w := newWorld(t, sqliteURL(t))
	w.bootstrap(t)
	free := w.OccupyCores()
	ctx, cancel := context.WithCancel(w.ctx)
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			_, err := w.SignIn(ctx, fmt.Sprintf("%d@example.com", i), keyward.ForeignSecret(password), netip.Addr{}, "")
			want(t, "who waited and has gone", err, keyward.Unavailable)
		})
	}
	for w.Hashing() < 64 {
		runtime.Gosched()
	}
	_, err := w.try("one@example.com", password)
	want(t, "one too many", err, keyward.Unavailable)
	cancel()
	group.Wait()
	free()
	_, err = w.try("one@example.com", password)
	want(t, "when there is room", err, keyward.Unauthenticated)
}

func TestARevokedTokenStaysRevokedUntilItHasExpired(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		by := w.key(t, o)
		expire := w.now().Add(time.Hour)
		out, err := w.RevokeToken(w.ctx, by, "tok_1", expire)
		want(t, "RevokeToken", err, "")
		if out.Seq != w.head(t) || !w.engine.Revoked("tok_1") || w.engine.Revoked("tok_2") {
			t.Errorf("change %d of %d revoked %v and %v", out.Seq, w.head(t), w.engine.Revoked("tok_1"), w.engine.Revoked("tok_2"))
		}
		events := w.events(t)
		if got := events[len(events)-1]; got.Action != "token.revoked" || got.Target.ID != "tok_1" || *got.OrganizationID != o.ID {
			t.Errorf("the audit event is %+v", got)
		}
		head := w.head(t)
		again, err := w.RevokeToken(w.ctx, by, "tok_1", expire)
		want(t, "RevokeToken again", err, "")
		if again.Seq < out.Seq {
			t.Errorf("the second answer is of change %d", again.Seq)
		}
		w.wantUnchanged(t, "revoking it again", head)

		w.restart(t)
		want(t, "Sweep", w.Sweep(w.ctx), "")
		if !w.engine.Revoked("tok_1") {
			t.Error("a restart forgets it")
		}
		w.pass(3 * time.Hour)
		want(t, "Sweep", w.Sweep(w.ctx), "")
		w.restart(t)
		if w.engine.Revoked("tok_1") {
			t.Error("it is remembered long after it expired")
		}
	})
}

func TestASweepForgetsAttemptsThatDoNotCount(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		_, err := w.try("known@example.com", password)
		want(t, "a guess", err, keyward.Unauthenticated)
		account := w.ring.Blind("sign-in/account", "known@example.com")
		want(t, "Sweep", w.Sweep(w.ctx), "")
		got, err := w.store.Attempts(w.ctx, account, w.now())
		if err != nil || got.Count != 1 {
			t.Errorf("swept in time: %+v, %v", got, err)
		}
		w.pass(15 * time.Minute)
		want(t, "Sweep", w.Sweep(w.ctx), "")
		if got, err := w.store.Attempts(w.ctx, account, noon); err != nil || got.Count != 0 {
			t.Errorf("kept for ever: %+v, %v", got, err)
		}
	})
}
