// A payment waits for a person; the admin finds it in the log, settles it, and sees it recorded.

import assert from "node:assert/strict";

import { eventually } from "../checks.mjs";
import { comeBack, payAt, waitForTitle } from "../checkout.mjs";

export async function settling(story) {
  const { demo, look } = story;
  const customer = await story.customer("customer1");
  const admin = await story.visitor();
  const { page } = admin;
  const { number } = await demo.splynx.post("invoices", { customer_id: 1, total: "30.00" });
  let result;

  await story.step("Splynx refuses a payment: the customer is told that a person looks at it", async () => {
    await demo.splynx.post("faults", {
      kind: "status", code: 422, method: "POST", path: "admin/finance/payments", contains: "invoice_id",
      body: [{ field: "invoice_id", message: "Invoice is locked." }],
    });
    await customer.open(`/bitpay/pay-invoice?item_id=${number}`);
    await customer.page.getByRole("button", { name: "Checkout Now" }).click();
    await payAt(customer.page);
    await comeBack(customer.page);
    result = customer.page.url();
    await eventually("the page says so", async () => {
      await customer.page.goto(result);
      return customer.page.getByRole("heading", { name: "A person looks at your payment" }).isVisible();
    });
    await look.at(customer, "result-review");
  });

  await story.step("the admin finds it among those a person must look at", async () => {
    await admin.logIn("/admin/", "admin");
    await admin.open("/bitpay/admin/attempts");
    await page.getByText("Search by field").click();
    await page.getByLabel("Customer ID").fill("1");
    await page.getByLabel("Document number").fill(number);
    await page.getByLabel("State", { exact: true }).selectOption("settled");
    await page.getByLabel("Only those a person must look at").check();
    await look.at(admin, "admin-attempts-filter");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.getByRole("cell", { name: `Invoice ${number}` }).waitFor();
    assert.equal(await page.locator("tbody tr").count(), 1);
    await look.at(admin, "admin-attempts");
    await page.getByRole("link", { name: "To review: 1" }).click();
  });

  await story.step("the page tells what happened and what to do", async () => {
    await page.getByText("Splynx refused a write").waitFor();
    await page.getByText("Invoice is locked.").first().waitFor();
    await page.getByText("If the document cannot take the money, send it to the balance here.").waitFor();
    await page.getByText("Being sent:").first().waitFor();
    await look.at(admin, "admin-attempt-review");
  });

  await story.step("it is settled to the balance, with a note", async () => {
    await page.getByLabel("To the customer's balance").check();
    await page.getByLabel("Note").fill("The invoice is locked; agreed with the customer.");
    await page.getByRole("button", { name: "Settle" }).click();
    await page.getByText("Settled. The add-on now writes the payment to the balance.").waitFor();
  });

  await story.step("it is recorded once, and everybody sees it", async () => {
    await eventually("the payment is recorded", async () => {
      await page.reload();
      return (await page.locator(".facts").innerText()).includes("Recorded in Splynx");
    });
    await page.getByText("Decided by a person:").waitFor();
    await page.getByText("agreed with the customer").first().waitFor();
    assert.equal(await page.getByRole("button", { name: "Settle" }).count(), 0);
    await look.at(admin, "admin-attempt-settled");
    const { payments } = await demo.splynx.state();
    const key = (await page.locator("td", { hasText: /^BP-/ }).first().innerText()).trim();
    const ours = payments.filter(({ receipt_number: receipt }) => receipt === key);
    assert.deepEqual(ours.map(({ invoice_id: invoice }) => invoice ?? null), [null]);
    await customer.page.goto(result);
    await waitForTitle(customer.page, "Payment successful!");
    await demo.splynx.comeBack();
  });

  await story.step("the journal is whole", async () => {
    const { code, text } = await demo.command("audit", "verify");
    assert.equal(code, 0, text);
  });
  await story.leave(admin);
  await story.leave(customer);
}
