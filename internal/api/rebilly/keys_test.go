package rebilly_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"keyward/keywardtest"
)

// Every credential and every address of the list is the same list, to the byte.
func TestEveryWayToTheListIsTheSameList(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	reader := w.reader(organization)
	export := w.NewKey(organization, `{"name": "Nightly <export>", "type": "publishable", "allowedIps": ["203.0.113.0/24"],
		"acl": [{"scope": {"planId": ["plan_1"]}, "permissions": ["GetTransaction", "reports.*"]}]}`)
	w.NewKey(w.organization(`{"name": "other"}`), `{"name": "theirs"}`)

	want := "[" + onWire("", export, export.Hint) + "," + onWire("", reader, reader.Hint) + "]"
	credentials := map[string][]string{
		"key": {"REB-APIKEY", reader.Secret},
		"JWT": {"Authorization", "Bearer " + w.Token(reader)},
	}
	for credential, header := range credentials {
		for _, path := range []string{
			"/rebilly/api-keys", "/rebilly/api-keys/",
			"/rebilly/organizations/" + organization + "/api-keys", "/rebilly/organizations/" + organization + "/api-keys/",
			"/rebilly/api-keys?q=x&expand=y&fields=id&wait=local",
		} {
			t.Run(credential+" "+path, func(t *testing.T) {
				got := w.get(path, header...)
				got.expect(t, 200, want)
				expectPagination(t, got, "2", "100", "0")
			})
		}
		t.Run(credential+" with the header of older clients", func(t *testing.T) {
			w.get("/rebilly/api-keys", append([]string{"Organization-Id", organization}, header...)...).expect(t, 200, want)
			w.get("/rebilly/api-keys", append([]string{"Organization-Id", ""}, header...)...).expect(t, 200, want)
		})
	}
}

func expectPagination(t *testing.T, a answer, total, limit, offset string) {
	t.Helper()
	for name, want := range map[string]string{"Total": total, "Limit": limit, "Offset": offset} {
		if got := a.Header.Get("Pagination-" + name); got != want {
			t.Errorf("Pagination-%s = %q, want %q", name, got, want)
		}
	}
}

func TestOnlyTheOwnOrganizationExists(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	reader := w.reader(w.organization(`{"name": "acme"}`))
	other := w.organization(`{"name": "other"}`)
	w.NewKey(other, `{"name": "theirs"}`)

	for credential, header := range map[string][]string{
		"key": {"REB-APIKEY", reader.Secret},
		"JWT": {"Authorization", "Bearer " + w.Token(reader)},
	} {
		for _, id := range []string{other, "org_00000000000000000000000000", "x"} {
			t.Run(credential+" "+id, func(t *testing.T) {
				w.get("/rebilly/organizations/"+id+"/api-keys", header...).expect(t, 404, notFound)
				w.get("/rebilly/api-keys", append([]string{"Organization-Id", id}, header...)...).expect(t, 404, notFound)
			})
		}
	}
}

func TestPages(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	reader := w.reader(organization)
	for _, name := range []string{"b", "c", "d", "e"} {
		w.NewKey(organization, `{"name": "`+name+`"}`)
	}
	for sentence, test := range map[string]struct{ query, names, total, limit, offset string }{
		"the newest come first":                   {"", "e d c b reader", "5", "100", "0"},
		"a page of two":                           {"limit=2", "e d", "5", "2", "0"},
		"the page behind it":                      {"limit=2&offset=2", "c b", "5", "2", "2"},
		"the last page is shorter":                {"limit=2&offset=4", "reader", "5", "2", "4"},
		"behind the end there is nothing":         {"offset=5", "", "5", "100", "5"},
		"an offset over 1000 is one like others":  {"offset=1001", "", "5", "100", "1001"},
		"the largest offset":                      {"offset=2147483647", "", "5", "100", "2147483647"},
		"the largest limit":                       {"limit=1000", "e d c b reader", "5", "1000", "0"},
		"no entries at all, but their number":     {"limit=0", "", "5", "0", "0"},
		"the number is that of what matches":      {"limit=1&filter=description:b,c,d", "d", "3", "1", "0"},
		"no entries, but the number that matches": {"limit=0&filter=description:b", "", "1", "0", "0"},
	} {
		t.Run(sentence, func(t *testing.T) {
			got := w.get("/rebilly/api-keys?"+test.query, "REB-APIKEY", reader.Secret)
			if names := got.names(t); got.Status != 200 || names != test.names {
				t.Errorf("%s = %d %q, want %q", test.query, got.Status, names, test.names)
			}
			if test.names == "" && got.Body != "[]" {
				t.Errorf("body = %s, want []", got.Body)
			}
			expectPagination(t, got, test.total, test.limit, test.offset)
		})
	}
	t.Run("HEAD is GET without the body", func(t *testing.T) {
		got := w.do("HEAD", "/rebilly/api-keys?limit=2", "", "REB-APIKEY", reader.Secret)
		if got.Status != 200 || got.Body != "" {
			t.Errorf("answer = %d %q", got.Status, got.Body)
		}
		expectPagination(t, got, "5", "2", "0")
	})
}

