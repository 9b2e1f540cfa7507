// Adds checkouts by node-postgres in transactions of its own, and says what holds.
//
// The database of CHECKOUT_TEST_POSTGRES has the schema that CHECKOUT_SCHEMA names, or else `checkout`, and no other
// program uses the schema meanwhile.

import { isDeepStrictEqual } from "node:util";
import pg from "pg";

let passed = 0;
let failed = 0;
const schema = pg.escapeIdentifier(process.env.CHECKOUT_SCHEMA ?? "checkout");

function check(what, seen, expected) {
  if (isDeepStrictEqual(seen, expected)) {
    passed += 1;
    console.log("ok    ", what);
  } else {
    failed += 1;
    console.log("FAILED", what, seen);
  }
}

/** The statement for the schema. */
const of = (text) => text.replaceAll("checkout.", `${schema}.`);

const WATCH = of("SELECT checkout.watch($1, $2, $3, $4, $5, $6) AS added");

/** The arguments of the function, for an order of this run. */
function order(number) {
  const name = `node-postgres-${process.pid}-${number}`;
  return [name, "peach", "shop", "sandbox", `${name}-reference`, `${name}-id`];
}

/** How many rows and works of an order another connection sees. */
async function seen(client, number) {
  const text = of(
    "SELECT (SELECT count(*) FROM checkout.overview WHERE id = $1)::int AS rows," +
      " (SELECT count(*) FROM checkout.due WHERE id = $1)::int AS work",
  );
  const { rows } = await client.query(text, [order(number)[0]]);
  return [rows[0].rows, rows[0].work];
}

async function watch(client, number, name) {
  const { rows } = await client.query({ name, text: WATCH, values: order(number) });
  return rows[0].added;
}

/** Acts in a transaction, and returns the error with which the transaction ended, if any. */
async function transaction(client, act) {
  await client.query("BEGIN");
  try {
    await act();
    await client.query("COMMIT");
    return undefined;
  } catch (error) {
    await client.query("ROLLBACK");
    return error;
  }
}

const connectionString = process.env.CHECKOUT_TEST_POSTGRES;
if (!connectionString) {
  console.error("CHECKOUT_TEST_POSTGRES names no server");
  process.exit(1);
}
const pool = new pg.Pool({ connectionString, max: 2 });
const shop = await pool.connect();
const other = await pool.connect();

await shop.query("BEGIN");
check("the function adds a checkout", await watch(shop, 1), true);
check("nobody sees it before the commit", await seen(other, 1), [0, 0]);
await shop.query("ROLLBACK");
check("a rollback leaves nothing", await seen(other, 1), [0, 0]);

const trouble = new Error("the shop's own trouble");
const ended = await transaction(shop, async () => {
  await watch(shop, 1);
  throw trouble;
});
check("an error ends a transaction", ended, trouble);
check("a transaction that an error ends leaves nothing", await seen(other, 1), [0, 0]);

let added;
check("a transaction is committed", await transaction(shop, async () => (added = await watch(shop, 1))), undefined);
check("what was undone can be added", added, true);
check("a commit is seen, with its work", await seen(other, 1), [1, 1]);

await transaction(shop, async () => (added = await watch(shop, 1)));
check("the same again adds nothing", [added, await seen(other, 1)], [false, [1, 1]]);

// A statement that the server keeps under a name.
const several = [];
await transaction(shop, async () => {
  for (const number of [2, 3]) several.push(await watch(shop, number, "watch"));
});
check("prepared statements add", several, [true, true]);
check("a commit of several is seen", [await seen(other, 2), await seen(other, 3)], [[1, 1], [1, 1]]);

const refused = await transaction(shop, async () => {
  await watch(shop, 4);
  await shop.query(WATCH, ["node-postgres-bad", "nobody", "shop", "sandbox", "r", "i"]);
});
check("a provider that is none is refused", refused?.code, "23514");
check("the refusal undoes the transaction", await seen(other, 4), [0, 0]);

shop.release();
other.release();
await pool.end();
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(passed > 0 && failed === 0 ? 0 : 1);
