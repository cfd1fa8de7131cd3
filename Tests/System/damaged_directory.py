#!/usr/bin/env python3
"""Everything that can stand under a data directory, damaged in every way: what the server says last, and how it ends.

    damaged_directory.py [--list]

Each path of a member's data directory is damaged in each way on a copy of its own, and a server is started on it. It
either serves everything that was acknowledged, or ends with exit code 1 and a last line that says what is wrong, where,
and what to do next: both are held against TABLE. --list prints what happens instead.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import time

from harness import places
from harness.gateway import Gateway, GatewayError
from harness.report import Report, Skip, expect
from harness.servers import free_port

NOBODY = 65534
IS_ROOT = os.geteuid() == 0
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("SYNOD_", "ETCD_"))}
SERVES = "serves"

OWNER = "give it to the user that this program runs as"
PLACE = "something else stands where a directory belongs|a directory stands where a file belongs"
DOCUMENTED = '[Ss]ee "A lost disk" in docs/operations'

# By path and damage, the first that fits: what is found in the last line, or that it serves. A path is the one under the
# data directory, "." the data directory itself.
TABLE = [
    # For LMDB and for people alone; they are made again.
    (r".*/data.mdb-lock", "removed|unreadable|another's|emptied|garbage", SERVES),
    (r"LOCK", "removed|emptied|garbage", SERVES),
    (r".*", "unreadable|another's", OWNER),
    (r".*", "a directory|a file", PLACE),
    (r"\.|store-1", "not writable", SERVES),
    (r"log", "not writable", SERVES),
    # What the member was first told matters only when the flags say something else.
    (r"members", "removed", SERVES),
    (r"members", "emptied|garbage", "remove that file alone and start the member with the --initial-… flags"),
    (r"identity", "removed", "no identity in .* says whose it is.*put it back as it was"),
    (r"identity", "emptied|garbage", "identity is damaged"),
    (r"current-store", "removed|emptied|garbage", "it names the store that is in use. Put it back as it was"),
    # The log that is there holds everything that the store held.
    (r"store-1", "removed", SERVES),
    (r"store-1", "empty", f"point is missing.*{DOCUMENTED}"),
    # LMDB's pages have no checksums: what does not hang together is found by the read that needs it.
    (r"store-1/data.mdb", "garbage", f"refuses: |{DOCUMENTED}"),
    (r"store-1/.*", "removed|emptied|garbage", f"store-1/(data.mdb|point) .*{DOCUMENTED}"),
    (r"log|log/.*", "removed|empty", f"the log of .* is missing.*{DOCUMENTED}"),
    (r"log/.*", "emptied|garbage", f"the log is damaged.*{DOCUMENTED}"),
]


class Case:
    """A copy of a member's directory, and one server on it, which runs as nobody when this runs as root."""

    def __init__(self, directory, template=None):
        self.directory = directory
        if template:
            shutil.copytree(template, directory)
        else:
            os.mkdir(directory)
        give_away(directory)
        self.client, self.peer = free_port(), free_port()

    def start(self, directory=None, log_outputs="stderr"):
        url = f"http://127.0.0.1:{self.client}"
        return subprocess.Popen(
            [places.synod(), "serve", "--name=m", f"--data-dir={directory or self.directory}", f"--listen-client-urls={url}",
             f"--advertise-client-urls={url}", f"--listen-peer-urls=http://127.0.0.1:{self.peer}",
             # The same for all copies, so that the flags are those of the first start.
             "--initial-advertise-peer-urls=http://127.0.0.1:1", f"--log-outputs={log_outputs}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=CLEAN, cwd="/",
            **({"user": NOBODY, "group": NOBODY, "extra_groups": []} if IS_ROOT else {}))

    def outcome(self, **options):
        """SERVES, or the exit code and the last line, or what a read is refused with."""
        process = self.start(**options)
        gateway, deadline = Gateway("127.0.0.1", self.client, timeout=2), time.monotonic() + 60
        try:
            while process.poll() is None:
                expect(time.monotonic() < deadline, "it neither serves nor ends")
                try:
                    answer = gateway.range("kept/", "kept0")
                except GatewayError as error:
                    if error.status == 500:
                        return f"refuses: {error.message}"
                    time.sleep(0.02)
                    continue
                except OSError:
                    time.sleep(0.02)
                    continue
                expect(answer.get("count") == "50", f"it serves, and not all that was acknowledged: {answer.get('count')}")
                process.terminate()
                expect(process.wait(20) == 0, "exit code after SIGTERM")
                return SERVES
            errors = process.stderr.read()
            lines = errors.strip().splitlines() or [""]
            return f"{process.returncode}: {lines[-1].split(' ', 2)[-1]}"
        finally:
            gateway.close()
            process.kill()
            process.communicate()


def give_away(path):
    """To the user that the server runs as."""
    if not IS_ROOT or not os.path.exists(path):
        return
    for folder, _, names in os.walk(path):
        os.chown(folder, NOBODY, NOBODY)
        for name in names:
            os.chown(os.path.join(folder, name), NOBODY, NOBODY)
    os.chown(path, NOBODY, NOBODY)


def random_bytes(count):
    return random.Random(count).randbytes(count)


def damage(path, kind):
    if kind == "emptied":
        open(path, "w").close()
    elif kind == "garbage":
        size = os.path.getsize(path)
        with open(path, "r+b") as file:
            file.write(random_bytes(min(size, 1 << 20) or 100))
    elif kind == "removed":
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    elif kind == "a directory":
        os.remove(path)
        os.mkdir(path)
    elif kind == "a file":
        shutil.rmtree(path)
        open(path, "w").close()
    elif kind == "unreadable":
        os.chmod(path, 0)
    elif kind == "not writable":
        os.chmod(path, 0o555)
    elif kind == "empty":
        for name in os.listdir(path):
            inner = os.path.join(path, name)
            shutil.rmtree(inner) if os.path.isdir(inner) else os.remove(inner)
    elif kind == "another's":
        os.chown(path, 0, 0)
        os.chmod(path, 0o700 if os.path.isdir(path) else 0o600)
        return
    give_away(path)


def kinds(path, is_whole):
    if is_whole:
        # Without it, or without anything in it, there is a new member.
        return ["unreadable", "a file", "not writable"] + (["another's"] if IS_ROOT else [])
    both = ["removed", "unreadable"] + (["another's"] if IS_ROOT else [])
    return both + (["a file", "not writable", "empty"] if os.path.isdir(path) else ["emptied", "garbage", "a directory"])


def template():
    """The directory of a member that has acknowledged some puts and was ended by SIGKILL, as after a crash."""
    folder = places.scratch("template")
    os.chmod(folder, 0o755)
    case = Case(os.path.join(folder, "d"))
    process = case.start()
    gateway, deadline = Gateway("127.0.0.1", case.client, timeout=5), time.monotonic() + 60
    while True:
        try:
            gateway.range("kept/")
            break
        except (OSError, GatewayError):
            expect(process.poll() is None and time.monotonic() < deadline, "it does not start")
            time.sleep(0.05)
    for n in range(50):
        gateway.put(f"kept/{n:02}", "v" * 100)
    gateway.close()
    process.terminate()
    expect(process.wait(20) == 0, "exit code")
    process.stderr.close()
    return case.directory


def paths(directory):
    yield "."
    for path, folders, names in os.walk(directory):
        for name in sorted(folders + names):
            yield os.path.relpath(os.path.join(path, name), directory)


def expected(relative, kind):
    for pattern, damages, outcome in TABLE:
        if re.fullmatch(pattern, relative) and re.fullmatch(damages, kind):
            return outcome
    return None


def every_path(source, lists):
    """Damages everything, and says which of it did not end as the table has it."""
    wrong, count = [], 0
    for relative in paths(source):
        for kind in kinds(os.path.join(source, relative), relative == "."):
            folder = places.scratch("damaged")
            os.chmod(folder, 0o755)
            try:
                case = Case(os.path.join(folder, "d"), source)
                damage(os.path.normpath(os.path.join(case.directory, relative)), kind)
                try:
                    outcome = case.outcome().replace(case.directory, "DIR")
                except AssertionError as error:
                    outcome = f"wrong: {error}"
                count += 1
                if lists:
                    print(f"{relative:28} {kind:14} {outcome}", flush=True)
                wanted = expected(relative, kind)
                if wanted is None or not re.search(wanted, outcome) or not re.match(r"serves$|1: cannot start: |refuses: ", outcome):
                    wrong.append(f"{relative}, {kind}: {outcome} (expected {wanted})")
            finally:
                subprocess.run(["chmod", "-R", "u+rwX", folder], check=False)
                shutil.rmtree(folder, ignore_errors=True)
    expect(not wrong, "\n".join(wrong))
    return f"{count} damages"


def refused(case, wanted, **options):
    outcome = case.outcome(**options)
    expect(re.match("1: cannot start: ", outcome) and re.search(wanted, outcome), outcome)
    return outcome


def in_use(source):
    """A lock that another process holds: it is named."""
    folder = places.scratch("locked")
    os.chmod(folder, 0o755)
    case = Case(os.path.join(folder, "d"), source)
    first = case.start()
    try:
        gateway, deadline = Gateway("127.0.0.1", case.client, timeout=2), time.monotonic() + 60
        while True:
            try:
                gateway.range("x")
                break
            except (OSError, GatewayError):
                expect(first.poll() is None and time.monotonic() < deadline, "it does not start")
                time.sleep(0.05)
        gateway.close()
        case.client, case.peer = free_port(), free_port()
        return refused(case, f"is in use by process {first.pid}: stop that one or choose another data directory")
    finally:
        first.kill()
        first.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def elsewhere(source):
    """A parent that is a file, is missing, or belongs to somebody else; a log that cannot be written."""
    folder = places.scratch("elsewhere")
    os.chmod(folder, 0o755)
    try:
        case = Case(os.path.join(folder, "d"), source)
        open(os.path.join(folder, "file"), "w").close()
        refused(case, PLACE, directory=os.path.join(folder, "file", "d"))
        if IS_ROOT:
            refused(case, OWNER, directory=os.path.join(folder, "new", "d"))
            outcome = case.outcome(log_outputs=os.path.join(folder, "log"))
            expect(outcome.startswith("1: ") and "--log-outputs: cannot write to" in outcome, outcome)
        outcome = case.outcome(log_outputs=os.path.join(folder, "none", "log"))
        expect(outcome.startswith("1: ") and "No such file or directory" in outcome, outcome)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_only(source):
    """A file system that is mounted read-only."""
    if not IS_ROOT:
        raise Skip("mounting needs root")
    folder = places.scratch("read-only")
    os.chmod(folder, 0o755)
    case = Case(os.path.join(folder, "d"), source)
    if subprocess.run(["mount", "--bind", case.directory, case.directory], capture_output=True).returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise Skip("a directory cannot be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", case.directory], check=True, capture_output=True)
        return refused(case, "Read-only file system; mount it for writing")
    finally:
        subprocess.run(["umount", "-l", case.directory], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def main():
    lists = "--list" in sys.argv[1:]
    if not places.synod():
        print("there is no built synod: swift build -c release --product synod")
        return 1
    report = Report("damaged directory")
    source = template()
    try:
        report.check("whatever is damaged, it serves all or says what to do next", every_path, source, lists)
        report.check("a directory in use names the process", in_use, source)
        report.check("a place that cannot be used says why", elsewhere, source)
        report.check("a read-only file system is named", read_only, source)
    finally:
        shutil.rmtree(os.path.dirname(source), ignore_errors=True)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
