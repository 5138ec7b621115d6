package store_test

import (
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"keyward"
	"keyward/internal/store"
)

func TestPostgresThatHangs(t *testing.T) {
	behind, link := strait(t, postgresURL(t))
	w := open(t, behind, config())
	o := w.organization(t)
	link.Lock() // from here on nothing passes, and nobody is told
	start := time.Now()
	var group sync.WaitGroup
	for what, call := range map[string]func() error{
		"a read": func() error { _, err := w.Organization(t.Context(), o.ID); return err },
		"the log": func() error {
			_, err := w.Entries(t.Context(), 0, 1)
			return err
		},
		"a view": func() error { return w.View(t.Context(), func(*store.View) error { return nil }) },
		"a change": func() error {
			_, err := w.Update(t.Context(), func(tx *store.Tx) error { return tx.UpdateOrganization(t.Context(), o) })
			return err
		},
	} {
		group.Go(func() {
			wantCode(t, call(), keyward.Unavailable)
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("%s was given up after %s", what, took)
			}
		})
	}
	group.Wait()
	link.Unlock()
	_, err := w.Organization(t.Context(), o.ID)
	wantEqual(t, "the error after the database is back", nil, err, nil)
}

// strait returns the URL of a database behind a proxy, through which nothing passes
// while the lock is held.
func strait(t *testing.T, behind string) (string, *sync.Mutex) {
	t.Helper()
	target, err := url.Parse(behind)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var link sync.Mutex
	address := target.Host
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", address)
			if err != nil {
				_ = client.Close()
				continue
			}
			go pass(&link, server, client)
			go pass(&link, client, server)
		}
	}()
	target.Host = listener.Addr().String()
	return target.String(), &link
}

func pass(link *sync.Mutex, to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		link.Lock()
		_, failed := to.Write(buffer[:n])
		link.Unlock()
		if err != nil || failed != nil {
			return
		}
	}
}
