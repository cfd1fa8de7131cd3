#!/usr/bin/env python3
"""The commands that the pages in docs/ show, run as printed.

    documented_commands.py [PAGE …]

In a block marked `sh` every line that begins with `synod ` is a command; `# exits with N` at its end says that
its exit code is not 0. A page under docs/concepts without any command is a failure.
"""

import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

from harness import places
from harness.report import Report, expect

LIMIT_SECONDS = 120


def commands(page):
    with open(page, encoding="utf-8") as file:
        blocks = re.findall(r"^```sh\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)
    for line in "".join(blocks).splitlines():
        if line.startswith("synod "):
            command, _, comment = line.partition(" # ")
            said = re.fullmatch(r"exits with (\d+)", comment.strip())
            yield command, int(said[1]) if said else 0


def run(page):
    shown = list(commands(page))
    expect(shown or "concepts" not in page or page.endswith("README.md"), "a page without a command")
    with tempfile.TemporaryDirectory(prefix="synod-docs-") as folder:
        for command, code in shown:
            words = shlex.split(command)
            done = subprocess.run(
                [places.synod(), *words[1:]], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=LIMIT_SECONDS)
            expect(
                done.returncode == code,
                f"`{command}` ends with {done.returncode} and not {code}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            expect(done.stdout.strip(), f"`{command}` prints nothing")
    return f"{len(shown)} commands"


def main():
    pages = sys.argv[1:] or sorted(glob.glob(os.path.join(places.ROOT, "docs", "**", "*.md"), recursive=True))
    report = Report("documented commands")
    for page in pages:
        if any(True for _ in commands(page)) or "concepts" in page and not page.endswith("README.md"):
            report.check(os.path.relpath(page, places.ROOT), run, os.path.abspath(page))
    return report.close()


if __name__ == "__main__":
    raise SystemExit(main())
