# `make` lists the targets. Words after a target are its files: `make bench-rank A B`, or FILES="A B" where a name has
# a colon or an equals sign.
.DEFAULT_GOAL := help
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

ARGS ?=
SECONDS ?= 60
DIR ?= $(WORDS)
FILES ?= $(WORDS)
ROUNDS ?= 200
CASES ?= 200000
DFACE := cargo run --release -p dface-api --bin dface --
BENCH := cargo run --release -p dface-tests --bin bench --

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s'|'

.PHONY: setup
setup: ## install what is missing to build and to test
	@.ci/setup test

.PHONY: run
run: ## build and start the server with sample data (ARGS="--http 127.0.0.1:9000" …)
	@.ci/setup
	$(DFACE) serve --demo $(ARGS)

.PHONY: test
test: setup ## everything that CI holds; one step alone: `.ci/test clippy`
	@.ci/test

.PHONY: fmt
fmt: ## format the sources
	cargo fmt --all

.PHONY: openapi
openapi: ## write docs/openapi.json, openapi-admin.json and openapi-chat.json from the handlers
	@.ci/test build
	@.ci/openapi write "$${CARGO_TARGET_DIR:-target}/ci/dface"

.PHONY: bench
bench: ## speed against references of the same run; writes docs/benchmarks.md (ARGS=… picks a part, and writes its tables alone)
	@.ci/setup bench
	$(BENCH) $(ARGS)

.PHONY: bench-rank
bench-rank: ## the ranking's MRR and hits on real check-ins: make bench-rank SHOPS CHECKINS FOLLOWS
	@.ci/setup
	$(BENCH) rank $(FILES) $(ARGS)

.PHONY: crash
crash: setup ## kill -9 under load (ROUNDS=200; of workers, RabbitMQ and pictures 20, of each of three nodes 10, in the middle of a sweep 20): every acknowledged write must be there, once
	CRASH_ROUNDS=$(ROUNDS) .ci/long 'package(dface-tests) and (test(crash) or test(many_pushes) or binary(retention))'

.PHONY: fuzz
fuzz: setup ## property tests with many more cases (CASES=200000), then each fuzz target (SECONDS=60)
	@.ci/setup fuzz
	PROPTEST_CASES=$(CASES) .ci/long 'test(/prop|fuzz/)'
	.ci/fuzz $(SECONDS)

.PHONY: try-data
try-data: setup ## import a directory of real shops, check-ins, follows and pictures: make try-data DIR
	cargo build --release -p dface-api
	@.ci/try-data "$(strip $(DIR))" "$${CARGO_TARGET_DIR:-target}/release/dface"

.PHONY: deb
deb: ## a Debian package of the release, under target/debian
	@.ci/setup deb
	cargo build --release -p dface-api
	"$${CARGO_TARGET_DIR:-target}/release/dface" completions bash >"$${CARGO_TARGET_DIR:-target}/release/dface.bash"
	cargo deb --no-build -p dface-api

# The words after these targets are no targets themselves.
ifneq (,$(filter bench-rank try-data,$(firstword $(MAKECMDGOALS))))
WORDS := $(wordlist 2,$(words $(MAKECMDGOALS)),$(MAKECMDGOALS))
.PHONY: $(WORDS)
$(WORDS): ; @:
endif
