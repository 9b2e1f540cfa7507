"""Adds checkouts by psycopg in transactions of its own, and says what holds.

The database of CHECKOUT_TEST_POSTGRES has the schema that CHECKOUT_SCHEMA names, or else `checkout`, and no other
program uses the schema meanwhile.
"""

import os
import sys

import psycopg
from psycopg import sql

passed = failed = 0
schema = os.environ.get("CHECKOUT_SCHEMA", "checkout")


def check(what, holds, seen=""):
    global passed, failed
    if holds:
        passed += 1
        print("ok    ", what)
    else:
        failed += 1
        print("FAILED", what, seen)


def of(text):
    """The statement for the schema."""
    return sql.SQL(text.replace("checkout.", "{schema}.")).format(schema=sql.Identifier(schema))


WATCH = of("SELECT checkout.watch(%s, %s, %s, %s, %s, %s)")


def order(number):
    """The arguments of the function, for an order of this run."""
    name = f"psycopg-{os.getpid()}-{number}"
    return (name, "peach", "shop", "sandbox", f"{name}-reference", f"{name}-id")


def seen(connection, number):
    """How many rows and works of an order another connection sees."""
    name = order(number)[0]
    rows = connection.execute(of("SELECT count(*) FROM checkout.overview WHERE id = %s"), [name]).fetchone()[0]
    work = connection.execute(of("SELECT count(*) FROM checkout.due WHERE id = %s"), [name]).fetchone()[0]
    return rows, work


def watch(connection, number, **how):
    return connection.execute(WATCH, order(number), **how).fetchone()[0]


url = os.environ.get("CHECKOUT_TEST_POSTGRES") or sys.exit("CHECKOUT_TEST_POSTGRES names no server")
with psycopg.connect(url) as shop, psycopg.connect(url, autocommit=True) as other:
    added = watch(shop, 1)
    check("the function adds a checkout", added is True, added)
    check("nobody sees it before the commit", seen(other, 1) == (0, 0), seen(other, 1))
    shop.rollback()
    check("a rollback leaves nothing", seen(other, 1) == (0, 0), seen(other, 1))

    try:
        with shop.transaction():
            watch(shop, 1)
            raise RuntimeError("the shop's own trouble")
    except RuntimeError:
        pass
    check("a transaction that an error ends leaves nothing", seen(other, 1) == (0, 0), seen(other, 1))

    with shop.transaction():
        added = watch(shop, 1)
    check("what was undone can be added", added is True, added)
    check("a commit is seen, with its work", seen(other, 1) == (1, 1), seen(other, 1))

    with shop.transaction():
        again = watch(shop, 1)
    check("the same again adds nothing", again is False and seen(other, 1) == (1, 1), (again, seen(other, 1)))

    # A statement that the server keeps under a name.
    with shop.transaction():
        added = [watch(shop, number, prepare=True) for number in (2, 3)]
    check("prepared statements add", added == [True, True], added)
    check("a commit of several is seen", (seen(other, 2), seen(other, 3)) == ((1, 1), (1, 1)))

    try:
        with shop.transaction():
            watch(shop, 4)
            shop.execute(WATCH, ("psycopg-bad", "nobody", "shop", "sandbox", "r", "i"))
        refused = None
    except psycopg.errors.CheckViolation as error:
        refused = error
    check("a provider that is none is refused", refused is not None)
    check("the refusal undoes the transaction", seen(other, 4) == (0, 0), seen(other, 4))

print(f"\n{passed} passed, {failed} failed")
sys.exit(0 if passed and not failed else 1)
