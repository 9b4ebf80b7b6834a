// The outside misbehaves, and the money arrives all the same.

import assert from "node:assert/strict";

import { eventually } from "../checks.mjs";
import { comeBack, invoiceOf, payAt, waitForTitle } from "../checkout.mjs";
import { assertPaidRow } from "./paying.mjs";

export async function trouble(story) {
  const { demo, look } = story;
  const customer = await story.customer("customer1");
  const { page } = customer;
  const pay = async (number) => {
    await customer.open(`/bitpay/pay-invoice?item_id=${number}`);
    await page.getByRole("button", { name: "Checkout Now" }).click();
    await payAt(page);
  };

  await story.step("no notification ever comes: a partly paid invoice is found paid by asking", async () => {
    const number = "201805000001";
    await demo.bitpay.post("options", { send_ipn: false });
    await pay(number);
    const { id } = await invoiceOf(demo, page);
    await comeBack(page);
    await waitForTitle(page, "Payment successful!");
    const { deliveries } = await demo.bitpay.state();
    const states = deliveries.filter(({ invoice }) => invoice === id).map(({ state }) => state);
    assert.ok(states.length > 0 && states.every((state) => state === "not_sent"), `sent: ${states}`);
    await demo.bitpay.post("options", { send_ipn: true });
    await customer.open("/portal/finance/invoices");
    await assertPaidRow(page, number);
  });

  const { number } = await demo.splynx.post("invoices", { customer_id: 1, total: "40.00" });
  let result;
  await story.step("Splynx is down while they pay: the payment is received and waits", async () => {
    await customer.open(`/bitpay/pay-invoice?item_id=${number}`);
    await page.getByRole("button", { name: "Checkout Now" }).click();
    await page.waitForURL(`${demo.bitpayUrl}/**`);
    await demo.splynx.goDown();
    await payAt(page);
    await comeBack(page);
    await waitForTitle(page, "Payment received");
    result = page.url();
    await look.at(customer, "result-settled");
    const paid = (await demo.splynx.state()).invoices.find((invoice) => invoice.number === number);
    assert.equal(paid.status, "not_paid");
  });

  await story.step("Splynx is down: pages say so and offer another try", async () => {
    customer.expect(503);
    await customer.open("/bitpay/pay-invoice?item_id=201801000001");
    await page.getByRole("heading", { name: "The portal does not answer" }).waitFor();
    await page.getByRole("link", { name: "Try again" }).waitFor();
    await look.at(customer, "notice-splynx-down");

    const stranger = await story.customer("customer2");
    stranger.expect(503);
    await stranger.open("/bitpay/");
    await stranger.page.getByRole("heading", { name: "The portal does not answer" }).waitFor();
    const again = stranger.page.getByRole("link", { name: "Try again" });
    assert.equal(await again.getAttribute("href"), "/bitpay/");
    await story.leave(stranger);
  });

  await story.step("once Splynx is back, the payment is recorded by itself", async () => {
    await page.goto(result);
    await demo.splynx.comeBack();
    // A payment whose answer was lost is looked for first; the demo waits twenty seconds before it is sent again.
    await page.getByRole("heading", { name: "Payment successful!" }).waitFor({ timeout: 60_000 });
    await customer.open("/portal/finance/invoices");
    await assertPaidRow(page, number);
  });

  await story.step("BitPay is down: nothing is charged, and trying again works", async () => {
    const { number: another } = await demo.splynx.post("invoices", { customer_id: 1, total: "7.00" });
    await customer.open(`/bitpay/pay-invoice?item_id=${another}`);
    await demo.bitpay.goDown();
    customer.expect(503);
    await page.getByRole("button", { name: "Checkout Now" }).click();
    await page.getByRole("heading", { name: "The payment service does not answer" }).waitFor();
    await look.at(customer, "notice-processor-down");
    await demo.bitpay.comeBack();
    await page.getByRole("link", { name: "Try again" }).click();
    await page.getByRole("button", { name: "Checkout Now" }).click();
    await page.waitForURL(`${demo.bitpayUrl}/**`);
  });

  await story.step("an expired invoice says so", async () => {
    const { id, redirect_url: address } = (await demo.bitpay.state()).invoices.at(-1);
    await demo.bitpay.post(`invoices/${id}/expire`);
    await eventually("the checkout shows it", () => page.getByRole("heading", { name: "Expired" }).isVisible());
    await look.at(customer, "checkout-expired");
    await page.goto(address);
    await waitForTitle(page, "The time to pay is over");
    await look.at(customer, "result-expired");
  });
  await story.leave(customer);
}
