package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// door is one surface as those know it who manage keys there. In its requests {name}
// stands for what [site.values] has. What it cannot do has no path.
type door struct {
	name    string
	present func(credential) []string

	create, list, read, change, remove ask

	one, many spelling // in the answers to create, read and change; in lists
	born      string   // the member that holds the secret in the answer to create

	full full
}

// ask is one request, and the status that says it was done.
type ask struct {
	method, path, body string
	status             int
}

func (a ask) there() bool { return a.path != "" }

// spelling is what an answer calls a key's members. The id is the id, the number or the
// client id, whichever the surface has. Where secret is "", there is none.
type spelling struct{ id, name, secret string }

// full is requests that say all that can be said of a key, for the table of the docs.
type full struct {
	create  string
	updates []ask
	derives string // what the management follows from, if nobody can write it
}

// doors are all surfaces. To have another one tried, it is entered here.
func doors() []door {
	return []door{
		{
			name: "native", present: func(c credential) []string { return bearer(c.token) },
			create: ask{"POST", nativeKeys, `{"name":"{keyName}"}`, 201},
			list:   ask{"GET", nativeKeys + "?limit=1000", "", 200},
			read:   ask{"GET", nativeKeys + "/{keyId}", "", 200},
			change: ask{"PATCH", nativeKeys + "/{keyId}", `{"name":"{keyName}"}`, 200},
			remove: ask{"DELETE", nativeKeys + "/{keyId}", "", 204},
			one:    spelling{"id", "name", "hint"}, many: spelling{"id", "name", "hint"}, born: "secret",
			full: full{
				create: `{"type":"secret","environment":"sandbox","enabled":false,` + rights + natively[1:],
				updates: []ask{
					{"PATCH", nativeKeys + "/{keyId}", `{"enabled":false,` + rights + natively[1:], 200},
				},
			},
		},
		aerospikeDoor("Aerospike v2", "/aerospike/v2", ""),
		aerospikeDoor("Aerospike v1", "/aerospike/v1", "?limit=100"),
		{
			name: "Rebilly", present: func(c credential) []string { return rebAPIKey(c.secret) },
			create: ask{"POST", rebillyKeys, `{"description":"{keyName}"}`, 201},
			list:   ask{"GET", rebillyKeys + "?limit=1000", "", 200},
			read:   ask{"GET", rebillyKeys + "/{keyId}", "", 200},
			change: ask{"PUT", rebillyKeys + "/{keyId}", `{"description":"{keyName}"}`, 200},
			remove: ask{"DELETE", rebillyKeys + "/{keyId}", "", 204},
			one:    spelling{"id", "description", "secretKey"}, many: spelling{"id", "description", "secretKey"}, born: "secretKey",
			full: full{
				create: `{"description":"{keyName}","type":"secret",` + rebillyMembers,
				updates: []ask{
					{"PUT", rebillyKeys + "/{keyId}", `{"description":"{keyName}",` + rebillyMembers, 200},
				},
				derives: "acl",
			},
		},
		gjirafaDoor("Gjirafa, organization", gjirafaKeys,
			ask{"POST", gjirafaKeys + "/projects", `{"apiKeyId":{keyNumber},"projectIds":["{publicProject}"]}`, 200}),
		gjirafaDoor("Gjirafa, project", "/gjirafa/api/projects/{publicProject}/api-keys"),
	}
}

const (
	nativeKeys  = "/v1/organizations/{organizationId}/api-keys"
	rebillyKeys = "/rebilly/organizations/{organizationId}/api-keys"
	gjirafaKeys = "/gjirafa/api/organizations/{publicId}/api-keys"

	rebillyMembers = `"acl":[{"scope":{"productId":["prd_1"]},"permissions":["GetApiKey"]}],"allowedIps":["198.51.100.7"]}`
	rights         = `"management":[{"scope":{},"permissions":["keys.read"]}],`

	// natively is what can be written of every key, each member with a value that no
	// other has.
	natively = `{"name":"{keyName}","projectIds":["{projectId}"],"ownerId":"user_42",` +
		`"acl":[{"scope":{"region":["eu"]},"permissions":["docs.read","reports.*"]}],` +
		`"allowedIps":["203.0.113.0/24","127.0.0.0/8"],"metadata":{"plan":"pro"},` +
		`"startTime":"2026-01-02T03:04:05.678Z","expireTime":"2099-09-08T07:06:05.432Z"}`
)

func aerospikeDoor(name, at, page string) door {
	return door{
		name: name, present: func(c credential) []string { return bearer(c.vendor) },
		create: ask{"POST", at + "/api-keys", `{"name":"{keyName}"}`, 201},
		list:   ask{"GET", at + "/api-keys" + page, "", 200},
		remove: ask{"DELETE", at + "/api-keys/{clientId}", "", 204},
		one:    spelling{"clientId", "name", "clientSecret"}, many: spelling{"clientId", "name", ""}, born: "clientSecret",
		full: full{create: `{"name":"{keyName}"}`},
	}
}

