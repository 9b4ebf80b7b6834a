"""The two databases, and how the bench gets an empty one."""

import subprocess


class Sqlite:
    """A file in the stage's folder."""

    name = "SQLite"

    def url(self, home):
        """The database of the run."""
        return f"sqlite://{home}/splynx-bitpay.db"

    def fresh(self, home, number):
        """An empty one."""
        return f"sqlite://{home}/first-{number}.db"


class Postgres:
    """Databases in the cluster that `scripts/with-postgres` started."""

    name = "PostgreSQL"

    def __init__(self, cluster):
        self.server = cluster.rsplit("/", 1)[0]

    def url(self, _home):
        """The database of the run."""
        return self._made("bench")

    def fresh(self, _home, number):
        """An empty one."""
        return self._made(f"first_{number}")

    def _made(self, name):
        sql = f'CREATE DATABASE "{name}"'
        command = ["psql", "-q", f"{self.server}/postgres", "-c", f'DROP DATABASE IF EXISTS "{name}"', "-c", sql]
        subprocess.run(command, check=True, capture_output=True)
        return f"{self.server}/{name}"
