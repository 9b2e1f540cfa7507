"""Peach's Hosted Checkout with Python's standard library: create (V1 and V2), read, verify a webhook."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from urllib.parse import parse_qsl, urlencode

CREATED = "000.200.100"
PAID = ("000.000.000", "000.100.110", "000.100.111", "000.100.112")  # the last three are test money
OVER = PAID + ("100.396.101", "100.396.104")  # cancelled, expired
OLDEST = 30 * 86400  # seconds: a webhook is sent again for thirty days


def mac(token, text):
    return hmac.new(token.encode(), text.encode(), hashlib.sha256).hexdigest()


def sign(token, fields):
    """The signature over all fields but the signature, sorted by name."""
    return mac(token, "".join(name + fields[name] for name in sorted(fields) if name != "signature"))


def is_signed(token, fields):
    return hmac.compare_digest(sign(token, fields).encode(), fields.get("signature", "").encode())


def call(url, body=None, headers={}):
    """The HTTP status and the JSON body."""
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return response.status, json.load(response)


class V1:
    """The API with signed forms. A merchant has two status reads a minute, over all checkouts together."""

    def __init__(self, url, entity, token, referer):
        self.url, self.entity, self.token, self.referer = url, entity, token, referer

    def initiate(self, fields):
        form = urlencode(self.signed(fields)).encode()
        return call(self.url + "/checkout/initiate", form, {"Referer": self.referer})

    def status(self, **which):
        """Reads by `merchantTransactionId` or by `checkoutId`. Some answers have the signed fields within."""
        status, answer = call(self.url + "/status?" + urlencode(self.signed(which)))
        answer = answer.get("redirect_post_data", answer)
        if status == 200 and not is_signed(self.token, answer):
            raise ValueError("the answer is not signed by Peach")
        return status, answer

    def signed(self, fields):
        fields = {"authentication.entityId": self.entity, **fields}
        return {**fields, "signature": sign(self.token, fields)}


class V2:
    """The API with access tokens."""

    def __init__(self, url, auth_url, entity, client_id, client_secret, merchant_id, referer):
        self.url, self.auth_url, self.entity, self.referer = url, auth_url, entity, referer
        self.login = {"clientId": client_id, "clientSecret": client_secret, "merchantId": merchant_id}

    def token(self):
        body = json.dumps(self.login).encode()
        status, answer = call(self.auth_url + "/api/oauth/token", body, {"Content-Type": "application/json"})
        if status != 200:
            raise ValueError(f"no access token: {status}")
        return answer["access_token"]

    def create(self, fields, token):
        body = json.dumps({"authentication": {"entityId": self.entity}, **fields}).encode()
        return call(self.url + "/v2/checkout", body, self.headers(token))

    def status(self, checkout_id, token):
        return call(f"{self.url}/v2/checkout/{checkout_id}/status", None, self.headers(token))

    def headers(self, token):
        return {
            "Authorization": "Bearer " + token,
            "Referer": self.referer,
            "Content-Type": "application/json",
        }


def verify(token, url, headers, body, now=time.time):
    """The fields of a webhook. They are a hint: read the status before the goods leave.

    `url` is the whole URL of the receiver, and `body` has the bytes as they came.
    Raises a ValueError that says why the webhook is refused.
    """
    fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
    if not is_signed(token, fields):
        raise ValueError("the signature is wrong")
    headers = {name.lower(): value for name, value in headers.items()}
    if "x-webhook-signature" in headers:  # the second scheme, which not every webhook has
        timestamp, webhook_id = headers.get("x-webhook-timestamp", ""), headers.get("x-webhook-id", "")
        expected = mac(token, f"{timestamp}.{webhook_id}.{url}.{body.decode()}")
        if not hmac.compare_digest(expected.encode(), headers["x-webhook-signature"].encode()):
            raise ValueError("the signature in the headers is wrong")
        if now() - int(timestamp) > OLDEST:
            raise ValueError("the webhook is too old")
    return fields
