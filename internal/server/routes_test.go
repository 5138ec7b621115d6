package server_test

import "keyward/internal/api"

// samples has an entry for each route. A new route needs one, so that the matrices
// below try it too.
var samples = join(rebillySamples(), map[string]sample{
	"GET /{$}":                                    {status: 200},
	"GET /livez":                                  {status: 200},
	"GET /readyz":                                 {status: 200},
	"GET /version":                                {status: 200},
	"GET /docs/api":                               {status: 308},
	"GET /docs/api/{$}":                           {status: 200},
	"GET /docs/api/index.css":                     {status: 200},
	"GET /docs/api/reader.css":                    {status: 200},
	"GET /docs/api/reader.js":                     {status: 200},
	"GET /docs/api/rapidoc-9.3.8.min.js":          {status: 200},
	"GET /docs/api/rapidoc.LICENSE.txt":           {status: 200},
	"GET /docs/api/native":                        {status: 308},
	"GET /docs/api/native/{$}":                    {status: 200},
	"GET /openapi/native.json":                    {status: 200},
	"GET /docs/api/aerospike":                     {status: 308},
	"GET /docs/api/aerospike/{$}":                 {status: 200},
	"GET /openapi/aerospike.json":                 {status: 200},
	"GET /docs/api/gjirafa":                       {status: 308},
	"GET /docs/api/gjirafa/{$}":                   {status: 200},
	"GET /openapi/gjirafa.json":                   {status: 200},
	"GET /docs/api/rebilly":                       {status: 308},
	"GET /docs/api/rebilly/{$}":                   {status: 200},
	"GET /openapi/rebilly.json":                   {status: 200},
	"GET /.well-known/jwks.json":                  {status: 200},
	"GET /.well-known/oauth-authorization-server": {status: 200},
	"POST /oauth/token": {status: 200, forms: []form{{
		body:   "grant_type=client_credentials&client_id={clientId}&client_secret={secret}",
		header: []string{"Content-Type", api.MediaForm},
	}}},

	"/authz/verify": {status: 200, forms: []form{
		{header: []string{"X-Api-Key", "{secret}"}, answers: true},
		{header: []string{"X-Api-Key", "{accessToken}"}, answers: true},
	}},

	"POST /oauth/introspect": {status: 200, forms: []form{
		{body: "token={secret}", header: []string{"Content-Type", api.MediaForm}, answers: true},
		{body: "token={accessToken}&environment=live", header: []string{"Content-Type", api.MediaForm}, answers: true},
	}},
	"POST /oauth/revoke": {status: 200, forms: []form{
		{body: "token={accessToken}", header: []string{"Content-Type", api.MediaForm}},
		{body: "token={secret}", header: []string{"Content-Type", api.MediaForm}},
	}},

	"POST /v1/organizations": {status: 201, everywhere: true, forms: []form{{body: `{"name":"one more"}`}}},
	"GET /v1/organizations": {status: 200, forms: []form{
		{}, {query: "filter=id:{organizationId}", answers: true}, {query: "filter=publicId:{publicId}&count=true", answers: true},
	}},
	"GET /v1/organizations/{organizationId}":    {status: 200},
	"PATCH /v1/organizations/{organizationId}":  {status: 200, forms: []form{{body: `{"name":"renamed"}`}, {body: `{"enabled":false}`}}},
	"DELETE /v1/organizations/{organizationId}": {status: 204},

	"POST /v1/organizations/{organizationId}/projects": {status: 201, forms: []form{{body: `{"name":"one more"}`}}},
	"GET /v1/organizations/{organizationId}/projects": {status: 200, forms: []form{
		{}, {query: "filter=id:{projectId}&count=true", answers: true},
	}},
	"GET /v1/organizations/{organizationId}/projects/{projectId}":    {status: 200},
	"PATCH /v1/organizations/{organizationId}/projects/{projectId}":  {status: 200, forms: []form{{body: `{"name":"renamed"}`}}},
	"DELETE /v1/organizations/{organizationId}/projects/{projectId}": {status: 204},

	"POST /v1/organizations/{organizationId}/api-keys": {status: 201, forms: []form{
		{body: `{"name":"one more"}`},
		{body: `{"name":"one more","projectIds":["{projectId}"]}`},
		{body: `{"name":"one more"}`, header: []string{"Idempotency-Key", sharedOnce}},
	}},
	"GET /v1/organizations/{organizationId}/api-keys": {status: 200, forms: []form{
		{},
		{query: "filter=id:{keyId}&count=true", answers: true},
		{query: "filter=clientId:{clientId}", answers: true},
		{query: "filter=projectId:{projectId}&count=true", answers: true},
		{query: "filter=createdBy:{operatorId}&count=true", answers: true},
		{query: "filter=projectId:!{projectId}&limit=1&sort=-number", answers: true},
	}},
	"GET /v1/organizations/{organizationId}/api-keys/{keyId}": {status: 200},
	"PATCH /v1/organizations/{organizationId}/api-keys/{keyId}": {status: 200, forms: []form{
		{body: `{"name":"renamed"}`},
		{body: `{"projectIds":["{projectId}"]}`},
		{body: `{"enabled":false}`, header: []string{"If-Match", `"1"`}},
		{body: `{"enabled":false}`, header: []string{"If-Match", `"99"`}},
	}},
	"DELETE /v1/organizations/{organizationId}/api-keys/{keyId}": {status: 204, forms: []form{
		{}, {header: []string{"If-Match", `"1"`}}, {header: []string{"If-Match", `"99"`}},
	}},
	"POST /v1/organizations/{organizationId}/api-keys/{keyId}/rotate": {status: 201, forms: []form{
		{body: `{"overlap":"1h"}`}, {}, {header: []string{"Idempotency-Key", sharedOnce}},
	}},
	"POST /v1/organizations/{organizationId}/api-keys/{keyId}/revoke": {status: 200, forms: []form{
		{body: `{"reason":"a try"}`}, {}, {header: []string{"Idempotency-Key", sharedOnce}},
	}},
	"POST /v1/organizations/{organizationId}/api-keys/{keyId}/reveal": {status: 200},

	"POST /v1/organizations/{organizationId}/roles": {status: 201, forms: []form{
		{body: `{"name":"one more"}`}, {body: `{"name":"one more"}`, header: []string{"Idempotency-Key", sharedOnce}},
	}},
	"GET /v1/organizations/{organizationId}/roles": {status: 200, forms: []form{
		{}, {query: "filter=number:{number}&count=true", answers: true}, {query: "filter=createdBy:{operatorId}&count=true", answers: true},
	}},
	"GET /v1/organizations/{organizationId}/roles/{number}":    {status: 200},
	"PATCH /v1/organizations/{organizationId}/roles/{number}":  {status: 200, forms: []form{{body: `{"name":"renamed"}`}}},
	"DELETE /v1/organizations/{organizationId}/roles/{number}": {status: 204},

	"POST /v1/operators": {status: 201, forms: []form{{body: `{"name":"one more","role":"viewer","organizationId":"{organizationId}"}`}}},
	"GET /v1/operators": {status: 200, forms: []form{
		{},
		{query: "filter=id:{operatorId}&count=true", answers: true},
		{query: "filter=organizationId:{organizationId}&count=true", answers: true},
	}},
	"GET /v1/operators/{operatorId}":         {status: 200},
	"PATCH /v1/operators/{operatorId}":       {status: 200, forms: []form{{body: `{"name":"renamed"}`}}},
	"DELETE /v1/operators/{operatorId}":      {status: 204},
	"POST /v1/operators/{operatorId}/rotate": {status: 201, forms: []form{{}, {header: []string{"Idempotency-Key", sharedOnce}}}},

	"POST /v1/verify": {status: 200, forms: []form{
		{body: `{"key":"{secret}"}`, answers: true},
		{body: `{"key":"{secret}","explain":true}`, answers: true},
		{body: `{"key":"{secret}","organizationId":"{organizationId}"}`, answers: true},
		{body: `{"key":"{accessToken}","explain":true}`, answers: true},
	}},
	"POST /v1/verify/batch": {status: 200, forms: []form{
		{body: `{"requests":[{"key":"{secret}"},{"key":"{accessToken}","organizationId":"{organizationId}"}]}`, answers: true},
	}},

	"GET /v1/audit-events": {status: 200, everywhere: true, forms: []form{
		{}, {query: "filter=organizationId:{organizationId}"}, {query: "filter=targetId:{keyId}&count=true"},
	}},
	"GET /v1/organizations/{organizationId}/audit-events": {status: 200, forms: []form{
		{},
		{query: "filter=targetId:{keyId}&count=true", answers: true},
		{query: "filter=actorId:{operatorId}&count=true", answers: true},
		{query: "filter=organizationId:{organizationId}&count=true", answers: true},
	}},
	"GET /v1/organizations/{organizationId}/usage": {status: 200, forms: []form{
		{},
		{query: "interval=hour&groupBy=key,reason&limit=1"},
		{query: "keyId={keyId}", answers: true},
	}},
	"GET /v1/changes/{seq}": {status: 200},
	"GET /v1/nodes":         {status: 200, everywhere: true},

	"POST /aerospike/oauth/token": {status: 200, forms: []form{{
		body:   "grant_type=client_credentials&client_id={clientId}&client_secret={secret}",
		header: []string{"Content-Type", api.MediaForm},
	}}},
	"GET /aerospike/v1/api-keys":                         {status: 200, forms: []form{{}, {query: "limit=1&offset=0"}}},
	"POST /aerospike/v1/api-keys":                        {status: 201, forms: []form{{body: `{"name":"one more"}`}}},
	"DELETE /aerospike/v1/api-keys/{clientId}":           {status: 204},
	"GET /aerospike/v1/organization":                     {status: 200},
	"GET /aerospike/v1/openapi.yaml":                     {status: 200},
	"GET /aerospike/v1/organization/members":             {status: 501},
	"DELETE /aerospike/v1/organization/members/{userId}": {status: 501},
	"GET /aerospike/v1/secrets":                          {status: 501},
	"POST /aerospike/v1/secrets":                         {status: 501},
	"GET /aerospike/v1/secrets/{secretId}":               {status: 501},
	"DELETE /aerospike/v1/secrets/{secretId}":            {status: 501},

	"GET /aerospike/v2/api-keys":                         {status: 200},
	"POST /aerospike/v2/api-keys":                        {status: 201, forms: []form{{body: `{"name":"one more"}`}}},
	"DELETE /aerospike/v2/api-keys/{clientId}":           {status: 204},
	"GET /aerospike/v2/organization":                     {status: 200},
	"GET /aerospike/v2/openapi.yaml":                     {status: 200},
	"GET /aerospike/v2/organization/members":             {status: 501},
	"DELETE /aerospike/v2/organization/members/{userId}": {status: 501},
	"GET /aerospike/v2/secrets":                          {status: 501},
	"POST /aerospike/v2/secrets":                         {status: 501},
	"GET /aerospike/v2/secrets/{secretId}":               {status: 501},
	"DELETE /aerospike/v2/secrets/{secretId}":            {status: 501},

	"GET /gjirafa/api/organizations/{organizationId}/api-keys": {status: 200, forms: []form{
		{}, {path: "/gjirafa/api/organizations/{publicId}/api-keys"},
	}},
	"GET /gjirafa/api/organizations/{organizationId}/api-keys/{id}":          {status: 200, forms: gjirafaKey("organizations/{organizationId}")},
	"POST /gjirafa/api/organizations/{organizationId}/api-keys":              {status: 200, forms: gjirafaCreate},
	"PUT /gjirafa/api/organizations/{organizationId}/api-keys":               {status: 200, forms: gjirafaUpdate},
	"DELETE /gjirafa/api/organizations/{organizationId}/api-keys/{id}":       {status: 200, forms: gjirafaKey("organizations/{organizationId}")},
	"POST /gjirafa/api/organizations/{organizationId}/api-keys/projects":     {status: 200, forms: []form{{body: `{"apiKeyId":{keyNumber},"projectIds":["{projectId}"]}`}}},
	"PUT /gjirafa/api/organizations/{organizationId}/api-keys/{id}/projects": {status: 200, forms: []form{{path: "/gjirafa/api/organizations/{organizationId}/api-keys/{keyNumber}/projects", query: "projectId={projectId}"}}},
	"GET /gjirafa/api/projects/{projectId}/api-keys":                         {status: 200},
	"GET /gjirafa/api/projects/{projectId}/api-keys/{id}":                    {status: 200, forms: gjirafaKey("projects/{projectId}")},
	"POST /gjirafa/api/projects/{projectId}/api-keys":                        {status: 200, forms: gjirafaCreate},
	"PUT /gjirafa/api/projects/{projectId}/api-keys":                         {status: 200, forms: gjirafaUpdate},
	"DELETE /gjirafa/api/projects/{projectId}/api-keys/{id}":                 {status: 200, forms: gjirafaKey("projects/{projectId}")},

	"POST /gjirafa/api/organizations": {status: 200, everywhere: true, forms: []form{
		{body: `{"name":"one more","addressLine1":"","addressLine2":"","state":"","country":"","city":"","vatNumber":""}`},
	}},
	"GET /gjirafa/api/organizations/{organizationId}": {status: 200, forms: []form{{}, {path: "/gjirafa/api/organizations/{publicId}"}}},
	"GET /gjirafa/api/accounts/users/organization":    {status: 200, forms: []form{{}, {query: "search=bravo&page=1&take=1&order=desc"}}},
	"GET /gjirafa/api/accounts/organizations/{organizationId}/projects": {status: 200, forms: []form{
		{}, {query: "search=bravo&page=1&take=1&order=desc"},
	}},
	"POST /gjirafa/api/organizations/{organizationId}/projects": {status: 200, forms: []form{{body: `{"name":"one more"}`}}},
	"POST /gjirafa/organizations/{organizationId}/projects":     {status: 200, forms: []form{{body: `{"name":"one more"}`}}},
	"GET /gjirafa/api/projects/{projectId}":                     {status: 200},
	"PUT /gjirafa/api/projects/{projectId}/external-projects":   {status: 200},
	"GET /gjirafa/api/roles":                                    {status: 200, forms: []form{{}, {query: "projectId={projectId}"}, {query: "organizationId={organizationId}"}}},
	"GET /gjirafa/api/roles/{id}":                               {status: 200, forms: []form{{path: "/gjirafa/api/roles/{number}"}}},
	"GET /gjirafa/api/projects/{projectId}/roles":               {status: 200},
	"GET /gjirafa/api/projects/{projectId}/roles/{id}":          {status: 200, forms: []form{{path: "/gjirafa/api/projects/{projectId}/roles/{number}"}}},
})

// sharedOnce is an Idempotency-Key that both tenants use.
const sharedOnce = "the-same-key-of-both"

// gjirafaCreate, gjirafaUpdate and gjirafaKey are the ways to ask that vendor's families
// of an organization and of a project.
var (
	gjirafaCreate = []form{
		{body: `{"roleId":39,"userApiKey":{"apiName":"one more"}}`},
		{body: `{"roleId":5,"listProjectsId":["{projectId}"],"userApiKey":{"apiName":"one more"}}`},
	}
	gjirafaUpdate = []form{
		{body: `{"id":{keyNumber},"name":"renamed"}`},
		{body: `{"id":{keyNumber},"roleId":4}`},
	}
)

func gjirafaKey(family string) []form {
	return []form{{path: "/gjirafa/api/" + family + "/api-keys/{keyNumber}"}}
}
