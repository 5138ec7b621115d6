package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"keyward"
	"keyward/client"
)

func Example() {
	ctx := context.Background()
	kw, err := client.New(os.Getenv("KEYWARD_URL"), keyward.ForeignSecret(os.Getenv("KEYWARD_TOKEN")))
	if err != nil {
		log.Fatal(err)
	}
	acme, err := kw.CreateOrganization(ctx, client.NewOrganization{Name: "Acme"})
	if err != nil {
		log.Fatal(err)
	}
	issued, err := kw.CreateKey(ctx, acme.ID, client.NewKey{
		Name: "ci",
		ACL:  []keyward.Grant{{Permissions: []string{"docs.read"}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("printed, the secret is", issued.Secret)
	fmt.Println("handed out, it begins with", issued.Secret.Reveal()[:8])
	// Output:
	// printed, the secret is [redacted]
	// handed out, it begins with kw_live_
}

func ExampleClient_Verify() {
	ctx := context.Background()
	kw, presented := issue(ctx)

	for _, permission := range []string{"docs.read", "docs.write"} {
		verdict, err := kw.Verify(ctx, client.Question{
			Key:         presented,
			Environment: keyward.Live,
			Permissions: []string{permission},
		})
		if err != nil {
			log.Fatal(err) // no answer: nobody gets in
		}
		fmt.Println(permission, verdict.Valid, verdict.Code)
	}
	// Output:
	// docs.read true valid
	// docs.write false permission_denied
}

func ExampleClient_VerifyBatch() {
	ctx := context.Background()
	kw, presented := issue(ctx)

	verdicts, err := kw.VerifyBatch(ctx, []client.Question{
		{Key: presented},
		{Key: keyward.ForeignSecret("something else")},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, verdict := range verdicts {
		fmt.Println(verdict.Code)
	}
	// Output:
	// valid
	// not_found
}

func ExampleClient_Keys() {
	ctx := context.Background()
	kw, presented := issue(ctx)
	verdict, err := kw.Verify(ctx, client.Question{Key: presented})
	if err != nil {
		log.Fatal(err)
	}
	for key, err := range kw.Keys(ctx, verdict.OrganizationID, client.List{Filter: "status:active"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(key.Name)
	}
	// Output: ci
}

func ExampleGuard() {
	kw, presented := issue(context.Background())
	guard := &client.Guard{
		Client: kw,
		Question: func(r *http.Request) client.Question {
			permission := "docs.read"
			if r.Method != http.MethodGet {
				permission = "docs.write"
			}
			return client.Question{Environment: keyward.Live, Permissions: []string{permission}}
		},
	}
	documents := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		verdict, _ := client.VerdictOf(r.Context())
		fmt.Fprint(w, "hello, ", verdict.Name)
	})
	api := httptest.NewServer(guard.Protect(documents))
	defer api.Close()

	for _, method := range []string{http.MethodGet, http.MethodPut} {
		request, err := http.NewRequest(method, api.URL, nil)
		if err != nil {
			log.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+presented.Reveal())
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer.StatusCode, string(body[:9]))
	}
	// Output:
	// 200 hello, ci
	// 403 {"type":"
}

func ExampleError() {
	ctx := context.Background()
	kw, _ := issue(ctx)
	_, err := kw.CreateKey(ctx, "org_of_somebody_else", client.NewKey{Name: "ci"})
	if keyward.CodeOf(err) == keyward.NotFound {
		fmt.Println("there is no such organization")
	}
	if refused, ok := errors.AsType[*client.Error](err); ok {
		fmt.Println(refused.Status, refused.RequestID != "")
	}
	// Output:
	// there is no such organization
	// 404 true
}

// issue returns a client and the secret of a new key that may read documents.
func issue(ctx context.Context) (*client.Client, keyward.Secret) {
	kw, err := client.New(os.Getenv("KEYWARD_URL"), keyward.ForeignSecret(os.Getenv("KEYWARD_TOKEN")))
	if err != nil {
		log.Fatal(err)
	}
	org, err := kw.CreateOrganization(ctx, client.NewOrganization{Name: "Acme"})
	if err != nil {
		log.Fatal(err)
	}
	issued, err := kw.CreateKey(ctx, org.ID, client.NewKey{
		Name: "ci",
		ACL:  []keyward.Grant{{Permissions: []string{"docs.read"}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	return kw, issued.Secret
}
