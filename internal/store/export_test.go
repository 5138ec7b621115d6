package store

// Waiting returns how many updates wait for the one that runs. The store is SQLite.
func (s *Store) Waiting() int { return len(s.engine.(*sqliteEngine).queue) }

// OlderVersion gives the comparison of versions to tests.
func OlderVersion(version, than string) bool { return olderVersion(version, than) }
