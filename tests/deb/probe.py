"""What happens inside the virtual machine: an admin installs, customers pay, things go wrong, the package goes.

Runs as a unit at every boot; a file remembers where the story is, as a reboot is a part of it. At the end, or at the
first fault, the machine is switched off.
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import traceback

import outside
import people
import trees
from benchlib.http import wait_until_it_listens

HERE = pathlib.Path(__file__).resolve().parent
VERSION, ARCH = (HERE / "version").read_text().split()
STATE = HERE / "state.json"
CODE = "DebPkg1"
SERVICE = "splynx-bitpay.service"
NOT_OURS = (*outside.NOT_OURS, "srv", "boot", "etc/mtab", "etc/resolv.conf", "etc/machine-id", "lost+found",
            "var/lib/systemd/random-seed", "var/lib/systemd/timesync", "var/lib/systemd/credential.secret",
            "var/lib/systemd/timers", "var/lib/systemd/rfkill", "var/lib/systemd/backlight",
            "var/lib/systemd/catalog", "var/lib/private", "var/lib/dbus")
TIMERS = "var/lib/systemd/timers"


def run(*command, check=True, text=None, **environment):
    """Runs a command to its end; returns what it said."""
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"} | environment)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def show(unit, *properties):
    """Properties of a unit, as systemd tells them."""
    said = run("systemctl", "show", unit, *(f"--property={name}" for name in properties))
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def program_of_service():
    return os.readlink(f"/proc/{show(SERVICE, 'MainPID')['MainPID']}/exe")


def install_version(version):
    return subprocess.run(
        ["apt-get", "install", "-y", "--allow-downgrades", f"/srv/debs/splynx-bitpay_{version}_{ARCH}.deb"],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)


def start_outside():
    """Simulators, the repository and the web server; at every boot."""
    for name in ("splynx --listen 127.0.0.1:8332 --addon http://127.0.0.1:8330",
                 f"bitpay --listen 127.0.0.1:8333 --pairing-code {CODE}"):
        run("systemctl", "start", run("systemd-escape", "--template=simulator@.service", name).strip())
    for port in (outside.PORTAL, outside.BITPAY):
        wait_until_it_listens(port, 60)
    outside.serve_repository("/srv/repo")


def install():
    """The three commands of an admin, and what they have come to."""
    site = pathlib.Path("/etc/nginx/sites-enabled/default")
    site.unlink(missing_ok=True)
    site.write_text(outside.SITE)
    run("systemctl", "restart", "nginx")
    remember("before", trees.snapshot("/", NOT_OURS))
    remember("timers", sorted(os.listdir(f"/{TIMERS}")))
    pathlib.Path("/etc/apt/sources.list.d/splynx-bitpay.sources").write_bytes(
        pathlib.Path("/srv/repo/splynx-bitpay.sources").read_bytes())
    run("debconf-set-selections", text=outside.answers(outside.URL, "test", CODE))
    begun = time.monotonic()
    run("apt-get", "update")
    said = run("apt-get", "install", "-y", "splynx-bitpay",
               SPLYNX_BITPAY__BITPAY__API_URL=f"{outside.URL}:{outside.BITPAY}/")
    print(f"   installed in {time.monotonic() - begun:.1f} s")
    pathlib.Path("/srv/probe/install.log").write_text(said)
    run("splynx-bitpay", "config", "set", "bitpay.api_url", f"{outside.URL}:{outside.BITPAY}/")
    run("systemctl", "restart", SERVICE)


def is_active():
    """Service, socket and timers run and are enabled; systemd knows by the service's own word that it is ready."""
    people.wait_until_ready()
    for unit in (SERVICE, "splynx-bitpay.socket", "splynx-bitpay-reconcile.timer", "splynx-bitpay-backup.timer"):
        assert run("systemctl", "is-active", unit).strip() == "active", unit
        assert run("systemctl", "is-enabled", unit).strip() == "enabled", unit
    seen = show(SERVICE, "Type", "WatchdogUSec", "StatusText", "User", "SubState")
    assert (seen["Type"], seen["User"], seen["SubState"]) == ("notify", "splynx-bitpay", "running"), seen
    assert seen["WatchdogUSec"] == "2min", seen
    assert "mode:      test" in run("splynx-bitpay", "pairing")
    score = run("systemd-analyze", "security", "--no-pager", SERVICE).strip().splitlines()[-1]
    assert float(re.search(r": ([0-9.]+) ", score).group(1)) <= 1.3, score
    print(f"   {score.strip('→ ')}")
    uid = int(run("id", "-u", "splynx-bitpay"))
    owners = {path.stat().st_uid for path in pathlib.Path("/var/lib/splynx-bitpay").rglob("*")}
    assert owners == {uid}, owners


def customer_pays():
    """Through nginx; the invoice turns Paid."""
    cookie, (number,) = people.customer(1)
    people.pay(cookie, number)
    people.wait_until_paid(number)
    assert len(people.payments_of(number)) == 1


def watchdog_kills():
    """A service that stands still is ended and started again."""
    folder = pathlib.Path("/run/systemd/system/splynx-bitpay.service.d")
    folder.mkdir(parents=True)
    (folder / "test.conf").write_text("[Service]\nWatchdogSec=6\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", SERVICE)
    people.wait_until_ready()
    time.sleep(15)
    calm = show(SERVICE, "MainPID", "NRestarts")
    assert calm["NRestarts"] == "0", "the watchdog barks at a service that is well"
    os.kill(int(calm["MainPID"]), 19)
    until = time.monotonic() + 60
    while show(SERVICE, "NRestarts")["NRestarts"] == "0":
        assert time.monotonic() < until, "nothing happens"
        time.sleep(0.5)
    people.wait_until_ready()
    assert show(SERVICE, "MainPID")["MainPID"] != calm["MainPID"]
    (folder / "test.conf").unlink()
    folder.rmdir()
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", SERVICE)
    people.wait_until_ready()


