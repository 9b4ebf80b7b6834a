"""The life of the package in a chroot: installed from the repository, paying, upgraded, downgraded, removed, purged.

Runs in namespaces of its own (tests/deb/chroot makes them), as root, outside of the chroot. Each step is a function;
they build on each other, in the order of `STORY`.
"""

import contextlib
import os
import pathlib
import pty
import re
import select
import shutil
import sqlite3
import subprocess
import sys
import time

import outside
import people
import trees
from benchlib.http import wait_until_it_listens
from outside import BITPAY, PORTAL, URL

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
CODE, SECOND_CODE = "DebPkg1", "DebPkg2"
DATABASE = "var/lib/splynx-bitpay/splynx-bitpay.db"
NOT_OURS = (*outside.NOT_OURS, "var/lib/systemd/deb-systemd-helper-enabled")


class Chroot:
    """The chroot, and the servers beside it."""

    def __init__(self, root, work, version, arch):
        self.root, self.work, self.version, self.arch = pathlib.Path(root), pathlib.Path(work), version, arch
        self.processes = []
        self.environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root",
            "DEBIAN_FRONTEND": "noninteractive",
            # What a test has in the place of BitPay.
            "SPLYNX_BITPAY__BITPAY__API_URL": f"{URL}:{BITPAY}/"}

    def run(self, *command, check=True, text=None, **environment):
        """Runs a command in the chroot to its end; returns what it did."""
        done = subprocess.run(
            ["chroot", str(self.root), *command], env=self.environment | environment, input=text,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
        return done

    def spawn(self, *command, log, inside=True):
        """Starts a process that ends with the namespace at the latest."""
        prefix = ["chroot", str(self.root)] if inside else []
        out = open(self.work / log, "ab")
        process = subprocess.Popen([*prefix, *map(str, command)], env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=out)
        self.processes.append(process)
        return process

    def path(self, name):
        return self.root / name

    def install_files(self, version):
        """Installs the package of another version as apt does with files: dpkg, then nothing else is lacking."""
        folder = self.path("root/debs")
        folder.mkdir(exist_ok=True)
        name = f"splynx-bitpay_{version}_{self.arch}.deb"
        source = self.work / "variants" / version / name
        if not source.exists():
            source = self.work.parent / "deb" / name
        shutil.copy(source, folder / name)
        return self.run("apt-get", "install", "-y", "--allow-downgrades", f"/root/debs/{name}", check=False)

    def sql(self, statement):
        """Reads the add-on's database."""
        with contextlib.closing(sqlite3.connect(f"file:{self.path(DATABASE)}?mode=ro", uri=True)) as database:
            return database.execute(statement).fetchall()


def prepare(chroot):
    """The outside: loopback, devices, a repository, simulators, Splynx's tree, nginx."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for name in ("null", "zero", "urandom", "random", "tty", "full"):
        node = chroot.path("dev") / name
        node.touch()
        subprocess.run(["mount", "--bind", f"/dev/{name}", str(node)], check=True)
    terminals = chroot.path("dev/pts")
    terminals.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=666", "devpts", str(terminals)], check=True)
    outside.serve_repository(chroot.work / "repo")
    unpacked = chroot.work / "sim"
    subprocess.run(["dpkg-deb", "-x", str(chroot.work.parent / "deb" / f"splynx-bitpay-demo_{chroot.version}_"
                                          f"{chroot.arch}.deb"), str(unpacked)], check=True)
    simulator = unpacked / "usr/bin/splynx-bitpay-sim"
    chroot.spawn(simulator, "splynx", "--listen", f"127.0.0.1:{PORTAL}", "--addon", f"{URL}:8330", log="sim.log",
                 inside=False)
    chroot.spawn(simulator, "bitpay", "--listen", f"127.0.0.1:{BITPAY}", "--pairing-code", CODE,
                 "--pairing-code", SECOND_CODE, log="sim.log", inside=False)
    for port in (PORTAL, BITPAY):
        wait_until_it_listens(port)
    # Nothing but our own repository: there is no other network.
    chroot.path("etc/apt/sources.list").unlink(missing_ok=True)
    for other in chroot.path("etc/apt/sources.list.d").iterdir():
        other.unlink()
    lay_splynx_tree(chroot)
    site = chroot.path("etc/nginx/sites-enabled/default")
    site.unlink(missing_ok=True)
    site.write_text(outside.SITE)
    chroot.run("nginx")


def lay_splynx_tree(chroot):
    """What stands for Splynx's own files: tests/splynx-tree, with the key of the simulated Splynx."""
    tree = PROJECT / "tests/splynx-tree"
    place = chroot.path("var/www/splynx")
    shutil.copytree(tree, place, symlinks=True)


def install(chroot):
    """What an admin types: a file of sources, apt-get update, apt-get install. Preseeded here."""
    shutil.copy(chroot.work / "repo/splynx-bitpay.sources",
                chroot.path("etc/apt/sources.list.d/splynx-bitpay.sources"))
    chroot.run("debconf-set-selections", text=outside.answers(URL, "test", CODE))
    begun = time.monotonic()
    chroot.run("apt-get", "update")
    said = chroot.run("apt-get", "install", "-y", "splynx-bitpay").stdout
    took = time.monotonic() - begun
    assert "not authenticated" not in said, said
    (chroot.work / "install.log").write_text(said)
    print(f"   installed from the signed repository in {took:.1f} s")


def look(chroot):
    """Files, owners, configuration, pairing, nginx, and nothing of the code."""
    config = chroot.path("etc/splynx-bitpay/config.toml")
    key = chroot.path("etc/splynx-bitpay/secret.key")
    user = chroot.run("id", "-u", "splynx-bitpay").stdout.strip()
    group = chroot.run("id", "-g", "splynx-bitpay").stdout.strip()
    for path in (config, key):
        stat = path.stat()
        assert (oct(stat.st_mode & 0o7777), stat.st_uid, str(stat.st_gid)) == ("0o640", 0, group), (path, stat)
    assert re.fullmatch("[0-9a-f]{64}\n", key.read_text())
    data = chroot.path("var/lib/splynx-bitpay").stat()
    assert (oct(data.st_mode & 0o7777), str(data.st_uid)) == ("0o750", user), data
    owners = {path.stat().st_uid for path in chroot.path("var/lib/splynx-bitpay").rglob("*")}
    assert owners <= {int(user)}, owners
    assert f'splynx_url = "{URL}"' in config.read_text() and f'api_domain = "{URL}/"' in config.read_text()
    assert 'environment = "test"' in config.read_text()
    assert "mode:      test" in chroot.run("splynx-bitpay", "pairing").stdout
    password = chroot.path("var/cache/debconf/passwords.dat").read_text()
    assert CODE not in password and CODE not in chroot.path("var/cache/debconf/config.dat").read_text()
    said = chroot.path("var/www/splynx/addon-calls").read_text().splitlines()
    wanted = (PROJECT / "tests/splynx-tree.calls").read_text().splitlines()
    assert said == wanted, "\n".join(["Splynx was told:", *said])
    assert "/bitpay" in chroot.path("etc/nginx/sites-available/splynx-bitpay.addons").read_text()
    owned = chroot.run("dpkg", "-S", "/etc/splynx-bitpay/config.toml", check=False).stdout
    assert "no path found" in owned, owned


def serve(chroot):
    """Starts the service, as the unit does it: by its user, with the program that the unit would take."""
    program = "/usr/bin/splynx-bitpay"
    drop_in = chroot.path("etc/systemd/system/splynx-bitpay.service.d/50-previous.conf")
    if drop_in.exists():
        program = re.findall(r"^ExecStart=(\S+) serve$", drop_in.read_text(), re.MULTILINE)[-1]
    process = chroot.spawn("/usr/bin/setpriv", "--reuid=splynx-bitpay", "--regid=splynx-bitpay", "--clear-groups",
                           program, "serve", log="serve.log")
    people.wait_until_ready()
    return process


def stop(process):
    process.terminate()
    process.wait(30)


def pay(chroot):
    """A customer pays through nginx; the invoice turns Paid."""
    service = serve(chroot)
    cookie, (number,) = people.customer(1)
    people.pay(cookie, number)
    people.wait_until_paid(number)
    stop(service)
    return number


def run_again(chroot):
    """Everything is repeatable: configuring again changes nothing, and install-splynx says so."""
    before = trees.snapshot(chroot.root, NOT_OURS)
    chroot.run("dpkg-reconfigure", "splynx-bitpay")
    chroot.run("splynx-bitpay", "install-splynx")
    trees.assert_same(before, trees.snapshot(chroot.root, (*NOT_OURS, DATABASE.rsplit("/", 1)[0])), "repeating",
                      ignored=("var/lib/splynx-bitpay",))


def keep_edits(chroot):
    """What an admin writes into the configuration is kept, and debconf shows it."""
    config = chroot.path("etc/splynx-bitpay/config.toml")
    text = config.read_text().replace('minimum = "1.00"', '# our own rule\nminimum = "7.00"')
    config.write_text(text)
    chroot.run("splynx-bitpay", "config", "set", "splynx.splynx_url", "http://localhost")
    edited = config.read_text()
    assert chroot.install_files(f"{chroot.version}+next").returncode == 0
    assert config.read_text() == edited
    chroot.run("splynx-bitpay", "config", "set", "splynx.splynx_url", URL)


def reconfigure(chroot):
    """dpkg-reconfigure changes an answer: a person at a terminal gives three."""
    answers, said = interactively(chroot, ["dpkg-reconfigure", "-freadline", "splynx-bitpay"], {
        "Address of the Splynx portal": "http://localhost\n", "BitPay environment": "test\n",
        "BitPay pairing code": "\n"})
    assert answers == 3, said
    config = chroot.path("etc/splynx-bitpay/config.toml").read_text()
    assert 'splynx_url = "http://localhost"' in config and 'minimum = "7.00"' in config, config
    chroot.run("splynx-bitpay", "config", "set", "splynx.splynx_url", URL)
    chroot.run("splynx-bitpay", "config", "set", "splynx.api_domain", f"{URL}/")


def interactively(chroot, command, replies):
    """Runs a command at a terminal and answers its questions: (how many answers, what was on the screen)."""
    environment = chroot.environment | {"TERM": "dumb", "DEBIAN_FRONTEND": "readline"}
    process, terminal = pty.fork()
    if process == 0:
        os.chroot(chroot.root)
        os.chdir("/")
        os.execvpe(command[0], command, environment)
    screen, answered, left = "", 0, dict(replies)
    seen = 0
    while True:
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, f"it waits for something:\n{screen}"
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        screen += data.decode(errors="replace")
        prompt = screen[seen:].rstrip(" ")
        for title, reply in list(left.items()):
            last = prompt.rstrip().rsplit("\n", 1)[-1]
            if last.lstrip().startswith(title) and prompt.rstrip().endswith((":", "]")):
                seen = len(screen)
                os.write(terminal, reply.encode())
                answered += 1
                del left[title]
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0, screen
    return answered, screen


def upgrade(chroot):
    """With a credit that waits for Splynx, an upgrade loses and doubles nothing."""
    number, credits = leave_a_credit_waiting(chroot)
    assert chroot.install_files(f"{chroot.version}").returncode == 0
    recorded_once(chroot, number, credits)


def leave_a_credit_waiting(chroot):
    service = serve(chroot)
    cookie, (number,) = people.customer(1)
    invoice = people.click(cookie, number)
    people.splynx("POST", "faults", {"kind": "down"})
    people.pay_at_bitpay(invoice)
    deadline = time.monotonic() + 60
    while not (waiting := chroot.sql("select count(*) from postings where state = 'ready'")[0][0]):
        assert time.monotonic() < deadline, "no credit waits"
        time.sleep(0.5)
    stop(service)
    people.splynx("DELETE", "faults")
    return number, waiting


def recorded_once(chroot, number, _credits):
    before = len(people.payments_of(number))
    assert before == 0, "it was recorded before the upgrade"
    service = serve(chroot)
    people.wait_until_paid(number)
    time.sleep(3)
    stop(service)
    assert len(people.payments_of(number)) == 1, people.payments_of(number)


def fail_to_upgrade(chroot):
    """A migration that fails leaves the previous program running, on the database as it was; also where a file names it."""
    named = chroot.path("etc/splynx-bitpay/database-url")
    named.write_text(f"sqlite:///{DATABASE}\n")
    chroot.run("chown", "root:splynx-bitpay", f"/{named.relative_to(chroot.root)}")
    named.chmod(0o640)
    chroot.run("splynx-bitpay", "config", "set", "database.url", f"file:/{named.relative_to(chroot.root)}")
    number, credits = leave_a_credit_waiting(chroot)
    before = chroot.sql("select * from attempts order by 1")
    done = chroot.install_files(f"{chroot.version}+broken")
    assert done.returncode != 0 and "It was put back from" in done.stdout, done.stdout
    assert chroot.sql("select * from attempts order by 1") == before
    assert chroot.path("etc/systemd/system/splynx-bitpay.service.d/50-previous.conf").exists()
    recorded_once(chroot, number, credits)
    again = chroot.run("dpkg", "--configure", "splynx-bitpay", check=False)
    assert again.returncode != 0, "a repeated configuration of the same package succeeds"
    done = chroot.install_files(f"{chroot.version}+next")
    assert done.returncode == 0, done.stdout
    assert not chroot.path("etc/systemd/system/splynx-bitpay.service.d").exists()
    backups = list(chroot.path("var/lib/splynx-bitpay/backups").glob("*.db"))
    assert backups, "no backup was made"
    chroot.run("splynx-bitpay", "config", "set", "database.url", f"sqlite:///{DATABASE}")
    named.unlink()


def upgrade_beside_a_service(chroot):
    """A service that could not be stopped keeps its database: nobody may replace it under payments that come in."""
    service = serve(chroot)
    done = chroot.install_files(f"{chroot.version}+broken")
    assert done.returncode != 0 and "could not be stopped, and the database was not touched" in done.stdout, done.stdout
    cookie, (number,) = people.customer(1)
    people.pay(cookie, number)
    people.wait_until_paid(number)
    stop(service)
    done = chroot.install_files(f"{chroot.version}+next")
    assert done.returncode == 0, done.stdout
    service = serve(chroot)
    stop(service)
    assert len(people.payments_of(number)) == 1
    assert chroot.run("splynx-bitpay", "attempts", "list", "--limit", "1").stdout.count(str(number)), "it is forgotten"


def downgrade(chroot):
    """An older package, whose database is an older one, with a queued credit: the newer program takes it back."""
    number, credits = leave_a_credit_waiting(chroot)
    done = chroot.install_files(f"{chroot.version}~older")
    assert done.returncode == 0 and "taken back: 0004" in done.stdout, done.stdout
    recorded_once(chroot, number, credits)


def remove(chroot):
    """Removing keeps data, configuration and key; installing again goes on with them."""
    kept = {name: chroot.path(name).read_bytes() for name in
            ("etc/splynx-bitpay/config.toml", "etc/splynx-bitpay/secret.key")}
    attempts = chroot.sql("select count(*) from attempts")
    chroot.run("apt-get", "remove", "-y", "splynx-bitpay")
    assert not chroot.path("usr/bin/splynx-bitpay").exists() and not chroot.path("usr/lib/splynx-bitpay").exists()
    assert all(chroot.path(name).read_bytes() == content for name, content in kept.items())
    assert chroot.sql("select count(*) from attempts") == attempts
    assert chroot.install_files(chroot.version).returncode == 0
    assert chroot.sql("select count(*) from attempts") == attempts
    assert "mode:      test" in chroot.run("splynx-bitpay", "pairing").stdout


def purge(chroot):
    """Purging leaves nothing behind, and says what is left for a person."""
    said = chroot.run("apt-get", "purge", "-y", "splynx-bitpay").stdout
    assert "API keys" in said and "Modules list" in said, said
    trees.assert_same(chroot.before, trees.snapshot(chroot.root, NOT_OURS), "purging")
    debconf = chroot.path("var/cache/debconf/config.dat").read_text()
    assert "splynx-bitpay" not in debconf, "debconf remembers"
    assert chroot.run("id", "splynx-bitpay", check=False).returncode != 0
    chroot.run("nginx", "-t", "-q")


def install_bare(chroot):
    """Without Splynx, without answers: the install still succeeds, and purging it still leaves nothing."""
    os.rename(chroot.path("var/www/splynx"), chroot.path("root/splynx"))
    said = chroot.run("apt-get", "install", "-y", "splynx-bitpay").stdout
    assert "not started yet" in said or not pathlib.Path(chroot.path("run/systemd/system")).exists(), said
    doctor = chroot.run("splynx-bitpay", "doctor", check=False)
    assert doctor.returncode == 1 and "splynx" in doctor.stdout.lower(), doctor.stdout
    chroot.run("apt-get", "purge", "-y", "splynx-bitpay")
    os.rename(chroot.path("root/splynx"), chroot.path("var/www/splynx"))
    trees.assert_same(chroot.before, trees.snapshot(chroot.root, NOT_OURS), "purging without Splynx")


def install_at_a_terminal(chroot):
    """An admin at a terminal: at most three answers, then it is paired."""
    begun = time.monotonic()
    answers, said = interactively(chroot, ["apt-get", "install", "-y", "splynx-bitpay"], {
        "Address of the Splynx portal": f"{URL}\n", "BitPay environment": "test\n",
        "BitPay pairing code": f"{SECOND_CODE}\n"})
    assert answers == 3, said
    assert "mode:      test" in chroot.run("splynx-bitpay", "pairing").stdout
    print(f"   {answers} answers, {time.monotonic() - begun:.1f} s")
    chroot.run("apt-get", "purge", "-y", "splynx-bitpay")


STORY = (install, look, pay, run_again, keep_edits, reconfigure, upgrade, fail_to_upgrade, upgrade_beside_a_service,
         downgrade, remove, purge, install_bare, install_at_a_terminal)


def main():
    chroot = Chroot(*sys.argv[1:])
    try:
        prepare(chroot)
        chroot.before = trees.snapshot(chroot.root, NOT_OURS)
        for step in STORY:
            begun = time.monotonic()
            step(chroot)
            print(f"   {step.__name__.replace('_', ' ')}: good, {time.monotonic() - begun:.1f} s", flush=True)
    finally:
        for process in chroot.processes:
            if process.poll() is None:
                process.kill()


if __name__ == "__main__":
    main()
