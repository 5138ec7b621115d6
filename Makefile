TIME ?= 30s
TOOL = go tool -modfile=tools/go.mod

.PHONY: run test build lint fmt bench gobench soak fuzz transcripts

# Builds and starts Keyward on SQLite in ./data.
run: build
	./bin/keyward serve --data ./data

# Everything that must pass before a change is done.
test:
	./scripts/setup-test.sh
	./scripts/setup-clients.sh
	go vet ./...
	go test -race -timeout 30m ./...

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/keyward ./cmd/keyward

lint:
	go vet ./...
	! gofmt -l . | grep .
	$(TOOL) staticcheck ./...
	$(TOOL) golangci-lint run

fmt:
	$(TOOL) golangci-lint fmt

# Measures the program as docs/benchmarks.md shows it, in a few minutes.
bench: build
	./bin/keyward bench --rounds 3 --duration 2s --keys 1,100000

# The benchmarks in Go, of single packages.
gobench:
	go test -run '^$$' -bench . -benchmem ./internal/...

# Kills a running Keyward over and over and checks what it had promised.
soak:
	./scripts/setup-test.sh
	KEYWARD_SOAK=1 go test -timeout 90m -run 'TestKill|TestCredits|TestUsage' -v ./cmd/keyward

# Runs every fuzz target for TIME each: make fuzz TIME=5m
fuzz:
	./scripts/fuzz.sh $(TIME)

# Runs a surface's transcripts against a server that is there already; without a URL,
# lists the variables that each file needs. See CONTRIBUTING.md.
# make transcripts DIALECT=rebilly URL=https://… FILES='create put' VARS='organization=… key=@file'
transcripts:
	@test -n "$(DIALECT)" || { echo "DIALECT must be native, aerospike, rebilly or gjirafa" >&2; exit 2; }
	go test -count=1 -v -run '^TestTranscripts$$' ./internal/api/apitest -args $(DIALECT) $(URL) $(FILES) $(VARS)
