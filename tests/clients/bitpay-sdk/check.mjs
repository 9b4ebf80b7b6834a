// Pairs with a code, creates an invoice, reads it, pays it and prints what BitPay's own SDK understood, as JSON.
//
//   npm install --no-package-lock
//   node check.mjs http://127.0.0.1:PORT/ PAIRINGCODE
//
// Exits with 1 and a sentence when the SDK and the simulator disagree.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { Client, KeyUtils, TokenContainer } = require("bitpay-sdk");
const { BitPayClient } = require("bitpay-sdk/client");

const [base, pairingCode] = process.argv.slice(2);
assert.ok(base?.endsWith("/"), "the first argument is the base URL with a slash at its end");
assert.match(pairingCode ?? "", /^\w{7}$/, "the second argument is a pairing code");

const keys = new KeyUtils();
const key = keys.generate_keypair();
const identity = key.getPublic().encodeCompressed("hex");
const sin = keys.get_sin_from_key(key);

// The SDK itself no longer pairs; its setup program posts this.
async function requestToken(body) {
  const answer = await fetch(base + "tokens", {
    method: "POST",
    headers: { "X-Accept-Version": "2.0.0", "Content-Type": "application/json" },
    body: JSON.stringify({ id: sin, label: "bitpay-sdk", ...body }),
  });
  const text = await answer.text();
  return { status: answer.status, body: JSON.parse(text) };
}

const paired = await requestToken({ pairingCode });
assert.equal(paired.status, 200, JSON.stringify(paired.body));
const again = await requestToken({ pairingCode });
assert.deepEqual(again, { status: 500, body: { error: "Unable to create token" } });

const tokens = new TokenContainer();
tokens.addPos(paired.body.data[0].token);
const client = new Client(null, null, tokens, null, undefined, undefined, new BitPayClient(base, key, identity));

const guid = `BP-${sin}`;
const order = { price: 20.1, currency: "USD", orderId: "BP-1", guid, buyer: { email: "customer@isp.example" } };
const created = await client.createInvoice({ ...order }, "pos", true);
const repeated = await client.createInvoice({ ...order }, "pos", true);
assert.equal(created.id, repeated.id, "the same guid is the same invoice");
assert.deepEqual([created.status, created.price, created.orderId], ["new", 20.1, "BP-1"]);

const read = await client.getInvoice(created.id, "pos", true);
const found = await client.getInvoiceByGuid(guid, "pos", true);
assert.deepEqual([read.id, found.id], [created.id, created.id]);

// The SDK repeats the headers of its last signed call here; the public endpoints must not care.
const rate = await client.getRate("BTC", "USD");
const currency = await client.getCurrencyInfo("JPY");
assert.equal(currency.precision, 0);
assert.equal(await client.requestInvoiceWebhookToBeResent(created.id, created.token), true);
await assert.rejects(client.createInvoice({ price: 0, currency: "USD" }, "pos", true), { message: /below minimum threshold/ });
await assert.rejects(client.createInvoice({ currency: "USD" }, "pos", true), { message: /Missing required parameter price/ });

// A merchant token is requested, approved on BitPay's page, and may then search and pay.
const asked = await requestToken({ facade: "merchant" });
const { token, pairingCode: approval } = asked.body.data[0];
tokens.addMerchant(token);
await assert.rejects(client.createInvoice({ price: 1, currency: "USD" }, "merchant", true), { message: /Unauthorized sin/ });
const approved = await fetch(base + "api-access-request", {
  method: "POST",
  headers: { "Content-Type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams({ pairingCode: approval }),
});
assert.equal(approved.status, 200);
const day = new Date(created.invoiceTime).toISOString().slice(0, 10);
const listed = await client.getInvoices({ dateStart: day, dateEnd: day });
assert.ok(listed.some((invoice) => invoice.id === created.id), "the search finds the invoice");
const paid = await client.payInvoice(created.id, "complete");
assert.equal(paid.status, "complete");

console.log(JSON.stringify({
  id: created.id, status: paid.status, price: paid.price, currency: paid.currency,
  amountPaid: paid.amountPaid, transactionCurrency: paid.transactionCurrency, rate: rate.rate,
}));
