// What a customer does at the processor's checkout, and what the test does there in the network's place.

import assert from "node:assert/strict";

/** Chooses a coin and pays; works with and without scripts. */
export async function payAt(page, { coin = "Bitcoin" } = {}) {
  await page.getByRole("radio", { name: new RegExp(`^${coin} [\\d.]`) }).check();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: /^Pay [\d.]+ [A-Z]+$/ }).click();
}

/** Follows the link back to the add-on's result page. */
export async function comeBack(page) {
  await page.getByRole("link", { name: /^Return to / }).click();
  await page.waitForURL(/\/bitpay\/result\//);
}

/** The invoice at BitPay whose checkout this page shows. */
export async function invoiceOf(demo, page) {
  const url = new URL(page.url());
  assert.equal(url.origin, demo.bitpayUrl, "the whole page is at the checkout");
  return demo.bitpay.get(`invoices/${url.searchParams.get("id")}`);
}

/** Waits until this result page says, by itself, how the payment went. */
export async function waitForTitle(page, title) {
  await page.getByRole("heading", { name: title, exact: true }).waitFor();
}
