"""Plays a shop against the sandbox, and says what holds: checkout-sandbox run -- python3 check.py"""

import collections
import http.server
import json
import os
import queue
import sys
import threading
import urllib.request
from urllib.parse import parse_qsl, urlencode, urlsplit

import allscale
import azotte
import peach

passed = failed = 0


def check(what, holds, seen=""):
    global passed, failed
    if holds:
        passed += 1
        print("ok    ", what)
    else:
        failed += 1
        print("FAILED", what, seen)


def error_of(act):
    """The error that the act ends with, or None."""
    try:
        act()
    except (ValueError, allscale.Refused) as error:
        return error


def env(name):
    if "CHECKOUT_SANDBOX_URL" not in os.environ:
        sys.exit("there is no sandbox: checkout-sandbox run -- python3 check.py")
    return os.environ["CHECKOUT_SANDBOX_" + name]


# The sandbox's own routes.


def admin(path, body=None, method=None):
    body = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(env("ADMIN_URL") + "worlds/default/" + path, body, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def now():
    """The world's time. A shop with a real provider takes time.time."""
    return admin("clock")["unix_ms"] / 1000


def wait(seconds):
    """Lets the world's time pass. A shop with a real provider sleeps."""
    admin("clock", {"advance_ms": seconds * 1000}, "PUT")


# The shop's receiver of webhooks.

inboxes = collections.defaultdict(queue.Queue)  # one for each path


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        inboxes[urlsplit(self.path).path].put((self.path, dict(self.headers), body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
SHOP = f"http://127.0.0.1:{server.server_port}"


def received(path):
    return inboxes[path].get(timeout=10)


def last_webhook(order):
    """The number that the last webhook of an order has in the sandbox's log."""
    return admin("webhooks?order=" + order)["webhooks"][-1]["webhook"]


# The providers.

TEXT, TEXT_OR_NONE = str, (str, type(None))
INTENT = {  # the fields of AllScale's page, for a paid intent with a price in a currency
    **dict.fromkeys(("currency", "amount_cents", "status", "payment_method_type"), int),
    **dict.fromkeys(("all_scale_checkout_intent_id", "currency_symbol", "currency_rate", "tx_to"), TEXT),
    **dict.fromkeys(("amount_coins", "coin_symbol"), TEXT),
    **dict.fromkeys(("order_id", "order_description", "user_id", "user_name", "error_message"), TEXT_OR_NONE),
    **dict.fromkeys(("coin_contract", "tx_hash", "tx_hash_2", "tx_from"), TEXT_OR_NONE),
    **dict.fromkeys(("actual_paid_amount", "service_fee_amount", "net_income_amount"), TEXT_OR_NONE),
    "chain_id": (int, type(None)),
}


def check_allscale():
    vector = allscale.sign(
        "test_secret_abc",
        *("POST", "/v1/checkout_intents/", "", "1716501000", "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321"),
        allscale.hashlib.sha256(
            b'{"amount_cents":1000,"currency":1,"order_id":"ord_1","redirect_url":"https://example.com/r"}'
        ).hexdigest(),
    )
    check(
        "allscale: the signature is the known one",
        vector == "v1=28HitHtE4rVV1nej7S5mIE8xZbc9afx8h+6cH/yaPiA=",
    )

    key, secret = env("ALLSCALE_API_KEY"), env("ALLSCALE_API_SECRET")
    api = allscale.AllScale(env("ALLSCALE_URL"), key, secret, now)
    hooks = allscale.Webhooks(key, secret, now)
    admin("endpoints", {"provider": "allscale", "url": SHOP + "/hooks/allscale?shop=1"})
    check("allscale: the keys are good", api.call("GET", "/v1/test/ping") == {"pong": "ok"})

    order = {
        "currency": 44,
        "amount_cents": 4990,
        "order_id": "py-allscale",
        "redirect_url": SHOP,
        "extra": {"a": 1},
    }
    created = api.create(order)
    intent_id = created["allscale_checkout_intent_id"]
    check("allscale: an intent is created, with a page", created["checkout_url"].startswith("http"), created)
    check("allscale: a new intent is CREATED", api.status(intent_id) == 1)

    for _ in range(120):  # ten minutes
        status = api.status(intent_id)
        if allscale.is_over(status):
            break
        wait(5)
    check("allscale: the polling ends with CONFIRMED", status == allscale.CONFIRMED, status)

    target, headers, body = received("/hooks/allscale")
    path, query = urlsplit(target).path, urlsplit(target).query

    def verify(headers=headers, body=body, hooks=hooks):
        return hooks.verify("POST", path, query, headers, body)

    event = verify()
    check("allscale: the webhook is verified", event["order_id"] == "py-allscale", event)
    check("allscale: the webhook has the order's extra fields", event["extra_obj"] == {"a": 1}, event)
    check("allscale: the webhook is of the intent", event["all_scale_checkout_intent_id"] == intent_id, event)
    read = api.get(intent_id)
    paid = (read["status"], read["order_id"], read["amount_cents"], read["currency"])
    check("allscale: the read after the webhook says paid", paid == (20, "py-allscale", 4990, 44), read)
    wrong = {name for name, kinds in INTENT.items() if name not in read or not isinstance(read[name], kinds)}
    check("allscale: the read has all fields, of the right types", not wrong, wrong)
    check("allscale: the read is of the webhook's transfer", read["tx_hash"] == event["tx_hash"], read)

    check("allscale: a webhook that comes twice is refused", "nonce" in str(error_of(verify)))
    fresh = allscale.Webhooks(key, secret, now)
    altered = body.replace(b"4990", b"4991")
    check(
        "allscale: an altered webhook is refused",
        altered != body and "signature is" in str(error_of(lambda: verify(body=altered, hooks=fresh))),
    )
    other = {**headers, "x-webhook-id": "wh_1"}
    check(
        "allscale: an altered header is refused",
        "signature is" in str(error_of(lambda: verify(other, hooks=fresh))),
    )
    later = allscale.Webhooks(key, secret, lambda: now() + 301)
    check(
        "allscale: a webhook is refused 301 seconds later",
        "time" in str(error_of(lambda: verify(hooks=later))),
    )
    number = last_webhook("py-allscale")
    for change, reason in (({"key": "wrong"}, "signature is"), ({"stale_seconds": 600}, "time")):
        admin(f"webhooks/{number}/edit", change)
        _, headers, body = received("/hooks/allscale")
        check(f"allscale: refused with {change}", reason in str(error_of(lambda: verify(headers, body))))
    admin(f"webhooks/{number}/resend", {})
    _, headers, body = received("/hooks/allscale")
    again = verify(headers, body)
    same = again["all_scale_transaction_id"] == event["all_scale_transaction_id"]
    check("allscale: a webhook that is sent again is signed anew, and of the same transaction", same, again)

    def code(act):
        return getattr(error_of(act), "code", None)

    bad = allscale.AllScale(api.url, key, "st_wrong", now)
    check("allscale: a wrong secret is 20002", code(lambda: bad.create(order)) == 20002)
    old = allscale.AllScale(api.url, key, secret, lambda: now() - 301)
    check("allscale: an old request is refused", code(lambda: old.create(order)) not in (None, 0))
    api.call("GET", "/v1/test/ping", nonce="one")
    check(
        "allscale: a nonce that comes twice is refused",
        code(lambda: api.call("GET", "/v1/test/ping", nonce="one")),
    )
    check(
        "allscale: two currencies are 10001", code(lambda: api.create({**order, "stable_coin": 1})) == 10001
    )
    floor = error_of(lambda: api.create({"stable_coin": 2, "amount_cents": 10}))
    check(
        "allscale: the floor",
        (floor.code, floor.message) == (50002, "amount must be greater than 0.1 USDC!"),
        floor,
    )
    check("allscale: above the floor", api.create({"stable_coin": 2, "amount_cents": 11})["rate"] is None)
    check(
        "allscale: an intent that nobody has created is 50001",
        code(lambda: api.status("65b2f3d0d2d9c0a1b2c3d4e5")) == 50001,
    )


def check_azotte():
    api = azotte.Azotte(env("AZOTTE_URL"), env("AZOTTE_X_TN"), env("AZOTTE_API_KEY"))
    method = {"paymentChannel": "CreditCard", "useStoredMethod": True}

    def order(correlation_id):
        items, customer = [{"itemIdentifier": "it_1"}], {"customerUrn": "cu.00.482"}
        return {
            "offerIdentifier": "of_1",
            "correlationId": correlation_id,
            "items": items,
            "customer": customer,
        }

    def play(name):
        """Submits, and polls to the end. Returns the codes, the tracking number and the opened pages."""
        _, answer, pause = api.submit(order(name), method)
        tracking, codes, pages = answer["trackingNumber"], [azotte.code_of(answer)], []
        while codes[-1] not in azotte.OVER and len(codes) < 100:
            if codes[-1] == "CHECK_OUT_3DS_REQUIRED" and not pages:
                pages.append(answer["redirectInstructions"]["redirectUrl"])
                # The browser goes to the page, and the payer approves.
                urllib.request.urlopen(pages[0], urlencode({"act": "approve"}).encode(), timeout=30).close()
            wait(pause)
            _, answer, pause = api.status(tracking)
            codes.append(azotte.code_of(answer))
        return codes, tracking, pages

    status, answer, pause = api.submit(order("py-azotte"), method)
    check("azotte: a submit is accepted, with two seconds to wait", (status, pause) == (202, 2), answer)
    codes, tracking, _ = play("py-azotte")
    check(
        "azotte: the same correlationId is the same checkout", tracking == answer["trackingNumber"], tracking
    )
    check("azotte: the polling ends with DONE", codes[-1] == "CHECK_OUT_DONE", codes)
    status, answer, _ = api.status(tracking)
    over = answer["followUpInstructions"]["canFollowUp"]
    check(
        "azotte: the read after the end says the same, and not to poll on",
        (status, over) == (200, False),
        answer,
    )

    admin("scenarios", {"provider": "azotte", "scenario": "three_ds_url"})
    codes, _, pages = play("py-azotte-3ds")
    check(
        "azotte: with 3-D Secure the payer approves, and it ends with DONE",
        pages and codes[-1] == "CHECK_OUT_DONE",
        codes,
    )
    admin("scenarios", {"provider": "azotte", "scenario": "failed"})
    codes, _, _ = play("py-azotte-failed")
    check("azotte: a failure ends with FAILED", codes[-1] == "CHECK_OUT_FAILED", codes)

    status, answer, _ = api.status("trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB")
    unknown = (status, answer["status"]["messageCode"])
    check(
        "azotte: a tracking number that nobody has is 404", unknown == (404, "ORDERED_ITEM_NOT_FOUND"), answer
    )
    status, answer, _ = azotte.Azotte(api.url, env("AZOTTE_X_TN"), "sk_wrong").status(tracking)
    check("azotte: a wrong key is 401", status == 401, (status, answer))


def check_peach():
    vector = {
        "amount": "2",
        "authentication.entityId": "8ac7a4ca68c22c4d0168c2caab2e0025",
        "currency": "ZAR",
        "defaultPaymentMethod": "CARD",
        "merchantTransactionId": "Test1234",
        "nonce": "JHGJSGHDSKJHGJDHGJH",
        "paymentType": "DB",
        "shopperResultUrl": "https://webhook.site/4e9b63bf-0d99-4d62-bd24-1d36ca866e1b",
    }
    known = "311ed8e11e2da00d98c7479ca390a5396fe643e13629d850243dada877963afd"
    check(
        "peach: the signature is the known one",
        peach.sign("3fcd7cf22f55119eadbe02d14de18c0c", vector) == known,
    )

    token, entity = env("PEACH_SECRET_TOKEN"), env("PEACH_ENTITY_ID")
    v1 = peach.V1(env("PEACH_URL"), entity, token, env("PEACH_REFERER"))
    login = (env("PEACH_CLIENT_ID"), env("PEACH_CLIENT_SECRET"), env("PEACH_MERCHANT_ID"))
    v2 = peach.V2(env("PEACH_URL"), env("PEACH_AUTH_URL"), entity, *login, env("PEACH_REFERER"))

    probe = admin("endpoints", {"provider": "peach", "url": SHOP + "/hooks/peach?shop=1"})["probe"]
    _, headers, body = received("/hooks/peach")
    code = json.loads(body)["verificationCode"]
    check("peach: the endpoint is tried out with a code", code == probe["verification_code"], body)

    def fields(order, **more):
        return {
            "merchantTransactionId": order,
            "amount": "49.90",
            "paymentType": "DB",
            "currency": "ZAR",
            "nonce": "nonce-" + order,
            "shopperResultUrl": SHOP + "/back",
            "customParameters[cart]": "a b&c=d+é",
            **more,
        }

    def verify(target, headers, body, now=now):
        return peach.verify(token, SHOP + target, headers, body, now)

    def to_the_end(read):
        for _ in range(130):  # 65 minutes, by two reads a minute
            wait(30)
            status, answer = read()
            if status != 200 or answer["result.code"] in peach.OVER:
                break
        return answer

    def check_webhooks(version, order, end, path):
        first = verify(*received(path))
        created = (first["result.code"], first["merchantTransactionId"])
        check(
            f"peach {version}: the first webhook says created, with the checkoutId",
            created == (peach.CREATED, order),
            first,
        )
        while (webhook := received(path)) and (last := verify(*webhook))["result.code"] not in peach.OVER:
            pass
        check(f"peach {version}: the last webhook says paid", last["result.code"] in peach.PAID, last)
        same = all(last[name] == end[name] for name in ("amount", "currency", "checkoutId", "result.code"))
        check(f"peach {version}: the last webhook says the same as the read", same, (last, end))
        cart = last.get("customParameters[cart]")
        check(f"peach {version}: a custom parameter comes back", cart == "a b&c=d+é", cart)
        return webhook

    # V1
    status, answer = v1.initiate(fields("py-peach-v1"))
    check(
        "peach v1: a checkout is created, with a page",
        status == 201 and answer["redirectUrl"],
        (status, answer),
    )
    end = to_the_end(lambda: v1.status(merchantTransactionId="py-peach-v1"))
    check("peach v1: the polling ends with paid, signed", end["result.code"] in peach.PAID, end)
    target, headers, body = check_webhooks("v1", "py-peach-v1", end, "/hooks/peach")
    wait(30)
    status, read = v1.status(checkoutId=end["checkoutId"])
    amount = (read["amount"], read["currency"], read["merchantTransactionId"])
    check("peach v1: the read after the webhook says paid", amount == ("49.90", "ZAR", "py-peach-v1"), read)

    altered = body.replace(b"49.90", b"49.91")
    check(
        "peach: an altered webhook is refused",
        altered != body and "signature is" in str(error_of(lambda: verify(target, headers, altered))),
    )
    fields_of = dict(parse_qsl(body.decode(), keep_blank_values=True))
    more = urlencode({**fields_of, "card.holder": "x"}).encode()
    check(
        "peach: a field that nobody has signed is refused",
        "signature is" in str(error_of(lambda: verify(target, headers, more))),
    )
    check(
        "peach: a webhook for another URL is refused",
        "headers" in str(error_of(lambda: verify("/hooks/other", headers, body))),
    )
    in_a_month = lambda: now() + peach.OLDEST + 3600
    check(
        "peach: a webhook is refused a month later",
        "old" in str(error_of(lambda: verify(target, headers, body, in_a_month))),
    )
    number = last_webhook("py-peach-v1")
    for change, reason in (({"key": "wrong"}, "signature is"), ({"stale_seconds": peach.OLDEST + 3600}, "old")):
        admin(f"webhooks/{number}/edit", change)
        webhook = received("/hooks/peach")
        check(f"peach: refused with {change}", reason in str(error_of(lambda: verify(*webhook))))

    status, answer = v1.initiate(fields("py-peach-v1"))
    check(
        "peach v1: the same signature twice is refused",
        status == 400 and "Duplicate" in str(answer),
        (status, answer),
    )
    bad = peach.V1(v1.url, entity, "f" * 32, v1.referer)
    check("peach v1: a wrong token is refused", bad.initiate(fields("py-peach-bad"))[0] in (400, 401, 403))
    status, answer = v1.initiate(fields("py-peach-amount", amount="49.9"))
    check(
        "peach v1: a wrong amount is refused by name",
        status == 400 and "amount" in str(answer),
        (status, answer),
    )

    # V2
    access = v2.token()
    status, answer = v2.create(
        fields("py-peach-v2", notificationUrl=SHOP + "/hooks/of-this-checkout"), access
    )
    check(
        "peach v2: a checkout is created, with a page",
        status == 200 and answer["redirectUrl"],
        (status, answer),
    )
    checkout_id = answer["checkoutId"]
    end = to_the_end(lambda: v2.status(checkout_id, access))
    check("peach v2: the polling ends with paid", end["result.code"] in peach.PAID, end)
    check_webhooks("v2", "py-peach-v2", end, "/hooks/of-this-checkout")
    check("peach v2: the webhooks come to the notificationUrl alone", inboxes["/hooks/peach"].empty())
    wait(30)
    status, read = v2.status(checkout_id, access)
    amount = (read["amount"], read["currency"], read["merchantTransactionId"])
    check("peach v2: the read after the webhook says paid", amount == ("49.90", "ZAR", "py-peach-v2"), read)
    wait(30)
    status, answer = v2.status("0" * 32, access)
    check(
        "peach v2: an unknown checkout is 404",
        (status, answer.get("result.code")) == (404, "200.300.404"),
        answer,
    )
    check("peach v2: a wrong token is refused", v2.create(fields("py-peach-no"), "wrong")[0] in (401, 403))

    # V1, with the signed fields within the answer
    admin("scenarios", {"provider": "peach", "scenario": "uncertain"})
    v1.initiate(fields("py-peach-within"))
    wait(60)
    status, read = v1.status(merchantTransactionId="py-peach-within")
    created = (status, read["result.code"], read["merchantTransactionId"])
    check("peach v1: signed fields within the answer are read", created == (200, peach.CREATED, "py-peach-within"), read)


admin("clock", {"pace": "frozen"}, "PUT")
check_allscale()
check_azotte()
check_peach()
print(f"\n{passed} passed, {failed} failed")
sys.exit(0 if passed and not failed else 1)
