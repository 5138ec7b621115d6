package api

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"keyward"
)

// DecodeJSON reads one JSON object into the struct or map that into points to.
//
// Refused are: text that is not UTF-8, a byte order mark, anything after the object,
// nesting deeper than 32, members that come twice at any depth, members that the
// struct does not name in exactly this case, values of another type, whole numbers
// that are out of range or written with a fraction or an exponent, null except for
// pointers, slices, json.RawMessage and types that read it themselves, and NUL or
// half a surrogate pair in any string. Maps, json.RawMessage and any take what they
// are given, within the same rules.
//
// The error is a *keyward.Error with code Invalid that names up to 20 members; after
// it, into is partly filled. Which members are required is for the caller to say.
func DecodeJSON(data []byte, into any) error { return new(Reader).Decode(data, into) }

// DecodeJSONLoose is DecodeJSON, but ignores members that the struct does not have.
// Those that differ from one of its members in case only are still refused.
func DecodeJSONLoose(data []byte, into any) error {
	return (&Reader{IgnoreUnknown: true}).Decode(data, into)
}

// Reader reads JSON as [DecodeJSON] does, and remembers the types that it has seen.
// The zero value is ready; it is safe for concurrent use and must not be copied.
type Reader struct {
	// IgnoreUnknown ignores members that the target does not have, but not those that
	// differ in case only from one it has.
	IgnoreUnknown bool
	// FoldCase takes members in any case, each once: some clients write Name for name.
	FoldCase bool

	plans sync.Map // reflect.Type to []member
}

// Decode reads data into what into, a pointer, points to. Its fields may be of any
// kind that encoding/json reads but arrays, []byte and embedded pointers; others
// make it panic.
func (r *Reader) Decode(data []byte, into any) error {
	t, err := parseTree(data)
	if err != nil {
		return err
	}
	if found := t.nodes[0].kind; found != objectKind {
		return unreadable("must be an object, not %s", found)
	}
	f := filler{tree: t, reader: r}
	f.fill(0, reflect.ValueOf(into).Elem())
	return t.Err()
}

// filler fills values from a tree.
type filler struct {
	*tree
	reader *Reader
}

// fill sets v, which must be addressable, from node i.
func (f *filler) fill(i int, v reflect.Value) {
	isNull := f.nodes[i].kind == nullKind
	if v.Kind() == reflect.Pointer {
		if isNull {
			v.SetZero()
			return
		}
		target := reflect.New(v.Type().Elem())
		f.fill(i, target.Elem())
		v.Set(target)
		return
	}
	if f.fillItself(i, v) {
		return
	}
	switch {
	case isNull && v.Kind() == reflect.Slice:
		v.SetZero()
	case isNull:
		f.fault(i, "may not be null")
	default:
		f.fillKind(i, v)
	}
}

// fillItself fills the types that say themselves how they are read.
func (f *filler) fillItself(i int, v reflect.Value) bool {
	switch target := v.Addr().Interface().(type) {
	case *json.RawMessage:
		*target = json.RawMessage(f.raw(i))
	case *json.Number:
		if f.is(i, numberKind) {
			*target = json.Number(strings.Clone(f.raw(i)))
		}
	case *any:
		if err := json.Unmarshal([]byte(f.raw(i)), target); err != nil {
			f.fault(i, "holds a number that is out of range")
		}
	case json.Unmarshaler:
		f.blame(i, target.UnmarshalJSON([]byte(f.raw(i))))
	case encoding.TextUnmarshaler:
		if f.is(i, stringKind) {
			f.blame(i, target.UnmarshalText([]byte(f.str(i))))
		}
	default:
		return false
	}
	return true
}

// blame notes what a type said of node i, in its words if they are meant for callers.
func (f *filler) blame(i int, err error) {
	switch {
	case err == nil:
	case len(keyward.FieldsOf(err)) > 0:
		for _, field := range keyward.FieldsOf(err) {
			f.add(f.pointer(i)+field.Pointer, "%s", field.Detail)
		}
	case keyward.CodeOf(err) == keyward.Invalid:
		f.fault(i, "%s", keyward.MessageOf(err))
	default:
		f.fault(i, "cannot be read")
	}
}

