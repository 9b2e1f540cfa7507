// Azotte's C2A checkout with Node alone: submit a checkout, and read the status.

export const OVER = ["CHECK_OUT_DONE", "CHECK_OUT_FAILED"];

export class Azotte {
  constructor(url, tenant, key) {
    Object.assign(this, {
      url,
      headers: { "x-tn": tenant, "x-api-key": key, "content-type": "application/json" },
    });
  }

  // Submits a checkout. The same correlationId twice is not charged twice, so a repeat is safe.
  submit(order, paymentMethod) {
    return this.call("/api/v1/c2a/offer/checkout", JSON.stringify({ order, paymentMethod }));
  }

  status(trackingNumber) {
    return this.call(`/api/v1/c2a/offer/checkout/${trackingNumber}/status`);
  }

  // The HTTP status, the JSON body (null without one), and the seconds before the next read.
  async call(path, body) {
    const response = await fetch(this.url + path, {
      method: body ? "POST" : "GET",
      body,
      headers: this.headers,
    });
    const answer = await response.json().catch(() => null); // a 401 has no body
    const pause =
      answer?.followUpInstructions?.retryAfterSeconds ?? Number(response.headers.get("retry-after") ?? 2);
    return { status: response.status, answer, pause };
  }
}

// The code that tells the stage. A code that is not known is carried, and the polling goes on.
export const codeOf = (answer) => answer.status.messageCode;
