# `make run` and `make test` are all that a first visit needs; each installs what is missing and says so.
SHELL := /bin/bash
SWIFT ?= swift
# Where the release build is; with another folder it can be made beside other builds.
RELEASE_BUILD ?= .build
RELEASE := $(RELEASE_BUILD)/release/dnsproxyd
ENFORCER := Examples/nft-enforcer
BUILD_PACKAGES := libldns-dev pkg-config
ENFORCER_PACKAGES := libnftables-dev libnetfilter-conntrack-dev
TEST_PACKAGES := $(BUILD_PACKAGES) $(ENFORCER_PACKAGES) nsd unbound openssl bind9-dnsutils ldnsutils iproute2 nftables curl nginx python3 \
	dnsperf faketime prometheus python3-prometheus-client mandoc zsh fish chromium chromium-driver binutils mount e2fsprogs
BENCH_PACKAGES := $(BUILD_PACKAGES) nsd bind9-dnsutils dnsperf unbound dnsmasq-base valgrind binutils python3
SPEED_PACKAGES := $(BENCH_PACKAGES) dnsdist gcc libc6-dev
SOAK_MINUTES ?= 60
CRASHES ?= 1000
SPEED_FIGURES := .build/speed.json
SOURCES := Package.swift Sources Tests $(ENFORCER)/Package.swift $(ENFORCER)/Sources $(ENFORCER)/Tests

.DEFAULT_GOAL := help
# Builds share folders.
.NOTPARALLEL:
.PHONY: help run packages test e2e test-crash soak build man completions enforcer lint format fuzz test-sanitize screenshots \
	bench bench-first bench-allocations bench-instructions bench-baseline bench-memory bench-feed bench-policy \
	bench-cache bench-reload bench-upgrade bench-overload clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

run: build ## build, then serve Examples/quickstart on 127.0.0.1:5355
	@exec scripts/quickstart $(RELEASE)

packages: ## install the Debian packages that tests and the counting of instructions need
	@scripts/install-packages $(sort $(TEST_PACKAGES) $(BENCH_PACKAGES))

test: lint ## install what is missing, lint, build with warnings as errors, run every test
	@scripts/install-packages $(TEST_PACKAGES)
	scripts/enforcer .build scripts/test
	DNSPROXYD_REQUIRE_ENFORCER=1 scripts/test

e2e: ## the proof: clients, firewall and servers in network namespaces, with counted packets (root)
	@scripts/install-packages $(TEST_PACKAGES)
	scripts/enforcer .build $(SWIFT) build
	DNSPROXYD_REQUIRE_ENFORCER=1 $(SWIFT) test --filter Enforcement

test-crash: ## kill -9 at a thousand moments under load, a flood of 200,000 names in 96 MB (root; half an hour)
	@scripts/install-packages $(TEST_PACKAGES)
	DNSPROXYD_CRASHES=$(CRASHES) $(SWIFT) test --filter 'EndToEnd.Crashes'
	DNSPROXYD_FLOOD=200000 $(SWIFT) test --filter 'EndToEnd.MemoryLimits'

soak: build ## everything at once for SOAK_MINUTES (60): memory, descriptors and latencies have to stay flat
	@scripts/install-packages $(BENCH_PACKAGES)
	Benchmarks/soak/soak $(RELEASE) --minutes $(SOAK_MINUTES) --into .build/soak

build: ## the release build of the daemon
	@scripts/install-packages $(BUILD_PACKAGES)
	$(SWIFT) build -c release --scratch-path $(RELEASE_BUILD) --product dnsproxyd

man: build ## a manual page for each command, in .build/man
	@scripts/install-packages python3
	scripts/manual $(RELEASE) .build/man

completions: build ## completions for bash, zsh and fish, in .build/completions
	@mkdir -p .build/completions
	$(RELEASE) --generate-completion-script bash > .build/completions/dnsproxyd
	$(RELEASE) --generate-completion-script zsh > .build/completions/_dnsproxyd
	$(RELEASE) --generate-completion-script fish > .build/completions/dnsproxyd.fish

enforcer: ## the release build of Examples/nft-enforcer
	@scripts/install-packages $(BUILD_PACKAGES) $(ENFORCER_PACKAGES)
	scripts/enforcer $(RELEASE_BUILD) $(SWIFT) build -c release --product nft-enforcer

