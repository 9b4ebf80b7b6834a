// At the end the books agree: every payment is in Splynx once, and everybody who looks says so.

import assert from "node:assert/strict";

import { eventually } from "../checks.mjs";

export async function accounts(story) {
  const { demo, look } = story;
  const admin = await story.visitor();
  const { page } = admin;
  const paid = (await demo.bitpay.state()).invoices.filter(({ status }) => ["confirmed", "complete"].includes(status));

  await story.step("Splynx holds every payment once, for the sum that was paid", async () => {
    const { payments } = await demo.splynx.state();
    const ours = payments.filter(({ receipt_number: receipt }) => receipt.startsWith("BP-"));
    const sums = (rows, of) => rows.map((row) => Number(of(row)).toFixed(2)).sort();
    assert.deepEqual(sums(ours, ({ amount }) => amount), sums(paid, ({ price }) => price));
    assert.equal(new Set(ours.map(({ receipt_number: receipt }) => receipt)).size, ours.length);
  });

  if (demo.database) {
    await story.step("the attempts are in PostgreSQL", async () => {
      assert.ok(await demo.attemptsInPostgres() >= paid.length);
    });
  }

  await story.step("the admin sees payments, invoices and payment statements", async () => {
    await admin.logIn("/admin/", "admin");
    await admin.follow("Payments");
    await page.getByRole("cell", { name: "56.77" }).first().waitFor();
    await look.at(admin, "admin-payments");
    await admin.follow("Invoices");
    await look.at(admin, "admin-invoices");
    await admin.follow("Payment statements");
    await page.getByRole("cell", { name: /^Bitpay \d\d\/\d{4}$/ }).waitFor();
    await look.at(admin, "admin-statements");
  });

  await story.step("every payment has its processed statement record", async () => {
    const processed = async () => (await demo.splynx.state()).records.filter(({ status }) => status === "processed");
    await eventually("the records", async () => (await processed()).length >= paid.length);
    assert.equal((await processed()).length, paid.length);
  });

  await story.step("reconcile and doctor find nothing wrong", async () => {
    for (const command of ["reconcile", "doctor"]) {
      const { code, text } = await demo.command(command);
      assert.equal(code, 0, `${command}: ${text}`);
    }
  });
  await story.leave(admin);
}
