// Command peers is what a team would put in Keyward's place, made as small as it can be:
// a handler that asks Redis, or PostgreSQL, about the key of each request. docs/peers.md
// says how to measure them beside Keyward.
//
//	peers redis -listen ADDRESS -server ADDRESS
//	peers postgres -listen ADDRESS -server URL
//	peers redis-keys|postgres-keys|nginx-keys < SECRETS
//
// The last line turns a file of secrets, one a line, into what redis-cli --pipe, COPY or
// an nginx map reads. Both stores hold the SHA-256 of a secret and the answer for it.
// They are a yardstick and no product: no tenants, rights, limits or audit.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: peers redis|postgres [-listen ADDRESS] [-server SERVER], or peers redis-keys|postgres-keys|nginx-keys")

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	flags := flag.NewFlagSet("peers "+args[0], flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:9100", "address to listen on")
	server := flags.String("server", "", "address of Redis, or URL of PostgreSQL")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "redis-keys":
		return convert(in, out, redisKey)
	case "postgres-keys":
		return convert(in, out, postgresKey)
	case "nginx-keys":
		return convert(in, out, nginxKey)
	case "redis":
		return serve(ctx, *listen, newRedis(*server))
	case "postgres":
		db, err := openPostgres(ctx, *server)
		if err != nil {
			return err
		}
		defer db.Close()
		return serve(ctx, *listen, db)
	}
	return errUsage
}

// convert writes each line of in, with its number from 1 on, as write does.
func convert(in io.Reader, out io.Writer, write func(w io.Writer, number int, secret string) error) error {
	w := bufio.NewWriter(out)
	lines := bufio.NewScanner(in)
	for number := 1; lines.Scan(); number++ {
		if err := write(w, number, lines.Text()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return w.Flush()
}

func nginxKey(w io.Writer, _ int, secret string) error {
	_, err := fmt.Fprintf(w, "%s 1;\n", secret)
	return err
}

func serve(ctx context.Context, address string, s store) error {
	server := &http.Server{Addr: address, Handler: &handler{s}}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	err := server.ListenAndServe()
	if ctx.Err() != nil {
		return nil
	}
	return err
}