func (f *filler) fillKind(i int, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		f.fillStruct(i, v)
	case reflect.Map:
		f.fillMap(i, v)
	case reflect.Slice:
		f.fillSlice(i, v)
	case reflect.String:
		if f.is(i, stringKind) {
			v.SetString(strings.Clone(f.str(i))) // not a part of the whole body
		}
	case reflect.Bool:
		if found := f.nodes[i].kind; found == trueKind || found == falseKind {
			v.SetBool(found == trueKind)
		} else {
			f.fault(i, "must be a boolean, not %s", found)
		}
	default:
		if f.is(i, numberKind) {
			f.fillNumber(i, v)
		}
	}
}

// is reports whether node i is of the wanted kind, and notes if it is not.
func (f *filler) is(i int, want kind) bool {
	found := f.nodes[i].kind
	if found != want {
		f.fault(i, "must be %s, not %s", want, found)
	}
	return found == want
}

// str returns the string that node i stands for.
func (f *filler) str(i int) string { return unquote(f.raw(i), f.nodes[i].escaped) }

func (f *filler) fillSlice(i int, v reflect.Value) {
	if !f.is(i, arrayKind) {
		return
	}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		panic(fmt.Sprintf("api: JSON is not read into %s", v.Type()))
	}
	count := 0
	for range f.children(i) {
		count++
	}
	slice := reflect.MakeSlice(v.Type(), count, count)
	index := 0
	for child := range f.children(i) {
		f.fill(child, slice.Index(index))
		index++
	}
	v.Set(slice)
}

func (f *filler) fillMap(i int, v reflect.Value) {
	if !f.is(i, objectKind) {
		return
	}
	of := v.Type()
	filled := reflect.MakeMap(of)
	for child := range f.children(i) {
		value := reflect.New(of.Elem()).Elem()
		f.fill(child, value)
		name := reflect.ValueOf(strings.Clone(f.nodes[child].name)).Convert(of.Key())
		filled.SetMapIndex(name, value)
	}
	v.Set(filled)
}

func (f *filler) fillNumber(i int, v reflect.Value) {
	text := f.raw(i)
	var err error
	switch bits := v.Type().Bits(); {
	case v.CanFloat():
		var n float64
		n, err = strconv.ParseFloat(text, bits)
		v.SetFloat(n)
	case strings.ContainsAny(text, ".eE"):
		f.fault(i, "must be a whole number, written without fraction and exponent")
		return
	case v.CanInt():
		var n int64
		n, err = strconv.ParseInt(text, 10, bits)
		v.SetInt(n)
	case v.CanUint():
		var n uint64
		n, err = strconv.ParseUint(text, 10, bits)
		v.SetUint(n)
	default:
		panic(fmt.Sprintf("api: JSON is not read into %s", v.Type()))
	}
	if err != nil {
		f.fault(i, "is out of range")
	}
}

func (f *filler) fillStruct(i int, v reflect.Value) {
	if !f.is(i, objectKind) {
		return
	}
	members := f.reader.members(v.Type())
	var given map[*member]string // what was written for a member, if cases are one
	if f.reader.FoldCase {
		given = make(map[*member]string)
	}
	for child := range f.children(i) {
		name := f.nodes[child].name
		m, exact := find(members, name)
		switch {
		case m != nil && given != nil:
			if twin, ok := given[m]; ok && twin != name { // else the parser has said so
				f.fault(child, "is given more than once, as %q before", twin)
			}
			given[m] = name
			f.fill(child, v.FieldByIndex(m.index))
		case exact:
			f.fill(child, v.FieldByIndex(m.index))
		case m != nil:
			f.fault(child, "is not a member here; did you mean %q?", m.name)
		case !f.reader.IgnoreUnknown:
			f.fault(child, "is not a member here")
		}
	}
}