func gjirafaDoor(name, at string, more ...ask) door {
	const dates = `"startDate":"2026-01-02T03:04:05.678Z","hasExpireTime":true,"expireDate":"2099-09-08T07:06:05.432Z"`
	return door{
		name: name, present: func(c credential) []string { return xAPIKey(c.secret) },
		create: ask{"POST", at, `{"roleId":5,"userApiKey":{"apiName":"{keyName}"}}`, 200},
		list:   ask{"GET", at, "", 200},
		read:   ask{"GET", at + "/{keyNumber}", "", 200},
		change: ask{"PUT", at, `{"id":{keyNumber},"name":"{keyName}"}`, 200},
		remove: ask{"DELETE", at + "/{keyNumber}", "", 200},
		one:    spelling{"id", "name", "apiKey"}, many: spelling{"apiKeyId", "apiKeyName", "apiKey"}, born: "apiKey",
		full: full{
			create: `{"listProjectsId":["{publicProject}"],"roleId":5,"userApiKey":{"apiName":"{keyName}",` +
				`"startDateTime":"2026-01-02T03:04:05.678Z","hasExpireTime":true,"expireDateTime":"2099-09-08T07:06:05.432Z"}}`,
			updates: append([]ask{
				{"PUT", at, `{"id":{keyNumber},"name":"{keyName}","roleId":4,` + dates + `}`, 200},
			}, more...),
			derives: "roleId",
		},
	}
}

// site is an organization with a project, and somebody there.
type site struct {
	*world
	org, project made
	recoverable  bool
	by           credential // who asks
}

// site makes an organization, and in it a key that may do all that keys can.
func (w *world) site(t *testing.T, recoverable bool) *site {
	t.Helper()
	s := &site{world: w, recoverable: recoverable}
	s.org = w.must(t, "POST", "/v1/organizations", fmt.Sprintf(`{"name":"Site","recoverable":%t}`, recoverable))
	s.project = w.must(t, "POST", "/v1/organizations/"+s.org.ID+"/projects", `{"name":"Site's project"}`)
	s.by = s.somebody(t, "all", keyPermissions()...)
	return s
}

// handle is what surfaces call one key.
type handle struct {
	id, clientID, name string
	number             int
	secret             string
}

func (s *site) values(k handle) values {
	return values{
		"organizationId": s.org.ID, "publicId": s.org.PublicID, "projectId": s.project.ID, "publicProject": s.project.PublicID,
		"keyId": k.id, "clientId": k.clientID, "keyNumber": fmt.Sprint(k.number), "keyName": k.name,
	}
}

// ask sends a door's request about a key.
func (s *site) ask(t *testing.T, d door, a ask, k handle) answer {
	t.Helper()
	return s.askAs(t, s.by, d, a, k)
}

func (s *site) askAs(t *testing.T, who credential, d door, a ask, k handle) answer {
	t.Helper()
	v := s.values(k)
	return s.world.ask(t, a.method, v.fill(a.path), v.fill(a.body), d.present(who)...)
}

// done sends a request that must be done, and returns what it answers.
func (s *site) done(t *testing.T, d door, a ask, k handle) any {
	t.Helper()
	got := s.ask(t, d, a, k)
	if got.status != a.status {
		t.Fatalf("%s: %s %s: %d %s, want %d", d.name, a.method, a.path, got.status, got.body, a.status)
	}
	return parsed(t, got.body)
}

func parsed(t *testing.T, body string) any {
	t.Helper()
	var document any
	if err := json.Unmarshal([]byte(body), &document); err != nil && body != "" {
		t.Fatalf("%v in %s", err, body)
	}
	return document
}

// find returns the objects in a document whose members the test takes.
func find(document any, test func(map[string]any) bool) []map[string]any {
	var found []map[string]any
	switch in := document.(type) {
	case map[string]any:
		if test(in) {
			found = append(found, in)
		}
		for _, member := range in {
			found = append(found, find(member, test)...)
		}
	case []any:
		for _, element := range in {
			found = append(found, find(element, test)...)
		}
	}
	return found
}

// key returns the one object in a document that is the key, or nil.
func (k handle) key(t *testing.T, document any, s spelling) map[string]any {
	t.Helper()
	found := find(document, func(object map[string]any) bool {
		called := fmt.Sprint(object[s.id])
		return object[s.name] != nil && slices.Contains([]string{k.id, k.clientID, fmt.Sprint(k.number)}, called)
	})
	if len(found) > 1 {
		t.Errorf("the key is there %d times", len(found))
	}
	if len(found) == 0 {
		return nil
	}
	return found[0]
}
