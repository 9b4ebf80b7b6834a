"""A small HTTP client that can wait for a server to begin, and one that loads a server.

Invariant: a request is timed from its first byte to the last byte of its answer, on a connection that stays open.
"""

import http.client
import json
import socket
import statistics
import threading
import time


def ask(port, method, path, body=None, headers=None):
    """One request on a connection of its own: (status, headers, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def control(port, method, path, value=None):
    """One request to the control API of a simulator."""
    body = None if value is None else json.dumps(value)
    status, _, answer = ask(port, method, f"/_control/{path}", body, {"Content-Type": "application/json"})
    if status != 200:
        raise RuntimeError(f"{method} /_control/{path}: {status} {answer.decode(errors='replace')}")
    return json.loads(answer)


def wait_until_it_listens(port, seconds=10.0):
    """Returns as soon as somebody accepts connections there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.0005)
    raise RuntimeError(f"nobody listens on port {port}")


class Line:
    """A connection that is kept open, for requests that are always the same."""

    def __init__(self, port, path, cookie=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        cookie = f"Cookie: PHPSESSID={cookie}\r\n" if cookie else ""
        self.request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{cookie}\r\n".encode()
        self.path = path

    def once(self):
        """Sends the request, reads the answer. Returns the seconds it took."""
        begun = time.perf_counter()
        self.socket.sendall(self.request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        left = length_of(head) - len(body)
        while left > 0:
            left -= len(self._more())
        took = time.perf_counter() - begun
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{self.path}: {head.splitlines()[0].decode()}")
        return took

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise RuntimeError(f"{self.path}: the connection was closed")
        return data

    def close(self):
        """Ends the connection."""
        self.socket.close()


def length_of(head):
    """The length that the headers promise."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise RuntimeError("an answer without Content-Length")


def latencies(port, path, cookie, count):
    """Milliseconds of `count` requests, one after the other: (p50, p99)."""
    line = Line(port, path, cookie)
    for _ in range(max(5, count // 20)):
        line.once()
    took = sorted(line.once() * 1000 for _ in range(count))
    line.close()
    return statistics.median(took), took[min(len(took) - 1, int(len(took) * 0.99))]


def throughput(port, path, cookie, seconds, connections=8):
    """Requests a second over so many connections at once."""
    end = time.monotonic() + seconds
    counts = [0] * connections

    def drive(number):
        line = Line(port, path, cookie)
        while time.monotonic() < end:
            line.once()
            counts[number] += 1
        line.close()

    threads = [threading.Thread(target=drive, args=(number,)) for number in range(connections)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - begun)
