// The admin pairs the add-on with BitPay.

import assert from "node:assert/strict";

import { PAIRING_CODE } from "../demo.mjs";

export async function pairing(story) {
  const { demo, look } = story;
  const admin = await story.visitor();
  const customer = await story.customer("customer1");

  await story.step("a customer of an unpaired add-on is told so", async () => {
    customer.expect(503);
    await customer.open("/bitpay/pay-invoice?item_id=201801000001");
    await customer.page.getByRole("heading", { name: "Payments are not set up yet" }).waitFor();
    await look.at(customer, "notice-not-paired");
  });
  await story.leave(customer);

  await story.step("the admin is asked to log in, and comes back to the page", async () => {
    await admin.open("/bitpay/config");
    await admin.page.waitForURL(/\/admin\/login\/\?return=/);
    await look.at(admin, "login-admin");
    await admin.fillLogin("admin");
    await admin.page.waitForURL(/\/bitpay\/config$/);
  });

  await story.step("the menu Config, Integrations leads to the page", async () => {
    await admin.open("/admin/");
    await look.at(admin, "admin-dashboard");
    await admin.follow("Config → Integrations");
    await look.at(admin, "admin-integrations");
    await admin.page.getByRole("link", { name: "Bitpay", exact: true }).click();
    await admin.page.getByText("Access token is not set for test environment").waitFor();
    await look.at(admin, "config-unpaired");
  });

  await story.step("a wrong pairing code is explained", async () => {
    admin.expect(422);
    await admin.page.getByLabel("Pairing Code").fill("WrongOne");
    await admin.page.getByRole("button", { name: "Pair" }).click();
    await admin.page.getByText("Pairing did not work.").waitFor();
    assert.equal(await admin.page.getByLabel("Pairing Code").inputValue(), "WrongOne");
    await look.at(admin, "config-failed");
  });

  await story.step("the right one pairs: mode, masked token, Unpair", async () => {
    await admin.page.getByLabel("Pairing Code").fill(` ${PAIRING_CODE} `);
    await admin.page.getByRole("button", { name: "Pair" }).click();
    await admin.page.getByText("Access token has been successfully generated.").waitFor();
    const facts = await admin.page.locator(".facts").innerText();
    const [{ value: token }] = (await demo.bitpay.state()).tokens;
    assert.match(facts, /Mode\s+Test/);
    assert.ok(facts.includes(token.slice(-3)) && !facts.includes(token), `the token is masked: ${facts}`);
    await look.at(admin, "config-paired");
  });

  await story.step("Unpair asks before it does it, and can be left", async () => {
    const unpair = admin.page.locator("summary", { hasText: "Unpair" });
    await unpair.click();
    await admin.page.getByRole("button", { name: "Unpair now" }).waitFor();
    await look.at(admin, "config-unpair");
    await admin.page.getByRole("link", { name: "Cancel" }).click();
    await unpair.click();
  });

  await story.step("unpairing and pairing with a new code works", async () => {
    await admin.page.getByRole("button", { name: "Unpair now" }).click();
    await admin.page.getByText("BitPay data has been successfully reset.").waitFor();
    await look.at(admin, "config-unpaired-again");
    await admin.page.getByLabel("Pairing Code").fill(await newCode(story, admin));
    await admin.page.getByRole("button", { name: "Pair" }).click();
    await admin.page.getByText("Access token has been successfully generated.").waitFor();
  });
  await story.leave(admin);
}

/** Follows the instruction on the page to BitPay's dashboard, in a window of its own. */
async function newCode({ demo, look }, admin) {
  const opened = admin.context.waitForEvent("page");
  await admin.page.getByRole("link", { name: demo.bitpayUrl }).click();
  const dashboard = await opened;
  await dashboard.getByRole("button", { name: "Add New Token" }).click();
  const code = await dashboard.locator("#pairing-code").innerText();
  await look.at({ page: dashboard }, "bitpay-dashboard");
  await dashboard.close();
  return code;
}
