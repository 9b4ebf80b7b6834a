// Every dead end has its own page and a next step.

import assert from "node:assert/strict";

export async function deadEnds(story) {
  const { demo, look } = story;
  const customer = await story.customer("customer1");
  const { page } = customer;
  const documents = (await demo.splynx.state()).invoices;
  const foreign = documents.find((invoice) => invoice.customer_id === 2).number;

  for (const [name, address, status, title, next] of [
    ["paid", "/bitpay/pay-invoice?item_id=201803000001", 409, "Invoice already paid!", "Back to my invoices"],
    ["deleted", "/bitpay/pay-invoice?item_id=201804000001", 409, "Invoice deleted!", "Back to my invoices"],
    ["unknown-document", "/bitpay/pay-invoice?item_id=209901000001", 404, "Invalid invoice number!", "Back to my invoices"],
    ["unknown-hostile", `/bitpay/pay-invoice?item_id=${encodeURIComponent("'\"><script>alert(1)</script>")}`, 404, "Invalid invoice number!", "Back to my invoices"],
    ["unknown-proforma", "/bitpay/pay-proforma?item_id=209901000001", 404, "Invalid proforma invoice number!", "Back to my proforma invoices"],
    ["someone-elses", `/bitpay/pay-invoice?item_id=${foreign}`, 403, "Invalid invoice!", "Back to my invoices"],
    ["no-number", "/bitpay/pay-proforma", 400, "No document was named", "Back to my proforma invoices"],
    ["unknown-payment", `/bitpay/result/${"0".repeat(32)}`, 404, "Payment not found", "Back to my payments"],
    ["not-found", "/bitpay/nowhere", 404, "Page not found", "Back to the portal"],
    ["customer-on-admin-page", "/bitpay/config", 403, "This page is for administrators", "Back to the portal"],
  ]) {
    await story.step(`dead end: ${name}`, async () => {
      customer.expect(status);
      await customer.open(address);
      await page.getByRole("heading", { name: title, exact: true }).waitFor();
      await look.at(customer, `notice-${name}`);
      await page.getByRole("link", { name: next }).click();
      await page.waitForURL((url) => url.pathname.startsWith("/portal/"));
    });
  }
  await foreignForm(story, customer, documents.find((invoice) => invoice.customer_id === 1).number);
  await story.leave(customer);
  await notLoggedIn(story);
  await anAdmin(story);
}

async function foreignForm({ demo, look, step }, customer, number) {
  await step("dead end: a form on another site is refused", async () => {
    const { page } = customer;
    const invoices = async () => (await demo.bitpay.state()).invoices.length;
    const before = await invoices();
    await page.goto("about:blank");
    const action = `${demo.portal}/bitpay/pay-invoice?item_id=${number}`;
    await page.setContent(`<form method="post" action="${action}"><button>Win a prize</button></form>`);
    customer.expect(403);
    await page.getByRole("button", { name: "Win a prize" }).click();
    await page.getByRole("heading", { name: "This form was not sent from our pages" }).waitFor();
    await look.at(customer, "notice-foreign-form");
    assert.equal(await invoices(), before, "nothing was begun");
  });
}

async function notLoggedIn(story) {
  const { demo, look } = story;
  const { number } = await demo.splynx.post("invoices", { customer_id: 1, total: "5.00" });
  const guest = await story.visitor();
  const { page } = guest;

  await story.step("not logged in: login, and back on the page they wanted", async () => {
    await guest.open(`/bitpay/pay-invoice?item_id=${number}`);
    await page.waitForURL(/\/portal\/login\/\?return=/);
    await look.at(guest, "login-customer");
    await guest.fillLogin("customer1", "wrong");
    await page.getByText("Incorrect login or password.").waitFor();
    await guest.fillLogin("customer1");
    await page.getByRole("heading", { name: `Pay invoice #${number}` }).waitFor();
    await look.at(guest, "pay-invoice");
  });

  await story.step("logged out meanwhile: the modal says so and leads out of itself", async () => {
    await guest.open("/portal/finance/invoices");
    await page.getByRole("link", { name: `Pay by BitPay: ${number}` }).click();
    const button = guest.modal.getByRole("button", { name: "Checkout Now" });
    await button.waitFor();
    await demo.splynx.post("sessions/revoke");
    await button.click();
    await page.waitForURL(/\/portal\/login\/\?return=/);
    await guest.fillLogin("customer1");
    await page.getByRole("heading", { name: `Pay invoice #${number}` }).waitFor();
  });
  await story.leave(guest);
}

async function anAdmin(story) {
  const admin = await story.visitor();
  await story.step("dead end: an admin on a customer's page, until they log in as the customer", async () => {
    await admin.logIn("/admin/", "admin");
    admin.expect(403);
    await admin.open("/bitpay/");
    await admin.page.getByRole("heading", { name: "This page is for customers" }).waitFor();
    await story.look.at(admin, "notice-admin-on-customer-page");
    await admin.page.getByRole("link", { name: "Open the customer list" }).click();
    await admin.page.getByRole("link", { name: /Customer Two.*log in as the customer/ }).click();
    await admin.page.waitForURL(/\/portal\/$/);
    await admin.open("/bitpay/");
    await admin.page.getByRole("heading", { name: "Add money to your balance" }).waitFor();
  });
  await story.leave(admin);
}
