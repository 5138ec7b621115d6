package envoy

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/structpb"

	"keyward"
	"keyward/internal/gateway"
)

// response turns an outcome into what Envoy is to do.
func response(out *gateway.Outcome, attributes *authv3.AttributeContext, requestID string) *authv3.CheckResponse {
	if out.Status != http.StatusOK {
		return denied(out, requestID)
	}
	set, remove := upstream(out, attributes)
	return &authv3.CheckResponse{
		Status:          &rpcstatus.Status{Code: int32(codes.OK)},
		DynamicMetadata: described(out.Subject),
		HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{
			Headers: options(set), HeadersToRemove: remove, ResponseHeadersToAdd: options(out.Client),
		}},
	}
}

func denied(out *gateway.Outcome, requestID string) *authv3.CheckResponse {
	code := codes.PermissionDenied
	switch out.Status {
	case http.StatusUnauthorized:
		code = codes.Unauthenticated
	case http.StatusTooManyRequests:
		code = codes.ResourceExhausted
	}
	header := maps.Clone(out.Client)
	header.Set("Content-Type", gateway.ProblemType)
	return &authv3.CheckResponse{
		Status: &rpcstatus.Status{Code: int32(code)},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{
			Status: &typev3.HttpStatus{Code: typev3.StatusCode(out.Status)}, Headers: options(header), Body: string(out.Body(requestID)),
		}},
	}
}

// upstream returns the headers to set on the request, and the names of those to remove:
// the identity that the client claims, in any spelling; what is for Keyward; and the key,
// if it is to be. Where there is nothing to say of a key its header is removed.
func upstream(out *gateway.Outcome, attributes *authv3.AttributeContext) (set http.Header, remove []string) {
	set = http.Header{}
	for name, values := range out.Upstream {
		if strings.Join(values, "") != "" {
			set[name] = values
		} else {
			remove = append(remove, strings.ToLower(name))
		}
	}
	for name := range headers(attributes.GetRequest().GetHttp()) {
		if _, replaced := set[name]; ours(name) && !replaced {
			remove = append(remove, strings.ToLower(name))
		}
	}
	if extensions(attributes).Get(removeKey) == "true" {
		for _, name := range out.Remove {
			remove = append(remove, strings.ToLower(name))
		}
	}
	slices.Sort(remove)
	return set, slices.Compact(remove)
}

// options writes headers such that each takes the place of those of its name.
func options(header http.Header) []*corev3.HeaderValueOption {
	var all []*corev3.HeaderValueOption
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			all = append(all, &corev3.HeaderValueOption{
				Header:       &corev3.HeaderValue{Key: strings.ToLower(name), Value: value},
				AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
			})
		}
	}
	return all
}

// described returns what other filters and access logs can read of a key, as the member
// "keyward" of what Envoy keeps in the namespace envoy.filters.http.ext_authz. It is nil if
// there is no key.
func described(s *keyward.Subject) *structpb.Struct {
	if s == nil {
		return nil
	}
	projects := make([]*structpb.Value, len(s.ProjectIDs))
	for i, id := range s.ProjectIDs {
		projects[i] = text(id)
	}
	key := &structpb.Struct{Fields: map[string]*structpb.Value{
		"keyId": text(s.KeyID), "clientId": text(s.ClientID), "organizationId": text(s.OrganizationID),
		"projectIds": structpb.NewListValue(&structpb.ListValue{Values: projects}),
		"ownerId":    text(s.OwnerID), "name": text(s.Name), "type": text(string(s.Type)), "environment": text(string(s.Environment)),
	}}
	return &structpb.Struct{Fields: map[string]*structpb.Value{"keyward": structpb.NewStructValue(key)}}
}

func text(s string) *structpb.Value { return structpb.NewStringValue(strings.ToValidUTF8(s, "\uFFFD")) }
