package store_test

import (
	"maps"
	"testing"
)

// promise is one sentence of the contract, tested on a new store.
type promise func(t *testing.T, w *world)

// TestStore is the contract of the store, the same for every database.
func TestStore(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { testStore(t, sqliteURL) })
	t.Run("PostgreSQL", func(t *testing.T) { testStore(t, postgresURL) })
}

func testStore(t *testing.T, url func(testing.TB) string) {
	promises := map[string]promise{}
	for _, part := range []map[string]promise{
		organizationPromises(), projectPromises(), keyPromises(), versionPromises(), operatorPromises(), peoplePromises(), rolePromises(), usagePromises(), creditPromises(),
		recordPromises(), snapshotPromises(), changePromises(), chainPromises(), feedPromises(), listPromises(), openPromises(),
	} {
		maps.Copy(promises, part)
	}
	for sentence, test := range promises {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, url(t), config()))
		})
	}
}
