package clienttest_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"keyward/internal/api/apitest"
)

func TestGosClientCredentialsGetATokenThatListsKeys(t *testing.T) {
	w := newWorld(t)
	org := w.organization(t, "example", false)
	client := apitest.Vendor(t, "aerospike").Client(t)
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, client)
	for name, style := range map[string]oauth2.AuthStyle{
		"finding the way by itself": oauth2.AuthStyleAutoDetect,
		"in the form":               oauth2.AuthStyleInParams,
		"in the header":             oauth2.AuthStyleInHeader,
	} {
		config := clientcredentials.Config{
			ClientID: org.Client, ClientSecret: org.Secret, TokenURL: w.URL + "/aerospike/oauth/token", AuthStyle: style,
		}
		t.Run(name, func(t *testing.T) {
			for _, version := range []string{"v1", "v2"} {
				if got := names(t, config.Client(ctx), w.URL+"/aerospike/"+version+"/api-keys"); len(got) != 1 || got[0] != "manager" {
					t.Errorf("%s lists %q, want the one key", version, got)
				}
			}
		})
		t.Run(name+" with a wrong secret", func(t *testing.T) {
			wrong := config
			wrong.ClientSecret = "wrong"
			_, err := wrong.Token(ctx)
			var refused *oauth2.RetrieveError
			if !errors.As(err, &refused) || refused.ErrorCode != "access_denied" {
				t.Errorf("Token = %v, want access_denied", err)
			}
		})
	}
}

// names returns the names of the keys of a list.
func names(t *testing.T, client *http.Client, url string) []string {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var list struct{ APIKeys []struct{ Name string } }
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, key := range list.APIKeys {
		all = append(all, key.Name)
	}
	return all
}

func TestSimpleOAuth2GetsATokenThatListsKeys(t *testing.T) {
	w := newWorld(t)
	org := w.organization(t, "example", false)
	for name, url := range map[string]string{
		"below the path":        w.dialect(t, "aerospike"),
		"at the root of a host": w.host(t, "aerospike"),
	} {
		t.Run(name, func(t *testing.T) {
			run(t, "oauth.mjs", settings{
				"URL": url, "CLIENT": org.Client, "SECRET": org.Secret, "ORGANIZATION": org.ID,
			})
		})
	}
}

// The document that the server serves is all that the client knows.
func TestAGenericClientDrivesAerospike(t *testing.T) {
	w := newWorld(t)
	org := w.organization(t, "example", false)
	reader := w.key(t, org.ID, "reader", `[{"scope": {}, "permissions": ["keys.read"]}]`)
	run(t, "aerospike.mjs", settings{
		"DOCUMENT": w.document("aerospike"), "URL": w.dialect(t, "aerospike"),
		"CLIENT": org.Client, "SECRET": org.Secret,
		"READER_CLIENT": reader.ClientID, "READER_SECRET": reader.Secret,
	})
}
