# run | test | core | check | simulate | bench | format | docs
core:
	SYNOD_CORE=1 swift test --scratch-path .build-core
