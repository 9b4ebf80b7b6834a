// The same for people without scripts, without a mouse, and with another language.

import assert from "node:assert/strict";

import { comeBack, payAt, waitForTitle } from "../checkout.mjs";
import { assertPaidRow } from "./paying.mjs";

export async function everyone(story) {
  await withoutScripts(story);
  await withTheKeyboard(story);
  await inSpanish(story);
}

async function withoutScripts(story) {
  const number = "201802000001";
  const customer = await story.customer("customer1", { javaScriptEnabled: false });
  const { page } = customer;

  await story.step("without JavaScript: pay, come back, and the page turns to paid", async () => {
    await customer.open(`/bitpay/pay-invoice?item_id=${number}`);
    await page.getByRole("button", { name: "Checkout Now" }).click();
    await payAt(page);
    await comeBack(page);
    await waitForTitle(page, "Payment successful!");
    await page.getByRole("link", { name: "Back to my invoices" }).click();
    await assertPaidRow(page, number);
  });
  await story.leave(customer);
}

async function withTheKeyboard(story) {
  const { demo } = story;
  const { number } = await demo.splynx.post("invoices", { customer_id: 1, total: "12.00" });
  const customer = await story.customer("customer1");
  const { page } = customer;

  await story.step("with the keyboard alone: from the dashboard to paid", async () => {
    await tabTo(page, new RegExp(`^Pay invoice ${number}$`));
    await page.keyboard.press("Enter");
    await customer.modal.getByRole("heading", { name: `Pay invoice #${number}` }).waitFor();
    await tabTo(page, /^Checkout Now$/);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${demo.bitpayUrl}/**`);
    await tabTo(page, /^Bitcoin /);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: /^Pay [\d.]+ BTC$/ }).waitFor();
    await tabTo(page, /^Pay [\d.]+ BTC$/);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: /^Return to / }).waitFor();
    await page.getByRole("heading", { name: "Paid and complete" }).waitFor();
    await tabTo(page, /^Return to /);
    await page.keyboard.press("Enter");
    await waitForTitle(page, "Payment successful!");
    await tabTo(page, /^Back to my invoices$/);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/portal\/finance\/invoices$/);
    await assertPaidRow(page, number);
  });

  await story.step("the modal closes with Escape", async () => {
    await customer.open("/portal/finance/invoices");
    await tabTo(page, new RegExp(`^Pay by BitPay: ${number}$`));
    customer.expect(409);
    await page.keyboard.press("Enter");
    await customer.modal.getByRole("heading", { name: "Invoice already paid!" }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#portal-dialog").waitFor({ state: "hidden" });
  });
  await story.leave(customer);
}

/** Presses Tab until the named control has the focus, which must be seen. */
async function tabTo(page, name) {
  const passed = [];
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    const focus = await focused(page);
    passed.push(focus?.name);
    if (!focus || !name.test(focus.name)) continue;
    assert.ok(focus.isSeen, `the focus on ${focus.name} is seen: ${JSON.stringify(focus)}`);
    return;
  }
  assert.fail(`Tab does not reach ${name}; it passed ${passed.join(", ")}`);
}

/** What has the focus, in the page or in the modal. */
async function focused(page) {
  for (const frame of page.frames()) {
    const found = await frame.evaluate(() => {
      const control = document.activeElement;
      if (!control || control === document.body || control.tagName === "IFRAME" || !document.hasFocus()) return null;
      const label = control.labels?.[0];
      const text = control.getAttribute("aria-label") || control.textContent.trim() || label?.textContent || "";
      const ring = (element) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
      };
      return { name: text.trim().replace(/\s+/g, " "), isSeen: ring(control) || Boolean(label && ring(label)) };
    });
    if (found) return found;
  }
  return null;
}

async function inSpanish(story) {
  const { demo, look } = story;
  const { number } = await demo.splynx.post("invoices", { customer_id: 1, total: "1234.50" });
  const customer = await story.customer("customer1", { locale: "es-MX" });
  const { page } = customer;

  await story.step("in Spanish, because the browser asks for it", async () => {
    await customer.open(`/bitpay/pay-invoice?item_id=${number}`);
    await page.getByRole("heading", { name: `Pagar la factura n.º ${number}` }).waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "es");
    await look.at(customer, "spanish-pay");
    await page.getByRole("button", { name: "Pagar ahora" }).click();
    await payAt(page);
    await comeBack(page);
    await waitForTitle(page, "¡Pago realizado!");
    await look.at(customer, "spanish-result-paid");
    await customer.open("/bitpay/");
    await page.getByRole("heading", { name: "Añadir dinero a su saldo" }).waitFor();
    await look.at(customer, "spanish-refill");
  });
  await story.leave(customer);
}
