// Plays a shop against the sandbox, and says what holds: checkout-sandbox run -- node check.mjs

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import * as allscale from "./allscale.mjs";
import * as azotte from "./azotte.mjs";
import * as peach from "./peach.mjs";

let passed = 0;
let failed = 0;

function check(what, holds, seen = "") {
  if (holds) {
    passed += 1;
    console.log("ok    ", what);
  } else {
    failed += 1;
    console.log("FAILED", what, seen);
  }
}

// The error that the act ends with, or undefined.
async function errorOf(act) {
  try {
    await act();
  } catch (error) {
    return error;
  }
}

const refuses = async (act, reason) => (await errorOf(act))?.message.includes(reason) ?? false;

if (!process.env.CHECKOUT_SANDBOX_URL) {
  console.error("there is no sandbox: checkout-sandbox run -- node check.mjs");
  process.exit(1);
}
const env = (name) => process.env[`CHECKOUT_SANDBOX_${name}`];

// The sandbox's own routes.

async function admin(path, body, method = body ? "POST" : "GET") {
  const url = `${env("ADMIN_URL")}worlds/default/${path}`;
  const response = await fetch(url, { method, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return response.json();
}

// The world's time. A shop with a real provider takes Date.now.
const now = async () => (await admin("clock")).unix_ms / 1000;

// Lets the world's time pass. A shop with a real provider sleeps.
const wait = (seconds) => admin("clock", { advance_ms: seconds * 1000 }, "PUT");

// The shop's receiver of webhooks.

const inboxes = new Map(); // one for each path
const inbox = (path) => {
  if (!inboxes.has(path)) inboxes.set(path, { webhooks: [], waiting: [] });
  return inboxes.get(path);
};

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const webhook = { target: request.url, headers: request.headers, body: Buffer.concat(chunks) };
  const { webhooks, waiting } = inbox(request.url.split("?")[0]);
  if (waiting.length) waiting.shift()(webhook);
  else webhooks.push(webhook);
  response.writeHead(200).end();
});
await new Promise((listens) => server.listen(0, "127.0.0.1", listens));
const SHOP = `http://127.0.0.1:${server.address().port}`;

function received(path) {
  const { webhooks, waiting } = inbox(path);
  if (webhooks.length) return webhooks.shift();
  const none = pause(10_000, undefined, { ref: false }).then(() =>
    Promise.reject(new Error(`no webhook at ${path}`)),
  );
  return Promise.race([new Promise((comes) => waiting.push(comes)), none]);
}

// The number that the last webhook of an order has in the sandbox's log.
const lastWebhook = async (order) => (await admin(`webhooks?order=${order}`)).webhooks.at(-1).webhook;

// The providers.

