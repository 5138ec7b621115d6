package api

import (
	"reflect"
	"strings"
)

// member is a field of a struct under its name in JSON.
type member struct {
	name  string
	index []int
}

// find returns the member with the name or else, not as exact, one whose name differs
// from it in case only.
func find(members []member, name string) (found *member, exact bool) {
	for i := range members {
		if members[i].name == name {
			return &members[i], true
		}
	}
	for i := range members {
		if strings.EqualFold(members[i].name, name) {
			return &members[i], false
		}
	}
	return nil, false
}

// members returns the members of a struct type.
func (r *Reader) members(of reflect.Type) []member {
	if known, ok := r.plans.Load(of); ok {
		return known.([]member)
	}
	members := membersOf(of, nil)
	r.plans.Store(of, members)
	return members
}

func membersOf(of reflect.Type, prefix []int) []member {
	var members []member
	for i := range of.NumField() {
		field := of.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		index := append(prefix[:len(prefix):len(prefix)], i)
		switch {
		case field.Tag.Get("json") == "-":
		case field.Anonymous && name == "" && field.Type.Kind() == reflect.Struct:
			members = append(members, membersOf(field.Type, index)...)
		case !field.IsExported():
		case name == "":
			members = append(members, member{field.Name, index})
		default:
			members = append(members, member{name, index})
		}
	}
	return members
}
