package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"keyward"
	"keyward/client"
	"keyward/keywardtest"

	_ "modernc.org/sqlite"
)

func TestTheAuditTrailShowsThatItWasAltered(t *testing.T) {
	kw := keywardtest.New(t)
	c, err := client.New(kw.URL, keyward.ForeignSecret(kw.RootToken))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateOrganization(t.Context(), client.NewOrganization{Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	verify := func() (int, string) {
		var out strings.Builder
		code := run(context.Background(), []string{"audit", "verify", "--data", kw.Data}, strings.NewReader(""), &out, &out)
		return code, out.String()
	}
	if code, out := verify(); code != 0 || !strings.Contains(out, "whole: 2 events") {
		t.Errorf("beside a running server: exit %d, %s", code, out)
	}
	if err := kw.Stop(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(kw.Data, "keyward.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "UPDATE changes SET actor_name = 'nobody' WHERE seq = 2"); err != nil {
		t.Fatal(err)
	}
	if code, out := verify(); code != 1 || !strings.Contains(out, "altered at or before event 2") {
		t.Errorf("after an event was altered: exit %d, %s", code, out)
	}
}
