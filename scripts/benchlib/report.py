"""What the figures come to: goals with their verdicts, and the text for people.

Invariant: only the region between the marks of docs/OPERATIONS.md is ever written.
"""

import dataclasses
import datetime
import os
import pathlib
import re
import subprocess

MARK = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)
MEMORY_MIB, START_MS, CALLS = 20, 100, 1


@dataclasses.dataclass
class Goal:
    """One goal and what was seen of it."""

    name: str
    database: str
    wanted: str
    seen: str
    met: bool


def goals(runs):
    """Every goal on every database."""
    found = []
    for run in runs:
        base = run["database"]

        def at_most(name, seen, limit, unit, base=base):
            number = f"{seen:.0f}" if isinstance(seen, int) else f"{seen:.1f}"
            found.append(Goal(name, base, f"≤ {limit}{unit}", f"{number}{unit}", seen <= limit))

        idle = run["memory_idle"]["rss"]
        at_most("Memory (RSS), idle after pairing, page views and payments", idle, MEMORY_MIB, " MiB")
        at_most("Start to ready, existing database", run["start"], START_MS, " ms")
        at_most("Start to ready, empty database", run["first_start"], START_MS, " ms")
        worst = max(max(first, second or 0) for _, _, first, second in run["calls"])
        at_most("Splynx calls of any page beyond the session check", worst, CALLS, "")
    return found


def text(goals, runs, build, root):
    """The whole report, in Markdown."""
    parts = [heading(build, root), goal_table(goals), memory_table(runs), call_table(runs[0]), speed_table(runs)]
    return "\n\n".join(parts)


def heading(build, root):
    """When, of what, and on which machine."""
    dirty = " with changes" if git(root, "status", "--porcelain", "--", "src", "templates", "Cargo.lock") else ""
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)) / 1024 / 1024
    size = (build / "splynx-bitpay").stat().st_size / 1024 / 1024
    commit = git(root, "rev-parse", "--short", "HEAD")
    return (f"Measured {datetime.date.today()} at commit `{commit}`{dirty}, `{build.name}` build of "
            f"{size:.1f} MiB, on {os.cpu_count()} cores ({processor()}), {memory:.0f} GiB of memory, load "
            f"{os.getloadavg()[1]:.1f}.")


def git(root, *words):
    """What git says."""
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def processor():
    """The processor by its name."""
    names = re.findall(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    return names[0] if names else "unknown processor"


def table(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def goal_table(goals):
    """Goal, seen, verdict."""
    rows = [[goal.name, goal.database, goal.wanted, goal.seen, "PASS" if goal.met else "FAIL"] for goal in goals]
    return table(["goal", "database", "wanted", "seen", "verdict"], rows)


def memory_table(runs):
    """Memory at three moments."""
    moments = [("memory_ready", "just ready"), ("memory_idle", "idle"), ("memory_after_load", "after load")]
    rows = [[run["database"], words, *(f"{run[key][part]:.1f}" for part in ("rss", "anon", "file", "pss", "peak")),
             run[key]["threads"], cpu(run[key])] for run in runs for key, words in moments]
    head = ["database", "moment", "RSS MiB", "private", "files", "Pss", "peak", "threads", "idle CPU"]
    return table(head, rows)


def cpu(figures):
    """The share of one core, where it was measured."""
    return f"{figures['cpu'] * 100:.2f} %" if "cpu" in figures else "–"


def call_table(run):
    """Calls to Splynx per page."""
    rows = [[name, checks, first, "–" if second is None else second] for name, checks, first, second in run["calls"]]
    return table(["page", "session check, first view", "own calls, first view", "own calls, next view"], rows)


def speed_table(runs):
    """Speed of the pages beside the reference."""
    rows = []
    for run in runs:
        base = run["speeds"][0]
        rows += [[run["database"], what, f"{p50:.2f}", f"{p99:.2f}", f"{rate:.0f}", f"{p50 / base[1]:.1f}",
                  f"{rate / base[3]:.2f}"] for what, p50, p99, rate in run["speeds"]]
    return table(["database", "what", "p50 ms", "p99 ms", "requests/s", "p50 to reference", "rate to reference"], rows)


def write(path, body):
    """Replaces the region between the marks."""
    old = path.read_text()
    new, count = MARK.subn(lambda found: f"{found.group(1)}\n{body}\n\n{found.group(2)}", old)
    if count != 1:
        raise RuntimeError(f"{path} has no single region between <!-- bench --> and <!-- /bench -->")
    path.write_text(new)
