package control_test

import (
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/control"
)

func TestTheFirstStartMakesARootOperatorAndNoOtherStartDoes(t *testing.T) {
	bothEmpty(t, func(t *testing.T, w *world) {
		token := keyward.ForeignSecret(strings.Repeat("~", 32))
		secret, err := w.Bootstrap(w.ctx, token)
		want(t, "Bootstrap", err, "")
		if secret.Reveal() != token.Reveal() {
			t.Error("the token is not the one that was given")
		}
		w.secrets = append(w.secrets, token.Reveal())
		w.root = w.signIn(t, token)
		root, err := w.Operator(w.ctx, w.root, w.root.ID)
		if err != nil || root.Role != keyward.Owner || root.OrganizationID != nil || !root.Enabled || root.Hint != "" {
			t.Errorf("the root operator is %+v, error %v", root, err)
		}
		event := w.events(t)[0]
		if event.Actor != (keyward.ChangeActor{Type: keyward.SystemActor, ID: "system", Name: "system"}) ||
			event.Action != keyward.OperatorCreated || event.IP != nil || event.OrganizationID != nil {
			t.Errorf("the event is %+v", event)
		}
		head := w.head(t)
		for _, again := range []keyward.Secret{{}, token, keyward.ForeignSecret(strings.Repeat("x", 40))} {
			w.restart(t)
			secret, err := w.Bootstrap(w.ctx, again)
			if err != nil || !secret.Empty() {
				t.Errorf("a second start: error %v, a token: %t", err, !secret.Empty())
			}
		}
		w.wantUnchanged(t, "a second start", head)
	})
}

func TestTheServerMakesARootTokenIfItIsGivenNone(t *testing.T) {
	bothEmpty(t, func(t *testing.T, w *world) {
		secret, err := w.Bootstrap(w.ctx, keyward.Secret{})
		want(t, "Bootstrap", err, "")
		if !secret.Generated() || !strings.HasPrefix(secret.Reveal(), "kwop_live_") {
			t.Error("the token has not the form of an operator's secret")
		}
	})
}

func TestARootTokenIsLongEnoughAndHasNoSpaces(t *testing.T) {
	bothEmpty(t, func(t *testing.T, w *world) {
		for name, token := range map[string]string{
			"short":        strings.Repeat("x", 31),
			"long":         strings.Repeat("x", 513),
			"with a space": strings.Repeat("x", 32) + " ",
			"with a break": strings.Repeat("x", 32) + "\n",
			"not ASCII":    strings.Repeat("ä", 32),
		} {
			_, err := w.Bootstrap(w.ctx, keyward.ForeignSecret(token))
			want(t, "Bootstrap with a token that is "+name, err, keyward.Invalid)
			_, err = w.ResetRoot(w.ctx, keyward.ForeignSecret(token))
			want(t, "ResetRoot with a token that is "+name, err, keyward.Invalid)
		}
		w.wantUnchanged(t, "a wrong token", 0)
		_, err := w.ResetRoot(w.ctx, keyward.Secret{})
		want(t, "ResetRoot before the first start", err, keyward.Conflict)
		_, err = w.Bootstrap(w.ctx, keyward.ForeignSecret(strings.Repeat("!", 512)))
		want(t, "the longest token", err, "")
	})
}

func TestResettingRootGivesItAnotherTokenAndAllItsRights(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		old := w.secrets[0]
		owner := w.operator(t, keyward.Owner, nil)
		_, err := w.UpdateOperator(w.ctx, owner, w.root.ID, control.NewPassword{}, func(o *keyward.Operator) error {
			o.Role, o.Enabled = keyward.Viewer, false
			return nil
		})
		want(t, "disable root", err, "")
		id := w.root.ID
		secret, err := w.ResetRoot(w.ctx, keyward.Secret{})
		want(t, "ResetRoot", err, "")
		w.secrets = append(w.secrets, secret.Reveal())
		if _, ok := w.engine.Operator(old, w.now()); ok {
			t.Error("the old token is accepted")
		}
		w.root = w.signIn(t, secret)
		root, err := w.Operator(w.ctx, w.root, w.root.ID)
		if err != nil || root.ID != id || root.Role != keyward.Owner || !root.Enabled || root.Hint != secret.Hint() {
			t.Errorf("the root operator is %+v, error %v", root, err)
		}
		event := w.lastEvent(t)
		var fields []string
		for _, change := range event.Changes {
			fields = append(fields, change.Field)
		}
		if event.Action != keyward.OperatorRotated || !slices.Equal(fields, []string{"enabled", "hint", "role"}) {
			t.Errorf("the event is %s of %v", event.Action, fields)
		}
	})
}

