package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// nginxConfig answers from a map of the keys, with as many workers as there are cores.
const nginxConfig = `daemon off;
worker_processes auto;
pid nginx.pid;
error_log stderr error;
events { worker_connections 2048; }
http {
	access_log off;
	keepalive_requests 1000000000;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	map_hash_max_size %d;
	map_hash_bucket_size 512;
	map $http_x_api_key $known {
		default 0;
		include keys.map;
	}
	server {
		listen %s;
		default_type application/json;
		location / {
			if ($known) { return 200 '%s'; }
			return 200 '%s';
		}
	}
}
`

// nginx starts nginx with a static map of the keys, or says why not.
func (b *bench) nginx(ctx context.Context, w *World, answerSize int) (*running, string) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx" // which is not in the path of everybody
		if _, err := os.Stat(path); err != nil {
			return nil, "nginx is not installed"
		}
	}
	s, err := b.startNginx(ctx, path, w, answerSize)
	if err != nil {
		return nil, "nginx does not start: " + err.Error()
	}
	return s, ""
}

func (b *bench) startNginx(ctx context.Context, path string, w *World, answerSize int) (*running, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	dir := b.path("nginx")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var keys strings.Builder
	for number := 1; number <= w.Size; number++ {
		fmt.Fprintf(&keys, "%s 1;\n", w.secret(number))
	}
	// A table with much room, in which nginx finds a layout at the first attempts.
	config := fmt.Sprintf(nginxConfig, max(16384, 8*w.Size), address, padded(`{"valid":true,"code":"valid"`, answerSize), padded(`{"valid":false,"code":"not_found"`, 0))
	for name, text := range map[string]string{"keys.map": keys.String(), "nginx.conf": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	p, err := start(nil, path, "-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf"))
	if err != nil {
		return nil, err
	}
	if err := p.answers(ctx, "tcp", address, "/"); err != nil {
		p.stop()
		return nil, err
	}
	return &running{p, "tcp", address}, nil
}

// forNginx returns the requests with the key in a header too: it reads no bodies.
func forNginx(requests [][]byte) [][]byte {
	out := make([][]byte, len(requests))
	for i, request := range requests {
		_, rest, _ := bytes.Cut(request, []byte(`{"key":"`))
		secret, _, _ := bytes.Cut(rest, []byte(`"`))
		line, rest, _ := bytes.Cut(request, []byte("\r\n"))
		out[i] = fmt.Appendf(nil, "%s\r\nX-Api-Key: %s\r\n%s", line, secret, rest)
	}
	return out
}