async function checkAllscale() {
  const body = '{"amount_cents":1000,"currency":1,"order_id":"ord_1","redirect_url":"https://example.com/r"}';
  const vector = allscale.sign(
    "test_secret_abc",
    ...["POST", "/v1/checkout_intents/", "", "1716501000", "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321"],
    createHash("sha256").update(body).digest("hex"),
  );
  check(
    "allscale: the signature is the known one",
    vector === "v1=28HitHtE4rVV1nej7S5mIE8xZbc9afx8h+6cH/yaPiA=",
  );

  const [url, key, secret] = [env("ALLSCALE_URL"), env("ALLSCALE_API_KEY"), env("ALLSCALE_API_SECRET")];
  const api = new allscale.AllScale(url, key, secret, now);
  const hooks = new allscale.Webhooks(key, secret, now);
  await admin("endpoints", { provider: "allscale", url: `${SHOP}/hooks/allscale?shop=1` });
  check("allscale: the keys are good", (await api.call("GET", "/v1/test/ping")).pong === "ok");

  const order = {
    currency: 44,
    amount_cents: 4990,
    order_id: "js-allscale",
    redirect_url: SHOP,
    extra: { a: 1 },
  };
  const created = await api.create(order);
  const id = created.allscale_checkout_intent_id;
  check("allscale: an intent is created, with a page", created.checkout_url.startsWith("http"), created);
  check("allscale: a new intent is CREATED", (await api.status(id)) === 1);

  let status;
  for (let reads = 0; reads < 120 && !allscale.isOver((status = await api.status(id))); reads += 1)
    await wait(5);
  check("allscale: the polling ends with CONFIRMED", status === allscale.CONFIRMED, status);

  const webhook = await received("/hooks/allscale");
  const verify = ({ target, headers, body }, by = hooks) =>
    by.verify("POST", ...target.split("?"), headers, body);
  const event = await verify(webhook);
  check("allscale: the webhook is verified", event.order_id === "js-allscale", event);
  check("allscale: the webhook has the order's extra fields", event.extra_obj.a === 1, event);
  check("allscale: the webhook is of the intent", event.all_scale_checkout_intent_id === id, event);
  const read = await api.get(id);
  const paid = [read.status, read.order_id, read.amount_cents, read.currency].join();
  check("allscale: the read after the webhook says paid", paid === "20,js-allscale,4990,44", read);
  check("allscale: the read is of the webhook's transfer", read.tx_hash === event.tx_hash, read);

  check("allscale: a webhook that comes twice is refused", await refuses(() => verify(webhook), "nonce"));
  const fresh = new allscale.Webhooks(key, secret, now);
  const altered = { ...webhook, body: Buffer.from(webhook.body.toString().replace("4990", "4991")) };
  const differs = !altered.body.equals(webhook.body);
  check(
    "allscale: an altered webhook is refused",
    differs && (await refuses(() => verify(altered, fresh), "signature is")),
  );
  const other = { ...webhook, headers: { ...webhook.headers, "x-webhook-id": "wh_1" } };
  check("allscale: an altered header is refused", await refuses(() => verify(other, fresh), "signature is"));
  const later = new allscale.Webhooks(key, secret, async () => (await now()) + 301);
  check(
    "allscale: a webhook is refused 301 seconds later",
    await refuses(() => verify(webhook, later), "time"),
  );
  const number = await lastWebhook("js-allscale");
  for (const [change, reason] of [
    [{ key: "wrong" }, "signature is"],
    [{ stale_seconds: 600 }, "time"],
  ]) {
    await admin(`webhooks/${number}/edit`, change);
    const edited = await received("/hooks/allscale");
    check(`allscale: refused with ${JSON.stringify(change)}`, await refuses(() => verify(edited), reason));
  }
  await admin(`webhooks/${number}/resend`, {});
  const again = await verify(await received("/hooks/allscale"));
  const same = again.all_scale_transaction_id === event.all_scale_transaction_id;
  check("allscale: a webhook that is sent again is signed anew, and of the same transaction", same, again);

  const code = async (act) => (await errorOf(act))?.code;
  const bad = new allscale.AllScale(url, key, "st_wrong", now);
  check("allscale: a wrong secret is 20002", (await code(() => bad.create(order))) === 20002);
  const old = new allscale.AllScale(url, key, secret, async () => (await now()) - 301);
  check("allscale: an old request is refused", (await code(() => old.create(order))) > 0);
  const ping = () => api.call("GET", "/v1/test/ping", undefined, "one");
  await ping();
  check("allscale: a nonce that comes twice is refused", (await code(ping)) > 0);
  check(
    "allscale: two currencies are 10001",
    (await code(() => api.create({ ...order, stable_coin: 1 }))) === 10001,
  );
  const floor = await errorOf(() => api.create({ stable_coin: 2, amount_cents: 10 }));
  const told = floor?.code === 50002 && floor.reason === "amount must be greater than 0.1 USDC!";
  check("allscale: an amount at the floor is 50002", told, floor);
  check("allscale: above the floor", (await api.create({ stable_coin: 2, amount_cents: 11 })).rate === null);
  const nobodys = await code(() => api.status("65b2f3d0d2d9c0a1b2c3d4e5"));
  check("allscale: an intent that nobody has created is 50001", nobodys === 50001, nobodys);
}

async function checkAzotte() {
  const [url, tenant] = [env("AZOTTE_URL"), env("AZOTTE_X_TN")];
  const api = new azotte.Azotte(url, tenant, env("AZOTTE_API_KEY"));
  const method = { paymentChannel: "CreditCard", useStoredMethod: true };
  const order = (correlationId) => ({
    offerIdentifier: "of_1",
    correlationId,
    items: [{ itemIdentifier: "it_1" }],
    customer: { customerUrn: "cu.00.482" },
  });

  // Submits, and polls to the end. Returns the codes, the tracking number and the page that was opened.
  async function play(name) {
    let { answer, pause } = await api.submit(order(name), method);
    const tracking = answer.trackingNumber;
    const codes = [azotte.codeOf(answer)];
    let page;
    while (!azotte.OVER.includes(codes.at(-1)) && codes.length < 100) {
      if (codes.at(-1) === "CHECK_OUT_3DS_REQUIRED" && !page) {
        page = answer.redirectInstructions.redirectUrl;
        // The browser goes to the page, and the payer approves.
        await fetch(page, { method: "POST", body: new URLSearchParams({ act: "approve" }) });
      }
      await wait(pause);
      ({ answer, pause } = await api.status(tracking));
      codes.push(azotte.codeOf(answer));
    }
    return { codes, tracking, page };
  }

  const submitted = await api.submit(order("js-azotte"), method);
  const accepted = submitted.status === 202 && submitted.pause === 2;
  check("azotte: a submit is accepted, with two seconds to wait", accepted, submitted);
  const { codes, tracking } = await play("js-azotte");
  const isSame = tracking === submitted.answer.trackingNumber;
  check("azotte: the same correlationId is the same checkout", isSame, tracking);
  check("azotte: the polling ends with DONE", codes.at(-1) === "CHECK_OUT_DONE", codes);
  const end = await api.status(tracking);
  const over = end.status === 200 && end.answer.followUpInstructions.canFollowUp === false;
  check("azotte: the read after the end says the same, and not to poll on", over, end);

  await admin("scenarios", { provider: "azotte", scenario: "three_ds_url" });
  const secure = await play("js-azotte-3ds");
  const done = secure.page && secure.codes.at(-1) === "CHECK_OUT_DONE";
  check("azotte: with 3-D Secure the payer approves, and it ends with DONE", done, secure);
  await admin("scenarios", { provider: "azotte", scenario: "failed" });
  const failure = await play("js-azotte-failed");
  check("azotte: a failure ends with FAILED", failure.codes.at(-1) === "CHECK_OUT_FAILED", failure);

  const unknown = await api.status("trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB");
  const isUnknown = unknown.status === 404 && azotte.codeOf(unknown.answer) === "ORDERED_ITEM_NOT_FOUND";
  check("azotte: a tracking number that nobody has is 404", isUnknown, unknown);
  const wrong = await new azotte.Azotte(url, tenant, "sk_wrong").status(tracking);
  check("azotte: a wrong key is 401", wrong.status === 401, wrong);
}

