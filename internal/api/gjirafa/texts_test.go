package gjirafa_test

import (
	"fmt"
	"strings"
	"testing"

	"keyward/keywardtest"
)

// Transcripts leave the texts of errors to the server. These are ours: each names the
// member as the request spells it.
func TestErrorsNameTheMembersOfTheRequest(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	owner := w.newKey("owner", managing("keys.*"))
	sports := w.newProject("Sports")
	endless := w.make(owner, `{"roleId":39,"userApiKey":{"apiName":"endless"}}`)
	ending := w.make(owner, `{"roleId":39,"userApiKey":{"apiName":"ending","expireDateTime":"2099-01-01T00:00:00Z"}}`)
	const create, update, add = "POST /api-keys", "PUT /api-keys", "POST /api-keys/projects"
	for name, test := range map[string]struct{ route, body, want string }{
		"nothing":             {create, `{}`, `roleId is missing","userApiKey/apiName is empty`},
		"no name":             {create, `{"roleId":39,"userApiKey":{}}`, "userApiKey/apiName is empty"},
		"a name of spaces":    {create, `{"roleId":39,"userApiKey":{"apiName":" "}}`, "userApiKey/apiName must have at least one character that is not a space"},
		"no role":             {create, `{"userApiKey":{"apiName":"x"}}`, "roleId is missing"},
		"an unknown role":     {create, `{"roleId":3,"userApiKey":{"apiName":"x"}}`, "roleId is no role that a key can have"},
		"the role 0":          {create, `{"roleId":0,"userApiKey":{"apiName":"x"}}`, "roleId is no role that a key can have"},
		"a role as text":      {create, `{"roleId":"39","userApiKey":{"apiName":"x"}}`, "roleId must be a number, not a string"},
		"no end":              {create, `{"roleId":39,"userApiKey":{"apiName":"x","hasExpireTime":true}}`, "userApiKey/expireDateTime is missing"},
		"an end in the past":  {create, `{"roleId":39,"userApiKey":{"apiName":"x","expireDateTime":"2020-01-01T00:00:00Z"}}`, "userApiKey/expireDateTime is not after the start"},
		"an end at the start": {create, `{"roleId":39,"userApiKey":{"apiName":"x","startDateTime":"2099-01-01T00:00:00Z","expireDateTime":"2099-01-01T00:00:00Z"}}`, "userApiKey/expireDateTime is not after userApiKey/startDateTime"},
		"no date":             {create, `{"roleId":39,"userApiKey":{"apiName":"x","startDateTime":"soon"}}`, "userApiKey/startDateTime is not an RFC 3339 date-time such as 2026-01-31T09:30:00Z"},
		"an unknown project":  {create, `{"roleId":39,"listProjectsId":["SPORTS","SPORTS","zzzzzzzz"],"userApiKey":{"apiName":"x"}}`, "listProjectsId/2 is no project of the organization"},
		"too many projects":   {create, `{"roleId":39,"listProjectsId":[` + strings.Repeat(`"x",`, 100) + `"x"],"userApiKey":{"apiName":"x"}}`, "listProjectsId has more than 100 projects"},

		"an update of nothing":       {update, `{"name":"x"}`, "id is missing"},
		"an id that would wrap":      {update, `{"id":4294967297}`, "id is out of range"},
		"a new name of spaces":       {update, `{"id":ENDLESS,"name":" "}`, "name must have at least one character that is not a space"},
		"a new end without a date":   {update, `{"id":ENDLESS,"hasExpireTime":true}`, "expireDate is missing"},
		"a new end in the past":      {update, `{"id":ENDING,"expireDate":"2020-01-01T00:00:00"}`, "expireDate is not after the start"},
		"a new start behind the end": {update, `{"id":ENDING,"startDate":"2099-01-02T00:00:00"}`, "expireDate is not after startDate"},
		"a new role that is unknown": {update, `{"id":ENDING,"roleId":6}`, "roleId is no role that a key can have"},
		"a member in two cases":      {update, `{"id":ENDING,"name":"x","Name":"y"}`, `Name is given more than once, as \"name\" before`},

		"nothing to add":            {add, `{"projectIds":[]}`, "apiKeyId is missing"},
		"nowhere to add to":         {add, `{"apiKeyId":ENDING}`, "projectIds is missing"},
		"an unknown project to add": {add, `{"apiKeyId":ENDING,"projectIds":["SPORTS","zzzzzzzz"]}`, "projectIds/1 is no project of the organization"},
	} {
		t.Run(name, func(t *testing.T) {
			method, path, _ := strings.Cut(test.route, " ")
			body := strings.NewReplacer("SPORTS", sports.PublicID, "ENDLESS", fmt.Sprint(endless.ID), "ENDING", fmt.Sprint(ending.ID)).Replace(test.body)
			w.send(method, w.at(path), body, "X-Api-Key", owner.Secret, "Content-Type", "application/json").Is(t, 400, refuses("400", test.want))
		})
	}
}