func TestSortAndFilter(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	reader := w.reader(organization)
	b := w.NewKey(organization, `{"name": "B", "type": "publishable"}`)
	w.NewKey(organization, `{"name": "a"}`)
	w.NewKey(organization, `{"name": "x;y,z"}`)
	w.Native("PATCH", "/v1/organizations/"+organization+"/api-keys/"+b.ID, `{"ownerId": "somebody"}`, nil)

	for sentence, test := range map[string]struct{ sort, filter, names string }{
		"oldest first":                         {"createdTime", "", "reader B a x;y,z"},
		"newest first":                         {"-createdTime", "", "x;y,z a B reader"},
		"an empty sort is the default":         {"", "", "x;y,z a B reader"},
		"last updated first":                   {"-updatedTime", "", "B x;y,z a reader"},
		"by description, in any case":          {"description", "", "a B reader x;y,z"},
		"by type, then by description":         {"type,-description", "", "B x;y,z reader a"},
		"by id, which is in order of creation": {"id", "", "reader B a x;y,z"},
		"as the vendor's client writes it":     {"-createdTime,id", "", "x;y,z a B reader"},

		"one type":                           {"createdTime", "type:secret", "reader a x;y,z"},
		"an enum in any case":                {"createdTime", "type:PUBLISHABLE", "B"},
		"equality is without regard to case": {"createdTime", "description:b", "B"},
		"the vendor's sample":                {"createdTime", "description:Test", ""},
		"nothing is matched partially":       {"createdTime", "description:read", ""},
		"values are alternatives":            {"createdTime", "description:a,b", "B a"},
		"clauses must all hold":              {"createdTime", "type:secret;description:a,b", "a"},
		"neither of two":                     {"createdTime", "type:secret;description:!a,!b", "reader x;y,z"},
		"one ! stands for all":               {"createdTime", "description:!a,b", "reader x;y,z"},
		"separators in quotes":               {"createdTime", `description:"x;y,z"`, "x;y,z"},
		"separators escaped":                 {"createdTime", `description:x\;y\,z`, "x;y,z"},
		"one id, in any case":                {"createdTime", "id:" + strings.ToUpper(b.ID), "B"},
		"all but one id":                     {"createdTime", "id:!" + b.ID, "reader a x;y,z"},
		"who made it":                        {"createdTime", "apiUser:" + b.CreatedBy, "reader B a x;y,z"},
		"who did not":                        {"createdTime", "apiUser:nobody", ""},
		"since an instant":                   {"createdTime", "createdTime:2026-01-01T00:00:00Z..", "reader B a x;y,z"},
		"since a day":                        {"createdTime", "createdTime:2026-01-01..", "reader B a x;y,z"},
		"up to a day":                        {"createdTime", "createdTime:..2026-01-01", ""},
		"between days":                       {"createdTime", "createdTime:2020-01-01..2020-12-31", ""},
		"a range has both its ends":          {"createdTime", "id:" + b.ID + ";createdTime:" + b.CreatedTime + ".." + b.CreatedTime, "B"},
		"updated since it was made":          {"createdTime", "id:" + b.ID + ";updatedTime:" + b.CreatedTime + "..", "B"},
		"what has no value":                  {"createdTime", "description:null", ""},
		"what has one":                       {"createdTime", "id:!null;type:!null;updatedTime:!null", "reader B a x;y,z"},
		"the text null":                      {"createdTime", `description:"null"`, ""},
	} {
		t.Run(sentence, func(t *testing.T) {
			// The vendor's client escapes ";" but neither ":" nor ",".
			filter := strings.NewReplacer("%3A", ":", "%2C", ",").Replace(url.QueryEscape(test.filter))
			got := w.get("/rebilly/api-keys?filter="+filter+"&sort="+test.sort, "REB-APIKEY", reader.Secret)
			if names := got.names(t); got.Status != 200 || names != test.names {
				t.Errorf("sort %q, filter %q: %q, want %q", test.sort, test.filter, names, test.names)
			}
			if total := got.Header.Get("Pagination-Total"); total != strconv.Itoa(len(strings.Fields(test.names))) {
				t.Errorf("Pagination-Total = %s", total)
			}
		})
	}
}

func TestOnlyWhatTheCallerMayReadIsListed(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	reader := w.reader(organization)
	in := "/v1/organizations/" + organization
	var project struct{ ID string }
	w.Native("POST", in+"/projects", `{"name": "p"}`, &project)
	w.NewKey(organization, `{"name": "inside", "projectIds": ["`+project.ID+`"]}`)
	ended := w.NewKey(organization, `{"name": "revoked"}`)
	deleted := w.NewKey(organization, `{"name": "deleted"}`)
	w.NewKey(organization, `{"name": "disabled", "enabled": false}`)
	w.Native("POST", in+"/api-keys/"+ended.ID+"/revoke", "", nil)
	w.Native("DELETE", in+"/api-keys/"+deleted.ID, "", nil)
	narrow := w.NewKey(organization, `{"name": "narrow", "management": [{"scope": {"projectId": ["`+project.ID+`"]}, "permissions": ["keys.read"]}]}`)

	all := w.get("/rebilly/api-keys?sort=createdTime", "REB-APIKEY", reader.Secret)
	if got, want := all.names(t), "reader inside disabled narrow"; got != want {
		t.Errorf("list = %q, want %q: what is revoked or deleted is hidden", got, want)
	}
	expectPagination(t, all, "4", "100", "0")
	some := w.get("/rebilly/api-keys", "REB-APIKEY", narrow.Secret)
	if got := some.names(t); got != "inside" {
		t.Errorf("list for one project = %q, want %q", got, "inside")
	}
	expectPagination(t, some, "1", "100", "0")
}
