#!/usr/bin/env python3
"""The simulator as a user starts it: seeds with faults of every kind, and the replay of one of them.

    simulation.py [--seeds N]

`make simulate` runs 2,000 seeds each of three and of five replicas and of whole members; this is a part of them that a
test run has time for.
"""

import argparse
import json
import signal
import subprocess

from harness import places
from harness.report import Report, expect


def simulate(*arguments):
    done = subprocess.run(
        [places.synod(), "simulate", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=600)
    return done.returncode, done.stdout


def sweep(processes, seeds):
    code, text = simulate("--processes", processes, "--seeds", seeds)
    expect(code == 0, f"exit code {code}:\n{text}")
    expect(f"{processes} processes, seeds from 1: 0 failures" in text, text)
    return f"{seeds} seeds"


def members(seeds):
    code, text = simulate("members", "--seeds", seeds)
    expect(code == 0 and "members, seeds from 1: 0 failures" in text, f"exit code {code}:\n{text}")
    missed = [line.strip() for line in text.splitlines() if line.endswith(": never")]
    expect(not missed, f"no run came by {missed}")
    first, again = (simulate("members", "--seed", 7, "--trace") for _ in range(2))
    expect(first == again and first[1].count("\n") > 1000, "seed 7 has two traces, or a short one")
    return f"{seeds} seeds"


def replay(processes, seed):
    first, again = (simulate("--processes", processes, "--seed", seed, "--trace") for _ in range(2))
    expect(first[0] == 0 and first[1].count("\n") > 1000, f"a trace of {first[1].count(chr(10))} lines")
    expect(first == again, f"seed {seed} has two traces")
    return f"{first[1].count(chr(10))} lines"


def as_json():
    code, text = simulate("--processes", 3, "--seeds", 3, "--json")
    found = json.loads(text)
    expect(code == 0 and found["seeds"] == 3 and found["failures"] == [], text)
    expect(found["counts"]["chosen entries"] > 0 and "torn tail repaired" in found["points"], text)
    code, text = simulate("--processes", 3, "--seeds", 3, "--json", "--flaw", "appliesOutOfOrder")
    failure = json.loads(text)["failures"][0]
    expect(code == 1 and f"--seed {failure['seed']} " in failure["replay"], text)
    return failure["rule"]


def interrupted():
    running = subprocess.Popen(
        [places.synod(), "simulate", "--seeds", "1000000", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    # The first progress says that the sweep is under way; a sweep of so many seeds does not end by itself.
    line = running.stderr.readline()
    expect(" of 1000000 seeds" in line, line)
    running.send_signal(signal.SIGINT)
    text, _ = running.communicate(timeout=60)
    expect(running.returncode == 130, f"exit code {running.returncode}")
    found = json.loads(text)
    expect(found["interrupted"] and 0 < found["seeds"] < 1000000, text)
    return f"{found['seeds']} seeds"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=120, help="of three processes; half as many of five")
    options = parser.parse_args()
    report = Report("simulation")
    report.check("three processes with faults keep every promise", sweep, 3, options.seeds)
    report.check("five processes with faults keep every promise", sweep, 5, max(1, options.seeds // 2))
    report.check("whole members with faults tell clients nothing wrong", members, options.seeds)
    report.check("a seed has the same trace twice", replay, 5, 7)
    report.check("what was found is there for programs", as_json)
    report.check("Ctrl-C ends a sweep with what it has found so far", interrupted)
    return report.close()


if __name__ == "__main__":
    raise SystemExit(main())
