package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"keyward/internal/pgtest"
)

func TestStoppingAndStartingAgainKeepsEverything(t *testing.T) {
	keyward := build(t)
	for name, arguments := range map[string]func(t *testing.T) []string{
		"SQLite":     func(*testing.T) []string { return nil },
		"PostgreSQL": func(t *testing.T) []string { return []string{"--database", pgtest.Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"--data", t.TempDir()}, arguments(t)...)
			environment := []string{"KEYWARD_MASTER_KEY=" + masterKey, "KEYWARD_ROOT_TOKEN=" + rootToken}
			server := keyward.serve(t, environment, args...)
			c := newCaller(server.url, rootToken)
			path, secret := newKey(t, &c)
			wantCode(t, &c, secret, "valid")
			if err := server.terminate(); err != nil {
				t.Fatalf("SIGTERM: %v\n%s", err, server.errors)
			}

			server = keyward.serve(t, environment, args...)
			c = newCaller(server.url, rootToken)
			var key struct{ LastUsedTime *string }
			_, err := c.call(http.MethodGet, path, "", nil, &key)
			must(t, err)
			if key.LastUsedTime == nil {
				t.Error("the last use was not written")
			}
			wantCode(t, &c, secret, "valid")
		})
	}
}

func TestStoppingLetsARequestThatHasBegunComeToItsEnd(t *testing.T) {
	server := build(t).serve(t, []string{"KEYWARD_ROOT_TOKEN=" + rootToken}, "--data", t.TempDir())
	address := strings.TrimPrefix(server.url, "http://")
	conn, err := net.Dial("tcp", address)
	must(t, err)
	defer conn.Close()
	const body = `{"name":"Acme"}`
	fmt.Fprintf(conn, "POST /v1/organizations HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", address, rootToken, len(body))
	begun := make([]byte, len("HTTP/1.1 100 Continue"))
	_, err = io.ReadFull(conn, begun) // the body is being waited for
	must(t, err)

	must(t, server.cmd.Process.Signal(syscall.SIGTERM))
	if !refuses(address) {
		t.Fatal("the server still takes new connections")
	}
	_, err = io.WriteString(conn, body)
	must(t, err)
	answer, err := io.ReadAll(conn)
	must(t, err)
	if !bytes.Contains(answer, []byte("201 Created")) {
		t.Errorf("the answer is %q", answer)
	}
	if err := server.wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// refuses reports whether an address stops taking connections in time.
func refuses(address string) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		conn, err := net.Dial("tcp", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return true
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	return false
}

func TestAGeneratedRootToken(t *testing.T) {
	keyward := build(t)
	data := filepath.Join(t.TempDir(), "of", "keyward")
	server := keyward.serve(t, nil, "--data", data)
	root := token(t, data)
	t.Run("is printed", func(t *testing.T) {
		if strings.Count(server.greeting, root) != 1 {
			t.Errorf("the first start printed:\n%s", server.greeting)
		}
	})
	t.Run("is in files that only their owner reads", func(t *testing.T) { wantPrivate(t, data) })
	must(t, server.terminate())
	second := keyward.serve(t, []string{"KEYWARD_ROOT_TOKEN=" + rootToken}, "--data", data)
	t.Run("is not printed again", func(t *testing.T) {
		if strings.Contains(second.greeting, root) {
			t.Errorf("the second start printed:\n%s", second.greeting)
		}
	})
	t.Run("is in no log", func(t *testing.T) {
		if log := server.errors.String() + second.errors.String(); strings.Contains(log, root) {
			t.Errorf("the log is:\n%s", log)
		}
	})
	t.Run("stays, with a warning to who gives another one later", func(t *testing.T) {
		wantAccepted(t, second.url, root, true)
		wantAccepted(t, second.url, rootToken, false)
		if log := second.errors.String(); !strings.Contains(log, "KEYWARD_ROOT_TOKEN is ignored") || !strings.Contains(log, "reset-root") {
			t.Errorf("the log is:\n%s", log)
		}
	})
}

func TestAGivenRootTokenIsNotRepeated(t *testing.T) {
	data := t.TempDir()
	server := build(t).serve(t, []string{"KEYWARD_ROOT_TOKEN=" + rootToken}, "--data", data)
	wantAccepted(t, server.url, rootToken, true)
	if strings.Contains(server.greeting+server.errors.String(), rootToken) {
		t.Errorf("the server printed:\n%s", server.greeting)
	}
	if _, err := os.Stat(filepath.Join(data, "root-token")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("root-token: %v, want none", err)
	}
}

func TestResetRootWhileTheServerRuns(t *testing.T) {
	keyward := build(t)
	for name, arguments := range map[string]func(t *testing.T) []string{
		"SQLite":     func(*testing.T) []string { return nil },
		"PostgreSQL": func(t *testing.T) []string { return []string{"--database", pgtest.Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			args := append([]string{"--data", data}, arguments(t)...)
			environment := []string{"KEYWARD_MASTER_KEY=" + masterKey}
			server := keyward.serve(t, environment, args...)
			before := token(t, data)
			reset := keyward.command(environment, append([]string{"operators", "reset-root"}, args...)...)
			output, err := reset.CombinedOutput()
			must(t, err)
			answered := time.Now()

			after := token(t, data)
			if after == before || !strings.Contains(string(output), after) {
				t.Errorf("it printed:\n%s", output)
			}
			for accepted(t, server.url, before) || !accepted(t, server.url, after) {
				if time.Since(answered) > time.Second {
					t.Fatalf("after %v the old token is accepted: %v, the new one: %v", time.Since(answered),
						accepted(t, server.url, before), accepted(t, server.url, after))
				}
			}
		})
	}
}

// wantPrivate checks that nobody but their owner can use a directory and its files.
func wantPrivate(t *testing.T, data string) {
	t.Helper()
	must(t, filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		}
		if err == nil && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		return err
	}))
}

// newKey makes an organization and a key in it.
func newKey(t *testing.T, c *caller) (path, secret string) {
	t.Helper()
	var organization struct{ ID string }
	_, err := c.call(http.MethodPost, "/v1/organizations", "", map[string]string{"name": "Acme"}, &organization)
	must(t, err)
	keys := "/v1/organizations/" + organization.ID + "/api-keys"
	var made answer
	_, err = c.call(http.MethodPost, keys, "", map[string]string{"name": "ci"}, &made)
	must(t, err)
	return keys + "/" + made.Key.ID, made.Secret
}

// wantCode checks what a secret verifies as.
func wantCode(t *testing.T, c *caller, secret, want string) {
	t.Helper()
	var told struct{ Code string }
	_, err := c.call(http.MethodPost, "/v1/verify", "", map[string]string{"key": secret}, &told)
	must(t, err)
	if told.Code != want {
		t.Errorf("the secret verifies as %q, want %q", told.Code, want)
	}
}

// accepted reports whether an operator's credential is.
func accepted(t *testing.T, url, credential string) bool {
	t.Helper()
	c := newCaller(url, credential)
	defer c.http.CloseIdleConnections()
	_, err := c.call(http.MethodGet, "/v1/organizations?limit=1", "", nil, nil)
	if refused, ok := errors.AsType[*refusal](err); ok && refused.status == http.StatusUnauthorized {
		return false
	}
	must(t, err)
	return true
}

func wantAccepted(t *testing.T, url, credential string, want bool) {
	t.Helper()
	if got := accepted(t, url, credential); got != want {
		t.Errorf("a credential is accepted: %v, want %v", got, want)
	}
}
