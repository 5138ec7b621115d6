package api

import (
	"bytes"
	"encoding/json"
	"reflect"

	"keyward"
)

// MergePatch applies a JSON Merge Patch (RFC 7396) to target and returns the result.
// Numbers and strings stay as they were written; members keep their order, new ones
// follow. A patch that is not an object, or that [DecodeJSON] would refuse whatever
// the type, is Invalid. A target that is not an object counts as an empty one.
func MergePatch(target, patch []byte) ([]byte, error) {
	changes, err := parsePatch(patch)
	if err != nil {
		return nil, err
	}
	if err := changes.Err(); err != nil {
		return nil, err
	}
	return apply(target, changes)
}

// DecodePatch applies patch to target and reads the result into what into points to,
// as [DecodeJSON] does. Unlike decoding the result of [MergePatch], it also refuses members
// that the patch removes and that the struct does not have.
func DecodePatch(target, patch []byte, into any) error {
	changes, err := parsePatch(patch)
	if err != nil {
		return err
	}
	var reader Reader
	reader.checkNames(changes, 0, reflect.TypeOf(into).Elem())
	if err := changes.Err(); err != nil {
		return err
	}
	merged, err := apply(target, changes)
	if err != nil {
		return err
	}
	return reader.Decode(merged, into)
}

func parsePatch(patch []byte) (*tree, error) {
	t, err := parseTree(patch)
	if err != nil {
		return nil, err
	}
	if found := t.nodes[0].kind; found != objectKind {
		return nil, unreadable("must be an object, not %s", found)
	}
	return t, nil
}

// checkNames notes members of object i that a value of the type does not have.
func (r *Reader) checkNames(t *tree, i int, of reflect.Type) {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if t.nodes[i].kind != objectKind || of.Kind() != reflect.Struct || reflect.PointerTo(of).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return
	}
	members := r.members(of)
	for child := range t.children(i) {
		m, exact := find(members, t.nodes[child].name)
		switch {
		case exact:
			r.checkNames(t, child, of.FieldByIndex(m.index).Type)
		case m != nil:
			t.fault(child, "is not a member here; did you mean %q?", m.name)
		default:
			t.fault(child, "is not a member here")
		}
	}
}

func apply(target []byte, changes *tree) ([]byte, error) {
	old, err := parseTree(target)
	if err != nil {
		return nil, keyward.Errorf(keyward.Internal, "merge a patch: the target: %w", err)
	}
	m := merger{old: old, changes: changes}
	m.merge(0, 0)
	return m.out.Bytes(), nil
}

// merger writes what becomes of old under changes.
type merger struct {
	old, changes *tree
	out          bytes.Buffer
}

// nothing stands for a value that the old tree does not have.
const nothing = -1

// merge writes node i of the old tree, changed by node j of the patch.
func (m *merger) merge(i, j int) {
	if m.changes.nodes[j].kind != objectKind {
		m.out.WriteString(m.changes.raw(j))
		return
	}
	m.out.WriteByte('{')
	changes := m.changes.members(j)
	var kept map[string]int
	if i != nothing && m.old.nodes[i].kind == objectKind {
		kept = m.old.members(i)
		m.mergeOld(i, changes)
	}
	for change := range m.changes.children(j) {
		n := &m.changes.nodes[change]
		if _, done := kept[n.name]; done || n.kind == nullKind {
			continue
		}
		m.name(n.name)
		m.merge(nothing, change)
	}
	m.out.WriteByte('}')
}

// mergeOld writes the members that object i has already.
func (m *merger) mergeOld(i int, changes map[string]int) {
	for member := range m.old.children(i) {
		name := m.old.nodes[member].name
		change, ok := changes[name]
		switch {
		case !ok:
			m.name(name)
			m.out.WriteString(m.old.raw(member))
		case m.changes.nodes[change].kind != nullKind:
			m.name(name)
			m.merge(member, change)
		}
	}
}

// name writes the name of a member, and a comma unless it is the first.
func (m *merger) name(name string) {
	if written := m.out.Bytes(); written[len(written)-1] != '{' {
		m.out.WriteByte(',')
	}
	quoted, _ := json.Marshal(name) // a string always encodes
	m.out.Write(quoted)
	m.out.WriteByte(':')
}
