// Every page, for every payer and reader: colors, widths, weight, keyboard, no script.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AllScale } from "../clients/node/allscale.mjs";
import { click, control, holdToAxe, inspect, load, open, picture, shows } from "./browser.mjs";
import { ROOT, newShop } from "./sandbox.mjs";

// Checkouts in many statuses, and all pages of the sandbox with them: a name and an address each.
async function allPages(shop) {
  const act = (page, act) =>
    fetch(page, { method: "POST", body: new URLSearchParams({ act }), redirect: "manual" });
  // The first request of the world is refused, and the second is not.
  const { url, key, now } = shop.allscale;
  await assert.rejects(new AllScale(url, key, "st_wrong", now).create({ stable_coin: 1, amount_cents: 4990 }));
  const made = {
    "allscale-new": await shop.newIntent("order-1001"),
    "allscale-paid": await shop.newIntent("order-1002"),
    "allscale-canceled": await shop.newIntent("order-1003"),
    "allscale-stuck": await shop.newIntent("order-1004"),
    "peach-new": await shop.newPeach("order-2001", "V2"),
    "peach-declined": await shop.newPeach("order-2002", "V2"),
    "peach-paid": await shop.newPeach("order-2003", "V2"),
    "azotte-3ds": await shop.newChallenge("order-3001"),
    "azotte-failed": await shop.newChallenge("order-3002"),
  };
  await act(made["allscale-paid"].page, "pay");
  await act(made["allscale-canceled"].page, "cancel");
  await act(made["allscale-stuck"].page, "kyt-stuck");
  await act(made["peach-declined"].page, "decline");
  await act(made["peach-paid"].page, "pay");
  await act(made["azotte-failed"].page, "fail");
  await shop.wait(60);
  const pages = {
    worlds: `${ROOT}/_/board`,
    board: shop.dashboard,
    "board-search": `${shop.dashboard}?q=order-2`,
  };
  for (const [number, name] of ["refused", "answered"].entries()) {
    pages[`request-${name}`] = `${shop.dashboard}/requests/${number + 1}`;
  }
  for (const [name, { page }] of Object.entries(made)) {
    pages[`pay-${name}`] = page;
    pages[`checkout-${name}`] = page.replace("/_/pay/", "/_/board/");
  }
  return {
    ...pages,
    "no-world": `${ROOT}/_/board/none`,
    "no-checkout": `${ROOT}/_/pay/${shop.name}/peach/0`,
  };
}

test("no rule of axe is broken, and each page fits into its window", async (t) => {
  const shop = await newShop(t, "shop");
  const context = await open(t, shop);
  for (const [name, url] of Object.entries(await allPages(shop))) {
    const page = await load(context, url);
    assert.equal(page.code, name.startsWith("no-") ? 404 : 200, name);
    await inspect(page, name);
    await page.close();
  }
});

test("pictures for the documents", async (t) => {
  const shop = await newShop(t, "demo");
  const pages = await allPages(shop);
  const context = await open(t, shop, { viewport: { width: 1000, height: 780 } });
  const page = await load(context, pages.board);
  await picture(page, "dashboard", {});
  await page.setViewportSize({ width: 560, height: 780 });
  await page.goto(pages["pay-peach-new"]);
  await picture(page, "pay-page", {});
});

test("a full page of the dashboard is light", async (t) => {
  const shop = await newShop(t, "full");
  for (let number = 0; number < 105; number += 1)
    await shop.newPeach(`order-${String(number).padStart(4, "0")}`);
  const context = await open(t, shop);
  const page = await load(context, shop.dashboard);
  t.diagnostic(`${page.bytes} bytes`);
  await shows(page, "count", "105 of 105");
  assert.equal(await control(page, "checkout").count(), 100);
  await holdToAxe(page, "a full page");
  await click(page, "next");
  await shows(page, "checkout", "order-0000");
  assert.equal(await control(page, "checkout").count(), 5);
});

// Presses Tab until a control has the focus, and returns how often.
async function tabTo(page, name) {
  for (let presses = 1; presses <= 40; presses += 1) {
    await page.keyboard.press("Tab");
    const [focused, outline] = await page.evaluate(() => {
      const held = document.activeElement;
      return [held.dataset.testid, getComputedStyle(held).outlineStyle];
    });
    if (focused !== name) continue;
    assert.notEqual(outline, "none", `${name} shows no focus`);
    return presses;
  }
  assert.fail(`the keyboard does not come to ${name}`);
}