class Visitors:
    """Visitors who click on and on, while something happens."""

    def __init__(self, count):
        self.ended, self.answers, self.slowest = False, collections.Counter(), 0.0
        self.cookie, self.numbers = people.customer(1)
        self.threads = [threading.Thread(target=self._click, daemon=True) for _ in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        time.sleep(2)
        return self

    def __exit__(self, *_):
        time.sleep(2)
        self.ended = True
        for thread in self.threads:
            thread.join(90)

    def _click(self):
        path = f"/bitpay/pay-invoice?item_id={self.numbers[0]}"
        while not self.ended:
            begun = time.monotonic()
            try:
                status, _, body = people.ask(
                    people.WEB, "GET", path, None, {"Cookie": f"PHPSESSID={self.cookie}", "Host": "127.0.0.1"})
                answer = str(status)
            except OSError as error:
                answer = repr(error)
            self.answers[answer] += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)
            time.sleep(0.05)


def upgrade_with_visitors():
    """While the package is upgraded, no visitor sees an error, and a waiting credit is neither lost nor doubled."""
    cookie, (number,) = people.customer(1)
    invoice = people.click(cookie, number)
    pid = show(SERVICE, "MainPID")["MainPID"]
    with Visitors(4) as visitors:
        people.pay_at_bitpay(invoice)
        done = install_version(f"{VERSION}+next")
    assert done.returncode == 0, done.stdout
    assert show(SERVICE, "MainPID")["MainPID"] != pid, "it was not restarted"
    assert set(visitors.answers) == {"200"}, visitors.answers
    assert visitors.answers["200"] > 20, visitors.answers
    print(f"   {visitors.answers['200']} requests, none failed, the slowest took {visitors.slowest:.1f} s")
    people.wait_until_paid(number)
    assert len(people.payments_of(number)) == 1


def upgrade_that_fails():
    """The previous program goes on, on the backup; the next good upgrade takes over."""
    done = install_version(f"{VERSION}+broken")
    assert done.returncode != 0 and "It was put back from" in done.stdout, done.stdout
    people.wait_until_ready()
    assert program_of_service() == "/usr/lib/splynx-bitpay/previous", program_of_service()
    customer_pays()
    done = install_version(f"{VERSION}+next")
    assert done.returncode == 0, done.stdout
    people.wait_until_ready()
    assert program_of_service() == "/usr/bin/splynx-bitpay", program_of_service()
    customer_pays()


def backs_up_and_reconciles():
    """The nightly units work, locked down as they are."""
    run("systemctl", "start", "splynx-bitpay-backup.service")
    backups = list(pathlib.Path("/var/lib/splynx-bitpay/backups").glob("splynx-bitpay-*.db"))
    assert backups and all(path.stat().st_mode & 0o777 == 0o600 for path in backups), backups
    run("systemctl", "start", "splynx-bitpay-reconcile.service")


def reboot():
    """The machine starts again, and the story goes on after this step."""
    run("systemctl", "reboot")
    time.sleep(600)


def rebooted():
    """All is there again, and customers pay."""
    is_active()
    assert not run("systemctl", "--failed", "--plain", "--no-legend").strip()
    # The simulators have forgotten everything with the reboot: another shop, whose books begin anew.
    status, _, _ = people.ask(people.WEB, "GET", "/bitpay/", None, {"Host": "127.0.0.1"})
    assert status in (200, 302, 303), status


def purge():
    """Nothing of ours is left."""
    run("apt-get", "purge", "-y", "splynx-bitpay")
    trees.assert_same(recalled("before"), trees.snapshot("/", NOT_OURS), "purging")
    left = [name for name in os.listdir(f"/{TIMERS}") if "splynx" in name]
    assert not left, left
    assert not run("systemctl", "list-unit-files", "--no-legend", "splynx-bitpay*", check=False).strip()
    assert not run("systemctl", "list-units", "--all", "--no-legend", "splynx-bitpay*").strip()
    status, _, _ = people.ask(people.WEB, "GET", "/portal/", None, {"Host": "127.0.0.1"})
    assert status < 500, f"Splynx's own pages: {status}"


STORY = (install, is_active, customer_pays, watchdog_kills, upgrade_with_visitors, upgrade_that_fails,
         backs_up_and_reconciles, reboot, rebooted, purge)


def remember(key, value):
    state = json.loads(STATE.read_text()) if STATE.exists() else {}
    STATE.write_text(json.dumps(state | {key: value}))


def recalled(key, default=None):
    return json.loads(STATE.read_text()).get(key, default) if STATE.exists() else default


def main():
    try:
        start_outside()
        for step in STORY[recalled("done", 0):]:
            begun = time.monotonic()
            remember("done", STORY.index(step) + 1)
            step()
            print(f"   {step.__name__.replace('_', ' ')}: good, {time.monotonic() - begun:.1f} s")
        print("the whole story is good")
    except BaseException:
        print(traceback.format_exc())
        print(run("journalctl", "--no-pager", "-b", "-n", "60", "-u", "splynx-bitpay*", check=False))
    finally:
        os.sync()
        if "reboot" not in sys.argv:
            run("systemctl", "poweroff", "--force", check=False)


if __name__ == "__main__":
    main()
