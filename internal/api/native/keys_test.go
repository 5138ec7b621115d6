package native_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"keyward"
	"keyward/keywardtest"
)

func TestAKeyThatExpiresIsExpiredEverywhere(t *testing.T) {
	c := newClient(t, startSQLite(t))
	organization := c.organization("Short")
	soon := keyward.TimeOf(time.Now().Add(time.Second))
	made := c.key(organization, fmt.Sprintf(`{"name": "short", "expireTime": %q,
		"management": [{"scope": {}, "permissions": ["keys.read"]}]}`, soon))
	token := c.accessToken(made)
	for deadline := time.Now().Add(10 * time.Second); c.verify(made.Secret, "").Code != keyward.Expired; {
		if time.Now().After(deadline) {
			t.Fatal("the key does not expire")
		}
	}
	if now := keyward.TimeOf(time.Now()); now < soon {
		t.Errorf("the key expired at %s, before %s", now, soon)
	}
	key := "/v1/organizations/" + organization + "/api-keys/" + made.Key.ID
	c.must(http.StatusConflict, "POST", key+"/rotate", "", nil)
	var page struct{ Items []keyward.Key }
	c.must(http.StatusOK, "GET", "/v1/organizations/"+organization+"/api-keys?filter=status:expired", "", &page)
	if len(page.Items) != 1 || page.Items[0].Status != keyward.StatusExpired {
		t.Errorf("the expired keys are %+v, want the one", page.Items)
	}
	if got := c.verify(token, "").Code; got != keyward.Expired {
		t.Errorf("its token verifies as %s, want expired", got)
	}
	status, _, _ := c.ask("GET", key, "", http.Header{"Authorization": {"Bearer " + token}})
	if status != http.StatusUnauthorized {
		t.Errorf("its token is answered with %d, want 401", status)
	}
	c.must(http.StatusOK, "PATCH", key, `{"expireTime": null}`, nil)
	if got := c.verify(made.Secret, "").Code; got != keyward.Valid {
		t.Errorf("without its end the key verifies as %s, want valid", got)
	}
}

func TestDuplicatesAtTheSameTimeMakeOneKey(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *keywardtest.Server{
		"SQLite": startSQLite, "PostgreSQL": startPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, start(t))
			organization := c.organization("Busy")
			const callers = 8
			answers := make([]string, callers)
			replayed := make([]bool, callers)
			var group sync.WaitGroup
			for i := range callers {
				group.Go(func() {
					status, header, answer := c.ask("POST", "/v1/organizations/"+organization+"/api-keys",
						`{"name": "one"}`, http.Header{"Idempotency-Key": {"same"}})
					if status != http.StatusCreated {
						t.Errorf("%d %s", status, answer)
					}
					answers[i], replayed[i] = answer, header.Get("Idempotent-Replayed") == "true"
				})
			}
			group.Wait()
			first := 0
			for i := range callers {
				if !replayed[i] {
					first++
				}
				if answers[i] != answers[0] {
					t.Errorf("answers differ: %s and %s", answers[0], answers[i])
				}
			}
			if first != 1 {
				t.Errorf("%d answers are not replays, want 1", first)
			}
			if keys := c.walk("/v1/organizations/"+organization+"/api-keys", ""); len(keys) != 1 {
				t.Errorf("there are %d keys, want 1", len(keys))
			}
		})
	}
}

func TestMetadataStaysAsItIsWritten(t *testing.T) {
	c := newClient(t, startSQLite(t))
	keys := "/v1/organizations/" + c.organization("Marked up") + "/api-keys"
	metadata := `{"html":"` + strings.Repeat("<&>", 5000) + `"}` // nearly as long as it may be
	once := http.Header{"Idempotency-Key": {"once"}}
	status, _, first := c.ask("POST", keys, `{"name": "marked up", "metadata": `+metadata+`}`, once)
	_, _, again := c.ask("POST", keys, `{"name": "marked up", "metadata": `+metadata+`}`, once)
	if status != http.StatusCreated || again != first {
		t.Errorf("the key was made with %d, and the same request was answered in other words", status)
	}
	var made struct{ Key keyward.Key }
	if err := json.Unmarshal([]byte(first), &made); err != nil {
		t.Fatal(err)
	}
	var renamed keyward.Key
	c.must(http.StatusOK, "PATCH", keys+"/"+made.Key.ID, `{"name": "renamed"}`, &renamed)
	if string(renamed.Metadata) != metadata {
		t.Errorf("after renaming the key, its metadata is %.40s…", renamed.Metadata)
	}
}

func TestNoSecretIsShownTwice(t *testing.T) {
	c := newClient(t, startSQLite(t))
	organization := c.organization("Quiet")
	made := c.key(organization, `{"name": "quiet"}`)
	key := "/v1/organizations/" + organization + "/api-keys/" + made.Key.ID
	var rotated, operator issued
	c.must(http.StatusCreated, "POST", key+"/rotate", "", &rotated)
	c.must(http.StatusCreated, "POST", "/v1/operators", `{"name": "quiet", "role": "viewer"}`, &operator)
	c.verify(rotated.Secret, "")
	for _, path := range []string{
		key, "/v1/organizations/" + organization + "/api-keys", "/v1/operators", "/v1/operators/" + operator.Operator.ID,
		"/v1/audit-events?limit=1000", "/v1/organizations",
	} {
		_, _, answer := c.ask("GET", path, "", nil)
		for _, secret := range []string{made.Secret, rotated.Secret, operator.Secret, c.token} {
			if strings.Contains(answer, secret) {
				t.Errorf("%s shows a secret", path)
			}
		}
	}
}
