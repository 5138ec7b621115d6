package store

// Waiting returns how many updates wait for the one that runs. The store is SQLite.
func (s *Store) Waiting() int { return len(s.engine.(*sqliteEngine).queue) }

// Prepared returns how many statements are kept for readers. The store is SQLite.
func (s *Store) Prepared() int { return len(s.q.(*statements).prepared) }

// OlderVersion gives the comparison of versions to tests.
func OlderVersion(version, than string) bool { return olderVersion(version, than) }

// SetSpan has snapshots read no more than a number of keys at a time.
func (s *Store) SetSpan(keys int64) { s.spanSize = keys }
