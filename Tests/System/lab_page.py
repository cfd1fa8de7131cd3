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
    "broken": (["snapshot-bank", "--naive", "--seed", "6"], 36),
    "overtaken": (["causal-chat", "--fifo", "--seed", "1"], 20),
    "large": (["snapshot-tokens", "--processes", "16", "--tokens", "24", "--steps", "1700"], 900),
}
# Those that show a broken promise.
BROKEN = {"broken", "overtaken"}
SCREENS = {"desktop": (1500, 760), "phone, upright": (390, 844), "phone, lying": (844, 390)}


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
        self.resize(*SCREENS["desktop"])

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

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

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


def write(name, arguments, folder):
    page = os.path.join(folder, f"{name}.html")
    done = subprocess.run(
        [places.synod(), "lab", "run", *arguments, "--format", "html", "--out", page], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60)
    expect(done.returncode == (1 if name in BROKEN else 0), done.stdout + done.stderr)
    return page


def check(browser, name, folder, screenshots):
    arguments, shown = RUNS[name]
    page = write(name, arguments, folder)
    browser.open(page)
    command = browser.evaluate("document.getElementById('command').textContent")
    expect(command.startswith(f"synod lab run {arguments[0]}") and "--seed" in command, f"the command: {command}")
    verdict = browser.evaluate("document.querySelector('.verdict').textContent")
    expect(verdict == ("promise broken" if name in BROKEN else "promise kept"), verdict)
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
    end = browser.evaluate("length()")
    expect(last == browser.evaluate(f"run.events[{end - 1}].sentence"), f"after scrubbing: {last}")
    if end < count:
        browser.evaluate("document.getElementById('more').click(); document.getElementById('last').click()")
        expect(browser.evaluate("current") == count - 1, "the end unfolded")
    at = browser.evaluate("current")
    browser.press("ArrowLeft")
    expect(browser.evaluate("current") == at - 1, "one event back")
    browser.press("Home")
    browser.press("ArrowRight")
    expect(browser.evaluate("current") == 1, "one event on from the beginning")
    marked = "document.querySelectorAll('.event.past').length + document.querySelectorAll('.event.current').length"
    expect(browser.evaluate(marked) >= 1, "the past is marked")
    browser.evaluate("document.querySelectorAll('.target')[3].dispatchEvent(new Event('click'))")
    expect(browser.evaluate("current") == 3, "a click on the fourth event")
    drawn = browser.evaluate("document.querySelectorAll('#diagram circle.event').length")
    expect(drawn <= 400, f"{drawn} events are drawn, of {count}")
    browser.evaluate(f"go({min(shown, count) - 1})")
    if screenshots:
        browser.photograph(os.path.join(screenshots, f"lab-{name}.png"))
    found = browser.complaints()
    expect(not found, f"{found}")
    return f"{count} events, {drawn} drawn at once, {took * 1000:.0f} ms to scrub to the end"


OVERLAPS = """(() => {
  const boxes = [...document.querySelectorAll('svg text.label')].map(label => label.getBBox());
  return boxes.some((a, i) => boxes.slice(i + 1).some(b => a.x < b.x + b.width && b.x < a.x + a.width
    && a.y + 2 < b.y + b.height - 2 && b.y + 2 < a.y + a.height - 2));
})()"""
AHEAD = """[...document.querySelectorAll('svg text.label')].some(label => label.getBBox().x > x(current) + 30)"""
SMALL = """[...document.querySelectorAll('button, select, input, summary, .target')].filter(it => {
  const box = it.getBoundingClientRect();
  return box.width > 0 && (box.width < 24 || box.height < 24);
}).map(it => it.id || it.tagName)"""


def look(browser, folder, screenshots):
    """What the eye and a finger need: on each screen, at each event."""
    page = write("snapshot", RUNS["snapshot"][0], folder)
    wide = write("wide", ["multicast-crash", "--kind", "flooding", "--processes", "8"], folder)
    for screen, (width, height) in SCREENS.items():
        browser.resize(width, height)
        for path in (page, wide):
            browser.open(path)
            small = browser.evaluate(SMALL)
            expect(not small, f"{screen}: too small for a finger: {small}")
            size = browser.evaluate("[document.getElementById('diagram').clientWidth,"
                                    " document.getElementById('diagram').clientHeight,"
                                    " document.documentElement.scrollWidth]")
            expect(size[0] > width * .5 and size[1] > height * .25, f"{screen}: the diagram has {size}")
            expect(size[2] <= width, f"{screen}: the page is {size[2]} wide")
            for event in range(browser.evaluate("length()")):
                browser.evaluate(f"go({event})")
                expect(not browser.evaluate(OVERLAPS), f"{screen}: labels overlap at event {event + 1} of {path}")
                expect(not browser.evaluate(AHEAD), f"{screen}: a label runs ahead at event {event + 1} of {path}")
        if screenshots:
            browser.evaluate("go(24)")
            browser.photograph(os.path.join(screenshots, f"screen-{width}x{height}.png"))
    browser.resize(*SCREENS["desktop"])
    return f"{len(SCREENS)} screens"


def follow(browser, folder, screenshots):
    """`?event=N`, many processes, and cuts that appear when they are made."""
    page = write("large", RUNS["large"][0], folder)
    browser.open(page + "?event=1200")
    inside = ("(() => { const box = document.getElementById('diagram').getBoundingClientRect(),"
              " at = document.querySelector('.event.current').getBoundingClientRect();"
              " return at.left > box.left && at.right < box.right && at.top > box.top && at.bottom < box.bottom })()")
    expect(browser.evaluate("current") == 1199 and browser.evaluate(inside), "?event=1200 shows that event")
    browser.resize(*SCREENS["phone, lying"])
    for event in range(600, 660):
        browser.evaluate(f"go({event})")
        expect(browser.evaluate(inside), f"event {event + 1} of 16 processes is out of sight")
    browser.resize(*SCREENS["desktop"])
    cut = "document.querySelectorAll('#diagram .cut').length"
    browser.open(write("snapshot", RUNS["snapshot"][0], folder))
    made = browser.evaluate("Math.max(...run.processes.map((_, p) => madeAt(run.cuts[0], p)))")
    first = browser.evaluate("Math.min(...run.processes.map((_, p) => madeAt(run.cuts[0], p)))")
    expect(browser.evaluate(f"go({first - 1}), {cut}") == 0, "the cut is there before anybody has recorded")
    expect(browser.evaluate(f"go({made}), document.querySelectorAll('svg .cutname').length") == 1, "the cut is made")
    expect(browser.evaluate(f"go({made - 1}), document.querySelectorAll('svg .cutname').length") == 0, "the cut is made early")
    browser.open(write("broken", RUNS["broken"][0], folder))
    browser.evaluate("document.getElementById('last').click()")
    red = browser.evaluate("document.querySelectorAll('#diagram .message.uncaused').length")
    expect(red == browser.evaluate("run.cuts[0].uncaused.length") and red > 0, f"{red} messages without a cause")
    return "events, processes and cuts"


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
            report.check("labels, targets and room, on a desk and on a phone", look, browser, folder, options.screenshots)
            report.check("the page follows the event, and shows cuts when they are made", follow, browser, folder, options.screenshots)
    finally:
        browser.close()
    return report.close()


if __name__ == "__main__":
    raise SystemExit(main())
