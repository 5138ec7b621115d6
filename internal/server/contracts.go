package server

import (
	"keyward/internal/api/aerospike"
	"keyward/internal/api/gjirafa"
	"keyward/internal/api/native"
	"keyward/internal/api/rebilly"
	"keyward/internal/web"
)

// contracts are the APIs whose documents are served, in the order in which people are
// told of them.
func contracts() []web.Contract {
	return []web.Contract{
		{
			Name: "native", Title: "Native API", Base: "/v1/", Document: native.Contract(),
			Summary: "Keyward's own, and everything there is: organizations, projects, keys and operators, " +
				"verification, the audit log, and access tokens by OAuth 2.0.",
		},
		{
			Name: "aerospike", Title: "Aerospike Cloud", Base: "/aerospike/", Document: aerospike.Contract(),
			Summary: "For clients of that vendor's key API, in its versions 1 and 2: an access token for a key, " +
				"and with it to list, create and delete keys.",
		},
		{
			Name: "rebilly", Title: "Rebilly", Base: "/rebilly/", Document: rebilly.Contract(),
			Summary: "For clients of that vendor's key API: keys with ids of your choice, filtered and sorted lists, " +
				"access control lists, and people who sign in.",
		},
		{
			Name: "gjirafa", Title: "Gjirafa VP", Base: "/gjirafa/api/", Document: gjirafa.Contract(),
			Summary: "For clients of that vendor's key API: keys of an organization and of its projects, " +
				"with roles, dates and numbers for ids.",
		},
	}
}
