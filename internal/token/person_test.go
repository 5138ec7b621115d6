package token_test

import (
	"testing"

	"keyward"
)

const operatorID = "opr_01kb3x7b1f5j9n3s7w2a6d4h8q"

func TestAPersonOfTheWholeDeploymentHasNoOrganization(t *testing.T) {
	s := newSigner(t, 1)
	c := goodClaims()
	c.Subject = operatorID
	for _, organization := range []string{"org_1", ""} {
		c.OrganizationID = organization
		text := issue(t, s, c)
		got, err := s.Check(text, []string{"keyward"}, now)
		if err != nil || got.OrganizationID != organization || !got.Person() {
			t.Errorf("Check = %+v, %v; want a person of %q", got, err, organization)
		}
	}
	key := goodClaims()
	if key.Person() {
		t.Error("a key is a person")
	}
	key.OrganizationID = ""
	if text, err := s.Issue(key); err == nil {
		t.Errorf("a key without an organization has the token %s", text)
	}
}

func TestAnEmptyOrganizationIsNoOrganization(t *testing.T) {
	s := newSigner(t, 1)
	f := newForger(t)
	for name, text := range map[string]string{
		"an empty organization of a person": sign(1, f.header(), payload("sub", `"`+operatorID+`"`, "org", `""`)),
		"null as that of a person":          sign(1, f.header(), payload("sub", `"`+operatorID+`"`, "org", "null")),
		"no organization of a key":          sign(1, f.header(), payload("org", "")),
	} {
		if got, err := s.Check(text, []string{"keyward"}, now); keyward.CodeOf(err) != keyward.Unauthenticated {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	text := sign(1, f.header(), payload("sub", `"`+operatorID+`"`, "org", ""))
	if got, err := s.Check(text, []string{"keyward"}, now); err != nil || got.OrganizationID != "" {
		t.Errorf("no organization of a person: %+v, %v", got, err)
	}
}
