// Payments by clicks: the page, the dashboard, the webhook and the status say the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isOver } from "../clients/node/allscale.mjs";
import { PAID } from "../clients/node/peach.mjs";
import { click, control, load, open, shows } from "./browser.mjs";
import { newShop } from "./sandbox.mjs";

// The dashboard in a window that is never loaded again: the mark stays.
async function dashboard(context, shop) {
  const page = await load(context, shop.dashboard);
  await page.evaluate(() => (globalThis.mark = "first load"));
  const isFirst = async () => (await page.evaluate(() => globalThis.mark)) === "first load";
  return { page, isFirst };
}

test("AllScale: pay by a click", async (t) => {
  const shop = await newShop(t, "pay-allscale");
  await shop.admin("endpoints", { provider: "allscale", url: `${shop.url}/hook` });
  const context = await open(t, shop);
  const board = await dashboard(context, shop);
  await shows(board.page, "count", "0 of 0 checkouts");

  const intent = await shop.newIntent("order-1");
  await shows(board.page, "checkout", "order-1");
  await shows(board.page, "checkout", "Created, and not opened");
  const page = await load(context, intent.page);
  await shows(page, "amount", "49.90 EUR");
  assert.equal(await intent.status(), 1, "a look at the page changes nothing");
  await click(page, "act-pay");
  await shows(page, "status", "Seen on-chain");
  await shows(board.page, "checkout", "Seen on-chain");
  assert.equal(await intent.status(), 10);
  assert.ok(await board.isFirst(), "the dashboard renews itself");

  await click(board.page, "clock-next");
  await shows(board.page, "checkout", "Confirmed: paid");
  const event = await shop.verifyAllscale(await shop.received("/hook"));
  assert.equal(event.order_id, "order-1");
  assert.equal(await intent.status(), 20);
  await page.reload();
  await shows(page, "status", "Confirmed: paid");
  assert.equal(await control(page, "return").getAttribute("href"), `${shop.url}/thanks`);
  await click(page, "return");
  assert.equal((await shop.received("/thanks")).method, "GET");
});

test("Azotte: approve by a click", async (t) => {
  const shop = await newShop(t, "pay-azotte");
  const context = await open(t, shop);
  const board = await dashboard(context, shop);
  const checkout = await shop.newChallenge("order-1");
  await shows(board.page, "checkout", "Waits for the payer");
  const page = await load(context, checkout.page);
  await click(page, "act-approve");
  await shows(page, "status", "Being processed");
  await shows(board.page, "checkout", "Being processed");
  await shop.wait(10);
  await shows(board.page, "checkout", "Done: paid");
  assert.ok(await board.isFirst(), "the dashboard renews itself");
  assert.equal(await checkout.status(), "CHECK_OUT_DONE");
});

for (const version of ["V1", "V2"]) {
  test(`Peach ${version}: pay by a click`, async (t) => {
    const shop = await newShop(t, `pay-peach-${version.toLowerCase()}`);
    await shop.admin("endpoints", { provider: "peach", url: `${shop.url}/hook` });
    assert.ok(JSON.parse((await shop.received("/hook")).body).verificationCode);
    const context = await open(t, shop);
    const board = await dashboard(context, shop);
    const checkout = await shop.newPeach("order-0001", version);
    await shows(board.page, "checkout", "Created, and not opened");
    const page = await load(context, checkout.page);
    await click(page, "act-pay");
    await shows(page, "status", "Paid");
    await shows(board.page, "checkout", "Paid");
    assert.ok(await board.isFirst(), "the dashboard renews itself");

    await shop.wait(0);
    const codes = [];
    while (!PAID.includes(codes.at(-1)))
      codes.push(shop.verifyPeach(await shop.received("/hook"))["result.code"]);
    assert.equal(codes[0], "000.200.100", "the first webhook says created");
    assert.ok(PAID.includes(await checkout.status()));

    // The shopper comes back by a signed POST.
    await click(page, "return");
    const back = await shop.received("/back");
    assert.equal(back.method, "POST");
    const fields = shop.verifyPeach({ ...back, headers: {} });
    assert.equal(fields.merchantTransactionId, "order-0001");
    assert.ok(PAID.includes(fields["result.code"]));
  });
}

// The provider, the acts one after the other, the last words on the page, and the status that a read gives.
const BAD_ENDS = [
  ["allscale", ["cancel"], "Canceled by the payer", -4],
  ["allscale", ["expire"], "Expired", -5],
  ["allscale", ["fail"], "Failed by a processing error", -1],
  ["allscale", ["underpay"], "Underpaid, and sent back", -3],
  ["allscale", ["kyt-refuse"], "Refused by the checks, and sent back", -2],
  ["allscale", ["pay-part"], "Underpaid, and sent back", -3],
  ["azotte", ["fail"], "Failed", "CHECK_OUT_FAILED"],
  ["azotte", ["decline"], "Failed", "CHECK_OUT_FAILED"],
  ["peach", ["decline"], "Declined: the payer may try again", "800.100.151"],
  ["peach", ["decline", "cancel"], "Cancelled by the payer", "100.396.101"],
  ["peach", ["cancel"], "Cancelled by the payer", "100.396.101"],
  ["peach", ["expire"], "Expired", "100.396.104"],
];

test("the bad ends", async (t) => {
  const shop = await newShop(t, "bad-ends");
  const context = await open(t, shop);
  const create = { allscale: shop.newIntent, azotte: shop.newChallenge, peach: shop.newPeach };
  for (const [number, [provider, acts, words, status]] of BAD_ENDS.entries()) {
    await t.test(`${provider}: ${acts.join(", ")}`, async () => {
      const checkout = await create[provider](`order-${String(number).padStart(4, "0")}`);
      const page = await load(context, checkout.page);
      for (const act of acts) await click(page, `act-${act}`);
      await page.waitForLoadState();
      await shop.wait(600); // time for what follows by itself, and no time for an expiry
      await page.reload();
      await shows(page, "status", words);
      assert.equal(await checkout.status(), status);
      if (provider === "allscale") assert.ok(isOver(status));
      await page.close();
    });
  }
});

test("Peach: a declined payer tries again, and pays", async (t) => {
  const shop = await newShop(t, "tries-again");
  const page = await load(await open(t, shop), (await shop.newPeach("order-0001")).page);
  await click(page, "act-decline");
  await shows(page, "status", "Declined");
  await page.getByRole("button", { name: "Try again, and pay" }).click();
  await shows(page, "status", "Paid");
});

test("an act that comes too late changes nothing, and the page says so", async (t) => {
  const shop = await newShop(t, "too-late");
  const context = await open(t, shop);
  const intent = await shop.newIntent("order-1");
  const [first, second] = [await load(context, intent.page), await load(context, intent.page)];
  await click(first, "act-pay");
  await shows(first, "status", "Seen on-chain");
  await click(second, "act-cancel");
  await shows(second, "alert", "Nothing happened");
  assert.equal(await intent.status(), 10);
});
