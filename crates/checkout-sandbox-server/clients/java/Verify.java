import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Verifies webhooks of AllScale and Peach with the JDK alone: checkout-sandbox run -- java Verify.java */
public class Verify {
    // The verifiers.

    /** A webhook as it came: the whole URL of the receiver, headers with lower-case names, and the bytes. */
    record Webhook(URI url, Map<String, String> headers, byte[] body) {
        String header(String name) {
            return headers.getOrDefault(name, "");
        }

        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        Webhook with(String body) {
            return new Webhook(url, headers, body.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** Why a webhook of AllScale is refused, or "verified". A shop also refuses a nonce that comes twice. */
    static String allScale(String key, String secret, Webhook webhook, long now) throws Exception {
        String query = webhook.url.getRawQuery();
        String expected = allScaleSignature(secret,
            "allscale:webhook:v1", "POST", webhook.url.getRawPath(), query == null ? "" : query,
            webhook.header("x-webhook-id"), webhook.header("x-webhook-timestamp"), webhook.header("x-webhook-nonce"),
            sha256(webhook.body));
        if (!same(expected, webhook.header("x-webhook-signature"))) return "the signature is wrong";
        if (!webhook.header("x-api-key").equals(key)) return "the key is another store's";
        if (Math.abs(now - Long.parseLong(webhook.header("x-webhook-timestamp"))) > 300) return "the time is too far away";
        if (!field(webhook.text(), "webhook_id").equals(webhook.header("x-webhook-id"))) return "another webhook id";
        return "verified";
    }

    static String allScaleSignature(String secret, String... lines) throws Exception {
        return "v1=" + Base64.getEncoder().encodeToString(hmac(secret, String.join("\n", lines)));
    }

    /** Why a Peach webhook is refused, or "verified". */
    static String peach(String token, Webhook webhook, long now) throws Exception {
        if (!same(peachSignature(token, form(webhook.text())), form(webhook.text()).getOrDefault("signature", "")))
            return "the signature is wrong";
        String signature = webhook.headers.get("x-webhook-signature");
        if (signature == null) return "verified"; // the second scheme, which not every webhook has
        String timestamp = webhook.header("x-webhook-timestamp");
        String message = timestamp + "." + webhook.header("x-webhook-id") + "." + webhook.url + "." + webhook.text();
        if (!same(hex(hmac(token, message)), signature)) return "the signature in the headers is wrong";
        if (now - Long.parseLong(timestamp) > 30 * 86400) return "the webhook is too old"; // sent again for thirty days
        return "verified";
    }

    /** A TreeMap sorts by UTF-16 units: the order of the bytes for all names that are not emoji. */
    static String peachSignature(String token, TreeMap<String, String> fields) throws Exception {
        return hex(hmac(token, fields.entrySet().stream().filter(field -> !field.getKey().equals("signature"))
            .map(field -> field.getKey() + field.getValue()).collect(Collectors.joining())));
    }

    static byte[] hmac(String secret, String text) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    static String sha256(byte[] bytes) throws Exception {
        return hex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    static boolean same(String a, String b) {
        return MessageDigest.isEqual(a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
    }

    static TreeMap<String, String> form(String text) {
        TreeMap<String, String> fields = new TreeMap<>();
        for (String pair : text.split("&")) {
            String[] halves = pair.split("=", 2);
            fields.put(decoded(halves[0]), halves.length < 2 ? "" : decoded(halves[1]));
        }
        return fields;
    }

    static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    static String encoded(TreeMap<String, String> fields) {
        return fields.entrySet().stream()
            .map(field -> URLEncoder.encode(field.getKey(), StandardCharsets.UTF_8) + "="
                + URLEncoder.encode(field.getValue(), StandardCharsets.UTF_8))
            .collect(Collectors.joining("&"));
    }

    /** The first field of a name in a JSON text. The JDK has no JSON: a shop takes a library. */
    static String field(String json, String name) {
        var found = Pattern.compile("\"" + name + "\":\"?([^\",}]*)").matcher(json);
        return found.find() ? found.group(1) : "";
    }

    // The play against the sandbox.

    static final HttpClient HTTP = HttpClient.newHttpClient();
    static final Map<String, BlockingQueue<Webhook>> INBOXES =
        Map.of("/allscale", new ArrayBlockingQueue<>(100), "/peach", new ArrayBlockingQueue<>(100));
    static int passed, failed;

    static void check(String what, boolean holds) {
        if (holds) passed++;
        else failed++;
        System.out.println((holds ? "ok     " : "FAILED ") + what);
    }

    static String env(String name) {
        return System.getenv("CHECKOUT_SANDBOX_" + name);
    }

    static HttpResponse<String> send(String method, String url, String body, String... headers) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url)).method(method, HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) request.headers(headers);
        return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    static String admin(String method, String path, String body) throws Exception {
        return send(method, env("ADMIN_URL") + "worlds/default/" + path, body).body();
    }

    static long now() throws Exception {
        return Long.parseLong(field(admin("GET", "clock", ""), "unix_ms").trim()) / 1000;
    }

    static Webhook received(String path) throws Exception {
        Webhook webhook = INBOXES.get(path).poll(10, TimeUnit.SECONDS);
        if (webhook == null) throw new IllegalStateException("no webhook at " + path);
        return webhook;
    }

    /** Has the sandbox send the last webhook of an order again, changed. */
    static Webhook edited(String path, String order, String change) throws Exception {
        var numbers = Pattern.compile("\"webhook\":(\\d+)").matcher(admin("GET", "webhooks?order=" + order, ""));
        String number = numbers.results().map(found -> found.group(1)).reduce((before, last) -> last).orElseThrow();
        admin("POST", "webhooks/" + number + "/edit", change);
        return received(path);
    }

    public static void main(String[] args) throws Exception {
        if (env("URL") == null) throw new IllegalStateException("there is no sandbox: checkout-sandbox run -- java Verify.java");
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        String shop = "http://127.0.0.1:" + server.getAddress().getPort();
        server.createContext("/", exchange -> {
            Map<String, String> headers = new TreeMap<>();
            exchange.getRequestHeaders().forEach((name, values) -> headers.put(name.toLowerCase(), values.get(0)));
            URI url = URI.create(shop + exchange.getRequestURI());
            INBOXES.get(url.getPath()).add(new Webhook(url, headers, exchange.getRequestBody().readAllBytes()));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        server.start();
        try {
            admin("PUT", "clock", "{\"pace\":\"frozen\"}");
            checkAllScale(shop);
            checkPeach(shop);
        } finally {
            server.stop(0);
        }
        System.out.println("\n" + passed + " passed, " + failed + " failed");
        System.exit(passed > 0 && failed == 0 ? 0 : 1);
    }

    static void checkAllScale(String shop) throws Exception {
        String body = "{\"amount_cents\":1000,\"currency\":1,\"order_id\":\"ord_1\",\"redirect_url\":\"https://example.com/r\"}";
        String vector = allScaleSignature("test_secret_abc", "POST", "/v1/checkout_intents/", "", "1716501000",
            "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321", sha256(body.getBytes(StandardCharsets.UTF_8)));
        check("allscale: the signature is the known one", vector.equals("v1=28HitHtE4rVV1nej7S5mIE8xZbc9afx8h+6cH/yaPiA="));

        String key = env("ALLSCALE_API_KEY"), secret = env("ALLSCALE_API_SECRET"), path = "/v1/checkout_intents/";
        admin("POST", "endpoints", "{\"provider\":\"allscale\",\"url\":\"" + shop + "/allscale?shop=1\"}");
        String order = "{\"currency\":44,\"amount_cents\":4990,\"order_id\":\"java-allscale\"}";
        String timestamp = String.valueOf(now()), nonce = UUID.randomUUID().toString();
        String hash = sha256(order.getBytes(StandardCharsets.UTF_8));
        var created = send("POST", env("ALLSCALE_URL") + path, order, "X-API-Key", key, "X-Timestamp", timestamp,
            "X-Nonce", nonce, "Content-Type", "application/json",
            "X-Signature", allScaleSignature(secret, "POST", path, "", timestamp, nonce, hash));
        check("allscale: an intent is created", field(created.body(), "code").equals("0"));
        admin("PUT", "clock", "{\"advance_ms\":600000}"); // the payer opens the page and pays

        Webhook webhook = received("/allscale");
        long sent = Long.parseLong(webhook.header("x-webhook-timestamp"));
        check("allscale: the webhook is verified", allScale(key, secret, webhook, sent).equals("verified"));
        check("allscale: the webhook is of the order", field(webhook.text(), "order_id").equals("java-allscale"));
        Webhook altered = webhook.with(webhook.text().replace("4990", "4991"));
        check("allscale: an altered webhook is refused", allScale(key, secret, altered, sent).contains("signature"));
        check("allscale: a webhook is refused 301 seconds later", allScale(key, secret, webhook, sent + 301).contains("time"));
        Webhook forged = edited("/allscale", "java-allscale", "{\"key\":\"wrong\"}");
        check("allscale: a forged webhook is refused", allScale(key, secret, forged, now()).contains("signature"));
        Webhook stale = edited("/allscale", "java-allscale", "{\"stale_seconds\":600}");
        check("allscale: a stale webhook is refused", allScale(key, secret, stale, now()).contains("time"));
    }

    static void checkPeach(String shop) throws Exception {
        TreeMap<String, String> known = form("amount=2&authentication.entityId=8ac7a4ca68c22c4d0168c2caab2e0025&currency=ZAR"
            + "&defaultPaymentMethod=CARD&merchantTransactionId=Test1234&nonce=JHGJSGHDSKJHGJDHGJH&paymentType=DB"
            + "&shopperResultUrl=https://webhook.site/4e9b63bf-0d99-4d62-bd24-1d36ca866e1b");
        check("peach: the signature is the known one", peachSignature("3fcd7cf22f55119eadbe02d14de18c0c", known)
            .equals("311ed8e11e2da00d98c7479ca390a5396fe643e13629d850243dada877963afd"));

        String token = env("PEACH_SECRET_TOKEN");
        String added = admin("POST", "endpoints", "{\"provider\":\"peach\",\"url\":\"" + shop + "/peach?shop=1\"}");
        String code = field(received("/peach").text(), "verificationCode");
        check("peach: the endpoint is tried out with a code", !code.isEmpty() && added.contains(code));
        TreeMap<String, String> fields = new TreeMap<>(Map.of("authentication.entityId", env("PEACH_ENTITY_ID"),
            "merchantTransactionId", "java-peach", "amount", "49.90", "paymentType", "DB", "currency", "ZAR",
            "nonce", "nonce-java-peach", "shopperResultUrl", shop + "/back"));
        fields.put("signature", peachSignature(token, fields));
        var created = send("POST", env("PEACH_URL") + "/checkout/initiate", encoded(fields),
            "Referer", env("PEACH_REFERER"), "Content-Type", "application/x-www-form-urlencoded");
        check("peach: a checkout is created", created.statusCode() == 201);
        admin("PUT", "clock", "{\"advance_ms\":3900000}"); // the payer opens the page and pays

        Webhook first = received("/peach"), last = first;
        check("peach: the first webhook says created", form(first.text()).get("result.code").equals("000.200.100"));
        while (!form(last.text()).get("result.code").startsWith("000.100.11")) last = received("/peach");
        long now = now();
        check("peach: the webhooks are verified", (peach(token, first, now) + peach(token, last, now)).equals("verifiedverified"));
        check("peach: the webhook is of the order", form(last.text()).get("merchantTransactionId").equals("java-peach"));
        Webhook altered = last.with(last.text().replace("49.90", "49.91"));
        check("peach: an altered webhook is refused", peach(token, altered, now).equals("the signature is wrong"));
        Webhook elsewhere = new Webhook(URI.create(shop + "/other"), last.headers, last.body);
        check("peach: a webhook for another URL is refused", peach(token, elsewhere, now).contains("in the headers"));
        Webhook forged = edited("/peach", "java-peach", "{\"key\":\"wrong\"}");
        check("peach: a forged webhook is refused", peach(token, forged, now).equals("the signature is wrong"));
        Webhook stale = edited("/peach", "java-peach", "{\"stale_seconds\":2700000}");
        check("peach: a stale webhook is refused", peach(token, stale, now).contains("old"));
    }
}
