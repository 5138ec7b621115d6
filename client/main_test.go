package client_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"keyward"
	"keyward/internal/server"
	"keyward/keywardtest"
)

// TestMain runs a server for the examples, which have no test to start one with. They
// find it in the environment, as a program would.
func TestMain(m *testing.M) {
	code, err := withServer(m.Run)
	if err != nil {
		fmt.Println("a server for the examples:", err)
		code = 1
	}
	os.Exit(code)
}

func withServer(run func() int) (int, error) {
	data, err := os.MkdirTemp("", "keyward-examples-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(data)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	s, err := server.Open(ctx, server.Config{
		Listen: "127.0.0.1:0", OpsListen: "off", Data: data, Log: slog.New(slog.DiscardHandler),
		RootToken: keyward.ForeignSecret(keywardtest.RootToken),
	})
	if err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	os.Setenv("KEYWARD_URL", s.URL)
	os.Setenv("KEYWARD_TOKEN", keywardtest.RootToken)
	code := run()
	stop()
	return code, <-ended
}
