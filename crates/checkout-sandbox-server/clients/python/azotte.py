"""Azotte's C2A checkout with Python's standard library: submit a checkout, and read the status."""

import json
import urllib.error
import urllib.request

OVER = ("CHECK_OUT_DONE", "CHECK_OUT_FAILED")


class Azotte:
    def __init__(self, url, tenant, key):
        self.url, self.headers = url, {"x-tn": tenant, "x-api-key": key, "content-type": "application/json"}

    def submit(self, order, payment_method):
        """Submits a checkout. The same correlationId twice is not charged twice, so a repeat is safe."""
        body = {"order": order, "paymentMethod": payment_method}
        return self.call("/api/v1/c2a/offer/checkout", json.dumps(body).encode())

    def status(self, tracking_number):
        return self.call(f"/api/v1/c2a/offer/checkout/{tracking_number}/status")

    def call(self, path, body=None):
        """The HTTP status, the JSON body (None without one), and the seconds before the next read."""
        request = urllib.request.Request(self.url + path, body, self.headers)
        try:
            response = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            try:
                answer = json.load(response)
            except ValueError:
                answer = None  # a 401 has no body
            advised = ((answer or {}).get("followUpInstructions") or {}).get("retryAfterSeconds")
            return response.status, answer, advised or int(response.headers.get("Retry-After", 2))


def code_of(answer):
    """The code that tells the stage. A code that is not known is carried, and the polling goes on."""
    return answer["status"]["messageCode"]
