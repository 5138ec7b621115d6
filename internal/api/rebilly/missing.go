package rebilly

import (
	"context"
	"strings"

	"keyward"
	"keyward/internal/api"
)

// missing are the vendor's documented resources that are not about keys: their paths
// and methods.
func missing() [][2]string {
	return [][2]string{
		{"/memberships", "GET"},
		{"/memberships/{memberOf}/{userId}", "GET PUT DELETE"},
		{"/roles", "GET POST"},
		{"/roles/{$}", "GET POST"},
		{"/roles/{roleId}", "GET PUT DELETE"},
		{"/users", "GET POST"},
		{"/users/{$}", "GET POST"},
		{"/users/{userId}", "GET PUT"},
		{"/users/{userId}/mfa", "GET PUT DELETE"},
		{"/profile", "GET PUT"},
		{"/profile/mfa", "GET PUT DELETE"},
		{"/permissions-emulation", "POST DELETE"},
	}
}

// missingRoutes returns the routes of what is missing, below at. Whoever is
// authenticated is told so.
func missingRoutes(at string) []api.Route {
	var routes []api.Route
	for _, resource := range missing() {
		for method := range strings.FieldsSeq(resource[1]) {
			routes = append(routes, api.Route{Pattern: method + " " + at + resource[0], Unread: true, Handle: notImplemented})
		}
	}
	return routes
}

func notImplemented(context.Context, *api.Call) (api.Answer, error) {
	return api.Answer{}, keyward.Errorf(api.NotImplemented, "This endpoint has not been implemented yet")
}
