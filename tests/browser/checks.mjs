// What is asked of every page, and the pictures of them.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { ROOT } from "./demo.mjs";

export const PICTURES = path.join(ROOT, "target/screenshots");
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 320, height: 640 };

/** Looks at the page of a visitor at both widths: nothing may be wider than its window, every control has a name. */
export class Look {
  #taken = new Set();

  constructor(takesPictures) {
    this.takesPictures = takesPictures;
  }

  async at(visitor, name) {
    const { page } = visitor;
    // Before its style sheet has come, a page is wider than it will be.
    for (const frame of page.frames()) await frame.waitForLoadState("load");
    for (const size of [NARROW, WIDE]) {
      await page.setViewportSize(size);
      await assertFits(page, name, size.width);
      await this.#picture(page, `${name}-${size.width}`);
    }
    await assertNamed(page, name);
  }

  async #picture(page, name) {
    if (!this.takesPictures) return;
    assert.ok(!this.#taken.has(name), `two pictures are called ${name}`);
    this.#taken.add(name);
    await picture(page, name);
  }
}

export async function picture(page, name) {
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: (await hasModal(page)) === 0, animations: "disabled" });
}

/** The portal's modal stays where it is while the page below it scrolls; only what is on the screen shows it well. */
function hasModal(page) {
  return page.locator(".modal:not([hidden])").count();
}

/** Nobody should have to scroll sideways, neither the page nor the modal in it. */
async function assertFits(page, name, width) {
  for (const frame of page.frames()) {
    const sizes = await frame.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return { scrollWidth, clientWidth };
    });
    assert.ok(sizes.scrollWidth <= sizes.clientWidth,
      `${name} is ${sizes.scrollWidth} px wide in ${sizes.clientWidth} (window ${width}, ${frame.url()})`);
  }
}

/** What can be pressed or filled in says what it is, and every page has one heading, a title and a language. */
async function assertNamed(page, name) {
  for (const frame of page.frames()) {
    // The portal's modal before it is opened.
    if (frame.url() === "about:blank" || frame.url() === "") continue;
    const found = await frame.evaluate(() => {
      const label = (control) => control.labels?.[0]?.textContent ?? "";
      const nameOf = (control) =>
        (control.getAttribute("aria-label") || control.textContent || label(control) || control.title).trim();
      const controls = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")];
      return {
        nameless: controls.filter((control) => !nameOf(control)).map((control) => control.outerHTML),
        title: document.title,
        lang: document.documentElement.lang,
        headings: document.querySelectorAll("h1").length,
      };
    });
    assert.deepEqual(found.nameless, [], `${name}: controls without a name`);
    assert.ok(found.title && found.lang && found.headings, `${name}: ${JSON.stringify(found)} (${frame.url()})`);
  }
}

/** Waits until `look` returns something true; returns it. */
export async function eventually(what, look, withinMs = 15_000) {
  const end = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) assert.fail(`${what} did not happen within ${withinMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
