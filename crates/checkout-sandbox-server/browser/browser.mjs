// Chromium, and laws that hold on each page that a test opens.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { ROOT } from "./sandbox.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PICTURES = process.env.SCREENSHOTS ?? new URL("../../../target/screenshots", import.meta.url).pathname;
const MOST_BYTES = 100 * 1024;

let browser;

before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    timeout: 60_000,
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
});
after(() => browser?.close());

// A browser window of a test's own. At the end of the test no request may have gone to another host than the
// sandbox and the test's shop, and no page may have logged an error.
export async function open(t, shop, options = {}) {
  const context = await browser.newContext({ colorScheme: "light", ...options });
  context.setDefaultTimeout(10_000);
  const [strangers, errors] = [[], []];
  context.on("request", (request) => {
    const url = request.url();
    const isOurs = [ROOT, shop.url].some((origin) => url.startsWith(`${origin}/`));
    if (!isOurs && !url.startsWith("data:")) strangers.push(url);
  });
  context.on("weberror", (error) => errors.push(error.error().message));
  context.on("console", (message) => {
    // The browser logs each answer of 400 or more, which some tests bring about.
    if (message.type() === "error" && !message.text().includes("the server responded"))
      errors.push(message.text());
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(strangers, [], "a page asks another host");
    assert.deepEqual(errors, [], "a page has errors");
  });
  return context;
}

// Opens a page, and weighs it with everything that it loads. A look of the script at the page is another load.
export async function load(context, url) {
  const page = await context.newPage();
  const sizes = [];
  const weigh = (request) =>
    request.resourceType() !== "fetch" &&
    sizes.push(request.sizes().then((of) => of.responseBodySize + of.responseHeadersSize));
  page.on("requestfinished", weigh);
  const response = await page.goto(url, { waitUntil: "load" });
  page.off("requestfinished", weigh);
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  assert.ok(bytes > 500, `${url} weighs ${bytes} bytes: nothing was weighed`);
  assert.ok(bytes <= MOST_BYTES, `${url} weighs ${bytes} bytes`);
  return Object.assign(page, { bytes, code: response.status() });
}

export const control = (page, name) => page.locator(`[data-testid="${name}"]`);

export const click = (page, name) => control(page, name).first().click();

// Waits until a control has a text.
export const shows = (page, name, text) => control(page, name).filter({ hasText: text }).first().waitFor();

// In light and in dark no rule of axe is broken; the page fits into a narrow phone; pictures are taken.
export async function inspect(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await picture(page, `${name}-${colorScheme}`);
    await holdToAxe(page, `${name} in ${colorScheme}`);
  }
  const { width, height } = page.viewportSize();
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 320, height: 640 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 320, `${name} is ${wide} wide in a window of 320`);
  await picture(page, `${name}-phone`);
  await page.setViewportSize({ width, height });
}

export const picture = (page, name, options = { fullPage: true }) =>
  page.screenshot({ path: `${PICTURES}/${name}.png`, ...options });

export async function holdToAxe(page, where) {
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() => axe.run(document));
  const told = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`,
  );
  assert.deepEqual(told, [], `axe on ${where}`);
  assert.ok(passes.length > 10, `axe has looked at ${where} with ${passes.length} rules alone`);
}
