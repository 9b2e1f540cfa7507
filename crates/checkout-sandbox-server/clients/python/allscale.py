"""AllScale Checkout with Python's standard library: create an intent, read the intent, verify a webhook."""

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
import uuid

CONFIRMED = 20
WINDOW = 300  # seconds that the clocks may differ
NONCES_KEPT = 600  # seconds


def sign(secret, *lines):
    """The signature of the lines, for a request and for a webhook."""
    mac = hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256)
    return "v1=" + base64.b64encode(mac.digest()).decode()


def is_over(status):
    """True if no ordinary step follows the status. A number that is not known is not over."""
    return status == CONFIRMED or -5 <= status < 0


class Refused(Exception):
    """AllScale's refusal. The request id is what AllScale's support asks for."""

    def __init__(self, answer):
        self.code = answer["code"]
        self.message = (answer.get("error") or {}).get("message", "")
        super().__init__(f"{self.code} {self.message} ({answer.get('request_id')})")


class AllScale:
    def __init__(self, url, key, secret, now=time.time):
        self.url, self.key, self.secret, self.now = url, key, secret, now

    def create(self, intent):
        # The path ends with a slash. Never repeat a create whose answer was lost: it makes a second intent.
        return self.call("POST", "/v1/checkout_intents/", intent)

    def status(self, intent_id):
        return self.call("GET", f"/v1/checkout_intents/{intent_id}/status")

    def get(self, intent_id):
        return self.call("GET", f"/v1/checkout_intents/{intent_id}")

    def call(self, method, path, fields=None, nonce=None):
        body = b"" if fields is None else json.dumps(fields).encode()
        timestamp, nonce = str(int(self.now())), nonce or str(uuid.uuid4())
        body_hash = hashlib.sha256(body).hexdigest()
        headers = {
            "X-API-Key": self.key,
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Signature": sign(self.secret, method, path, "", timestamp, nonce, body_hash),
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(self.url + path, body or None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            answer = json.load(error)  # the code tells more than the HTTP status
        if answer["code"] != 0:
            raise Refused(answer)
        return answer["payload"]


class Webhooks:
    """Verifies webhooks. A shop with several processes keeps the nonces in its database."""

    def __init__(self, key, secret, now=time.time):
        self.key, self.secret, self.now, self.nonces = key, secret, now, {}

    def verify(self, method, path, query, headers, body):
        """The event in the body. The event is a hint: read the intent before the goods leave.

        `path` and `query` are those of the request, `body` has the bytes as they came.
        Raises a ValueError that says why the webhook is refused.
        """
        now, headers = self.now(), {name.lower(): value for name, value in headers.items()}
        webhook_id, timestamp, nonce, signature = (
            headers.get("x-webhook-" + name, "") for name in ("id", "timestamp", "nonce", "signature")
        )
        body_hash = hashlib.sha256(body).hexdigest()
        lines = ("allscale:webhook:v1", method, path, query, webhook_id, timestamp, nonce, body_hash)
        if not hmac.compare_digest(sign(self.secret, *lines).encode(), signature.encode()):
            raise ValueError("the signature is wrong")
        if headers.get("x-api-key") != self.key:
            raise ValueError("the key is another store's")
        if abs(now - int(timestamp)) > WINDOW:
            raise ValueError("the time is too far away")
        event = json.loads(body)
        if event.get("webhook_id") != webhook_id:
            raise ValueError("the body has another webhook id")
        self.nonces = {seen: at for seen, at in self.nonces.items() if now - at <= NONCES_KEPT}
        if nonce in self.nonces:
            raise ValueError("the nonce has come before")
        self.nonces[nonce] = now
        return event