lint: ## check the format of all Swift files
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

format: ## format all Swift files in place
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

fuzz: ## every fuzz target for a minute, on what it takes from others (about 10 minutes)
	@scripts/install-packages $(BUILD_PACKAGES)
	Fuzz/run

test-sanitize: ## unit tests of the modules that touch bytes, under AddressSanitizer and ThreadSanitizer
	@scripts/install-packages $(TEST_PACKAGES)
	scripts/test-sanitize

screenshots: ## the pictures of the page and of sessions at a terminal in docs/images (about 6 minutes)
	@scripts/install-packages $(TEST_PACKAGES)
	DNSPROXYD_SCREENSHOTS=$(CURDIR)/docs/images $(SWIFT) test --filter Screenshots

bench: build ## what a query costs beside other caches, and whether the goals are reached; again: what has changed (half an hour)
	@scripts/install-packages $(SPEED_PACKAGES)
	Benchmarks/speed/bench $(RELEASE) --json $(SPEED_FIGURES) $(if $(wildcard $(SPEED_FIGURES)),--compare $(SPEED_FIGURES))

bench-first: build ## CPU time per cached query beside other caches (about 5 minutes)
	@scripts/install-packages $(SPEED_PACKAGES)
	Benchmarks/speed/bench $(RELEASE) hits hits-paced --seconds 5

bench-allocations: build ## allocations and reference counts per cached query, counted
	@scripts/install-packages $(BENCH_PACKAGES)
	Benchmarks/speed/allocations $(RELEASE)

bench-instructions: build ## instructions per query, counted; fails when there are 5 % more than the baseline (2 minutes)
	@scripts/install-packages $(BENCH_PACKAGES)
	Benchmarks/speed/instructions $(RELEASE)

bench-baseline: build ## make the instructions per query that are counted now the baseline
	@scripts/install-packages $(BENCH_PACKAGES)
	Benchmarks/speed/instructions $(RELEASE) --write

bench-memory: build ## where the resident memory is, idle and with 100,000 answers (a minute)
	@scripts/install-packages $(SPEED_PACKAGES)
	Benchmarks/speed/memory $(RELEASE)

bench-feed: build enforcer ## publishing, the journal and restoring; then what an enforcer adds to a first answer (root)
	@scripts/install-packages iproute2 nftables dnsperf python3
	$(SWIFT) run -c release --package-path Benchmarks/feed feed-bench
	Benchmarks/feed/restore $(RELEASE)
	Benchmarks/feed-latency/measure $(RELEASE) $(RELEASE_BUILD)/release/nft-enforcer

bench-policy: ## verdicts, memory and compiling with up to a million rules, beside RE2 (about 10 minutes)
	@scripts/install-packages $(BUILD_PACKAGES) libre2-dev g++ python3
	Benchmarks/policy/measure

bench-cache: build ## memory for an answer, hit ratios under a flood, a dead upstream, identical misses (root, about 10 minutes)
	@scripts/install-packages $(BENCH_PACKAGES) nftables iproute2
	Benchmarks/cache/measure $(RELEASE)

bench-reload: build ## 10,000 rules reloaded once a second under load for a minute: nothing lost, nothing misjudged
	@scripts/install-packages $(BENCH_PACKAGES)
	Benchmarks/reload/measure $(RELEASE)

bench-upgrade: build ## queries lost while the daemon is replaced a hundred times under load, in four ways (about 20 minutes)
	@scripts/install-packages $(BENCH_PACKAGES)
	Benchmarks/upgrade/measure $(RELEASE) --rate 1000
	Benchmarks/upgrade/measure $(RELEASE) --rate 1000 --restart
	Benchmarks/upgrade/measure $(RELEASE) --rate 50000
	Benchmarks/upgrade/measure $(RELEASE) --rate 50000 --restart

bench-overload: build ## what a client notices while another one floods, and beside 10,000 idle connections (root, about 8 minutes)
	@scripts/install-packages $(BUILD_PACKAGES) iproute2 gcc libc6-dev python3
	Benchmarks/overload/measure $(RELEASE)

clean: ## remove everything that was built
	rm -rf .build .build-release .build-sanitize $(ENFORCER)/.build Benchmarks/*/.build Fuzz/.build
