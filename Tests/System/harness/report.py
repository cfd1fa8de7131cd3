"""Counts what passed and failed, in the one form that the whole run adds up."""

import sys
import time
import traceback


class Skip(Exception):
    """Raised where something that a test needs is not on this machine."""


class Report:
    def __init__(self, suite):
        self.suite, self.passed, self.failed, self.skipped = suite, 0, 0, 0

    def check(self, name, body, *arguments):
        """Runs one test. It fails by any exception and skips by Skip; what it returns is printed."""
        start = time.monotonic()
        try:
            note = body(*arguments)
        except Skip as reason:
            self.skipped += 1
            print(f"- {self.suite}: {name}: skipped: {reason}", flush=True)
        except Exception:
            self.failed += 1
            print(f"✘ {self.suite}: {name}", flush=True)
            traceback.print_exc(file=sys.stdout)
        else:
            self.passed += 1
            took = time.monotonic() - start
            print(f"✔ {self.suite}: {name} ({took:.1f} s){': ' + str(note) if note else ''}", flush=True)

    def skip(self, name, reason):
        self.skipped += 1
        print(f"- {self.suite}: {name}: skipped: {reason}", flush=True)

    def close(self):
        """Prints the counts and returns the exit code."""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{skipped}", flush=True)
        return 1 if self.failed else 0


def expect(condition, message):
    if not condition:
        raise AssertionError(message)
