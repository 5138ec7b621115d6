package web_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long a browser may take for all that a test asks of it.
const patience = time.Minute

// browser is a Chromium that speaks the DevTools protocol over a pipe. It is for one
// goroutine.
type browser struct {
	t       *testing.T
	out     io.Writer
	in      *bufio.Reader
	session string
	last    int

	asked    []string // the addresses that pages asked for
	problems []string // what they complained of
	loaded   bool
}

// message is a command, a reply or an event.
type message struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    any             `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     any             `json:"error,omitempty"`
}

// openBrowser starts a browser with an empty profile, which finds no host but this
// machine. It ends with the test.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("this test needs Chromium, which scripts/setup-test.sh installs: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	profile := t.TempDir()
	command := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
		"--no-default-browser-check", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"--user-data-dir="+profile, "--window-size=1280,900", "--remote-debugging-pipe", "about:blank")
	command.Env = append(os.Environ(), "HOME="+profile)
	theirIn, out := pipe(t)
	in, theirOut := pipe(t)
	// With a writer that is no file, Wait waits for the browser's children too.
	command.Stderr, command.WaitDelay = io.Discard, patience
	command.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4, as the flag has it
	if err := command.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &browser{t: t, out: out, in: bufio.NewReader(in)}
	t.Cleanup(func() {
		b.t, b.session = t, ""
		b.send("Browser.close", nil)
		_ = command.Wait() // nobody writes into the profile any more, which goes now
	})
	b.openTab()
	return b
}

// on returns the browser for a subtest.
func (b *browser) on(t *testing.T) *browser {
	b.t = t
	return b
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func (b *browser) openTab() {
	b.t.Helper()
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Network", "Page", "Log", "Runtime"} {
		b.call(domain+".enable", nil, nil)
	}
}

// open goes to an address and waits until the page is loaded, with what it loads.
func (b *browser) open(url string) {
	b.t.Helper()
	b.loaded, b.asked, b.problems = false, nil, nil
	var gone struct{ ErrorText string }
	b.call("Page.navigate", map[string]any{"url": url}, &gone)
	if gone.ErrorText != "" {
		b.t.Fatalf("open %s: %s", url, gone.ErrorText)
	}
	for !b.loaded {
		b.note(b.receive())
	}
}

// run evaluates an expression in the page, waits for it if it is a promise, and reads
// its value into result.
func (b *browser) run(expression string, result any) {
	b.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true,
	}, &answer)
	if answer.ExceptionDetails != nil {
		b.t.Fatalf("run %s: %s", expression, answer.ExceptionDetails)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(answer.Result.Value, result); err != nil {
		b.t.Fatalf("run %s: %s: %v", expression, answer.Result.Value, err)
	}
}

// await waits until the condition, an expression, is true in the page.
func (b *browser) await(condition string) {
	b.t.Helper()
	b.run(`new Promise(done => (function look() { (`+condition+`) ? done(true) : requestAnimationFrame(look) })())`, nil)
}

// prefer has pages shown in "light" or "dark" colours.
func (b *browser) prefer(scheme string) {
	b.t.Helper()
	b.call("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
	}, nil)
}

// picture writes a picture of the page into the directory KEYWARD_SCREENSHOTS, if
// that is set.
func (b *browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("KEYWARD_SCREENSHOTS")
	if dir == "" {
		return
	}
	b.run(`Promise.allSettled([document, ...[...document.querySelectorAll("*")].map(e => e.shadowRoot).filter(Boolean)]
		.flatMap(root => root.getAnimations()).map(move => move.finished))`, nil)
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", nil, &shot)
	image, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), image, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// call sends a command and waits for its reply.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.send(method, params)
	for {
		m := b.receive()
		if m.ID != b.last {
			b.note(m)
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %v", method, m.Error)
		}
		if result == nil {
			return
		}
		if err := json.Unmarshal(m.Result, result); err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		return
	}
}

func (b *browser) send(method string, params any) {
	b.t.Helper()
	b.last++
	text, err := json.Marshal(message{ID: b.last, SessionID: b.session, Method: method, Params: params})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.out.Write(append(text, 0)); err != nil {
		b.t.Fatalf("%s: the browser is gone: %v", method, err)
	}
}

func (b *browser) receive() message {
	b.t.Helper()
	text, err := b.in.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("the browser ended, or took longer than %v: %v", patience, err)
	}
	var m message
	if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
		b.t.Fatal(err)
	}
	return m
}

// note keeps what an event tells of the page.
func (b *browser) note(m message) {
	params, _ := m.Params.(map[string]any)
	switch m.Method {
	case "Page.loadEventFired":
		b.loaded = true
	case "Network.requestWillBeSent":
		request, _ := params["request"].(map[string]any)
		if url := fmt.Sprint(request["url"]); !strings.HasPrefix(url, "data:") {
			b.asked = append(b.asked, url)
		}
	case "Log.entryAdded", "Runtime.exceptionThrown":
		b.problems = append(b.problems, fmt.Sprint(params))
	}
}
