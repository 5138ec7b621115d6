package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"keyward"
	"keyward/client"
	"keyward/keywardtest"
)

func TestAKeyLivesAndEnds(t *testing.T) {
	c, ctx := connect(t), t.Context()
	org := organization(t, c)
	issued := must(c.CreateKey(ctx, org.ID, client.NewKey{
		Name: "ci", Environment: keyward.Test, OwnerID: "user_42", Metadata: json.RawMessage(`{"plan":"pro"}`),
		ACL:        []keyward.Grant{{Permissions: []string{"docs.read"}}},
		AllowedIPs: []string{"203.0.113.0/24"},
	}))(t)
	if !issued.Secret.Generated() || issued.Propagation.Seq == 0 {
		t.Fatalf("the new key came with %+v, generated %v", issued.Propagation, issued.Secret.Generated())
	}
	question := client.Question{
		Key: issued.Secret, OrganizationID: org.ID, Environment: keyward.Test,
		Permissions: []string{"docs.read"}, IP: netip.MustParseAddr("203.0.113.9"),
	}
	verdict := must(c.Verify(ctx, question))(t)
	if !verdict.Valid || verdict.Code != keyward.Valid || verdict.KeyID != issued.Key.ID || *verdict.OwnerID != "user_42" {
		t.Errorf("the new key is %+v", verdict)
	}

	rotated := must(c.RotateKey(ctx, org.ID, issued.Key.ID, 0))(t)
	if got := must(c.Verify(ctx, question))(t); got.Code != keyward.Expired {
		t.Errorf("the old secret is %v after rotation without overlap", got.Code)
	}
	question.Key = rotated.Secret
	if got := must(c.Verify(ctx, question))(t); !got.Valid || got.Version != 2 {
		t.Errorf("the new secret is %v, version %d", got.Code, got.Version)
	}

	revoked := must(c.RevokeKey(ctx, org.ID, issued.Key.ID, "leaked"))(t)
	if *revoked.Key.RevokeReason != "leaked" || len(revoked.Propagation.Pending) > 0 {
		t.Errorf("the revoked key is %+v", revoked)
	}
	if got := must(c.Verify(ctx, question))(t); got.Code != keyward.Revoked {
		t.Errorf("the key is %v after its revocation", got.Code)
	}
	if err := c.DeleteKey(ctx, org.ID, issued.Key.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Key(ctx, org.ID, issued.Key.ID); keyward.CodeOf(err) != keyward.NotFound {
		t.Errorf("a deleted key: %v", err)
	}
}

func TestReadsReturnWhatWasWritten(t *testing.T) {
	c, ctx := connect(t), t.Context()
	org := must(c.CreateOrganization(ctx, client.NewOrganization{Name: "Acme", Prefix: "acme", PublicID: "acmecorp"}))(t)
	if got := must(c.Organization(ctx, org.ID))(t); !reflect.DeepEqual(got, org) || got.Prefix != "acme" || got.PublicID != "acmecorp" {
		t.Errorf("Organization = %+v, created %+v", got, org)
	}
	key := must(c.CreateKey(ctx, org.ID, client.NewKey{Name: "a/b é", Type: keyward.Publishable}))(t).Key
	got := must(c.Key(ctx, org.ID, key.ID))(t)
	if got.Name != "a/b é" || got.Type != keyward.Publishable || got.Hint != key.Hint {
		t.Errorf("Key = %+v, created %+v", got, key)
	}
}

func TestAnUpdateLeavesWhatItDoesNotName(t *testing.T) {
	c, ctx := connect(t), t.Context()
	org := organization(t, c)
	key := must(c.CreateKey(ctx, org.ID, client.NewKey{Name: "ci", OwnerID: "user_42", AllowedIPs: []string{"::1"}}))(t).Key
	got := must(c.UpdateKey(ctx, org.ID, key.ID, client.Changes{"name": "cd", "enabled": false, "allowedIps": nil}))(t)
	if got.Name != "cd" || got.Enabled || got.AllowedIPs != nil || *got.OwnerID != "user_42" {
		t.Errorf("the updated key is %+v", got)
	}
	if _, err := c.UpdateKey(ctx, org.ID, key.ID, nil); keyward.CodeOf(err) != keyward.Invalid {
		t.Errorf("no changes: %v", err)
	}
}

func TestListsGoOverTheirPages(t *testing.T) {
	c, ctx := connect(t), t.Context()
	org := organization(t, c)
	for i := range 5 {
		must(c.CreateKey(ctx, org.ID, client.NewKey{Name: fmt.Sprintf("key %d", i)}))(t)
	}
	for name, test := range map[string]struct {
		list client.List
		want string
	}{
		"in order of creation":         {client.List{}, "01234"},
		"in pages that do not divide":  {client.List{Limit: 2}, "01234"},
		"in pages that do":             {client.List{Limit: 5}, "01234"},
		"backwards":                    {client.List{Sort: "-name", Limit: 2}, "43210"},
		"as far as the filter matches": {client.List{Filter: "name:key 1,key 3", Limit: 1}, "13"},
		"as far as the text matches":   {client.List{Query: "key 2"}, "2"},
	} {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for key, err := range c.Keys(ctx, org.ID, test.list) {
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString(strings.TrimPrefix(key.Name, "key "))
			}
			if got.String() != test.want {
				t.Errorf("the keys are %s, want %s", got.String(), test.want)
			}
		})
	}

	page := must(c.KeysPage(ctx, org.ID, client.List{Limit: 2, Count: true}))(t)
	if len(page.Items) != 2 || page.NextCursor == nil || *page.Total != 5 {
		t.Errorf("the first page is %+v", page)
	}
	for range c.Keys(ctx, org.ID, client.List{Limit: 1}) {
		break // and fetches nothing more
	}
	var organizations []string
	for o, err := range c.Organizations(ctx, client.List{}) {
		if err != nil {
			t.Fatal(err)
		}
		organizations = append(organizations, o.ID)
	}
	if len(organizations) != 1 || organizations[0] != org.ID {
		t.Errorf("the organizations are %q", organizations)
	}
}

