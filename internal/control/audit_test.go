package control_test

import (
	"encoding/json"
	"testing"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/filter"

	"github.com/google/go-cmp/cmp"
)

func TestEachChangeLeavesOneEventThatSaysWhoDidWhatFromWhere(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t, recoverable)
		by := w.operator(t, keyward.Owner, o)
		for name, action := range map[string]keyward.Action{
			"rename the organization": keyward.OrganizationUpdated,
			"create a project":        keyward.ProjectCreated,
			"rename a project":        keyward.ProjectUpdated,
			"delete a project":        keyward.ProjectDeleted,
			"create a key":            keyward.KeyCreated,
			"update a key":            keyward.KeyUpdated,
			"rotate a key":            keyward.KeyRotated,
			"revoke a key":            keyward.KeyRevoked,
			"delete a key":            keyward.KeyDeleted,
			"reveal a key":            keyward.KeyRevealed,
			"create an operator":      keyward.OperatorCreated,
			"rename an operator":      keyward.OperatorUpdated,
			"rotate an operator":      keyward.OperatorRotated,
			"delete an operator":      keyward.OperatorDeleted,
		} {
			before := w.eventsBy(t, by)
			want(t, name, deeds()[name](t, w, by, o), "")
			if n := w.eventsBy(t, by) - before; n != 1 {
				t.Errorf("%s left %d events", name, n)
			}
			event := w.lastEvent(t)
			w.wantEvent(t, event, by, action, o.ID)
			for _, change := range event.Changes {
				if change.Field == "versions" || string(change.Before) == string(change.After) {
					t.Errorf("%s says that %s was %s and is %s", name, change.Field, change.Before, change.After)
				}
			}
		}
	})
}

func (w *world) lastEvent(t *testing.T) keyward.Change {
	t.Helper()
	events := w.events(t)
	return events[len(events)-1]
}

func (w *world) wantEvent(t *testing.T, event keyward.Change, by keyward.Actor, action keyward.Action, organizationID string) {
	t.Helper()
	got := event
	got.Seq, got.ID, got.MAC, got.Changes, got.Target = 0, "", "", nil, keyward.ChangeTarget{}
	expected := keyward.Change{
		Time: w.now(), Action: action, Outcome: keyward.Succeeded, OrganizationID: &organizationID,
		Actor: keyward.ChangeActor{Type: by.Type, ID: by.ID, Name: by.Name},
		IP:    pointer("203.0.113.9"), RequestID: pointer("request-1"),
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("the event of %s is not what was expected (-want +got):\n%s", action, diff)
	}
	if event.Target.ID == "" || event.Target.Type == "" || event.MAC == "" || event.ID == "" {
		t.Errorf("the event of %s lacks something: %+v", action, event)
	}
}

func TestAnEventHoldsWhatWasAndWhatIs(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		p := w.project(t, o)
		key, _ := w.create(t, o, func(k *keyward.Key) { k.OwnerID = pointer("user-1") })
		wantChanges := func(action keyward.Action, expected string) {
			t.Helper()
			event := w.lastEvent(t)
			changes, err := json.Marshal(event.Changes)
			want(t, "Marshal", err, "")
			if event.Action != action || event.Target.ID != key.ID || event.Target.Type != keyward.KeyTarget {
				t.Errorf("the event is %s of %+v", event.Action, event.Target)
			}
			if diff := cmp.Diff(expected, string(changes)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", action, diff)
			}
		}
		want(t, "update", w.update(w.root, key, func(k *keyward.Key) {
			k.Name, k.OwnerID, k.ProjectIDs, k.Enabled = "renamed", nil, []string{p.ID}, false
		}), "")
		wantChanges(keyward.KeyUpdated, `[{"field":"enabled","before":true,"after":false},`+
			`{"field":"name","before":"a key","after":"renamed"},{"field":"ownerId","before":"user-1","after":null},`+
			`{"field":"projectIds","before":[],"after":["`+p.ID+`"]}]`)
		rotated, _ := w.rotate(t, key, 0)
		wantChanges(keyward.KeyRotated, `[{"field":"hint","before":"`+key.Hint+`","after":"`+rotated.Hint+`"}]`)
		_, err := w.RevokeKey(w.ctx, w.root, o.ID, key.ID, 0, "leaked", control.Once{})
		want(t, "RevokeKey", err, "")
		wantChanges(keyward.KeyRevoked, `[{"field":"revokeReason","before":null,"after":"leaked"},`+
			`{"field":"revokedTime","before":null,"after":"`+w.now().String()+`"}]`)
	})
}

func TestTheTrailOfAnOrganizationHoldsNothingOfOthers(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o, another := w.organization(t), w.organization(t)
		by := w.operator(t, keyward.Admin, o)
		key, _ := w.create(t, o)
		w.create(t, another)
		w.operator(t, keyward.Viewer, another)
		events, found, err := w.Changes(w.ctx, by, o.ID, control.List{Limit: 100, Count: true})
		want(t, "Changes", err, "")
		for _, event := range events {
			if event.OrganizationID == nil || *event.OrganizationID != o.ID {
				t.Errorf("it shows %+v", event)
			}
		}
		if len(events) != 3 || found.Total != 3 {
			t.Errorf("it shows %d events of %d, want those of the organization, an operator and a key", len(events), found.Total)
		}
		all, _, err := w.Changes(w.ctx, w.root, "", control.List{Limit: 100})
		if err != nil || int64(len(all)) != w.head(t) {
			t.Errorf("the whole trail has %d events of %d, error %v", len(all), w.head(t), err)
		}

		for _, event := range all {
			got, receipt, err := w.Change(w.ctx, by, event.Seq)
			if event.OrganizationID == nil || *event.OrganizationID != o.ID {
				want(t, "read a change of another organization", err, keyward.NotFound)
				continue
			}
			if err != nil || got.ID != event.ID || receipt.Seq != event.Seq || receipt.Nodes != 1 || receipt.Confirmed != 1 {
				t.Errorf("change %d is %+v, receipt %+v, error %v", event.Seq, got, receipt, err)
			}
		}
		_, _, err = w.Change(w.ctx, w.root, 9999)
		want(t, "read a change that is to come", err, keyward.NotFound)
		_, _, err = w.Change(w.ctx, w.operator(t, keyward.Verifier, o), w.head(t))
		want(t, "read a change as a verifier", err, keyward.Forbidden)
		byKey, err := filter.Parse("targetId:"+key.ID, control.ChangeFields())
		want(t, "Parse", err, "")
		events, _, err = w.Changes(w.ctx, by, o.ID, control.List{Limit: 10, Filter: byKey})
		if err != nil || len(events) != 1 || events[0].Target.ID != key.ID {
			t.Errorf("of the key it shows %+v, error %v", events, err)
		}
	})
}

func TestARefusedChangeLeavesNoEvent(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		o := w.organization(t)
		chosen := func(k *keyward.Key) { k.ID = "mine" }
		w.create(t, o, chosen)
		head := w.head(t)
		_, err := w.CreateKey(w.ctx, w.root, aKey(o, chosen), control.Once{}) // fails in the database
		want(t, "create a key twice", err, keyward.Conflict)
		w.wantUnchanged(t, "a change that failed in the database", head)
		next, _ := w.create(t, o)
		if next.Number != 2 {
			t.Errorf("the change that failed used up a number: the next is %d", next.Number)
		}
	})
}
