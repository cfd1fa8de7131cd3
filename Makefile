# run | test | core | check | simulate | bench | format | docs
core:
	SYNOD_CORE=1 swift test --scratch-path .build-core

# SEEDS runs of clusters of three and of five processes with faults of every kind, each drawn from its seed.
SEEDS ?= 2000
FROM ?= 1
simulate:
	SYNOD_CORE=1 swift build -c release --scratch-path .build-core --product simulate
	.build-core/release/simulate --seeds $(SEEDS) --from $(FROM) --processes 3
	.build-core/release/simulate --seeds $(SEEDS) --from $(FROM) --processes 5
