// A shop in a world of its own on the sandbox of the environment, with a receiver of webhooks.

import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { AllScale, Webhooks } from "../clients/node/allscale.mjs";
import { Azotte } from "../clients/node/azotte.mjs";
import * as peach from "../clients/node/peach.mjs";

export const ROOT = process.env.CHECKOUT_SANDBOX_URL;
if (!ROOT) throw new Error("there is no sandbox: checkout-sandbox run -- npm test");

const SHOPS_PAGE = '<!doctype html><title>The shop</title><link rel="icon" href="data:,">';
const JANUARY = 1_800_000_000_000; // the time of every world: pictures of it are the same in each run

async function admin(path, body, method = body ? "POST" : "GET") {
  const response = await fetch(`${ROOT}/_/worlds${path}`, { method, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return response.status === 204 ? undefined : response.json();
}

// Ends with an error where nothing comes in ten seconds.
const within = (promise, what) =>
  Promise.race([
    promise,
    pause(10_000, undefined, { ref: false }).then(() =>
      Promise.reject(new Error(`nothing has come: ${what}`)),
    ),
  ]);

// A new world whose time stands still, with a shop. `t` is the test, at whose end the world is taken away.
export async function newShop(t, name) {
  const keys = await admin("", { name, seed: 7, clock: { pace: "frozen", unix_ms: JANUARY } });
  const inbox = [];
  let comes = () => {};
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const path = request.url.split("?")[0];
    inbox.push({ path, method: request.method, headers: request.headers, body: Buffer.concat(chunks) });
    response.writeHead(200, { "content-type": "text/html" }).end(SHOPS_PAGE);
    comes();
  });
  await new Promise((listens) => server.listen(0, "127.0.0.1", listens));
  const url = `http://127.0.0.1:${server.address().port}`;
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await admin(`/${name}`, undefined, "DELETE");
  });

  const now = async () => (await admin(`/${name}/clock`)).unix_ms / 1000;
  const { api_key, api_secret } = keys.allscale;
  const of_peach = keys.peach;
  const login = {
    clientId: of_peach.client_id,
    clientSecret: of_peach.client_secret,
    merchantId: of_peach.merchant_id,
  };
  const allscale = new AllScale(keys.allscale.url, api_key, api_secret, now);
  const hooks = new Webhooks(api_key, api_secret, now);
  const azotte = new Azotte(keys.azotte.url, keys.azotte.x_tn, keys.azotte.api_key);
  const v1 = new peach.V1(of_peach.url, of_peach.entity_id, of_peach.secret_token, of_peach.referer);
  const v2 = new peach.V2(of_peach.url, of_peach.auth_url, of_peach.entity_id, login, of_peach.referer);
  const dashboard = `${ROOT}/_/board/${name}`;

  return {
    name,
    url,
    dashboard,
    allscale,
    azotte,
    v1,
    v2,
    admin: (path, body, method) => admin(`/${name}/${path}`, body, method),
    wait: (seconds) => admin(`/${name}/clock`, { advance_ms: seconds * 1000 }, "PUT"),

    // Takes the first request that has come to a path, or will.
    async received(path) {
      for (;;) {
        const found = inbox.findIndex((request) => request.path === path);
        if (found >= 0) return inbox.splice(found, 1)[0];
        await within(new Promise((resolve) => (comes = resolve)), path);
      }
    },
    verifyAllscale: ({ path, headers, body }) => hooks.verify("POST", path, "", headers, body),
    verifyPeach: ({ path, headers, body }) =>
      peach.verify(of_peach.secret_token, url + path, headers, body, JANUARY / 1000),

    async newIntent(order, scenario = "never_paid") {
      await admin(`/${name}/scenarios`, { provider: "allscale", scenario });
      const draft = { currency: 44, amount_cents: 4990, order_id: order, redirect_url: `${url}/thanks` };
      const created = await allscale.create(draft);
      const id = created.allscale_checkout_intent_id;
      return { id, page: created.checkout_url, status: () => allscale.status(id) };
    },

    // A checkout that waits for 3-D Secure.
    async newChallenge(order, scenario = "three_ds_abandoned") {
      await admin(`/${name}/scenarios`, { provider: "azotte", scenario });
      const draft = {
        offerIdentifier: "of_1",
        correlationId: order,
        items: [{ itemIdentifier: "it_1" }],
        customer: { customerUrn: "cu.00.482" },
      };
      const submitted = await azotte.submit(draft, { paymentChannel: "CreditCard", useStoredMethod: true });
      const id = submitted.answer.trackingNumber;
      const read = async () => (await azotte.status(id)).answer;
      for (let reads = 0; reads < 20; reads += 1) {
        const answer = await read();
        const status = async () => (await read()).status.messageCode;
        if (answer.redirectInstructions) return { id, page: answer.redirectInstructions.redirectUrl, status };
        await admin(`/${name}/clock`, { advance_ms: 2000 }, "PUT");
      }
      throw new Error("no challenge comes");
    },

    async newPeach(order, version = "V1") {
      await admin(`/${name}/scenarios`, { provider: "peach", scenario: "never_opened" });
      const fields = {
        merchantTransactionId: order,
        amount: "49.90",
        paymentType: "DB",
        currency: "ZAR",
        nonce: `nonce-${order}`,
        shopperResultUrl: `${url}/back`,
      };
      if (version === "V1") {
        const { answer } = await v1.initiate(fields);
        const status = async () => (await v1.status({ merchantTransactionId: order })).answer["result.code"];
        return { page: answer.redirectUrl, status };
      }
      const token = await v2.token();
      const { answer } = await v2.create(fields, token);
      const status = async () => (await v2.status(answer.checkoutId, token)).answer["result.code"];
      return { id: answer.checkoutId, page: answer.redirectUrl, status };
    },
  };
}
