# run | test | core | lab | check | simulate | mutations | bench | format | docs; also faults and upgrade, and what they build on.
# `check` and `test` never write to the tree; `format` and `docs` do.

.DEFAULT_GOAL := run
.PHONY: run test core lab check simulate simulate-members sweeper mutations bench load faults upgrade format docs bootstrap release

# Everything that swift-format holds in form; generated messages are as their generator wrote them.
FORMATTED = $(filter-out Sources/EtcdProtobuf,$(wildcard Sources/*)) Tests Package.swift \
	Benchmarks/Load/Sources Benchmarks/Load/Package.swift

# What is measured is the release, also where a debug build is newer.
SHIPPED = SYNOD_BINARY="$${SYNOD_BINARY:-$(CURDIR)/.build/release/synod}"

# Serves on etcd's default ports, with its data in default.synod.
run: release
	exec .build/release/synod serve

# Without debug information, which takes a third of the time; a backtrace has names all the same.
release: bootstrap
	swift build -c release --product synod -Xswiftc -gnone

bootstrap:
	@scripts/bootstrap

# Everything: unit tests, simulation, the built program from outside, other people's clients.
test:
	@scripts/bootstrap test
	@scripts/test

# The cores alone, without a network stack or a C library. A module is compiled as a whole, which from cold
# takes a quarter less time than file by file.
CORE_FLAGS = -Xswiftc -wmo -Xswiftc -num-threads -Xswiftc 1 -Xswiftc -disable-batch-mode
core:
	SYNOD_CORE=1 swift test --scratch-path .build-core $(CORE_FLAGS)

# The cores and what studies them: models, scenarios, checkers.
lab:
	SYNOD_LAB=1 swift test --scratch-path .build-lab $(CORE_FLAGS)

# Form, warnings and floors.
check: bootstrap
	swift format lint --strict --recursive $(FORMATTED)
	SYNOD_STRICT=1 swift build --build-tests
	SYNOD_STRICT=1 swift build -c release --package-path Benchmarks/Load
	SYNOD_CORE=1 swift test --scratch-path .build-core $(CORE_FLAGS) --filter ArchitectureTests

# Deliberate errors, one after the other, each of which must be caught. MUTATIONS narrows it: MUTATIONS="--area replica".
mutations:
	scripts/mutations $(MUTATIONS)

# SEEDS runs of clusters of three and of five replicas and of whole members, with faults of every kind, each drawn from
# its seed; two at once with `make -j2`. Optimised across modules, which halves the time of a run.
SEEDS ?= 2000
FROM ?= 1
simulate: simulate-3 simulate-5 simulate-members
simulate-members: sweeper
	.build-lab/release/synod-lab simulate members --seeds $(SEEDS) --from $(FROM)
simulate-%: sweeper
	.build-lab/release/synod-lab simulate --seeds $(SEEDS) --from $(FROM) --processes $*
sweeper:
	SYNOD_LAB=1 swift build -c release --scratch-path .build-lab --product synod-lab -Xswiftc -cross-module-optimization

# The same load on Synod and on each etcd that is here. BENCH narrows it: BENCH="--sizes 1 --operations put".
bench: release load
	@scripts/bootstrap test
	$(SHIPPED) python3 -u Benchmarks/bench.py $(BENCH)

# The generator of the bench's load on many keys.
load:
	swift build -c release --package-path Benchmarks/Load

# Two minutes of killing leaders; the short form is a part of `make test`.
FAULT_SECONDS ?= 120
faults: release
	@scripts/bootstrap test
	$(SHIPPED) python3 -u Tests/System/leader_faults.py --seconds $(FAULT_SECONDS)

# A cluster of three under load goes from the program of an earlier commit to this one, process by process.
FROM_COMMIT ?= HEAD~1
upgrade: release
	@scripts/bootstrap test
	rm -rf .build-earlier/tree && git clone -q . .build-earlier/tree && git -C .build-earlier/tree checkout -q $(FROM_COMMIT)
	swift build -c release --product synod -Xswiftc -gnone --package-path .build-earlier/tree --scratch-path .build-earlier/products
	$(SHIPPED) python3 -u Tests/System/upgrade.py --from .build-earlier/products/release/synod

format:
	swift format --in-place --recursive $(FORMATTED)

# Pages that are written from the sources: the flags of the server, and those of the public libraries, which
# are not part of the tree and lie in .build-docs/pages.
DOCUMENTED = Automata LogicalTime Paxos Consensus GlobalSnapshot Multicast GroupCommunication Replica Simulation ModelChecking Linearizability
docs: release
	.build/release/synod flags > docs/operations/flags.md
	SYNOD_LAB=1 SYNOD_DOCS=1 swift package --scratch-path .build-docs \
		--allow-writing-to-directory .build-docs/pages generate-documentation \
		$(addprefix --target ,$(DOCUMENTED)) --enable-experimental-combined-documentation \
		--warnings-as-errors --output-path .build-docs/pages
