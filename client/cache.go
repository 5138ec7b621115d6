package client

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"keyward"
)

// The bounds of a cache.
const (
	maxCacheTime     = 30 * time.Second
	defaultCacheSize = 10_000
)

// cache keeps verdicts for a while. It holds no secrets: questions are known to it by a
// MAC under a key that no other process has. The zero value is empty, and safe for
// concurrent use.
type cache struct {
	mu      sync.Mutex
	once    sync.Once
	secret  [32]byte
	entries map[questionName]entry
}

// questionName is what a key and a question are known by.
type questionName [sha256.Size]byte

type entry struct {
	verdict Verdict
	end     time.Time
}

// name returns what the question is known by, its key included.
func (c *cache) name(q Question) questionName {
	c.once.Do(func() { rand.Read(c.secret[:]) })
	mac := hmac.New(sha256.New, c.secret[:])
	_ = json.NewEncoder(mac).Encode(q.wire()) // which has nothing that cannot be encoded
	return questionName(mac.Sum(nil))
}

func (c *cache) get(name questionName, now time.Time) (Verdict, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, ok := c.entries[name]
	if !ok || !now.Before(kept.end) {
		return Verdict{}, false
	}
	return kept.verdict, true
}

// put keeps a verdict on a question that was asked at the instant now, but not beyond the
// end of its key. When there is no room, others make some: those that have ended, or any.
func (c *cache) put(name questionName, v Verdict, now time.Time, life time.Duration, size int) {
	if size <= 0 {
		size = defaultCacheSize
	}
	end := now.Add(min(life, maxCacheTime))
	if v.ExpireTime != 0 && v.ExpireTime.Std().Before(end) {
		end = v.ExpireTime.Std()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[questionName]entry{}
	}
	if _, there := c.entries[name]; !there && len(c.entries) >= size {
		c.makeRoom(now, size)
	}
	c.entries[name] = entry{v, end}
}

// makeRoom drops what has ended, and then others until a tenth is free, so that it does
// not have to be done each time.
func (c *cache) makeRoom(now time.Time, size int) {
	for name, kept := range c.entries {
		if !now.Before(kept.end) {
			delete(c.entries, name)
		}
	}
	room := min(size-1, size-size/10)
	for name := range c.entries {
		if len(c.entries) <= room {
			return
		}
		delete(c.entries, name)
	}
}

// lasting reports whether a verdict may be kept: it is valid, and its key counts nothing.
func lasting(v *Verdict) bool {
	return v.Valid && v.Code == keyward.Valid && len(v.RateLimits) == 0 && v.Credits == nil
}
