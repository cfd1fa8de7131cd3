#!/usr/bin/env python3
"""The page of `synod lab run … --format html` in a browser: it loads without complaint and without a request, scrubs,
steps by key, plays, and follows a click.

    lab_page.py [--screenshots FOLDER]

Chromium is driven by its DevTools protocol over two pipes.
"""

import argparse
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

from harness import places
from harness.report import Report, Skip, expect

# What is shown, and the event at which it is photographed for docs/lab.md.
RUNS = {
    "snapshot": (["snapshot-tokens", "--processes", "4", "--steps", "36", "--initiators", "1,3", "--seed", "5"], 24),
    "paxos": (["paxos-duel", "--seed", "3"], 30),
    "undecided": (["flp-adversary", "--deliveries", "60", "--omega"], 40),
    "auction": (["total-auction", "--crash", "--seed", "4"], 26),
    "failover": (["paxos-failover", "--commands", "3"], 88),
    "large": (["snapshot-tokens", "--processes", "16", "--tokens", "24", "--steps", "1700"], 900),
}


class Browser:
    """One page of a headless Chromium."""

    def __init__(self, path):
        self.profile = tempfile.TemporaryDirectory(prefix="synod-chromium-")
        to_child, self.output = os.pipe()
        self.input, from_child = os.pipe()

        def place():
            # The protocol's pipes are the descriptors 3 and 4 of the browser.
            a, b = os.dup(to_child), os.dup(from_child)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [path, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--window-size=1500,760", f"--user-data-dir={self.profile.name}", "--remote-debugging-pipe", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=place)
        os.close(to_child)
        os.close(from_child)
        self.buffer, self.next, self.events, self.session = b"", 1, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=1500, height=760, deviceScaleFactor=1, mobile=False)

    def call(self, method, **parameters):
        number, self.next = self.next, self.next + 1
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == number:
                expect("error" not in answer, f"{method}: {answer.get('error')}")
                return answer["result"]
            self.events.append(answer)

    def receive(self, timeout=30):
        deadline = time.monotonic() + timeout
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.input], [], [], max(0, deadline - time.monotonic()))
            expect(ready, "the browser does not answer")
            piece = os.read(self.input, 1 << 20)
            expect(piece, "the browser has ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, path):
        self.events.clear()
        self.call("Page.navigate", url="file://" + path)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        expect("exceptionDetails" not in answer, f"{expression}: {answer.get('exceptionDetails')}")
        return answer["result"].get("value")

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def complaints(self):
        """Errors that the page raised, and requests for anything but itself."""
        found = []
        for event in self.events:
            method, parameters = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(parameters["exceptionDetails"].get("text"))
            elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                found.append(parameters["entry"]["text"])
            elif method == "Runtime.consoleAPICalled" and parameters["type"] == "error":
                found.append(str(parameters["args"]))
            elif method == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if not url.startswith(("file:", "data:")):
                    found.append(f"asks for {url}")
        return found

    def photograph(self, path):
        image = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(image))

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        os.close(self.output)
        os.close(self.input)
        self.profile.cleanup()


def check(browser, name, folder, screenshots):
    arguments, shown = RUNS[name]
    page = os.path.join(folder, f"{name}.html")
    done = subprocess.run(
        [places.synod(), "lab", "run", *arguments, "--format", "html", "--out", page], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60)
    expect(done.returncode == 0, done.stdout + done.stderr)
    browser.open(page)
    sentence = "document.getElementById('sentence').textContent"
    count = browser.evaluate("run.events.length")
    first = browser.evaluate(sentence)
    expect(first and first == browser.evaluate("run.events[0].sentence"), f"the first sentence: {first}")

    begun = time.monotonic()
    browser.evaluate(
        "const scrub = document.getElementById('scrub'); scrub.value = scrub.max;"
        "scrub.dispatchEvent(new Event('input', { bubbles: true }))")
    took = time.monotonic() - begun
    last = browser.evaluate(sentence)
    expect(last == browser.evaluate(f"run.events[{count - 1}].sentence"), f"after scrubbing: {last}")
    browser.press("ArrowLeft")
    expect(browser.evaluate("current") == count - 2, "one event back")
    browser.press("Home")
    browser.press("ArrowRight")
    expect(browser.evaluate("current") == 1, "one event on from the beginning")
    marked = "document.querySelectorAll('.event.past').length + document.querySelectorAll('.event.current').length"
    expect(browser.evaluate(marked) >= 1, "the past is marked")
    browser.evaluate("document.querySelectorAll('.event')[3].dispatchEvent(new Event('click'))")
    expect(browser.evaluate("current") == 3, "a click on the fourth event")
    drawn = browser.evaluate("document.querySelectorAll('#diagram circle').length")
    expect(drawn <= 400, f"{drawn} events are drawn, of {count}")
    browser.evaluate(f"go({min(shown, count) - 1})")
    if screenshots:
        browser.photograph(os.path.join(screenshots, f"lab-{name}.png"))
    found = browser.complaints()
    expect(not found, f"{found}")
    return f"{count} events, {drawn} drawn at once, {took * 1000:.0f} ms to scrub to the end"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screenshots", help="a folder for pictures of the pages")
    options = parser.parse_args()
    report = Report("lab page")
    path = shutil.which("chromium")
    if not path:
        report.skip("the pages of the laboratory", "chromium is not on this machine")
        return report.close()
    browser = Browser(path)
    try:
        with tempfile.TemporaryDirectory(prefix="synod-pages-") as folder:
            for name in RUNS:
                report.check(f"{name}: loads, scrubs, steps, asks for nothing", check, browser, name, folder, options.screenshots)
    finally:
        browser.close()
    return report.close()


if __name__ == "__main__":
    raise SystemExit(main())