test("the keyboard alone pays", async (t) => {
  const shop = await newShop(t, "keyboard");
  const context = await open(t, shop);
  const cases = [
    [await shop.newIntent("order-1"), "act-pay", "Seen on-chain"],
    [await shop.newChallenge("order-2"), "act-approve", "Being processed"],
    [await shop.newPeach("order-0003"), "act-pay", "Paid"],
  ];
  for (const [checkout, name, words] of cases) {
    const page = await load(context, checkout.page);
    await tabTo(page, name);
    await page.keyboard.press("Enter");
    await shows(page, "status", words);
  }
  // From the dashboard to a checkout, and to its act.
  await shop.newIntent("order-4");
  const page = await load(context, `${shop.dashboard}?q=order-4`);
  await tabTo(page, "search-go");
  await page.keyboard.press("Tab"); // the table, which scrolls, or the link in it
  for (let presses = 0; presses < 3 && !(await page.url()).includes("allscale"); presses += 1) {
    const isLink = await page.evaluate(() => document.activeElement.matches("[data-testid=checkout] a"));
    if (isLink) {
      await page.keyboard.press("Enter");
      await page.waitForURL(/allscale/);
    } else {
      await page.keyboard.press("Tab");
    }
  }
  await tabTo(page, "act-cancel");
  await page.keyboard.press("Enter");
  await shows(page, "status", "Canceled by the payer");
});

test("the focus stays where it is when the dashboard renews itself", async (t) => {
  const shop = await newShop(t, "focus");
  const intent = await shop.newIntent("order-1");
  const context = await open(t, shop);
  const page = await load(context, intent.page.replace("/_/pay/", "/_/board/"));
  await control(page, "act-underpay").focus();
  await fetch(intent.page, {
    method: "POST",
    body: new URLSearchParams({ act: "expire" }),
    redirect: "manual",
  });
  await shows(page, "status", "Expired");
  await page.waitForFunction(() => document.activeElement.dataset.testid === "act-underpay");
});

// A promise, and the function that keeps it.
function signal() {
  let tell;
  return { told: new Promise((resolve) => (tell = resolve)), tell };
}

test("a page shows what happened before it listened", async (t) => {
  const shop = await newShop(t, "late");
  const context = await open(t, shop);
  const listens = signal();
  await context.route("**/_/events", async (route) => {
    await listens.told;
    await route.continue();
  });
  const page = await load(context, shop.dashboard);
  await shop.newIntent("order-1");
  listens.tell();
  await shows(page, "checkout", "order-1");
});

test("no older answer comes after a newer one", async (t) => {
  const shop = await newShop(t, "order");
  const context = await open(t, shop);
  const [asked, heard, answered] = [signal(), signal(), signal()];
  let [looks, most, events] = [0, 0, 0];
  // An event, and the next one after more time than the script lets pass between an event and a look.
  await context.route("**/_/events", async (route) => {
    if (looks > 0 && ++events > 3) heard.tell();
    await route.fulfill({ contentType: "text/event-stream", body: "retry: 200\ndata: changed\n\n" });
  });
  const page = await load(context, shop.dashboard);
  await page.route(shop.dashboard, async (route) => {
    most = Math.max(most, ++looks);
    const response = await route.fetch();
    asked.tell();
    await answered.told;
    looks -= 1;
    await route.fulfill({ response });
  });
  await asked.told;
  await shop.newIntent("order-1");
  await heard.told;
  answered.tell();
  await shows(page, "checkout", "order-1");
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await context.unrouteAll({ behavior: "ignoreErrors" });
  assert.equal(most, 1, "looks at once");
});

test("the pages work without a script", async (t) => {
  const shop = await newShop(t, "no-script");
  const context = await open(t, shop, { javaScriptEnabled: false });
  const cases = [
    [await shop.newIntent("order-1"), "act-pay", "Seen on-chain"],
    [await shop.newChallenge("order-2"), "act-approve", "Being processed"],
    [await shop.newPeach("order-0003"), "act-pay", "Paid"],
  ];
  for (const [checkout, name, words] of cases) {
    const page = await load(context, checkout.page);
    await click(page, name);
    await shows(page, "status", words);
  }
  const board = await load(context, shop.dashboard);
  await shows(board, "count", "3 of 3 checkouts");
  await control(board, "advance-by").fill("1");
  await control(board, "advance-unit").selectOption("h");
  await click(board, "clock-advance");
  await shows(board, "checkout", "Confirmed: paid");
  await control(board, "search").fill("azotte");
  await click(board, "search-go");
  await shows(board, "count", "1 of 3 checkouts");
  await board.goto(shop.dashboard);
  await control(board, "scenario").selectOption("allscale:underpaid");
  await click(board, "scenario-set");
  await shop.newIntent("order-4");
  await board.reload();
  await board.getByRole("link", { name: "order-4" }).click();
  assert.match(await board.content(), /underpaid/);
  await board.goto(shop.dashboard);
  await click(board, "reset");
  await shows(board, "count", "0 of 0 checkouts");
});