func TestADeletedRootIsReplaced(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		old := w.secrets[0]
		owner := w.operator(t, keyward.Owner, nil)
		_, err := w.DeleteOperator(w.ctx, owner, w.root.ID)
		want(t, "delete root", err, "")
		secret, err := w.Bootstrap(w.ctx, keyward.Secret{})
		if err != nil || !secret.Empty() {
			t.Errorf("a start after that: error %v, a token: %t", err, !secret.Empty())
		}
		_, err = w.ResetRoot(w.ctx, keyward.ForeignSecret(old))
		want(t, "reset it to the token that it had", err, keyward.Conflict)
		for range 2 { // the second time it is there
			secret, err := w.ResetRoot(w.ctx, keyward.Secret{})
			want(t, "ResetRoot", err, "")
			if by := w.signIn(t, secret); by.ID == w.root.ID || by.MayEverywhere(keyward.OperatorsWrite) != nil {
				t.Errorf("the new root operator is %+v", by)
			}
		}
		operators, _, err := w.Operators(w.ctx, owner, control.List{Limit: 10})
		if err != nil || len(operators) != 2 {
			t.Errorf("%d operators, error %v; want the owner and one root", len(operators), err)
		}
	})
}

func TestADatabaseBelongsToOneMasterKey(t *testing.T) {
	bothEmpty(t, func(t *testing.T, w *world) {
		stranger := control.New(w.store, newRing(t, 8))
		want(t, "the first master key", w.Claim(w.ctx), "")
		want(t, "the same one again", w.Claim(w.ctx), "")
		err := stranger.Claim(w.ctx)
		want(t, "another one", err, keyward.Conflict)
		if message := keyward.MessageOf(err); !strings.Contains(message, w.ring.ID()) || !strings.Contains(message, newRing(t, 8).ID()) {
			t.Errorf("the refusal does not name both master keys: %s", message)
		}
		w.restart(t)
		want(t, "the same one after a restart", w.Claim(w.ctx), "")
	})
}

func TestTheLastOwnerIsNotLost(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		w.operator(t, keyward.Owner, o) // of an organization only
		w.operator(t, keyward.Admin, nil)
		resting := w.operator(t, keyward.Owner, nil)
		edit := func(id string, change func(*keyward.Operator)) error {
			_, err := w.UpdateOperator(w.ctx, w.root, id, control.NewPassword{}, func(o *keyward.Operator) error { change(o); return nil })
			return err
		}
		disable := func(o *keyward.Operator) { o.Enabled = false }
		want(t, "disable one of two owners", edit(resting.ID, disable), "")

		head := w.head(t)
		want(t, "disable the last owner", edit(w.root.ID, disable), keyward.Conflict)
		want(t, "make an admin of the last owner", edit(w.root.ID, func(o *keyward.Operator) { o.Role = keyward.Admin }), keyward.Conflict)
		_, err := w.DeleteOperator(w.ctx, w.root, w.root.ID)
		want(t, "delete the last owner", err, keyward.Conflict)
		w.wantUnchanged(t, "losing the last owner", head)

		want(t, "rename the last owner", edit(w.root.ID, func(o *keyward.Operator) { o.Name = "renamed" }), "")
		want(t, "enable the other", edit(resting.ID, func(o *keyward.Operator) { o.Enabled = true }), "")
		_, err = w.DeleteOperator(w.ctx, w.root, w.root.ID)
		want(t, "delete one of two owners", err, "")
	})
}

func TestTwoOwnersWhoLeaveAtOnceLeaveOneBehind(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		other := w.operator(t, keyward.Owner, nil)
		left := make(chan error)
		for _, by := range []keyward.Actor{w.root, other} {
			go func() {
				_, err := w.DeleteOperator(w.ctx, by, by.ID)
				left <- err
			}()
		}
		n := 0
		for range 2 {
			switch err := <-left; keyward.CodeOf(err) {
			case keyward.Conflict:
				n++
			default:
				want(t, "DeleteOperator", err, "")
			}
		}
		if n != 1 {
			t.Errorf("%d of two owners were kept", n)
		}
	})
}

func TestAnOperatorsNewCredentialEndsTheOldOne(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		out, err := w.CreateOperator(w.ctx, w.root, keyward.Operator{
			Name: "new", Role: keyward.Admin, Enabled: true, Email: pointer("new@example.com"),
		}, control.NewPassword{}, control.Once{})
		want(t, "CreateOperator", err, "")
		rotated, err := w.RotateOperator(w.ctx, w.root, out.Operator.ID, control.Once{})
		want(t, "RotateOperator", err, "")
		w.secrets = append(w.secrets, out.Secret.Reveal(), rotated.Secret.Reveal())
		if _, ok := w.engine.Operator(out.Secret.Reveal(), w.now()); ok {
			t.Error("the old credential is accepted")
		}
		w.signIn(t, rotated.Secret)
		if rotated.Operator.Hint != rotated.Secret.Hint() {
			t.Errorf("the hint is %q", rotated.Operator.Hint)
		}
		_, err = w.CreateOperator(w.ctx, w.root, keyward.Operator{
			Name: "new", Role: keyward.Admin, Enabled: true, Email: pointer("NEW@example.com"),
		}, control.NewPassword{}, control.Once{})
		want(t, "another operator with the same address", err, keyward.Conflict)
		_, err = w.RotateOperator(w.ctx, w.root, "opr_none", control.Once{})
		want(t, "rotate nobody", err, keyward.NotFound)
		w.wantVerdict(t, "an operator's credential", rotated.Secret.Reveal(), keyward.Unknown)
	})
}
