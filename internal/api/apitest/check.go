package apitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// reply is an answer as checks see it.
type reply struct {
	status int
	header http.Header
	body   string
}

// check is one line about an answer: "save" keeps a value, all others compare one.
type check struct {
	line     int
	save     string // the variable to keep it in
	subject  string // code, header, json, body
	name     string // of the header, or the path in the JSON
	operator string
	operand  string
}

var (
	comparison = regexp.MustCompile(`^(code|body|header \S+|json \S+) (==|!=|matches|length|contains) (.*)$`)
	absence    = regexp.MustCompile(`^absent (header \S+|\.\S*)$`)
	saving     = regexp.MustCompile(`^save ([a-z][A-Za-z0-9]*) = (body|header \S+|\.\S*)$`)
)

func parseCheck(line string) (check, error) {
	if m := comparison.FindStringSubmatch(line); m != nil {
		c := check{operator: m[2], operand: m[3]}
		c.subject, c.name, _ = strings.Cut(m[1], " ")
		return c, nil
	}
	if m := absence.FindStringSubmatch(line); m != nil {
		c := about(m[1])
		c.operator = "absent"
		return c, nil
	}
	if m := saving.FindStringSubmatch(line); m != nil {
		c := about(m[2])
		c.save = m[1]
		return c, nil
	}
	return check{}, fmt.Errorf("this is neither a request nor a check: %s", line)
}

// about reads what a check is about where "json" is left out.
func about(text string) check {
	if strings.HasPrefix(text, ".") {
		return check{subject: "json", name: text}
	}
	subject, name, _ := strings.Cut(text, " ")
	return check{subject: subject, name: name}
}

// run holds the check against an answer, and keeps what is to be saved.
func (c check) run(r reply, vars map[string]string) error {
	value, found, err := c.value(r)
	if err != nil {
		return err
	}
	if c.operator == "absent" {
		if found {
			return fmt.Errorf("%s %s is there: %s", c.subject, c.name, show(value))
		}
		return nil
	}
	if !found {
		return fmt.Errorf("there is no %s %s", c.subject, c.name)
	}
	if c.save != "" {
		vars[c.save] = plain(value)
		return nil
	}
	operand, err := expand(c.operand, vars)
	if err != nil {
		return err
	}
	return c.compare(value, operand)
}

// value finds what the check is about.
func (c check) value(r reply) (value any, found bool, err error) {
	switch c.subject {
	case "code":
		return float64(r.status), true, nil
	case "body":
		return r.body, true, nil
	case "header":
		values := r.header.Values(c.name)
		return strings.Join(values, ", "), len(values) > 0, nil
	}
	var document any
	if err := json.Unmarshal([]byte(r.body), &document); err != nil {
		return nil, false, fmt.Errorf("the body is not JSON: %q", r.body)
	}
	value, found = at(document, c.name)
	return value, found, nil
}

func (c check) compare(value any, operand string) error {
	var ok bool
	switch c.operator {
	case "matches":
		pattern, err := regexp.Compile(operand)
		if err != nil {
			return err
		}
		ok = pattern.MatchString(plain(value))
	case "length":
		n, err := strconv.Atoi(operand)
		if err != nil {
			return err
		}
		ok = length(value) == n
	case "contains":
		ok = contains(value, c.wanted(operand))
	case "==":
		ok = reflect.DeepEqual(value, c.wanted(operand))
	case "!=":
		ok = !reflect.DeepEqual(value, c.wanted(operand))
	}
	if !ok {
		return fmt.Errorf("%s is %s, want %s %s", strings.TrimSpace(c.subject+" "+c.name), show(value), c.operator, operand)
	}
	return nil
}

// wanted reads an operand: JSON where the subject is, else the text itself.
func (c check) wanted(operand string) any {
	if c.subject != "json" && c.subject != "code" {
		return operand
	}
	var value any
	if json.Unmarshal([]byte(operand), &value) != nil {
		return operand
	}
	return value
}

// at follows a path such as .items.0.name; "." is the whole, -1 the last element.
func at(value any, path string) (any, bool) {
	for _, step := range strings.Split(path, ".")[1:] {
		if step == "" {
			continue
		}
		switch in := value.(type) {
		case map[string]any:
			member, ok := in[step]
			if !ok {
				return nil, false
			}
			value = member
		case []any:
			i, err := strconv.Atoi(step)
			if i < 0 {
				i += len(in)
			}
			if err != nil || i < 0 || i >= len(in) {
				return nil, false
			}
			value = in[i]
		default:
			return nil, false
		}
	}
	return value, true
}

func length(value any) int {
	switch v := value.(type) {
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	case string:
		return len(v)
	}
	return -1
}

// contains reports whether an array has an element, or a text a part.
func contains(value, part any) bool {
	if list, ok := value.([]any); ok {
		return slices.ContainsFunc(list, func(element any) bool { return reflect.DeepEqual(element, part) })
	}
	text, ok := part.(string)
	return ok && strings.Contains(plain(value), text)
}

// plain returns a value as the text that a variable holds.
func plain(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, _ := json.Marshal(value) // it came from JSON
	return string(text)
}

func show(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}
