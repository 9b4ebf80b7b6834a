"""What is measured: memory, the time of a start, calls to Splynx per page, the speed of a page.

Invariant: each function measures one thing and changes nothing but what it says.
"""

import http.server
import json
import multiprocessing
import pathlib
import statistics
import time

from . import http as net
from .stage import end, free_port

SESSION_CHECKS = ("admin/auth/tokens", "admin/config/config")


def memory(process):
    """MiB of a process: what the kernel calls RSS, its private share, and its fair share of what is shared."""
    status = fields(f"/proc/{process.pid}/status")
    rollup = fields(f"/proc/{process.pid}/smaps_rollup")
    return {"rss": status["VmRSS"] / 1024, "anon": status["RssAnon"] / 1024, "file": status["RssFile"] / 1024,
            "pss": rollup["Pss"] / 1024, "threads": status["Threads"], "peak": status["VmHWM"] / 1024}


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
    if status not in (200, 303):
        raise RuntimeError(f"{path}: {status} {body.decode(errors='replace')[:500]}")
    log = net.control(stage.portal, "GET", "log")
    checks = [entry for entry in log if is_session_check(entry)]
    return len(checks), len(log) - len(checks)


def is_session_check(entry):
    """Whether a call asks whose the session is: exchange, probe, own customer, log out."""
    path = entry["path"].strip("/")
    own = path == "admin/customers/customer" and "limit=2" in entry["query"]
    return own or path.startswith(SESSION_CHECKS)


def calls_of_all_pages(stage, result_path):
    """`[(page, calls of the session check, own calls at first view, own calls at second view)]`."""
    customer, numbers = stage.customer(1)
    admin = stage.session({"admin": 1})
    pay = f"/bitpay/pay-invoice?item_id={numbers[0]}"
    pages = [("refill", "/bitpay/", customer), ("pay an invoice", pay, stage.customer(0)[0] and customer),
             ("result", result_path, None), ("admin's config", "/bitpay/config", admin)]
    rows = []
    for name, path, cookie in pages:
        checks, first = calls(stage, path, cookie)
        _, second = calls(stage, path, cookie)
        rows.append((name, checks, first, second))
    rows.append(("begin a refill (POST)", *clicked(stage, "/bitpay/", customer, {"amount": "12.00"})))
    rows.append(("pay an invoice (POST)", *clicked(stage, pay, customer, {"item_id": numbers[0]})))
    return rows


def clicked(stage, path, cookie, form):
    """A click asks anew who is there, and so has no cached view."""
    checks, own = calls(stage, path, cookie, form)
    return checks, own, None


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
    targets = [("Python's http.server, 3 bytes", port, "/", None), ("`/health` of the add-on", stage.ops, "/health", None),
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
