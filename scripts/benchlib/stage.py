"""The stage: simulators, TLS in front of them, and the add-on as a process of its own.

Invariant: every process that was started is ended by its own id, and the folder is removed, however the bench ends.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

from . import http

API_KEY = "0123456789abcdef0123456789abcdef"
API_SECRET = "fedcba9876543210fedcba9876543210"
PAIRING_CODE = "Bench01"
HERE = pathlib.Path(__file__).resolve().parent
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"


def free_port():
    """A port on loopback nobody uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Stage:
    """One Splynx, one BitPay, one database, and the add-on's configuration between them.

    The add-on reaches both over TLS, with the system's whole certificate store, as it does in real life.
    """

    def __init__(self, build, database):
        self.build = pathlib.Path(build).resolve()
        self.processes = []
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="splynx-bitpay-bench-"))
        self.portal, self.bitpay, self.portal_tls, self.bitpay_tls, self.pages, self.ops = (
            free_port() for _ in range(6))
        self.database = database(self.home)
        self.config = self.home / "config.toml"
        self.environment = dict(os.environ)

    def __enter__(self):
        try:
            self._make_certificate()
            self._start_outside()
            self._write_config(self.database)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            end(process)
        shutil.rmtree(self.home, ignore_errors=True)

    def spawn(self, *command, log="log"):
        """Starts a process that ends with the stage at the latest."""
        with open(self.home / log, "ab") as out:
            process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self.environment)
        self.processes.append(process)
        return process

    def _make_certificate(self):
        """A certificate for loopback; the add-on trusts it beside everything the system trusts."""
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext",
             "basicConstraints=critical,CA:FALSE", "-keyout", self.home / "tls.key", "-out", self.home / "tls.crt"],
            check=True, capture_output=True)
        trusted = pathlib.Path(TRUSTED).read_bytes() + (self.home / "tls.crt").read_bytes()
        (self.home / "trusted.crt").write_bytes(trusted)
        self.environment["SSL_CERT_FILE"] = str(self.home / "trusted.crt")

    def _start_outside(self):
        simulator = self.build / "splynx-bitpay-sim"
        self.spawn(simulator, "splynx", "--listen", f"127.0.0.1:{self.portal}",
                   "--addon", f"http://127.0.0.1:{self.pages}")
        self.spawn(simulator, "bitpay", "--listen", f"127.0.0.1:{self.bitpay}", "--pairing-code", PAIRING_CODE,
                   "--public-url", f"https://localhost:{self.bitpay_tls}")
        for inner, outer in ((self.portal, self.portal_tls), (self.bitpay, self.bitpay_tls)):
            certificate = (self.home / "tls.crt", self.home / "tls.key")
            self.spawn(sys.executable, HERE / "tls_front.py", outer, inner, *certificate)
        for port in (self.portal, self.bitpay, self.portal_tls, self.bitpay_tls):
            http.wait_until_it_listens(port)

    def _write_config(self, database):
        """Rates are raised so that the add-on is measured, and not its politeness towards Splynx."""
        self.config.write_text(f"""
[server]
listen = "127.0.0.1:{self.pages}"
ops_listen = "127.0.0.1:{self.ops}"
[database]
url = "{database}"
[splynx]
api_domain = "https://localhost:{self.portal_tls}/"
api_key = "{API_KEY}"
api_secret = "{API_SECRET}"
splynx_url = "http://127.0.0.1:{self.portal}"
[bitpay]
environment = "test"
api_url = "https://localhost:{self.bitpay_tls}/"
[worker]
splynx_requests_per_second = 1000
processor_requests_per_second = 100
""")

    def use_database(self, database):
        """From the next start on, the add-on uses this one."""
        self._write_config(database)

    def start_addon(self):
        """Starts `serve`. Returns the process at once."""
        return self.spawn(self.build / "splynx-bitpay", "serve", "--config", self.config, log="addon.log")

    def addon(self, *arguments):
        """Runs a command of the add-on to its end."""
        command = [str(self.build / "splynx-bitpay"), *arguments, "--config", str(self.config)]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")

    def session(self, who):
        """A session in the portal, e.g. of {"customer": 1}."""
        return http.control(self.portal, "POST", "sessions", who)["session_id"]

    def customer(self, invoices):
        """A new customer with so many open invoices: (cookie, numbers)."""
        identity = http.control(self.portal, "POST", "customers", {"name": "Customer"})["id"]
        numbers = [
            http.control(self.portal, "POST", "invoices", {"customer_id": identity, "total": "10.00"})["number"]
            for _ in range(invoices)]
        return self.session({"customer": identity}), numbers

    def page(self, path, cookie=None, form=None):
        """Opens a page, or posts a form to it as a browser does: (status, headers, body)."""
        headers = {"Cookie": f"PHPSESSID={cookie}"} if cookie else {}
        if form is None:
            return http.ask(self.pages, "GET", path, None, headers)
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        return http.ask(self.pages, "POST", path, urllib.parse.urlencode(form), headers)

    def pay(self, cookie, number):
        """Pays an invoice through the add-on and BitPay's checkout. Returns the address of the result page."""
        status, headers, body = self.page(f"/bitpay/pay-invoice?item_id={number}", cookie, {"item_id": number})
        if status != 303:
            raise RuntimeError(f"pay-invoice: {status} {body.decode(errors='replace')[:500]}")
        query = urllib.parse.urlsplit(headers["Location"]).query
        invoice = urllib.parse.parse_qs(query)["id"][0]
        paid = http.control(self.bitpay, "POST", f"invoices/{invoice}/pay", {"kind": "exact"})
        return urllib.parse.urlsplit(paid["redirect_url"]).path

    def wait_for_payments(self, count, seconds=60.0):
        """Returns once so many of our payments are in the simulated Splynx."""
        end_at = time.monotonic() + seconds
        while time.monotonic() < end_at:
            rows = http.control(self.portal, "GET", "state")["payments"]
            seen = sum(1 for row in rows if str(row["receipt_number"]).startswith("BP-"))
            if seen >= count:
                return
            time.sleep(0.3)
        log = (self.home / "addon.log").read_text(errors="replace")[-4000:]
        raise RuntimeError(f"{seen} of {count} payments arrived in Splynx\n{log}")


def end(process):
    """Ends a process this script started."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(25)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
