package store

// Waiting returns how many updates wait for the one that runs. The store is SQLite.
func (s *Store) Waiting() int { return len(s.engine.(*sqliteEngine).queue) }

// Prepared returns how many statements are kept for readers. The store is SQLite.
func (s *Store) Prepared() int { return len(s.q.(*statements).prepared) }

// OlderVersion gives the comparison of versions to tests.
func OlderVersion(version, than string) bool { return olderVersion(version, than) }
