// Peach's Hosted Checkout with Node alone: create (V1 and V2), read, verify a webhook.

import { createHmac, timingSafeEqual } from "node:crypto";

export const CREATED = "000.200.100";
export const PAID = ["000.000.000", "000.100.110", "000.100.111", "000.100.112"]; // the last three: test money
export const OVER = [...PAID, "100.396.101", "100.396.104"]; // cancelled, expired
export const OLDEST = 30 * 86400; // seconds: a webhook is sent again for thirty days

const mac = (token, text) => createHmac("sha256", token).update(text).digest("hex");
const same = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

// The signature over all fields but the signature, sorted by name, in the order of the bytes.
export function sign(token, fields) {
  const names = Object.keys(fields).filter((name) => name !== "signature");
  names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return mac(token, names.map((name) => name + fields[name]).join(""));
}

export const isSigned = (token, fields) => same(sign(token, fields), fields.signature ?? "");

async function call(url, options) {
  const response = await fetch(url, options);
  return { status: response.status, answer: await response.json() };
}

// The API with signed forms. A merchant has two status reads a minute, over all checkouts together.
export class V1 {
  constructor(url, entity, token, referer) {
    Object.assign(this, { url, entity, token, referer });
  }

  initiate(fields) {
    const body = new URLSearchParams(this.signed(fields));
    return call(`${this.url}/checkout/initiate`, {
      method: "POST",
      body,
      headers: { Referer: this.referer },
    });
  }

  // Reads by `merchantTransactionId` or by `checkoutId`. Some answers have the signed fields within.
  async status(which) {
    const read = await call(`${this.url}/status?${new URLSearchParams(this.signed(which))}`);
    const answer = read.answer.redirect_post_data ?? read.answer;
    if (read.status === 200 && !isSigned(this.token, answer))
      throw new Error("the answer is not signed by Peach");
    return { ...read, answer };
  }

  signed(fields) {
    const all = { "authentication.entityId": this.entity, ...fields };
    return { ...all, signature: sign(this.token, all) };
  }
}

// The API with access tokens.
export class V2 {
  constructor(url, authUrl, entity, login, referer) {
    Object.assign(this, { url, authUrl, entity, login, referer });
  }

  // `login` has clientId, clientSecret and merchantId.
  async token() {
    const { status, answer } = await call(`${this.authUrl}/api/oauth/token`, {
      method: "POST",
      body: JSON.stringify(this.login),
      headers: { "Content-Type": "application/json" },
    });
    if (status !== 200) throw new Error(`no access token: ${status}`);
    return answer.access_token;
  }

  create(fields, token) {
    const body = JSON.stringify({ authentication: { entityId: this.entity }, ...fields });
    return call(`${this.url}/v2/checkout`, { method: "POST", body, headers: this.headers(token) });
  }

  status(checkoutId, token) {
    return call(`${this.url}/v2/checkout/${checkoutId}/status`, { headers: this.headers(token) });
  }

  headers(token) {
    return { Authorization: `Bearer ${token}`, Referer: this.referer, "Content-Type": "application/json" };
  }
}

// The fields of a webhook. They are a hint: read the status before the goods leave.
//
// `url` is the receiver's whole URL, `body` is a Buffer with the bytes as they came, `now` is in seconds.
// Throws an Error that says why the webhook is refused.
export function verify(token, url, headers, body, now = Date.now() / 1000) {
  const fields = Object.fromEntries(new URLSearchParams(body.toString()));
  if (!isSigned(token, fields)) throw new Error("the signature is wrong");
  // The second scheme, which not every webhook has.
  const signature = headers["x-webhook-signature"];
  if (signature !== undefined) {
    const [timestamp, id] = [headers["x-webhook-timestamp"], headers["x-webhook-id"]];
    const expected = mac(token, `${timestamp}.${id}.${url}.${body}`);
    if (!same(expected, signature)) throw new Error("the signature in the headers is wrong");
    // A text that is no number is not young.
    if (!(now - Number(timestamp) <= OLDEST)) throw new Error("the webhook is too old");
  }
  return fields;
}
