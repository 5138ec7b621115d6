package main_test

import (
	"crypto/tls"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestThePrintedCommandsWorkAsPasted gives them to a shell.
func TestThePrintedCommandsWorkAsPasted(t *testing.T) {
	keyward := build(t)
	for _, shell := range []string{"bash", "sh"} {
		t.Run(shell, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "Keyward's $HOME")
			server := keyward.serve(t, nil, "--data", data)
			paste(t, shell, server, nil)
		})
	}
	t.Run("with a token that was given", func(t *testing.T) {
		given := []string{"KEYWARD_ROOT_TOKEN=" + rootToken}
		server := keyward.serve(t, given, "--data", t.TempDir())
		paste(t, "bash", server, given)
	})
	t.Run("on all addresses", func(t *testing.T) {
		server := keyward.serve(t, nil, "--data", t.TempDir(), "--listen", "0.0.0.0:0", "--insecure-http")
		paste(t, "bash", server, nil)
	})
}

// paste runs what a server printed for it, and checks the answers.
func paste(t *testing.T, shell string, server *process, environment []string) {
	t.Helper()
	_, commands, found := strings.Cut(server.greeting, "Try it from another shell:\n")
	if !found {
		t.Fatalf("the server printed:\n%s", server.greeting)
	}
	cmd := exec.Command(shell)
	cmd.Env = append(cmd.Environ(), environment...)
	cmd.Stdin = strings.NewReader(commands)
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	rest := string(output)
	for _, part := range []string{
		`"code":"valid"`, `"code":"permission_denied"`, `"secret":"kw_live_`, `"status":"revoked"`, `"code":"revoked"`,
	} {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Fatalf("%s is missing, or not in its place, in:\n%s", part, output)
		}
		rest = after
	}
}

func TestStartWithTLS(t *testing.T) {
	dir := t.TempDir()
	trusted := certificate(t, dir, "here")
	server := build(t).serve(t, []string{"KEYWARD_ROOT_TOKEN=" + rootToken}, "--data", t.TempDir(),
		"--tls-cert", filepath.Join(dir, "here.cert"), "--tls-key", filepath.Join(dir, "here.key"))
	for _, protocol := range []int{1, 2} {
		c := newCaller(server.url, rootToken)
		transport := c.http.Transport.(*http.Transport)
		transport.TLSClientConfig = &tls.Config{RootCAs: trusted}
		transport.ForceAttemptHTTP2 = protocol == 2
		response, err := c.http.Get(server.url + "/readyz")
		must(t, err)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK || response.ProtoMajor != protocol {
			t.Errorf("readiness is %s by %s, want 200 by HTTP/%d", response.Status, response.Proto, protocol)
		}
	}
}
