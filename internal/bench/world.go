package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/keyring"
	"keyward/internal/store"
)

// World is a data directory with keys in it, on which a server can be started.
type World struct {
	crowd
	Dir string
	// Root is the credential of the root operator, Verifier that of an operator who
	// verifies and no more. Both are made for the directory and nothing else.
	Root, Verifier string
	Organization   string // its id

	ring *keyring.Keyring
}

// database returns the path of the database.
func (w *World) database() string { return filepath.Join(w.Dir, "keyward.db") }

// permission is one that every key of the crowd has, and that questions ask for.
const permission = "docs.read"

// firstKey is the key that all others of the crowd are like.
func firstKey(organization string) keyward.Key {
	owner := "user_1"
	return keyward.Key{
		OrganizationID: organization, Name: "key 1", Type: keyward.SecretKey, Environment: keyward.Live, Enabled: true,
		ACL:     []keyward.Grant{{Scope: keyward.Scope{}, Permissions: []string{permission, "reports.*"}}},
		OwnerID: &owner, Metadata: []byte(`{"plan":"pro","seat":1}`),
	}
}

// Prepare makes a data directory with a number of keys in one organization. Its schema
// and first rows are made as a server makes them, the other keys after the first one's
// row by SQL: through the API ten million would take hours.
func Prepare(ctx context.Context, dir string, size int) (*World, error) {
	w := &World{crowd: crowd{Seed: newSeed(), Size: size}, Dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if _, err := os.Stat(w.database()); err == nil {
		return nil, keyward.Errorf(keyward.Conflict, "%s holds a database already: name an empty directory", dir)
	}
	master := keyring.Generate()
	if err := os.WriteFile(filepath.Join(dir, "master.key"), []byte(master+"\n"), 0o600); err != nil {
		return nil, err
	}
	ring, err := keyring.Parse(master)
	if err != nil {
		return nil, err
	}
	w.ring = ring
	if err := w.found(ctx); err != nil {
		return nil, err
	}
	return w, w.multiply(ctx)
}

// found makes the operators, the organization and the first key.
func (w *World) found(ctx context.Context) (err error) {
	s, err := store.Open(ctx, "sqlite:"+w.database(), store.Config{Chain: w.ring.AuditMAC, ChainKeyID: w.ring.AuditKeyID()})
	if err != nil {
		return err
	}
	defer func() {
		if failed := s.Close(); err == nil {
			err = failed
		}
	}()
	plane := control.New(s, w.ring)
	if err := plane.Claim(ctx); err != nil {
		return err
	}
	root, err := plane.Bootstrap(ctx, keyward.Secret{})
	if err != nil {
		return err
	}
	w.Root = root.Reveal()
	by := keyward.Actor{Type: keyward.SystemActor, ID: "bench", Name: "bench", Management: []keyward.Grant{{Permissions: texts(keyward.Permissions())}}}
	made, err := plane.CreateOrganization(ctx, by, keyward.Organization{Name: "bench", Enabled: true}, control.Once{})
	if err != nil {
		return err
	}
	w.Organization = made.Organization.ID
	made, err = plane.CreateOperator(ctx, by, keyward.Operator{Name: "gateway", Role: keyward.Verifier, Enabled: true}, control.NewPassword{}, control.Once{})
	if err != nil {
		return err
	}
	w.Verifier = made.Secret.Reveal()
	_, err = plane.CreateKey(ctx, by, firstKey(w.Organization), control.Once{})
	return err
}

// WriteSecrets writes the credentials and the secrets beside the database, for other
// programs: root-token, verifier-token, and secrets with a line for each key.
func (w *World) WriteSecrets() error {
	var secrets strings.Builder
	for number := 1; number <= w.Size; number++ {
		secrets.WriteString(w.secret(number) + "\n")
	}
	for name, text := range map[string]string{
		"root-token": w.Root + "\n", "verifier-token": w.Verifier + "\n", "secrets": secrets.String(),
	} {
		if err := os.WriteFile(filepath.Join(w.Dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func texts(permissions []keyward.Permission) []string {
	out := make([]string, len(permissions))
	for i, p := range permissions {
		out[i] = string(p)
	}
	return out
}

// records is the crowd as a replica reads it, without a database.
type records struct{ *World }

// Snapshot implements [verify.Log].
func (r records) Snapshot(ctx context.Context, load func(keyward.Record) error) (int64, error) {
	if err := load(keyward.Record{Organization: &keyward.OrganizationRecord{ID: r.Organization, Standing: keyward.Standing{Enabled: true}}}); err != nil {
		return 0, err
	}
	for number := 1; number <= r.Size; number++ {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := load(keyward.Record{Key: r.record(number)}); err != nil {
			return 0, err
		}
	}
	return 1, nil
}

// record returns one key, none of whose memory is another's.
func (r records) record(number int) *keyward.KeyRecord {
	k := firstKey(r.Organization)
	return &keyward.KeyRecord{
		Subject: keyward.Subject{
			OrganizationID: k.OrganizationID, KeyID: fmt.Sprintf("key_%026d", number), ClientID: fmt.Sprintf("%032d", number),
			Name: fmt.Sprintf("key %d", number), OwnerID: fmt.Sprintf("user_%d", number), Type: k.Type, Environment: k.Environment,
			ACL: k.ACL, Metadata: fmt.Appendf(nil, `{"plan":"pro","seat":%d}`, number), Enabled: true,
		},
		Credentials: []keyward.Credential{{Version: 1, Digest: r.ring.DigestString(r.secret(number))}},
	}
}

// Entries implements [verify.Log]: nothing changes.
func (records) Entries(context.Context, int64, int) ([]keyward.LogEntry, error) { return nil, nil }
