package bench

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"
)

// load is requests to one server, over connections that are kept. It is the same for
// every server, and as cheap as it can be: prepared bytes are written, and of an answer
// no more is read than where it ends.
type load struct {
	network, address string
	requests         [][]byte // presented from a random one on, in order
	status           string   // of every answer, such as "200"
	contains         string   // what is in every answer
	connections      int
	perSecond        int // requests offered by all connections; 0: each sends as soon as it can
}

// outcome is what a load has seen.
type outcome struct {
	answers  int64 // as expected
	odd      int64 // others
	example  string
	elapsed  time.Duration
	latency  latencies
	bodySize int // of the last answer

	told []time.Duration // the median and the 99th percentile, where another program counted
}

// quantiles returns the median and the 99th percentile of the latencies.
func (o *outcome) quantiles() (half, most time.Duration) {
	if o.told != nil {
		return o.told[0], o.told[1]
	}
	return o.latency.quantile(0.50), o.latency.quantile(0.99)
}

// run loads the server for a duration. Answers that are not as expected are counted.
func (l *load) run(ctx context.Context, d time.Duration) (*outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lines := make([]*line, l.connections)
	for i := range lines {
		conn, err := net.Dial(l.network, l.address)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		lines[i] = &line{load: l, conn: conn, buffer: make([]byte, 64<<10), next: rand.IntN(len(l.requests))}
	}
	stop := context.AfterFunc(ctx, func() {
		for _, one := range lines {
			_ = one.conn.Close() // which ends its reading
		}
	})
	defer stop()
	var group sync.WaitGroup
	start := time.Now()
	for i, one := range lines {
		group.Go(func() {
			if err := one.run(start, i, d); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	all := &outcome{elapsed: time.Since(start)}
	for _, one := range lines {
		all.answers += one.seen.answers
		all.odd += one.seen.odd
		all.example = cmp.Or(all.example, one.seen.example)
		all.latency.merge(&one.seen.latency)
		all.bodySize = one.seen.bodySize
	}
	return all, nil
}

// tolerated is the share of answers that may be odd, in a server that is overloaded: the
// figures are about the others, and the row tells.
const tolerated = 0.01

// check returns an error if there is no answer, or too many are odd.
func (o *outcome) check() error {
	switch total := o.answers + o.odd; {
	case total == 0:
		return errors.New("no answer in time")
	case float64(o.odd) > tolerated*float64(total):
		return fmt.Errorf("%d of %d answers are not the expected ones: %q", o.odd, total, o.example)
	}
	return nil
}

// line is one connection of a load.
type line struct {
	load   *load
	conn   net.Conn
	buffer []byte
	next   int
	seen   outcome
}

// run sends requests for a duration; line i is one of those that share a rate.
func (c *line) run(start time.Time, i int, d time.Duration) error {
	if c.load.perSecond > 0 {
		return c.runOpen(start, i, start.Add(d))
	}
	end := start.Add(d)
	for sent := start; sent.Before(end); {
		if err := c.exchange(); err != nil {
			return err
		}
		now := time.Now()
		c.seen.latency.add(now.Sub(sent))
		sent = now
	}
	return nil
}

// runOpen sends at instants that are fixed beforehand. If an answer comes after the next
// request was due, the wait counts as that one's; that this process was late to wake up
// does not.
func (c *line) runOpen(start time.Time, i int, end time.Time) error {
	apart := time.Second / time.Duration(c.load.perSecond)
	due := start.Add(time.Duration(i) * apart)
	for due.Before(end) {
		sent := time.Now()
		if sent.After(end) {
			return nil // overloaded
		}
		if wait := due.Sub(sent); wait > 0 {
			time.Sleep(wait)
			sent = time.Now()
		} else {
			sent = due
		}
		if err := c.exchange(); err != nil {
			return err
		}
		c.seen.latency.add(time.Since(sent))
		due = due.Add(time.Duration(c.load.connections) * apart)
	}
	return nil
}

// exchange sends the next request and reads its answer.
func (c *line) exchange() error {
	request := c.load.requests[c.next]
	if c.next++; c.next == len(c.load.requests) {
		c.next = 0
	}
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	answer, body, err := c.read()
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 "+c.load.status)) || !bytes.Contains(answer, []byte(c.load.contains)) {
		c.seen.odd++
		c.seen.example = string(answer)
		return nil
	}
	c.seen.answers++
	c.seen.bodySize = body
	return nil
}

// read reads one answer whole, and returns it and the size of its body.
func (c *line) read() (answer []byte, body int, err error) {
	have, head := 0, -1
	for {
		if have == len(c.buffer) {
			c.buffer = append(c.buffer, make([]byte, len(c.buffer))...)
		}
		n, err := c.conn.Read(c.buffer[have:])
		if n == 0 && err != nil {
			return nil, 0, err
		}
		have += n
		answer = c.buffer[:have]
		if head < 0 {
			if head = bytes.Index(answer, []byte("\r\n\r\n")); head < 0 {
				continue
			}
			head += len("\r\n\r\n")
		}
		switch length, known := contentLength(answer[:head]); {
		case known && have == head+length:
			return answer, length, nil
		case known && have > head+length:
			return nil, 0, fmt.Errorf("an answer is longer than it says: %q", answer)
		case !known && bytes.HasSuffix(answer[head-2:], []byte("\r\n0\r\n\r\n")): // the last chunk
			return answer, have - head, nil
		}
	}
}

// contentLength returns the length that the head of an answer announces.
func contentLength(head []byte) (int, bool) {
	const name = "\r\nContent-Length: "
	i := bytes.Index(head, []byte(name))
	if i < 0 {
		return 0, false
	}
	value := head[i+len(name):]
	length, err := strconv.Atoi(string(value[:bytes.IndexByte(value, '\r')]))
	return length, err == nil
}

// post returns the bytes of a request.
func post(path, token, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, token, len(body), body)
}
