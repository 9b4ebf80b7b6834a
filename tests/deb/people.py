"""A customer with a browser, and the levers of the simulated servers.

Everything a customer does goes through nginx on port 80, as on a Splynx server.
"""

import time
import urllib.parse

from benchlib.http import ask, control

WEB, PORTAL, BITPAY, OPS = 80, 8332, 8333, 8331


def splynx(method, path, value=None):
    """The control API of the simulated Splynx."""
    return control(PORTAL, method, path, value)


def wait_until_ready(seconds=30):
    """Returns once the add-on says that it is ready."""
    until = time.monotonic() + seconds
    said = "nothing"
    while time.monotonic() < until:
        try:
            status, _, body = ask(OPS, "GET", "/ready")
            if status == 200:
                return
            said = body
        except OSError as error:
            said = error
        time.sleep(0.1)
    raise AssertionError(f"the add-on is not ready: {said}")


def customer(invoices):
    """A new customer with so many open invoices: (cookie, numbers)."""
    identity = splynx("POST", "customers", {"name": "Customer"})["id"]
    numbers = [splynx("POST", "invoices", {"customer_id": identity, "total": "10.00"})["number"]
               for _ in range(invoices)]
    return splynx("POST", "sessions", {"customer": identity})["session_id"], numbers


def click(cookie, number):
    """The customer opens the pay page and clicks. Returns the id of BitPay's invoice."""
    path = f"/bitpay/pay-invoice?item_id={number}"
    headers = {"Cookie": f"PHPSESSID={cookie}", "Host": "127.0.0.1"}
    status, _, body = ask(WEB, "GET", path, None, headers)
    assert status == 200, f"{path}: {status} {body[:500]!r}"
    headers |= {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    status, answer, body = ask(WEB, "POST", path, urllib.parse.urlencode({"item_id": number}), headers)
    assert status == 303, f"{path}: {status} {body[:500]!r}"
    return urllib.parse.parse_qs(urllib.parse.urlsplit(answer["Location"]).query)["id"][0]


def pay_at_bitpay(invoice):
    return control(BITPAY, "POST", f"invoices/{invoice}/pay", {"kind": "exact"})


def pay(cookie, number):
    pay_at_bitpay(click(cookie, number))


def invoice_of(number):
    return next(row for row in splynx("GET", "state")["invoices"] if str(row["number"]) == str(number))


def payments_of(number):
    """The payments in Splynx that are linked to the invoice."""
    identity = str(invoice_of(number)["id"])
    return [row for row in splynx("GET", "state")["payments"] if str(row.get("invoice_id")) == identity]


def wait_until_paid(number, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if invoice_of(number)["status"] == "paid":
            return
        time.sleep(0.3)
    raise AssertionError(f"invoice {number} is not paid: {invoice_of(number)}")
