package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// redis asks a Redis for one value at a time, over connections that are kept. It speaks
// as much of RESP (redis.io, "Redis serialization protocol specification") as GET needs.
type redis struct {
	address string
	idle    chan *redisConn
}

type redisConn struct {
	net.Conn
	in *bufio.Reader
}

// idleConnections is how many connections to a store are kept.
const idleConnections = 64

func newRedis(address string) *redis {
	return &redis{address: cmp.Or(address, "127.0.0.1:6379"), idle: make(chan *redisConn, idleConnections)}
}

// redisKey writes the command that sets one key.
func redisKey(w io.Writer, number int, secret string) error {
	digest, answer := sha256.Sum256([]byte(secret)), answerFor(number)
	_, err := fmt.Fprintf(w, "*3\r\n$3\r\nSET\r\n$%d\r\n%x\r\n$%d\r\n%s\r\n", 2*len(digest), digest, len(answer), answer)
	return err
}

func (r *redis) find(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	conn, err := r.take(ctx)
	if err != nil {
		return nil, err
	}
	value, err := conn.get(digest)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	select {
	case r.idle <- conn:
	default:
		_ = conn.Close()
	}
	return value, nil
}

// take returns a connection that nobody uses.
func (r *redis) take(ctx context.Context) (*redisConn, error) {
	select {
	case conn := <-r.idle:
		return conn, nil
	default:
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.address)
	if err != nil {
		return nil, err
	}
	return &redisConn{conn, bufio.NewReader(conn)}, nil
}

// get returns the value of a key, nil if there is none.
func (c *redisConn) get(digest [sha256.Size]byte) ([]byte, error) {
	command := make([]byte, 0, 128)
	command = append(command, "*2\r\n$3\r\nGET\r\n$64\r\n"...)
	command = hex.AppendEncode(command, digest[:])
	command = append(command, "\r\n"...)
	if _, err := c.Write(command); err != nil {
		return nil, err
	}
	line, err := c.in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	length, isBulk := strings.CutPrefix(strings.TrimSuffix(line, "\r\n"), "$")
	n, err := strconv.Atoi(length)
	switch {
	case !isBulk || err != nil || n < -1 || n > maxBody:
		return nil, errors.New("redis answers " + strconv.Quote(line))
	case n == -1:
		return nil, nil
	}
	value := make([]byte, n+len("\r\n"))
	if _, err := io.ReadFull(c.in, value); err != nil {
		return nil, err
	}
	return value[:n], nil
}
