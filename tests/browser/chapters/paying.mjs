// A customer pays: an invoice from the portal, a proforma invoice, a refill of the balance.

import assert from "node:assert/strict";
import path from "node:path";

import { eventually } from "../checks.mjs";
import { comeBack, invoiceOf, payAt, waitForTitle } from "../checkout.mjs";
import { ROOT } from "../demo.mjs";

const INVOICE = "201801000001";

export async function paying(story) {
  const { demo, look } = story;
  const customer = await story.customer("customer1");
  const { page } = customer;
  const facts = () => customer.modal.locator(".facts").innerText();

  await story.step("the dashboard shows what can be paid, and Pay opens the modal", async () => {
    await page.getByRole("heading", { name: "Pay your invoices by BitPay" }).waitFor();
    await look.at(customer, "dashboard");
    await page.getByRole("link", { name: `Pay invoice ${INVOICE}` }).click();
    await customer.modal.getByRole("heading", { name: `Pay invoice #${INVOICE}` }).waitFor();
    await look.at(customer, "dashboard-modal");
    await page.locator(".modal-footer").getByRole("button", { name: "Close" }).click();
    await page.locator("#portal-dialog").waitFor({ state: "hidden" });
  });

  await story.step("the ₿ icon in Invoices opens it too: number, total, fee and sum", async () => {
    await customer.follow("Invoices");
    await look.at(customer, "invoices");
    await page.getByRole("link", { name: `Pay by BitPay: ${INVOICE}` }).click();
    await customer.modal.getByRole("heading", { name: `Pay invoice #${INVOICE}` }).waitFor();
    const shown = (await facts()).replace(/\s+/g, " ");
    for (const sum of ["51.61 USD", "5.16 USD", "56.77 USD"]) assert.ok(shown.includes(sum), `${sum} in ${shown}`);
    await look.at(customer, "modal");
    if (story.picturesForDocs) await pictureForDocs(page);
  });

  let invoice;
  await story.step("the button leads the whole page to the checkout", async () => {
    await demo.bitpay.post("options", { automatic: false });
    await customer.modal.getByRole("button", { name: "Checkout Now" }).click();
    await page.waitForURL(`${demo.bitpayUrl}/**`);
    invoice = await invoiceOf(demo, page);
    assert.deepEqual([invoice.price, invoice.currency, invoice.status], ["56.77", "USD", "new"]);
    await look.at(customer, "checkout-currency");
  });

  const tab = await customer.context.newPage();
  await story.step("a result page opened meanwhile waits", async () => {
    await tab.goto(invoice.redirect_url);
    await waitForTitle(tab, "Waiting for your payment");
    await tab.evaluate(() => { window.isTheSamePage = true; });
    const way = await tab.getByRole("link", { name: "Go on with the payment" }).getAttribute("href");
    assert.equal(way, invoice.url);
    await look.at({ page: tab }, "result-waiting");
  });

  await story.step("they pay and come back to a page that sees the payment", async () => {
    await payAt(page);
    await page.getByRole("heading", { name: "Paid", exact: true }).waitFor();
    await look.at(customer, "checkout-paid");
    await comeBack(page);
    await waitForTitle(page, "Payment seen");
    await look.at(customer, "result-confirming");
  });

  await story.step("when the network confirms, both pages turn to paid by themselves", async () => {
    await demo.bitpay.post(`invoices/${invoice.id}/confirm`);
    await waitForTitle(page, "Payment successful!");
    await waitForTitle(tab, "Payment successful!");
    assert.equal(await tab.evaluate(() => window.isTheSamePage), true, "the page was not loaded again");
    assert.ok(await tab.getByText("Go on with the payment").isHidden(), "nothing is left to pay");
    await look.at(customer, "result-paid");
    await tab.close();
    await demo.bitpay.post("options", { automatic: true });
  });

  await story.step("the invoice is Paid in the portal", async () => {
    await page.getByRole("link", { name: "Back to my invoices" }).click();
    await assertPaidRow(page, INVOICE);
    const due = await page.locator(`tr[data-number="${INVOICE}"] td[data-label="Due"]`).innerText();
    assert.equal(due, "0.00 USD");
  });

  await story.step("a proforma invoice is paid from its list", async () => {
    await customer.follow("Proforma invoices");
    await look.at(customer, "proformas");
    const icon = page.getByRole("link", { name: /^Pay by BitPay: / }).first();
    const number = (await icon.getAttribute("aria-label")).split(" ").at(-1);
    await icon.click();
    await customer.modal.getByRole("heading", { name: `Pay proforma invoice #${number}` }).waitFor();
    await look.at(customer, "modal-proforma");
    await customer.modal.getByRole("button", { name: "Checkout Now" }).click();
    await payAt(page, { coin: "Litecoin" });
    await comeBack(page);
    await waitForTitle(page, "Payment successful!");
    await page.getByRole("link", { name: "Back to my proforma invoices" }).click();
    await assertPaidRow(page, number);
  });
  await story.leave(customer);
  await refill(story);
}

export async function assertPaidRow(page, number) {
  const row = page.locator(`tr[data-number="${number}"]`);
  assert.equal(await row.locator('td[data-label="Status"]').innerText(), "Paid");
  assert.match(await row.locator('td[data-label="Payment date"]').innerText(), /^\d{4}-\d\d-\d\d$/);
}

async function refill(story) {
  const { demo, look } = story;
  const { login } = await demo.splynx.post("customers", { billing_type: "prepaid", name: "Customer Four" });
  const customer = await story.customer(login);
  const { page } = customer;

  await story.step("the refill page explains what is wrong with an amount", async () => {
    await customer.open("/bitpay/");
    await look.at(customer, "refill");
    for (const [typed, answer] of [
      ["ten", /in digits/], ["10.123", /at most 2 decimal places/], ["0.5", /smallest amount/], ["99999", /largest amount/],
    ]) {
      customer.expect(422);
      await page.getByLabel("Amount").fill(typed);
      await page.getByRole("button", { name: "Pay", exact: true }).click();
      await page.locator("#amount-error", { hasText: answer }).waitFor();
    }
    await look.at(customer, "refill-error");
  });

  await story.step("a refill raises the balance by its amount; the fee comes on top", async () => {
    await page.getByLabel("Amount").fill("25");
    await page.getByRole("button", { name: "Pay", exact: true }).click();
    await page.waitForURL(`${demo.bitpayUrl}/**`);
    assert.equal((await invoiceOf(demo, page)).price, "27.5");
    await payAt(page);
    await comeBack(page);
    await waitForTitle(page, "Payment successful!");
    await look.at(customer, "result-paid-refill");
    await eventually("the balance of 25.00", async () => {
      await customer.open("/portal/");
      return (await page.locator("#balance").innerText()) === "25.00 USD";
    });
  });

  await story.step("the dashboard's own form begins a refill too", async () => {
    await page.locator("#bitpay-amount").fill("10");
    await page.locator("#bitpay-add-money-on-dashboard").getByRole("button", { name: "Pay" }).click();
    await page.waitForURL(`${demo.bitpayUrl}/**`);
    assert.equal((await invoiceOf(demo, page)).price, "11");
    await page.getByRole("link", { name: "Close without paying" }).click();
    await page.waitForURL((url) => url.origin === demo.portal);
    await look.at(customer, "after-closing-the-checkout");
  });
  await story.leave(customer);
}

async function pictureForDocs(page) {
  await page.setViewportSize({ width: 1280, height: 600 });
  await page.screenshot({ path: path.join(ROOT, "docs/images/pay.png"), animations: "disabled" });
}
