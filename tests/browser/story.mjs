// The whole story in headless Chromium, on SQLite and on PostgreSQL, side by side:
//
//   ./scripts/with-postgres node tests/browser/story.mjs [--screenshots-for-docs]
//
// Every step prints a line. The first that fails is named, leaves pictures in target/screenshots, and ends the story
// on its database; the exit code is then 1. With --screenshots-for-docs the pictures of the documentation are written anew.

import path from "node:path";

import { picture, Look, PICTURES } from "./checks.mjs";
import { Demo, freshDatabase } from "./demo.mjs";
import { launch, Visitor } from "./visitor.mjs";
import { accounts } from "./chapters/accounts.mjs";
import { deadEnds } from "./chapters/dead_ends.mjs";
import { everyone } from "./chapters/everyone.mjs";
import { pairing } from "./chapters/pairing.mjs";
import { paying } from "./chapters/paying.mjs";
import { settling } from "./chapters/settling.mjs";
import { trouble } from "./chapters/trouble.mjs";

const CHAPTERS = [pairing, paying, everyone, trouble, settling, deadEnds, accounts];
/** Service fee of the demo, in per cent. */
const FEE = "10";

class Story {
  visitors = [];
  #steps = 0;

  constructor({ demo, browser, look, picturesForDocs }) {
    Object.assign(this, { demo, browser, look, picturesForDocs });
  }

  async visitor(options) {
    const visitor = await Visitor.open(this.browser, this.demo, options);
    this.visitors.push(visitor);
    return visitor;
  }

  /** The portal as this customer, logged in. */
  async customer(login, options) {
    const visitor = await this.visitor(options);
    await visitor.logIn("/portal/", login);
    return visitor;
  }

  async leave(visitor) {
    visitor.assertNoComplaint();
    this.visitors.splice(this.visitors.indexOf(visitor), 1);
    await visitor.close();
  }

  /** Does one step, and prints its line. */
  step = async (name, work) => {
    this.#steps += 1;
    const began = Date.now();
    const line = `${this.demo.name} ${String(this.#steps).padStart(2, "0")} ${name}`;
    try {
      await work();
      for (const visitor of this.visitors) visitor.assertNoComplaint();
    } catch (error) {
      console.log(`FAILED  ${line}`);
      await this.#keepPictures();
      throw error;
    }
    console.log(`ok      ${line} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  };

  async #keepPictures() {
    const pages = this.visitors.flatMap(({ context }) => context.pages());
    for (const [index, page] of pages.entries()) {
      const name = `failed-${this.demo.name}-${this.#steps}-${index}`;
      await picture(page, name).then(
        () => console.log(`        see ${path.join(PICTURES, name)}.png (${page.url()})`),
        (error) => console.log(`        no picture of ${page.url()}: ${error.message}`),
      );
    }
  }
}

async function tell(browser, { name, database, takesPictures, picturesForDocs }) {
  const demo = await Demo.start({ name, database, fee: FEE });
  const end = () => demo.stop();
  process.once("SIGINT", end).once("SIGTERM", end);
  const story = new Story({ demo, browser, look: new Look(takesPictures), picturesForDocs });
  try {
    for (const chapter of CHAPTERS) await chapter(story);
  } catch (error) {
    console.log(`The last lines of ${demo.logFile}:\n${demo.tail()}\n`);
    throw error;
  } finally {
    for (const visitor of story.visitors) await visitor.close().catch(() => {});
    await demo.stop();
    process.off("SIGINT", end).off("SIGTERM", end);
  }
}

async function main() {
  const options = process.argv.slice(2);
  const unknown = options.filter((option) => option !== "--screenshots-for-docs");
  const server = process.env.SPLYNX_BITPAY_TEST_POSTGRES;
  if (unknown.length > 0 || !server) {
    console.error(unknown.length > 0 ? `unknown: ${unknown}` : "run it with ./scripts/with-postgres");
    return 2;
  }
  const browser = await launch();
  try {
    const told = await Promise.allSettled([
      tell(browser, { name: "sqlite", takesPictures: true, picturesForDocs: options.length > 0 }),
      tell(browser, { name: "postgresql", database: await freshDatabase(server) }),
    ]);
    const failures = told.filter(({ status }) => status === "rejected");
    for (const { reason } of failures) console.error(reason);
    return failures.length === 0 ? 0 : 1;
  } finally {
    await browser.close();
  }
}

process.exitCode = await main();