func TestAListEndsWithItsError(t *testing.T) {
	c := connect(t)
	times := 0
	for _, err := range c.Keys(t.Context(), "org_none", client.List{}) {
		times++
		if keyward.CodeOf(err) != keyward.NotFound {
			t.Errorf("the keys of no organization: %v", err)
		}
	}
	if times != 1 {
		t.Errorf("it yielded %d times, want once", times)
	}
}

func TestABatchIsAnsweredInOrder(t *testing.T) {
	c, ctx := connect(t), t.Context()
	org := organization(t, c)
	secret := must(c.CreateKey(ctx, org.ID, client.NewKey{Name: "ci"}))(t).Secret
	verdicts := must(c.VerifyBatch(ctx, []client.Question{
		{Key: secret},
		{Key: keyward.ForeignSecret("nothing")},
		{Key: secret, Permissions: []string{"docs.read"}, Explain: true},
	}))(t)
	for i, want := range []keyward.Reason{keyward.Valid, keyward.Unknown, keyward.PermissionDenied} {
		if verdicts[i].Code != want {
			t.Errorf("answer %d is %v, want %v", i, verdicts[i].Code, want)
		}
	}
	if len(verdicts[2].Checks) == 0 || len(verdicts[0].Checks) != 0 {
		t.Error("checks are not where they were asked for")
	}
}

func TestWhatTheServerRefusesIsAnError(t *testing.T) {
	c, ctx := connect(t), t.Context()
	org := organization(t, c)
	_, err := c.CreateKey(ctx, org.ID, client.NewKey{Name: " ", Environment: "prod"})
	refused, ok := errors.AsType[*client.Error](err)
	if !ok {
		t.Fatalf("CreateKey: %v", err)
	}
	if refused.Status != 400 || refused.Code != keyward.Invalid || refused.RequestID == "" || len(refused.Errors) != 2 {
		t.Errorf("the error is %+v", refused)
	}
	if keyward.CodeOf(err) != keyward.Invalid || len(keyward.FieldsOf(err)) != 2 || keyward.MessageOf(err) != refused.Detail {
		t.Errorf("package keyward sees code %v, fields %v", keyward.CodeOf(err), keyward.FieldsOf(err))
	}
	if !strings.Contains(err.Error(), refused.RequestID) || !strings.Contains(err.Error(), refused.Detail) {
		t.Errorf("Error() = %q", err)
	}
}

func TestIDsStayOneSegmentOfThePath(t *testing.T) {
	c, ctx := connect(t), t.Context()
	org := organization(t, c)
	for id, want := range map[string]keyward.Code{
		"": keyward.Invalid, ".": keyward.Invalid, "..": keyward.Invalid,
		"x/../..": keyward.NotFound, "x?limit=1": keyward.NotFound, "a b%2f": keyward.NotFound,
	} {
		if _, err := c.Key(ctx, org.ID, id); keyward.CodeOf(err) != want {
			t.Errorf("Key(%q): %v, want %v", id, err, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	const secret = "pass" + "word-of-nobody"
	for name, test := range map[string]struct{ address, token string }{
		"no address":                {"", "t"},
		"an address without scheme": {"127.0.0.1:8080", "t"},
		"another scheme":            {"ftp://127.0.0.1", "t"},
		"no host":                   {"http://", "t"},
		"a password in the address": {"http://root:" + secret + "@127.0.0.1", "t"},
		"a query in the address":    {"http://127.0.0.1/?token=" + secret, "t"},
		"a secret for the address":  {secret, "t"},
		"an unreadable address":     {"http://" + secret + "\x7f", "t"},
		"no credential":             {"http://127.0.0.1", ""},
		"a credential of two lines": {"http://127.0.0.1", secret + "\nx: y"},
		"a credential with a space": {"http://127.0.0.1", secret + " "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.New(test.address, keyward.ForeignSecret(test.token))
			if keyward.CodeOf(err) != keyward.Invalid {
				t.Fatalf("New: %v, want %v", err, keyward.Invalid)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestTheCredentialIsInNoError(t *testing.T) {
	kw := keywardtest.New(t)
	const wrong = "kwop-a-token-that-this-server-does-not-know"
	c := open(t, kw.URL, wrong)
	_, err := c.Verify(t.Context(), client.Question{Key: keyward.ForeignSecret("a-key-of-nobody")})
	if keyward.CodeOf(err) != keyward.Unauthenticated {
		t.Errorf("Verify: %v", err)
	}
	if shown := fmt.Sprintf("%v %+v %#v %+v %#v", err, err, err, c, *c); strings.Contains(shown, wrong) || strings.Contains(shown, "a-key-of-nobody") {
		t.Errorf("a secret shows in %s", shown)
	}
}
