// A person with a browser of their own, and a watch on everything their browser complains about.
//
// Invariant: whatever a page logs as an error, throws, fails to load or answers with 4xx or 5xx fails the test, unless
// the step has said before that it expects it.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
/** No step waits longer than this for anything on a page. */
const PATIENCE_MS = 15_000;

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });
}

export class Visitor {
  /** Opens a browser window of their own; `options` are Playwright's for a context. */
  static async open(browser, demo, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US", ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const visitor = new Visitor(demo, context);
    context.on("page", (page) => visitor.#watch(page));
    visitor.page = await context.newPage();
    return visitor;
  }

  #complaints = [];
  #expected = [];

  constructor(demo, context) {
    this.demo = demo;
    this.context = context;
  }

  #watch(page) {
    const complain = (text, status, url) => this.#complaints.push({ text, status, url });
    page.on("pageerror", (error) => complain(`threw ${error.message}`));
    page.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      const text = message.text();
      // Chromium says this beside every 4xx and 5xx, which are judged by their status below.
      if (/^Failed to load resource: the server responded with a status/.test(text)) return;
      complain(`console: ${text} (${page.url()})`);
    });
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText ?? "";
      // Leaving a page breaks off what it was fetching.
      if (why !== "net::ERR_ABORTED") complain(`${request.method()} ${request.url()} failed: ${why}`);
    });
    page.on("response", (answer) => {
      if (answer.status() < 400) return;
      complain(`${answer.request().method()} ${answer.url()}: ${answer.status()}`, answer.status(), answer.url());
    });
  }

  /** From now to the end of the step, answers with this status are no complaint. */
  expect(...statuses) {
    this.#expected.push(...statuses);
  }

  /** Fails when the browser complained of anything unexpected; ends the step's expectations. */
  assertNoComplaint() {
    const complaints = this.#complaints.filter(({ status }) => !this.#expected.includes(status));
    const missing = this.#expected.filter((status) => !this.#complaints.some((one) => one.status === status));
    this.#complaints = [];
    this.#expected = [];
    assert.deepEqual(complaints.map(({ text }) => text), [], "the browser complained");
    assert.deepEqual(missing, [], "these statuses were expected and did not come");
  }

  /** Opens an address below the portal. */
  open(address) {
    return this.page.goto(new URL(address, this.demo.portal).href);
  }

  async logIn(address, login, password = login) {
    await this.open(address);
    await this.fillLogin(login, password);
    await this.page.waitForURL((url) => !url.pathname.includes("/login"));
  }

  async fillLogin(login, password = login) {
    await this.page.getByLabel("Login").fill(login);
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: "Log in" }).click();
  }

  /** Follows a link of Splynx's menu to the page whose heading has the same name. */
  async follow(name) {
    await this.page.getByRole("link", { name, exact: true }).click();
    await this.page.getByRole("heading", { name, exact: true, level: 1 }).waitFor();
  }

  /** The frame inside the portal's modal. */
  get modal() {
    return this.page.frameLocator("#portal-dialog-frame");
  }

  close() {
    return this.context.close();
  }
}
