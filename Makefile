# The commands of the project. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CARGO ?= cargo

.PHONY: help demo test check fmt-check clippy doc deny scripts unit browser clients bench torture tools transitions generated mutants

help: ## Lists the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## Starts everything on this machine: portal, add-on, simulated BitPay; prints addresses and logins
	$(CARGO) build --bins
	./target/debug/splynx-bitpay-sim demo

test: tools check unit clients browser ## Everything that CI runs; installs what is missing

tools: ## Installs what the tests need (apt, npm, cargo)
	./scripts/install-tools

check: fmt-check clippy doc deny scripts ## Formatting, lints, documentation, licences, shell scripts, units

fmt-check:
	$(CARGO) fmt --check

clippy:
	$(CARGO) clippy --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items

deny:
	$(CARGO) deny check licenses bans sources

scripts:
	./tests/deb/scripts
	./tests/deb/security

unit: ## All tests but the browser's, on SQLite and PostgreSQL
	./scripts/with-postgres $(CARGO) nextest run

browser: ## The story in headless Chromium, on both databases
	$(CARGO) build --bins
	./scripts/with-postgres node tests/browser/story.mjs

clients: ## Other people's clients against the simulators: BitPay's own SDK, PHP's signatures
	$(CARGO) build --bins
	./tests/clients/run

transitions: ## Writes docs/TRANSITIONS.md anew, from the rules themselves
	UPDATE_GENERATED=1 $(CARGO) test --lib generated_table_of_transitions

generated: ## Writes all generated files anew: man pages, completions, default configuration, documentation
	UPDATE_GENERATED=1 $(CARGO) test --lib generated

mutants: ## A random shard of at least 150 mutants of the money core: are they all noticed?
	./scripts/mutants

torture: ## The heavy suites: R=R1..R24|planted MINUTES=3 (0: to the end) SEED=n DB=sqlite|postgresql|both CASE=n
	@R='$(R)' MINUTES='$(or $(MINUTES),3)' SEED='$(SEED)' DB='$(or $(DB),both)' CASE='$(CASE)' ./scripts/torture

bench: ## Memory, start and calls per page of the release build, beside a reference probe; writes docs/OPERATIONS.md
	$(CARGO) build --release --bins
	./scripts/bench

.PHONY: deb apt-repo test-deb

deb: ## Builds the Debian packages into target/deb; installs what is missing
	./scripts/install-tools packaging
	./scripts/deb

apt-repo: ## Makes a signed apt repository of them: FOLDER=… KEY=fingerprint URL=https://…
	@[ -n '$(FOLDER)' ] && [ -n '$(KEY)' ] || { echo 'make apt-repo FOLDER=… KEY=fingerprint [URL=https://…]' >&2; exit 2; }
	./scripts/apt-repo '$(FOLDER)' '$(KEY)' $(URL)

test-deb: ## Proves the packages, in chroots and a virtual machine: PARTS='scripts security build same lint …'
	./scripts/test-deb $(PARTS)
