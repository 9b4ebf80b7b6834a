"""What stands around the add-on in the tests: the repository's server, the web server's site, the admin's answers."""

import functools
import http.server
import threading

URL = "http://127.0.0.1"
PORTAL, BITPAY, REPO = 8332, 8333, 8398

SITE = f"""server {{
  listen 127.0.0.1:80 default_server;
  include /etc/nginx/sites-available/*.addons;
  location / {{ proxy_pass http://127.0.0.1:{PORTAL}; proxy_set_header Host $host; }}
}}
"""

# What a package cannot help leaving: apt's and dpkg's own books, logs, caches, and the user tables' backups.
NOT_OURS = (
    "var/lib/apt", "var/lib/dpkg", "var/cache", "var/log", "var/tmp", "tmp", "run", "proc", "sys", "dev", "root",
    "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/.pwd.lock", "etc/ld.so.cache", "var/lib/nginx",
    "etc/apt/sources.list.d/splynx-bitpay.sources",
    # What stands for Splynx notes what it was asked.
    "var/www/splynx/addon-calls", "var/www/splynx/registered.json")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """One line for each request would hide the rest."""


def serve_repository(folder):
    """Serves the apt repository until the process ends."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", REPO), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def answers(url, environment, code):
    """The lines for debconf-set-selections."""
    said = {"splynx-url": ("string", url), "environment": ("select", environment), "pairing-code": ("password", code)}
    return "".join(f"splynx-bitpay splynx-bitpay/{name} {kind} {value}\n" for name, (kind, value) in said.items())
