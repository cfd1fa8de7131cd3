#!/usr/bin/env python3
"""h2load and our own generator with the same load on the same server, alternating: do they measure the same?

    generators.py [--server synod] [--rounds 5] [--scale 1.0]

Puts of 256 bytes to one key and linearizable ranges of it, at 1 and 256 in flight, as `bench.py` has them; both
generators send the same gRPC messages. Under each pair stands the CPU per request of the generators themselves, their
start included.
"""

import argparse
import os
import resource
import tempfile

import bench  # first: it says where the harness is
import random_keys
from figures import HEAD, Cell, cpu_seconds, print_row
from harness.servers import KINDS, Cluster

PUTS = {"put": 100, "range": 0}


def h2load(folder, operation, port, shape):
    seconds, _, times = bench.Load(folder, operation, port, *shape).finish()
    return seconds, times


def ours(_, operation, port, shape):
    connections, streams, count = shape
    said, times = random_keys.generate(
        port, count, connections=connections, streams=streams, key=bench.KEY.decode(), value_bytes=len(bench.VALUE),
        puts=PUTS[operation])
    return said["seconds"], times


GENERATORS = {"h2load": h2load, "ours": ours}


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=KINDS, default="synod")
    parser.add_argument("--rounds", type=bench.number, default=5, help="alternations between the generators")
    parser.add_argument("--scale", type=bench.factor, default=1.0, help="times the number of requests")
    options = parser.parse_args()
    print(f"one process of {options.server}; load average {os.getloadavg()[0]:.1f}\n{HEAD.rsplit('   ', 1)[0]}", flush=True)
    with tempfile.TemporaryDirectory(prefix="synod-bench-") as folder, Cluster(options.server, 1) as cluster:
        cluster.members[0].gateway.put(bench.KEY.decode(), bench.VALUE.decode())
        port = cluster.members[0].client_port
        for operation in PUTS:
            with open(os.path.join(folder, operation), "wb") as file:
                file.write(bench.frame(operation))
            for in_flight in (1, 256):
                connections, streams, count = bench.SHAPES[in_flight]
                shape = connections, streams, max(connections * streams, int(count * options.scale / options.rounds))
                row, own = {name: Cell() for name in GENERATORS}, dict.fromkeys(GENERATORS, 0.0)
                for _ in range(options.rounds):
                    for name, generator in GENERATORS.items():
                        cpu, children = cpu_seconds(cluster), children_seconds()
                        seconds, times = generator(folder, operation, port, shape)
                        row[name].add(seconds, cpu_seconds(cluster) - cpu, times)
                        own[name] += children_seconds() - children
                print_row(operation, str(in_flight), {name: cell.figures() for name, cell in row.items()})
                print("".join(f"{'':<13}{'':>9}  {name:<9}{seconds / row[name].count * 1e6:.1f} µs of its own per request\n"
                              for name, seconds in own.items()), end="", flush=True)


if __name__ == "__main__":
    main()
