package verify_test

import (
	"testing"
	"time"

	"keyward"
	"keyward/internal/verify"
)

// person makes the record of an enabled operator of "org" in its second generation.
func person(id string, change func(*keyward.OperatorRecord)) keyward.Record {
	return operator(id, "secret of "+id, func(o *keyward.OperatorRecord) {
		of := "org"
		o.OrganizationID, o.Role, o.Generation = &of, keyward.Viewer, 2
		if change != nil {
			change(o)
		}
	})
}

func TestPerson(t *testing.T) {
	for sentence, test := range map[string]struct {
		records      []keyward.Record
		id, of       string
		generation   int
		unauthorized bool
	}{
		"a person of the generation is accepted":  {records: []keyward.Record{person("o", nil)}, id: "o", of: "org", generation: 2},
		"one of the generation before is not":     {records: []keyward.Record{person("o", nil)}, id: "o", of: "org", generation: 1, unauthorized: true},
		"one of the next is not":                  {records: []keyward.Record{person("o", nil)}, id: "o", of: "org", generation: 3, unauthorized: true},
		"somebody else is not":                    {records: []keyward.Record{person("o", nil)}, id: "p", of: "org", generation: 2, unauthorized: true},
		"one of another organization is not":      {records: []keyward.Record{person("o", nil)}, id: "o", of: "other", generation: 2, unauthorized: true},
		"one of an organization is of no other":   {records: []keyward.Record{person("o", nil)}, id: "o", of: "", generation: 2, unauthorized: true},
		"a disabled one is not":                   {records: []keyward.Record{person("o", func(o *keyward.OperatorRecord) { o.Enabled = false })}, id: "o", of: "org", generation: 2, unauthorized: true},
		"a deleted one is not":                    {records: []keyward.Record{person("o", nil), person("o", func(o *keyward.OperatorRecord) { o.Deleted = true })}, id: "o", of: "org", generation: 2, unauthorized: true},
		"one of a disabled organization is not":   {records: []keyward.Record{person("o", nil), organization("org", false, false)}, id: "o", of: "org", generation: 2, unauthorized: true},
		"one of a deleted organization is not":    {records: []keyward.Record{person("o", nil), organization("org", true, true)}, id: "o", of: "org", generation: 2, unauthorized: true},
		"one of the whole deployment is accepted": {records: []keyward.Record{person("o", func(o *keyward.OperatorRecord) { o.OrganizationID = nil })}, id: "o", of: "", generation: 2},
		"a new generation ends the old one": {
			records: []keyward.Record{person("o", nil), person("o", func(o *keyward.OperatorRecord) { o.Generation = 3 })},
			id:      "o", of: "org", generation: 2, unauthorized: true,
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			for _, r := range test.records {
				w.commit(r)
			}
			fresh := verify.New(digester{})
			if err := fresh.Load(t.Context(), w.log); err != nil {
				t.Fatal(err)
			}
			for how, engine := range map[string]*verify.Engine{"by the log": w.Engine, "by a snapshot": fresh} {
				by, err := engine.Person(test.id, test.of, test.generation, noon)
				if refused := keyward.CodeOf(err) == keyward.Unauthenticated; refused != test.unauthorized || !refused && err != nil {
					t.Errorf("%s: Person = %+v, %v", how, by, err)
				}
				if err == nil && (by.Type != keyward.OperatorActor || by.ID != test.id || by.OrganizationID != test.of || by.Version != test.generation) {
					t.Errorf("%s: the actor is %+v", how, by)
				}
			}
		})
	}
}

func TestASessionCountsAsAUseOfTheOperator(t *testing.T) {
	w := newWorld(t)
	w.commit(person("o", nil))
	if _, err := w.Person("o", "org", 2, noon); err != nil {
		t.Fatal(err)
	}
	if uses := w.Uses(); len(uses) != 1 || uses[0] != (keyward.Use{OperatorID: "o", Time: noon}) {
		t.Errorf("Uses = %+v", uses)
	}
}

func revoked(id string, expire keyward.Time) keyward.Record {
	return keyward.Record{Token: &keyward.TokenRecord{ID: id, ExpireTime: expire}}
}

func (w *world) wantRevoked(engine *verify.Engine, id string, want bool) {
	w.t.Helper()
	if got := engine.Revoked(id); got != want {
		w.t.Errorf("Revoked(%s) = %v, want %v", id, got, want)
	}
}

func TestRevokedTokens(t *testing.T) {
	w := newWorld(t)
	w.commit(revoked("a", noon+1))
	w.commit(revoked("a", noon+1)) // a record may come twice
	w.wantRevoked(w.Engine, "a", true)
	w.wantRevoked(w.Engine, "b", false)
	w.wantRevoked(w.Engine, "", false)

	fresh := verify.New(digester{})
	if err := fresh.Load(t.Context(), w.log); err != nil {
		t.Fatal(err)
	}
	w.wantRevoked(fresh, "a", true)
	if err := fresh.Commit(t.Context(), w.log, w.log.commit(revoked("b", noon+1))); err != nil {
		t.Fatal(err)
	}
	w.wantRevoked(fresh, "b", true)
}

func TestRevokedTokensAreForgottenAfterTheyHaveExpired(t *testing.T) {
	w := newWorld(t)
	at := noon
	revoke := func(id string, expire keyward.Time) {
		entry := w.log.commit(revoked(id, expire))
		entry.Change.Time = at
		w.deliver(entry)
	}
	for i := range 200 {
		revoke(numbered("short", i), noon.Add(time.Minute))
	}
	revoke("long", noon.Add(48*time.Hour))
	at = noon.Add(30 * time.Minute)
	for i := range 300 {
		revoke(numbered("next", i), at.Add(time.Minute))
	}
	w.wantRevoked(w.Engine, "short-0", true) // the clocks of nodes may differ
	at = noon.Add(24 * time.Hour)
	for i := range 1000 {
		revoke(numbered("last", i), at.Add(time.Minute))
	}
	for id, want := range map[string]bool{
		"short-0": false, "short-199": false, "next-0": false, "next-299": false, "long": true, "last-0": true, "last-999": true,
	} {
		w.wantRevoked(w.Engine, id, want)
	}
}
