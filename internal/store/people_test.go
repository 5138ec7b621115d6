package store_test

import (
	"context"
	"sync"
	"testing"

	"keyward"
	"keyward/internal/store"
)

// person adds an operator with an e-mail address and a password.
func (w *world) person(t testing.TB, email string, edits ...func(*keyward.Operator)) *keyward.Operator {
	t.Helper()
	edits = append(edits, func(o *keyward.Operator) { o.Email = &email })
	o := w.operator(t, edits...)
	w.update(t, func(tx *store.Tx) error { return tx.SetPassword(t.Context(), o, "hash of "+email) })
	return o
}

func peoplePromises() map[string]promise {
	subject := [32]byte{1, 2, 3}
	count := func(t testing.TB, w *world, now keyward.Time) store.Attempts {
		t.Helper()
		var a store.Attempts
		w.update(t, func(tx *store.Tx) (err error) {
			a, err = tx.CountAttempt(t.Context(), subject, now, now+1000)
			return err
		})
		return a
	}
	revoked := func(t testing.TB, w *world) (found []keyward.TokenRecord) {
		t.Helper()
		_, err := w.Snapshot(t.Context(), func(r keyward.Record) error {
			if r.Token != nil {
				found = append(found, *r.Token)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		return found
	}
	revoke := func(w *world, id string, expire keyward.Time) func(*store.Tx) error {
		return func(tx *store.Tx) error {
			first, err := tx.RevokeToken(context.Background(), id, expire)
			if err == nil && first {
				tx.Record(w.change(keyward.TokenRevoked, "", keyward.TokenTarget, id))
			}
			return err
		}
	}
	return map[string]promise{
		"a person is found by the address, whatever the letter case, with the hash": func(t *testing.T, w *world) {
			o := w.person(t, "Somebody@Example.com")
			got, err := w.Person(t.Context(), "someBODY@example.COM")
			wantEqual(t, "the person", got, err, &store.Person{Operator: *o, PasswordHash: "hash of Somebody@Example.com", Home: true})
			if !got.HasPassword {
				t.Error("the person has no password")
			}
		},
		"nobody is found by no address, an unknown one, or that of a deleted operator": func(t *testing.T, w *world) {
			gone := w.person(t, "gone@example.com")
			w.operator(t)
			w.update(t, func(tx *store.Tx) error { return tx.DeleteOperator(t.Context(), gone.ID, noon) })
			for _, email := range []string{"", "gone@example.com", "other@example.com", "a\x00b@example.com", "\xff"} {
				_, err := w.Person(t.Context(), email)
				wantCode(t, err, keyward.NotFound)
			}
		},
		"a person is at home in an organization that is there and enabled": func(t *testing.T, w *world) {
			there := w.organization(t)
			disabled := w.organization(t, func(o *keyward.Organization) { o.Enabled = false })
			for email, of := range map[string]*keyward.Organization{"a@example.com": there, "b@example.com": disabled} {
				w.person(t, email, func(o *keyward.Operator) { o.OrganizationID = &of.ID })
				got, err := w.Person(t.Context(), email)
				wantEqual(t, "whether "+email+" is at home", err == nil && got.Home, err, of.Enabled)
			}
		},
		"a password is taken away, and goes with its operator": func(t *testing.T, w *world) {
			o := w.person(t, "a@example.com")
			w.update(t, func(tx *store.Tx) error { return tx.SetPassword(t.Context(), o, "") })
			got, err := w.Operator(t.Context(), o.ID)
			wantEqual(t, "the operator", got, err, o)
			if got.HasPassword {
				t.Error("the password is still there")
			}
			w.update(t, func(tx *store.Tx) error { return tx.SetPassword(t.Context(), o, "a hash") })
			w.update(t, func(tx *store.Tx) error { return tx.DeleteOperator(t.Context(), o.ID, noon) })
			w.refused(t, keyward.NotFound, func(tx *store.Tx) error { return tx.SetPassword(t.Context(), o, "another") })
			var kept string
			err = w.database(t).QueryRowContext(t.Context(), "SELECT password FROM operators WHERE id = '"+o.ID+"'").Scan(&kept)
			wantEqual(t, "what is kept of the password", kept, err, "")
		},
		"the generation counts up with the credential and is part of the record": func(t *testing.T, w *world) {
			o := w.operator(t)
			w.update(t, func(tx *store.Tx) error { return tx.ReplaceCredential(t.Context(), o, credential("new")) })
			var got int
			_, err := w.Snapshot(t.Context(), func(r keyward.Record) error {
				got = r.Operator.Generation
				return nil
			})
			wantEqual(t, "the generation", got, err, 2)
		},
		"attempts are counted until they are reset": func(t *testing.T, w *world) {
			got, err := w.Attempts(t.Context(), subject, noon)
			wantEqual(t, "attempts before the first", got, err, store.Attempts{})
			for n := range int64(3) {
				at := noon + keyward.Time(n)
				wantEqual(t, "the attempts", count(t, w, at), nil, store.Attempts{Count: n + 1, Reset: noon + 1000})
			}
			got, err = w.Attempts(t.Context(), subject, noon+999)
			wantEqual(t, "attempts before the reset", got, err, store.Attempts{Count: 3, Reset: noon + 1000})
			got, err = w.Attempts(t.Context(), subject, noon+1000)
			wantEqual(t, "attempts at the reset", got, err, store.Attempts{})
			wantEqual(t, "the first after the reset", count(t, w, noon+1000), nil, store.Attempts{Count: 1, Reset: noon + 2000})
		},
		"attempts are forgotten one by one, or when they do not count": func(t *testing.T, w *world) {
			count(t, w, noon)
			w.update(t, func(tx *store.Tx) error { return tx.DropAttempts(t.Context(), noon+999) })
			got, err := w.Attempts(t.Context(), subject, noon)
			wantEqual(t, "attempts that count", got.Count, err, int64(1))
			w.update(t, func(tx *store.Tx) error { return tx.DropAttempts(t.Context(), noon+1000) })
			w.wantNoTrace(t, "signin_attempts")
			count(t, w, noon)
			w.update(t, func(tx *store.Tx) error { return tx.ForgetAttempts(t.Context(), subject) })
			w.wantNoTrace(t, "signin_attempts")
		},
		"no attempt is lost among others": func(t *testing.T, w *world) {
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() { count(t, w, noon) })
			}
			group.Wait()
			got, err := w.Attempts(t.Context(), subject, noon)
			wantEqual(t, "the attempts", got.Count, err, int64(20))
		},
		"a token is revoked once, and replicas learn of it by the log or a snapshot": func(t *testing.T, w *world) {
			change := w.update(t, revoke(w, "tok_1", noon+5))
			if again := w.update(t, revoke(w, "tok_1", noon+9)); again.Seq != 0 {
				t.Errorf("revoking it again is change %d", again.Seq)
			}
			want := keyward.TokenRecord{ID: "tok_1", ExpireTime: noon + 5}
			entries, err := w.Entries(t.Context(), change.Seq-1, 9)
			wantEqual(t, "what the log says", entries[0].Records, err, []keyward.Record{{Token: &want}})
			wantEqual(t, "what a snapshot says", revoked(t, w), nil, []keyward.TokenRecord{want})
		},
		"revoked tokens are forgotten once they have expired": func(t *testing.T, w *world) {
			w.update(t, revoke(w, "tok_1", noon))
			w.update(t, revoke(w, "tok_2", noon+1))
			w.update(t, func(tx *store.Tx) error { return tx.DropRevoked(t.Context(), noon+1) })
			wantEqual(t, "what is left", revoked(t, w), nil, []keyward.TokenRecord{{ID: "tok_2", ExpireTime: noon + 1}})
		},
	}
}
