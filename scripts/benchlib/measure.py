"""What is measured: memory, the time of a start, calls to Splynx per page, the speed of a page.

Invariant: each function measures one thing and changes nothing but what it says.
"""

import http.server
import json
import multiprocessing
import os
import pathlib
import statistics
import time

from . import http as net
from .stage import end, free_port

SESSION_CHECKS = ("admin/auth/tokens", "admin/config/config")
STATEMENTS = "admin/finance/bank-statement"


def memory(process):
    """MiB of a process: what the kernel calls RSS, its private share, and its fair share of what is shared."""
    status = fields(f"/proc/{process.pid}/status")
    rollup = fields(f"/proc/{process.pid}/smaps_rollup")
    return {"rss": status["VmRSS"] / 1024, "anon": status["RssAnon"] / 1024, "file": status["RssFile"] / 1024,
            "pss": rollup["Pss"] / 1024, "threads": status["Threads"], "peak": status["VmHWM"] / 1024}


def idle(process, seconds):
    """The memory after so many idle seconds, and the share of one core that was used meanwhile."""
    before = processor_seconds(process)
    time.sleep(seconds)
    return memory(process) | {"cpu": (processor_seconds(process) - before) / seconds}


def processor_seconds(process):
    """Processor time so far, of all threads."""
    after_name = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def fields(path):
    """The numbers of a file of /proc."""
    pairs = (line.split(":", 1) for line in pathlib.Path(path).read_text().splitlines() if ":" in line)
    return {name: int(rest.split()[0]) for name, rest in pairs if rest.split()[:1] and rest.split()[0].isdigit()}


def start_once(stage):
    """Milliseconds from the start of the process to a ready service, which is ended again.

    Ready is 200, or nothing but the pairing missing: an empty database cannot have one.
    """
    begun = time.perf_counter()
    process = stage.start_addon()
    wait_until_ready(stage)
    took = (time.perf_counter() - begun) * 1000
    end(process)
    stage.processes.remove(process)
    return took


def wait_until_ready(stage):
    """Returns when `/ready` waits for nothing but the pairing."""
    net.wait_until_it_listens(stage.ops)
    while True:
        _, _, body = net.ask(stage.ops, "GET", "/ready")
        if {entry["name"] for entry in json.loads(body)["waiting_for"]} <= {"pairing"}:
            return
        time.sleep(0.0005)


def starts(stage, times):
    """Median milliseconds of so many starts on the database that is there."""
    return statistics.median(start_once(stage) for _ in range(times))


def first_starts(stage, make_database, times):
    """Median milliseconds of so many first starts, each on a new, empty database."""
    took = []
    for number in range(times):
        stage.use_database(make_database(stage.home, number))
        took.append(start_once(stage))
    return statistics.median(took)


def calls(stage, path, cookie=None, form=None):
    """Calls to Splynx that one page makes: (to find out who is there, its own)."""
    net.control(stage.portal, "DELETE", "log")
    status, _, body = stage.page(path, cookie, form)
    log = net.control(stage.portal, "GET", "log")
    if status not in (200, 303):
        raise RuntimeError(f"{path}: {status} {body.decode(errors='replace')[:500]}")
    asked = [kind_of_call(entry) for entry in log]
    return asked.count("session"), asked.count("own")


def kind_of_call(entry):
    """What a call is for: whose the session is, the payment statement (the worker's job, nobody waits), or the page."""
    path = entry["path"].strip("/")
    if path.startswith(SESSION_CHECKS) or path == "admin/customers/customer" and "limit=2" in entry["query"]:
        return "session"
    return "worker" if path.startswith(STATEMENTS) else "own"


def calls_of_all_pages(stage, result_path):
    """`[(page, calls of the session check, own calls at first view, own calls at next view)]`.

    Every page gets a session that was never seen. A click asks anew who is there: it has no next view.
    """
    pays = "/bitpay/pay-invoice?item_id={}"
    rows = []
    for name, path in (("refill page", "/bitpay/"), ("pay page of an invoice", pays)):
        cookie, numbers = stage.customer(1)
        address = path.format(numbers[0])
        rows.append((name, *calls(stage, address, cookie), calls(stage, address, cookie)[1]))
        rows.append((f"{name}, click", *clicked(stage, address, cookie, numbers[0]), None))
    admin = stage.session({"admin": 1})
    for name, path, cookie in (("result page", result_path, None), ("config page", "/bitpay/config", admin)):
        rows.append((name, *calls(stage, path, cookie), calls(stage, path, cookie)[1]))
    return rows


def clicked(stage, path, cookie, number):
    """The calls of the click that begins the payment."""
    return calls(stage, path, cookie, {"item_id": number, "amount": "12.00"})


class Static(http.server.BaseHTTPRequestHandler):
    """The reference: Python's own server with an answer of three bytes."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        """Answers."""
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_):
        """Says nothing."""


def reference_server(port):
    """Serves the reference until the process is ended."""
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Static).serve_forever()


def speeds(stage, result_path, count, seconds):
    """`[(what, p50 ms, p99 ms, requests a second)]`, the reference probes first."""
    cookie, numbers = stage.customer(1)
    pay = f"/bitpay/pay-invoice?item_id={numbers[0]}"
    port = free_port()
    reference = multiprocessing.Process(target=reference_server, args=(port,), daemon=True)
    reference.start()
    net.wait_until_it_listens(port)
    targets = [("Python's http.server, 3 bytes", port, "/", None),
               ("`/health` of the add-on", stage.ops, "/health", None),
               ("style sheet", stage.pages, "/bitpay/static/splynx-bitpay.css", None),
               ("result page (one read of the database)", stage.pages, result_path, None),
               ("refill page (one read of the database)", stage.pages, "/bitpay/", cookie),
               ("pay page (and one call to Splynx over TLS)", stage.pages, pay, cookie)]
    try:
        return [(what, *net.latencies(port, path, cookie, count), net.throughput(port, path, cookie, seconds))
                for what, port, path, cookie in targets]
    finally:
        reference.terminate()
        reference.join()
