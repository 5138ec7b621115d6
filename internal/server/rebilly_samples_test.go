package server_test

import (
	"maps"
	"strings"
)

// rebillySamples are the samples of that vendor's routes: everything is there with the
// organization in the path and without it, and with a slash at the end.
func rebillySamples() map[string]sample {
	all := map[string]sample{
		"POST /rebilly/signin": {status: 422, forms: []form{{body: `{"email":"","password":""}`}}},
		// With two tokens, so that nobody is signed out.
		"POST /rebilly/logout": {status: 401, forms: []form{{header: []string{"Authorization", "Bearer x", "Authorization", "Bearer x"}}}},
	}
	const organizations = "/rebilly/organizations"
	for _, slash := range []string{"", "/{$}"} {
		rebillyKeySamples(all, "/rebilly/api-keys", slash)
		rebillyKeySamples(all, organizations+"/{organizationId}/api-keys", slash)
		rebillyOrganizationSamples(all, organizations, organizations+"/{organizationId}", "", slash)
	}
	const nested = organizations + "/{within}/organizations"
	rebillyOrganizationSamples(all, nested, nested+"/{organizationId}", organizations+"/{organizationId}/organizations", "")
	for _, at := range []string{"/rebilly", organizations + "/{organizationId}"} {
		rebillyMissingSamples(all, at)
	}
	return all
}

func rebillyKeySamples(all map[string]sample, keys, slash string) {
	lists := []form{
		{},
		{query: "filter=id:{keyId}", answers: true},
		{query: "filter=apiUser:{operatorId}&limit=0", answers: true},
		{header: []string{"Organization-Id", "{organizationId}"}},
	}
	if keys != "/rebilly/api-keys" {
		lists = lists[:3]
	} else if slash != "" {
		lists = lists[:1]
	}
	all["GET "+keys+slash] = sample{status: 200, forms: lists}
	all["POST "+keys+slash] = sample{status: 201, forms: []form{{body: `{"description":"one more","acl":[]}`}}}
	all["GET "+keys+"/{keyId}"+slash] = sample{status: 200}
	all["PUT "+keys+"/{keyId}"+slash] = sample{status: 200, forms: []form{{body: `{"description":"renamed"}`}}}
	all["DELETE "+keys+"/{keyId}"+slash] = sample{status: 204}
}

// rebillyOrganizationSamples adds the samples of organizations, which are at the given
// path if it is not that of the patterns.
func rebillyOrganizationSamples(all map[string]sample, many, one, path, slash string) {
	under := ""
	if path != "" {
		under = path + "/{organizationId}"
	}
	all["GET "+many+slash] = sample{status: 200, forms: []form{{path: path}, {path: path, query: "filter=id:{organizationId}&q=bravo", answers: true}}}
	all["POST "+many+slash] = sample{status: 201, everywhere: true, forms: []form{{path: path, body: `{"name":"one more","country":"SI"}`}}}
	all["GET "+one+slash] = sample{status: 200, forms: []form{{path: under}}}
	all["PATCH "+one+slash] = sample{status: 200, forms: []form{{path: under, body: `{"name":"renamed"}`}}}
}

// rebillyMissingSamples adds those of what is not implemented.
func rebillyMissingSamples(all map[string]sample, at string) {
	here := sample{status: 501}
	for _, route := range []string{
		"GET /memberships", "GET /roles", "POST /roles", "GET /roles/{$}", "POST /roles/{$}", "GET /users", "POST /users",
		"GET /users/{$}", "POST /users/{$}", "GET /users/{userId}", "PUT /users/{userId}", "GET /users/{userId}/mfa",
		"PUT /users/{userId}/mfa", "DELETE /users/{userId}/mfa", "GET /profile", "PUT /profile", "GET /profile/mfa",
		"PUT /profile/mfa", "DELETE /profile/mfa", "POST /permissions-emulation", "DELETE /permissions-emulation",
	} {
		method, path, _ := strings.Cut(route, " ")
		all[method+" "+at+path] = here
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		all[method+" "+at+"/memberships/{memberOf}/{userId}"] = sample{status: 501, forms: []form{{path: at + "/memberships/{organizationId}/{userId}"}}}
		all[method+" "+at+"/roles/{roleId}"] = sample{status: 501, forms: []form{{path: at + "/roles/{number}"}}}
	}
}

// join returns the samples of several tables.
func join(tables ...map[string]sample) map[string]sample {
	all := map[string]sample{}
	for _, table := range tables {
		maps.Copy(all, table)
	}
	return all
}
