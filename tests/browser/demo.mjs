// The demo as its users start it, on free ports, and the control APIs of its simulators.
//
// Invariant: what this file starts it ends, by its own process id, however the test ends.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { promisify } from "node:util";

export const ROOT = path.resolve(import.meta.dirname, "../..");
const BINARIES = path.join(ROOT, "target/debug");
const LOGS = path.join(ROOT, "target/browser");
const READY_WITHIN_MS = 20_000;
const ENDED_WITHIN_MS = 10_000;

const run = promisify(execFile);

/** The pairing code that waits in the demo's BitPay dashboard. */
export const PAIRING_CODE = "DemoPay";

/** A simulator's control API. */
class Controls {
  constructor(base) {
    this.base = base;
  }

  async call(method, what, body) {
    const answer = await fetch(`${this.base}/_control/${what}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${what}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  get(what) { return this.call("GET", what); }
  post(what, body = {}) { return this.call("POST", what, body); }
  state() { return this.get("state"); }

  /** The server closes every API connection until `comeBack`. */
  goDown() { return this.post("faults", { kind: "down" }); }
  comeBack() { return this.call("DELETE", "faults"); }
}

/** A running demo. */
export class Demo {
  /** Starts one; `database` is a URL, or nothing for the demo's own SQLite file. */
  static async start({ name, database, fee = "0" }) {
    await mkdir(LOGS, { recursive: true });
    for (let attempt = 1; ; attempt += 1) {
      const demo = new Demo(name, await freePorts(4), database);
      try {
        await demo.#launch(fee);
        return demo;
      } catch (error) {
        await demo.stop();
        // Another process may have taken one of the ports in between.
        if (attempt === 3 || !/in use/.test(demo.tail())) throw error;
      }
    }
  }

  #child;
  #recent = [];

  constructor(name, port, database) {
    const at = (offset) => `http://127.0.0.1:${port + offset}`;
    this.name = name;
    this.database = database;
    this.portal = at(0);
    this.bitpayUrl = at(1);
    this.ops = at(3);
    this.config = path.join(process.env.TMPDIR ?? "/tmp", `splynx-bitpay-demo-${port}`, "config.toml");
    this.port = port;
    this.splynx = new Controls(this.portal);
    this.bitpay = new Controls(this.bitpayUrl);
    this.logFile = path.join(LOGS, `${name}.log`);
  }

  async #launch(fee) {
    const options = ["demo", "--port", String(this.port), "--fee", fee];
    if (this.database) options.push("--database", this.database);
    const log = createWriteStream(this.logFile);
    this.#child = spawn(path.join(BINARIES, "splynx-bitpay-sim"), options, { stdio: ["ignore", "pipe", "pipe"] });
    const ready = new Promise((resolve, reject) => {
      const read = (chunk) => {
        log.write(chunk);
        this.#recent.push(...chunk.toString().split("\n").filter(Boolean));
        this.#recent.splice(0, this.#recent.length - 200);
        if (chunk.includes("The demo is ready")) resolve();
      };
      this.#child.stdout.on("data", read);
      this.#child.stderr.on("data", read);
      this.#child.once("error", reject);
      this.#child.once("exit", (code) => reject(new Error(`the demo ended (${code})\n${this.tail()}`)));
      setTimeout(() => reject(new Error(`the demo was not ready in time\n${this.tail()}`)), READY_WITHIN_MS).unref();
    });
    await ready;
  }

  /** The last lines of its log. */
  tail(lines = 12) {
    return this.#recent.slice(-lines).join("\n");
  }

  /** Runs a command of the add-on with the demo's configuration; never throws for its exit code. */
  async command(...words) {
    const binary = path.join(BINARIES, "splynx-bitpay");
    try {
      const { stdout, stderr } = await run(binary, ["--config", this.config, ...words]);
      return { code: 0, text: stdout + stderr };
    } catch (error) {
      return { code: error.code, text: `${error.stdout}${error.stderr}` };
    }
  }

  /** How many attempts PostgreSQL holds. */
  async attemptsInPostgres() {
    const query = ["--tuples-only", "--no-align", "--command", "SELECT count(*) FROM attempts"];
    const { stdout } = await run("psql", ["--dbname", this.database, ...query]);
    return Number(stdout);
  }

  /** Ends it, and whatever it started. */
  async stop() {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), ENDED_WITHIN_MS);
    await ended;
    clearTimeout(late);
  }
}

/** A new empty database beside the given one, by PostgreSQL's own client. */
export async function freshDatabase(server) {
  const name = `browser_${process.pid}`;
  await run("psql", ["--quiet", "--dbname", server, "--command", `CREATE DATABASE ${name}`]);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.toString();
}

/** The first of `count` ports in a row that are free now. */
async function freePorts(count) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const ports = Array.from({ length: count }, (_, offset) => first + offset);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return first;
  }
  throw new Error("no free ports");
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
