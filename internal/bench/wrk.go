package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// wrkRequests is how many different requests wrk goes through: its script is one table.
const wrkRequests = 2000

// runWRK returns what loads a server with wrk in the place of this process. It counts
// answers that are not 2xx, and does not read their bodies.
func (b *bench) runWRK(l *load) func(context.Context, time.Duration) (*outcome, error) {
	return func(ctx context.Context, d time.Duration) (*outcome, error) {
		var script bytes.Buffer
		script.WriteString("local requests = {\n")
		for _, request := range l.requests[:min(len(l.requests), wrkRequests)] {
			fmt.Fprintf(&script, "%q,\n", request) // Go's quoting of this text is Lua's
		}
		script.WriteString("}\nlocal i = 0\nrequest = function()\n\ti = i % #requests + 1\n\treturn requests[i]\nend\n")
		path := b.path("requests.lua")
		if err := os.WriteFile(path, script.Bytes(), 0o600); err != nil {
			return nil, err
		}
		start := time.Now()
		out, err := exec.CommandContext(ctx, "wrk", "-t1", fmt.Sprint("-c", l.connections), fmt.Sprintf("-d%ds", max(1, int(d.Seconds()))),
			"--latency", "-s", path, "http://"+l.address).Output()
		if err != nil {
			return nil, fmt.Errorf("wrk: %w", err)
		}
		return readWRK(string(out), time.Since(start))
	}
}

// readWRK reads what wrk prints.
func readWRK(text string, elapsed time.Duration) (*outcome, error) {
	if strings.Contains(text, "Non-2xx") || strings.Contains(text, "Socket errors") {
		return nil, fmt.Errorf("wrk: some requests failed:\n%s", text)
	}
	out := &outcome{elapsed: elapsed}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 5 && fields[1] == "requests" && fields[2] == "in":
			count, err := strconv.ParseInt(fields[0], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("wrk: %w", err)
			}
			took, err := time.ParseDuration(strings.TrimSuffix(fields[3], ","))
			if err != nil {
				return nil, fmt.Errorf("wrk: %w", err)
			}
			out.answers, out.elapsed = count, took
		case len(fields) == 2 && (fields[0] == "50%" || fields[0] == "99%"):
			latency, err := time.ParseDuration(strings.ReplaceAll(fields[1], "us", "µs"))
			if err != nil {
				return nil, fmt.Errorf("wrk: %w", err)
			}
			out.told = append(out.told, latency)
		}
	}
	if out.answers == 0 || len(out.told) != 2 {
		return nil, errors.New("wrk printed what this version does not understand:\n" + text)
	}
	return out, nil
}
