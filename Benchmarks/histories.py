#!/usr/bin/env python3
"""How long the verdict on recorded histories takes, beside the checker porcupine where it is there.

usage: histories.py FOLDER [--porcupine CHECKOUT] [--rounds N]

FOLDER holds histories as porcupine publishes them in test_data: etcd_NNN.log of a compare-and-set register and
cNN-*.txt of a key-value store. CHECKOUT is a copy of porcupine's source; `go` must be on the path. The program is
measured as a whole, start and reading included, the checker by its search alone. Prints a line a history, and fails
where verdicts differ. SYNOD_BINARY names another build, such as .build-lab/release/synod-lab.
"""
import argparse, os, pathlib, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("SYNOD_BINARY", ROOT / ".build/release/synod")

# Lies beside porcupine's own tests, whose readers and models it uses.
MEASURE = """package porcupine

import ("fmt"; "os"; "strings"; "testing"; "time")

func TestHistoriesOfFolder(t *testing.T) {
	folder := os.Getenv("FOLDER")
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		name := entry.Name()
		var events []Event
		var model Model
		info, _ := entry.Info()
		if info.Size() == 0 { continue }
		if strings.HasPrefix(name, "etcd_") {
			events, model = parseJepsenLog(folder+"/"+name), etcdModel
		} else if strings.HasPrefix(name, "c") {
			events, model = parseKvLog(folder+"/"+name), kvModel
		} else { continue }
		best := time.Hour
		var result CheckResult
		for round := 0; round < ROUNDS; round++ {
			start := time.Now()
			result = CheckEventsTimeout(model, events, time.Minute)
			if passed := time.Since(start); passed < best { best = passed }
		}
		fmt.Printf("MEASURED %s %v %.6f\\n", name, result, best.Seconds())
	}
}
"""


def ours(path, rounds):
    model = "cas-register" if path.name.startswith("etcd_") else "kv"
    best = None
    for _ in range(rounds):
        start = time.monotonic()
        code = subprocess.run(
            [BINARY, "linearizable", "--cut-down", "0", "--model", model, path],
            stdout=subprocess.DEVNULL, timeout=600).returncode
        passed = time.monotonic() - start
        best = passed if best is None else min(best, passed)
    return {0: "Ok", 1: "Illegal"}.get(code, f"exit {code}"), best


def porcupine(checkout, folder, rounds):
    test = pathlib.Path(checkout) / "measured_histories_test.go"
    test.write_text(MEASURE.replace("ROUNDS", str(rounds)))
    try:
        out = subprocess.run(
            ["go", "test", "-run", "TestHistoriesOfFolder", "-v", "."], cwd=checkout, text=True,
            env=dict(os.environ, FOLDER=str(pathlib.Path(folder).resolve())), capture_output=True)
    finally:
        test.unlink()
    found = [line.split() for line in out.stdout.splitlines() if line.startswith("MEASURED ")]
    if not found:
        sys.exit(out.stdout + out.stderr)
    return {name: (verdict, float(seconds)) for _, name, verdict, seconds in found}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--porcupine")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    others = porcupine(options.porcupine, options.folder, options.rounds) if options.porcupine else {}
    differences = 0
    for path in sorted(pathlib.Path(options.folder).iterdir()):
        if not path.name.startswith(("etcd_", "c")) or path.stat().st_size == 0:
            continue
        verdict, seconds = ours(path, options.rounds)
        line = f"{path.name:20} {verdict:8} {seconds * 1000:8.1f} ms"
        if path.name in others:
            their_verdict, their_seconds = others[path.name]
            line += f"   porcupine {their_verdict:8} {their_seconds * 1000:8.1f} ms"
            if their_verdict != verdict:
                differences += 1
                line += "   VERDICTS DIFFER"
        print(line, flush=True)
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
