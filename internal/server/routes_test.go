package server_test

import "keyward/internal/api"

// samples has an entry for each route. A new route needs one, so that the matrices
// below try it too.
var samples = map[string]sample{
	"GET /{$}":                   {status: 200},
	"GET /livez":                 {status: 200},
	"GET /readyz":                {status: 200},
	"GET /version":               {status: 200},
	"GET /openapi/native.json":   {status: 200},
	"GET /.well-known/jwks.json": {status: 200},
	"GET /.well-known/oauth-authorization-server": {status: 200},
	"POST /oauth/token": {status: 200, forms: []form{{
		body:   "grant_type=client_credentials&client_id={clientId}&client_secret={secret}",
		header: []string{"Content-Type", api.MediaForm},
	}}},

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
	"GET /v1/changes/{seq}": {status: 200},
	"GET /v1/nodes":         {status: 200, everywhere: true},

	"POST /aerospike/oauth/token": {status: 200, forms: []form{{
		body:   "grant_type=client_credentials&client_id={clientId}&client_secret={secret}",
		header: []string{"Content-Type", api.MediaForm},
	}}},
	"GET /aerospike/v2/api-keys":                         {status: 200},
	"POST /aerospike/v2/api-keys":                        {status: 501},
	"DELETE /aerospike/v2/api-keys/{clientId}":           {status: 501},
	"GET /aerospike/v2/organization":                     {status: 501},
	"GET /aerospike/v2/organization/members":             {status: 501},
	"DELETE /aerospike/v2/organization/members/{userId}": {status: 501},
	"GET /aerospike/v2/secrets":                          {status: 501},
	"POST /aerospike/v2/secrets":                         {status: 501},
	"GET /aerospike/v2/secrets/{secretId}":               {status: 501},
	"DELETE /aerospike/v2/secrets/{secretId}":            {status: 501},

	"GET /rebilly/api-keys":                                    {status: 200, forms: rebillyList},
	"GET /rebilly/api-keys/{$}":                                {status: 200, forms: rebillyList},
	"GET /rebilly/organizations/{organizationId}/api-keys":     {status: 200, forms: rebillyList[:3]},
	"GET /rebilly/organizations/{organizationId}/api-keys/{$}": {status: 200},
	"GET /gjirafa/api/organizations/{organizationId}/api-keys": {status: 200, forms: []form{
		{}, {path: "/gjirafa/api/organizations/{publicId}/api-keys"},
	}},
}

// rebillyList are the ways to ask for that vendor's list.
var rebillyList = []form{
	{},
	{query: "filter=id:{keyId}", answers: true},
	{query: "filter=apiUser:{operatorId}&limit=0", answers: true},
	{header: []string{"Organization-Id", "{organizationId}"}},
}

// sharedOnce is an Idempotency-Key that both tenants use.
const sharedOnce = "the-same-key-of-both"
