# `make run` and `make test` are all that a first visit needs; each installs what is missing and says so.
SHELL := /bin/bash
SWIFT ?= swift
RELEASE := .build/release/dnsproxyd
BUILD_PACKAGES := libldns-dev pkg-config
TEST_PACKAGES := $(BUILD_PACKAGES) nsd unbound openssl bind9-dnsutils ldnsutils iproute2 nftables
BENCH_PACKAGES := $(BUILD_PACKAGES) nsd bind9-dnsutils dnsperf unbound dnsmasq-base valgrind binutils python3

.DEFAULT_GOAL := help
.PHONY: help run test build lint format fuzz test-sanitize bench-first bench-allocations clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

run: build ## build, then serve Examples/quickstart on 127.0.0.1:5355
	@exec scripts/quickstart $(RELEASE)

test: ## install what is missing, lint, build with warnings as errors, run every test
	@scripts/install-packages $(TEST_PACKAGES)
	$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests
	$(SWIFT) test

build: ## the release build of the daemon
	@scripts/install-packages $(BUILD_PACKAGES)
	$(SWIFT) build -c release --product dnsproxyd

lint: ## check the format of all Swift files
	$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests

format: ## format all Swift files in place
	$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests

fuzz: ## every fuzz target for a minute, on what it takes from others (about 10 minutes)
	@scripts/install-packages $(BUILD_PACKAGES)
	Fuzz/run

test-sanitize: ## unit tests of the modules that touch bytes, under AddressSanitizer and ThreadSanitizer
	@scripts/install-packages $(TEST_PACKAGES)
	scripts/test-sanitize

bench-first: build ## CPU time per cached query beside unbound and dnsmasq (about 5 minutes)
	@scripts/install-packages $(BENCH_PACKAGES)
	Benchmarks/first-measurement/measure $(RELEASE)

bench-allocations: build ## allocations and reference counts per cached query, counted
	@scripts/install-packages $(BENCH_PACKAGES)
	Benchmarks/first-measurement/allocations $(RELEASE)

clean: ## remove everything that was built
	rm -rf .build
