package gjirafa

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"keyward"
)

// spelling is what a request calls the members of a key, as pointers, where it differs.
type spelling struct{ name, start, expire, projects string }

var (
	createSpelling = spelling{
		name: "/userApiKey/apiName", start: "/userApiKey/startDateTime", expire: "/userApiKey/expireDateTime",
		projects: "/listProjectsId",
	}
	updateSpelling     = spelling{name: "/name", start: "/startDate", expire: "/expireDate"}
	membershipSpelling = spelling{projects: "/projectIds"}
)

// of says what is wrong with a key in the words of the request. Its projects were named
// as it says, and became these ids; those that became none are still as they were named.
func (s spelling) of(err error, named, ids []string) error {
	fields := keyward.FieldsOf(err)
	if len(fields) == 0 {
		return err
	}
	var faults keyward.Faults
	for _, field := range fields {
		index, isProject := strings.CutPrefix(field.Pointer, "/projectIds/")
		switch {
		case isProject:
			field.Pointer = s.project(index, named, ids)
		case field.Pointer == "/projectIds":
			field.Pointer = s.projects
		case field.Pointer == "/name":
			field.Pointer = s.name
		case field.Pointer == "/startTime":
			field.Pointer = s.start
		case field.Pointer == "/expireTime":
			field.Pointer = s.expire
			field.Detail = strings.ReplaceAll(field.Detail, "startTime", strings.TrimPrefix(s.start, "/"))
		}
		faults.Add(field.Pointer, "%s", field.Detail)
	}
	return faults.Err()
}

// project returns where the request names the project at this index of the ids.
func (s spelling) project(index string, named, ids []string) string {
	i, err := strconv.Atoi(index)
	if err != nil || i >= len(ids) {
		return s.projects
	}
	if at := slices.Index(named, ids[i]); at >= 0 {
		return fmt.Sprintf("%s/%d", s.projects, at)
	}
	return s.projects
}

// missing is the error of a member or parameter that must be there.
func missing(pointer string) error {
	return keyward.Faults{{Pointer: pointer, Detail: "is missing"}}.Err()
}
