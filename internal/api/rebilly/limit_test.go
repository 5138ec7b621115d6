package rebilly_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"keyward/internal/api/apitest"
	"keyward/internal/api/rebilly"
	"keyward/keywardtest"
)

func TestAnOrganizationWritesSoOftenAndNoMore(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	one, two := w.manager(organization, "one", "keys.*"), w.manager(organization, "two", "keys.*")
	other := w.manager(w.organization(`{"name": "other"}`), "other", "keys.*")
	write := func(k key) answer {
		return w.do("POST", "/rebilly/api-keys", `{"description": ""}`, "REB-APIKEY", k.Secret, "Content-Type", "application/json")
	}
	first := w.do("PUT", "/rebilly/api-keys/x", `{"description": "x"}`, "REB-APIKEY", one.Secret, "Content-Type", "application/json")
	if left := first.Header.Get("X-Ratelimit-Remaining"); first.Status != 201 || left != "2999" || first.Header.Get("X-Ratelimit-Limit") != "3000" {
		t.Errorf("the first one: %d %v", first.Status, first.Header)
	}
	for i := range 2999 {
		if got := write(one); got.Status != 422 {
			t.Fatalf("request %d: %d %s", i+2, got.Status, got.Body)
		}
	}
	contract := apitest.Load(t, rebilly.Contract()).Answers()
	vendor := apitest.Vendor(t, "rebilly").Answers()
	for _, client := range []*http.Client{contract.Client(t), vendor.Client(t)} {
		// Whichever key of the organization, whatever is written.
		got := send(t, client, "DELETE", w.URL+"/rebilly/api-keys/x", "", "REB-APIKEY", two.Secret)
		got.expect(t, 429, `{"status":429,"title":"Rate Limit Exceeded","detail":"There were too many requests that change something; 3000 are allowed in ten minutes"}`)
		wait, err := strconv.Atoi(got.Header.Get("Retry-After"))
		if err != nil || wait < 1 || wait > 600 || got.Header.Get("Rate-Limit-Limit") != "3000" {
			t.Errorf("the headers are %v", got.Header)
		}
		until, err := strconv.ParseInt(got.Header.Get("X-Ratelimit-Retry-After"), 10, 64)
		if in := time.Until(time.Unix(until, 0)); err != nil || in < 0 || in > 10*time.Minute+time.Second {
			t.Errorf("the window ends in %s: %v", in, got.Header)
		}
	}
	if got := w.get("/rebilly/api-keys", "REB-APIKEY", one.Secret); got.Status != 200 {
		t.Errorf("reading: %d %s", got.Status, got.Body)
	}
	if got := write(other); got.Status != 422 {
		t.Errorf("another organization: %d %s", got.Status, got.Body)
	}
	if got := w.do("DELETE", "/rebilly/api-keys/x", ""); got.Status != 401 {
		t.Errorf("nobody: %d %s", got.Status, got.Body)
	}
}

// Whoever may not write leaves it all to those who may.
func TestWhoMayNotWriteUsesNothingUp(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	powerless, manager := w.manager(organization, "powerless", "keys.read"), w.manager(organization, "manager", "keys.*")
	for i := range 3001 {
		if got := w.do("DELETE", "/rebilly/api-keys/x", "", "REB-APIKEY", powerless.Secret); got.Status != 403 {
			t.Fatalf("request %d: %d %s", i+1, got.Status, got.Body)
		}
	}
	got := w.do("PUT", "/rebilly/api-keys/x", `{"description": "x"}`, "REB-APIKEY", manager.Secret, "Content-Type", "application/json")
	if left := got.Header.Get("X-Ratelimit-Remaining"); got.Status != 201 || left != "2999" {
		t.Errorf("%d, %s left", got.Status, left)
	}
}
