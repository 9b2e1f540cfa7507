// AllScale Checkout with Node alone: create an intent, read the intent, verify a webhook.

import { createHash, createHmac, randomUUID, timingSafeEqual } from "node:crypto";

export const CONFIRMED = 20;
const WINDOW = 300; // seconds that the clocks may differ
const NONCES_KEPT = 600; // seconds

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// The signature of the lines, for a request and for a webhook.
export const sign = (secret, ...lines) =>
  "v1=" + createHmac("sha256", secret).update(lines.join("\n")).digest("base64");

const same = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

// True if no ordinary step follows the status. A number that is not known is not over.
export const isOver = (status) => status === CONFIRMED || (-5 <= status && status < 0);

// AllScale's refusal. The request id is what AllScale's support asks for.
export class Refused extends Error {
  constructor({ code, error, request_id }) {
    super(`${code} ${error?.message ?? ""} (${request_id})`);
    Object.assign(this, { code, reason: error?.message });
  }
}

export class AllScale {
  constructor(url, key, secret, now = async () => Date.now() / 1000) {
    Object.assign(this, { url, key, secret, now });
  }

  // The path ends with a slash. Never repeat a create whose answer was lost: it makes a second intent.
  create(intent) {
    return this.call("POST", "/v1/checkout_intents/", intent);
  }

  status(id) {
    return this.call("GET", `/v1/checkout_intents/${id}/status`);
  }

  get(id) {
    return this.call("GET", `/v1/checkout_intents/${id}`);
  }

  async call(method, path, fields, nonce = randomUUID()) {
    const body = fields && JSON.stringify(fields);
    const timestamp = String(Math.floor(await this.now()));
    const response = await fetch(this.url + path, {
      method,
      body,
      headers: {
        "X-API-Key": this.key,
        "X-Timestamp": timestamp,
        "X-Nonce": nonce,
        "X-Signature": sign(this.secret, method, path, "", timestamp, nonce, sha256(body ?? "")),
        "Content-Type": "application/json",
      },
    });
    const answer = await response.json(); // the code tells more than the HTTP status
    if (answer.code !== 0) throw new Refused(answer);
    return answer.payload;
  }
}

// Verifies webhooks. A shop with several processes keeps the nonces in its database.
export class Webhooks {
  constructor(key, secret, now = async () => Date.now() / 1000) {
    Object.assign(this, { key, secret, now, nonces: new Map() });
  }

  // The event in the body. The event is a hint: read the intent before the goods leave.
  //
  // `path` and `query` are those of the request, `body` is a Buffer with the bytes as they came.
  // Throws an Error that says why the webhook is refused.
  async verify(method, path, query, headers, body) {
    const now = await this.now();
    const header = (name) => headers[`x-webhook-${name}`] ?? "";
    const [id, timestamp, nonce] = [header("id"), header("timestamp"), header("nonce")];
    const expected = sign(
      this.secret,
      ...["allscale:webhook:v1", method, path, query, id, timestamp, nonce, sha256(body)],
    );
    if (!same(expected, header("signature"))) throw new Error("the signature is wrong");
    if (headers["x-api-key"] !== this.key) throw new Error("the key is another store's");
    // A text that is no number is not near.
    if (!(Math.abs(now - Number(timestamp)) <= WINDOW)) throw new Error("the time is too far away");
    const event = JSON.parse(body);
    if (event.webhook_id !== id) throw new Error("the body has another webhook id");
    for (const [seen, at] of this.nonces) if (now - at > NONCES_KEPT) this.nonces.delete(seen);
    if (this.nonces.has(nonce)) throw new Error("the nonce has come before");
    this.nonces.set(nonce, now);
    return event;
  }
}