async function checkPeach() {
  const vector = {
    amount: "2",
    "authentication.entityId": "8ac7a4ca68c22c4d0168c2caab2e0025",
    currency: "ZAR",
    defaultPaymentMethod: "CARD",
    merchantTransactionId: "Test1234",
    nonce: "JHGJSGHDSKJHGJDHGJH",
    paymentType: "DB",
    shopperResultUrl: "https://webhook.site/4e9b63bf-0d99-4d62-bd24-1d36ca866e1b",
  };
  const known = "311ed8e11e2da00d98c7479ca390a5396fe643e13629d850243dada877963afd";
  check(
    "peach: the signature is the known one",
    peach.sign("3fcd7cf22f55119eadbe02d14de18c0c", vector) === known,
  );

  const [url, entity, token, referer] = ["URL", "ENTITY_ID", "SECRET_TOKEN", "REFERER"].map((of) =>
    env(`PEACH_${of}`),
  );
  const v1 = new peach.V1(url, entity, token, referer);
  const v2 = new peach.V2(
    url,
    env("PEACH_AUTH_URL"),
    entity,
    {
      clientId: env("PEACH_CLIENT_ID"),
      clientSecret: env("PEACH_CLIENT_SECRET"),
      merchantId: env("PEACH_MERCHANT_ID"),
    },
    referer,
  );

  const { probe } = await admin("endpoints", { provider: "peach", url: `${SHOP}/hooks/peach?shop=1` });
  const { verificationCode } = JSON.parse((await received("/hooks/peach")).body);
  const isTried = verificationCode && verificationCode === probe.verification_code;
  check("peach: the endpoint is tried out with a code", isTried, probe);

  const fields = (order, more = {}) => ({
    merchantTransactionId: order,
    amount: "49.90",
    paymentType: "DB",
    currency: "ZAR",
    nonce: `nonce-${order}`,
    shopperResultUrl: `${SHOP}/back`,
    "customParameters[cart]": "a b&c=d+é",
    ...more,
  });
  const verify = async ({ target, headers, body }, at) =>
    peach.verify(token, SHOP + target, headers, body, at ?? (await now()));

  async function toTheEnd(read) {
    // 65 minutes, by two reads a minute.
    for (let reads = 0; reads < 130; reads += 1) {
      await wait(30);
      const { status, answer } = await read();
      if (status !== 200 || peach.OVER.includes(answer["result.code"])) return answer;
    }
  }

  async function checkWebhooks(version, order, end, path) {
    const first = await verify(await received(path));
    const isCreated =
      first["result.code"] === peach.CREATED && first.checkoutId && first.merchantTransactionId === order;
    check(`peach ${version}: the first webhook says created, with the checkoutId`, isCreated, first);
    let webhook, last;
    do {
      webhook = await received(path);
      last = await verify(webhook);
    } while (!peach.OVER.includes(last["result.code"]));
    check(`peach ${version}: the last webhook says paid`, peach.PAID.includes(last["result.code"]), last);
    const same = ["amount", "currency", "checkoutId", "result.code"].every(
      (name) => last[name] === end[name],
    );
    check(`peach ${version}: the last webhook says the same as the read`, same, { last, end });
    const cart = last["customParameters[cart]"];
    check(`peach ${version}: a custom parameter comes back`, cart === "a b&c=d+é", cart);
    return webhook;
  }

  const isPaid = (read, order) =>
    peach.PAID.includes(read["result.code"]) &&
    [read.amount, read.currency, read.merchantTransactionId].join() === `49.90,ZAR,${order}`;

  // V1
  const created = await v1.initiate(fields("js-peach-v1"));
  check(
    "peach v1: a checkout is created, with a page",
    created.status === 201 && created.answer.redirectUrl,
    created,
  );
  const end = await toTheEnd(() => v1.status({ merchantTransactionId: "js-peach-v1" }));
  check("peach v1: the polling ends with paid, signed", peach.PAID.includes(end?.["result.code"]), end);
  const webhook = await checkWebhooks("v1", "js-peach-v1", end, "/hooks/peach");
  await wait(30);
  const read = (await v1.status({ checkoutId: end.checkoutId })).answer;
  check("peach v1: the read after the webhook says paid", isPaid(read, "js-peach-v1"), read);

  const altered = { ...webhook, body: Buffer.from(webhook.body.toString().replace("49.90", "49.91")) };
  const differs = !altered.body.equals(webhook.body);
  check(
    "peach: an altered webhook is refused",
    differs && (await refuses(() => verify(altered), "signature is")),
  );
  const more = { ...webhook, body: Buffer.from(`${webhook.body}&card.holder2=x`) };
  check("peach: a field that nobody has signed is refused", await refuses(() => verify(more), "signature is"));
  const elsewhere = { ...webhook, target: "/hooks/other" };
  check("peach: a webhook for another URL is refused", await refuses(() => verify(elsewhere), "headers"));
  const inAMonth = (await now()) + peach.OLDEST + 3600;
  check("peach: a webhook is refused a month later", await refuses(() => verify(webhook, inAMonth), "old"));
  const number = await lastWebhook("js-peach-v1");
  for (const [change, reason] of [
    [{ key: "wrong" }, "signature is"],
    [{ stale_seconds: peach.OLDEST + 3600 }, "old"],
  ]) {
    await admin(`webhooks/${number}/edit`, change);
    const edited = await received("/hooks/peach");
    check(`peach: refused with ${JSON.stringify(change)}`, await refuses(() => verify(edited), reason));
  }

  const twice = await v1.initiate(fields("js-peach-v1"));
  const isDuplicate = twice.status === 400 && JSON.stringify(twice.answer).includes("Duplicate");
  check("peach v1: the same signature twice is refused", isDuplicate, twice);
  const bad = await new peach.V1(url, entity, "f".repeat(32), referer).initiate(fields("js-peach-bad"));
  check("peach v1: a wrong token is refused", [400, 401, 403].includes(bad.status), bad);
  const wrong = await v1.initiate(fields("js-peach-amount", { amount: "49.9" }));
  const isNamed = wrong.status === 400 && JSON.stringify(wrong.answer).includes("amount");
  check("peach v1: a wrong amount is refused by name", isNamed, wrong);

  // V2
  const access = await v2.token();
  const hook = "/hooks/of-this-checkout";
  const { status, answer } = await v2.create(fields("js-peach-v2", { notificationUrl: SHOP + hook }), access);
  check("peach v2: a checkout is created, with a page", status === 200 && answer.redirectUrl, answer);
  const endOfV2 = await toTheEnd(() => v2.status(answer.checkoutId, access));
  check("peach v2: the polling ends with paid", peach.PAID.includes(endOfV2?.["result.code"]), endOfV2);
  await checkWebhooks("v2", "js-peach-v2", endOfV2, hook);
  check(
    "peach v2: the webhooks come to the notificationUrl alone",
    inbox("/hooks/peach").webhooks.length === 0,
  );
  await wait(30);
  const readOfV2 = (await v2.status(answer.checkoutId, access)).answer;
  check("peach v2: the read after the webhook says paid", isPaid(readOfV2, "js-peach-v2"), readOfV2);
  await wait(30);
  const unknown = await v2.status("0".repeat(32), access);
  const isUnknown = unknown.status === 404 && unknown.answer["result.code"] === "200.300.404";
  check("peach v2: an unknown checkout is 404", isUnknown, unknown);
  const refused = await v2.create(fields("js-peach-no"), "wrong");
  check("peach v2: a wrong token is refused", [401, 403].includes(refused.status), refused);

  // V1, with the signed fields within the answer
  await admin("scenarios", { provider: "peach", scenario: "uncertain" });
  await v1.initiate(fields("js-peach-within"));
  await wait(60);
  const within = await v1.status({ merchantTransactionId: "js-peach-within" });
  const isRead = within.status === 200 && within.answer["result.code"] === peach.CREATED;
  check("peach v1: signed fields within the answer are read", isRead, within);
}

await admin("clock", { pace: "frozen" }, "PUT");
await checkAllscale();
await checkAzotte();
await checkPeach();
server.close();
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(passed && !failed ? 0 : 1);
