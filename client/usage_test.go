package client_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/client"
)

func TestUsageAsksForWhatIsWantedPageByPage(t *testing.T) {
	c := open(t, "https://keys.example.com", "token")
	answers := []string{
		`{"items": [{"time": "2026-01-31T00:00:00.000Z", "keyId": "a", "reason": "valid", "count": 12}], "nextCursor": "more"}`,
		`{"items": [], "nextCursor": "still more"}`,
		`{"items": [{"time": "2026-01-31T00:00:00.000Z", "keyId": "b", "reason": "revoked", "count": 1}], "nextCursor": null}`,
	}
	var asked []url.Values
	c.HTTP = &http.Client{Transport: network(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path != "/v1/organizations/org_1/usage" {
			t.Errorf("the path is %s", r.URL.Path)
		}
		asked = append(asked, r.URL.Query())
		body := io.NopCloser(strings.NewReader(answers[len(asked)-1]))
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: r}, nil
	})}
	day := must(keyward.ParseTime("2026-01-31T00:00:00Z"))(t)
	var got []keyward.UsageSum
	for sum, err := range c.Usage(t.Context(), "org_1", client.UsageQuery{
		From: day, To: day + 1, Interval: keyward.Hourly, ByKey: true, ByReason: true, KeyID: "k", Limit: 7,
	}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, sum)
	}
	want := []keyward.UsageSum{
		{Time: day, KeyID: "a", Reason: keyward.Valid, Count: 12}, {Time: day, KeyID: "b", Reason: keyward.Revoked, Count: 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("the usage is %v, want %v", got, want)
	}
	for i, cursor := range []string{"", "more", "still more"} {
		query := url.Values{
			"from": {"2026-01-31T00:00:00.000Z"}, "to": {"2026-01-31T00:00:00.001Z"}, "interval": {"hour"},
			"groupBy": {"key,reason"}, "keyId": {"k"}, "limit": {"7"},
		}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		if asked[i].Encode() != query.Encode() {
			t.Errorf("request %d asks for %v, want %v", i, asked[i], query)
		}
	}
}

func TestUsageOfAnOrganizationThatIsNotThere(t *testing.T) {
	c := connect(t)
	_, err := c.UsagePage(t.Context(), "org_none", client.UsageQuery{})
	if keyward.CodeOf(err) != keyward.NotFound {
		t.Errorf("UsagePage: %v", err)
	}
	page := must(c.UsagePage(t.Context(), organization(t, c).ID, client.UsageQuery{ByReason: true}))(t)
	if len(page.Items) != 0 || page.NextCursor != nil {
		t.Errorf("the usage of a new organization is %+v", page)
	}
}
