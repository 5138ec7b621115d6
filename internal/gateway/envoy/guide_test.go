package envoy_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3" // types in the guide
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// No Envoy runs here, but what it is told has a schema: every member must be there, and
// every message valid.
func TestTheGuidesConfigurationIsEnvoys(t *testing.T) {
	page, err := os.ReadFile("../../../docs/guide/envoy.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	if found == nil {
		t.Fatal("the guide has no configuration")
	}
	var document any
	if err := yaml.Unmarshal(found[1], &document); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	bootstrap := new(bootstrapv3.Bootstrap)
	if err := protojson.Unmarshal(text, bootstrap); err != nil {
		t.Fatal(err)
	}
	if n := validate(t, bootstrap); n < 5 {
		t.Errorf("only %d messages of other types were found", n)
	}
	if !strings.Contains(string(page), "not run under Envoy") {
		t.Error("the guide does not say that no Envoy was run")
	}
}

// validate checks a message and those that are packed into it, and counts these.
func validate(t *testing.T, message proto.Message) (packed int) {
	t.Helper()
	if checked, ok := message.(interface{ ValidateAll() error }); ok {
		if err := checked.ValidateAll(); err != nil {
			t.Errorf("%s: %v", message.ProtoReflect().Descriptor().FullName(), err)
		}
	}
	if inner, ok := message.(*anypb.Any); ok {
		unpacked, err := inner.UnmarshalNew()
		if err != nil {
			t.Fatal(err)
		}
		return 1 + validate(t, unpacked)
	}
	message.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap() && field.MapValue().Message() != nil:
			value.Map().Range(func(_ protoreflect.MapKey, one protoreflect.Value) bool {
				packed += validate(t, one.Message().Interface())
				return true
			})
		case field.IsList() && field.Message() != nil:
			for i := range value.List().Len() {
				packed += validate(t, value.List().Get(i).Message().Interface())
			}
		case !field.IsMap() && !field.IsList() && field.Message() != nil:
			packed += validate(t, value.Message().Interface())
		}
		return true
	})
	return packed
}
