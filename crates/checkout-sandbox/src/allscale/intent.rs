//! The sandbox's record of a checkout intent, and the fields of the intent in the reply of each route.

use std::borrow::Cow;
use std::time::Duration;

use checkout_tables::Moment;
use checkout_tables::allscale::{Currency, StableCoin};

use super::act::Act;
use super::course::{CREATED, Course};
use super::create::{DECIMALS, Order, Price, Terms, decimal};
use super::scenario::Scenario;
use crate::clock::first_moment;
use crate::generator::Generator;
use crate::json::Json;

/// A checkout intent as a test sees the intent, from behind the counter.
///
/// ```
/// use checkout_sandbox::allscale::Sandbox;
///
/// assert!(Sandbox::new(1).intents().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntentRecord {
    /// The intent's id: 24 hexadecimal digits in lower case.
    pub id: String,
    /// The `order_id` of the request, if the request had an `order_id`.
    pub order_id: Option<String>,
    /// The status now, by the scenario, the acts and the clock.
    pub status: i64,
    /// The time of creation.
    pub created_at: Moment,
    /// The time of the change to the current status.
    pub changed_at: Moment,
    /// The name of the scenario that the intent began with.
    pub scenario: String,
    /// The price in hundredths of the currency, or of the coin if there is no currency.
    pub amount_cents: i64,
    /// The code of the currency of the price. `None` if the price is in the coin.
    pub currency: Option<String>,
    /// The price in coins, with four decimals.
    pub amount_coins: String,
    /// The code of the coin.
    pub coin: String,
}

#[derive(Clone, Debug)]
pub(super) struct Intent {
    pub(super) id: String,
    /// The number of the store that created the intent.
    pub(super) store: usize,
    seed: u64,
    order: Order,
    terms: Terms,
    /// The name of the scenario.
    scenario: Cow<'static, str>,
    course: Course,
    created_at: Moment,
    /// True if the test has taken the intent's webhook.
    is_taken: bool,
}

impl Intent {
    pub(super) fn order_id(&self) -> Option<&str> {
        self.order.order_id.as_deref()
    }

    pub(super) fn new(
        store: usize,
        order: Order,
        terms: Terms,
        scenario: Scenario,
        now: Moment,
        generator: &mut Generator,
    ) -> Self {
        // An ObjectId begins with the time of creation in seconds, in 32 bits.
        let id = format!("{:08x}{}", now.unix_seconds() & 0xffff_ffff, generator.hex(16));
        let seed = generator.number();
        let (scenario, course) = (Cow::Owned(scenario.name().to_owned()), scenario.course());
        Self { id, store, seed, order, terms, scenario, course, created_at: now, is_taken: false }
    }

    pub(super) fn status(&self, now: Moment) -> i64 {
        self.course.status_at(self.age(now))
    }

    pub(super) fn record(&self, now: Moment) -> IntentRecord {
        let since = self.course.changed_at(self.age(now));
        IntentRecord {
            id: self.id.clone(),
            order_id: self.order.order_id.clone(),
            status: self.status(now),
            created_at: self.created_at,
            changed_at: self.created_at.saturating_add(since),
            scenario: self.scenario.clone().into_owned(),
            amount_cents: self.order.amount_cents,
            currency: self.currency().map(|currency| currency.code().to_owned()),
            amount_coins: decimal(self.terms.amount, DECIMALS),
            coin: self.terms.coin.code().to_owned(),
        }
    }

    /// The statuses that have come, each with its time, in order.
    pub(super) fn history(&self, now: Moment) -> Vec<(Moment, i64)> {
        let reached = self.course.reached(self.age(now)).iter();
        let later = reached.map(|(at, status)| (self.created_at.saturating_add(*at), *status));
        [(self.created_at, CREATED)].into_iter().chain(later).collect()
    }

    /// The address that the payer comes back to.
    pub(super) fn return_url(&self) -> Option<&str> {
        self.order.redirect_url.as_ref().map(|url| &*url.0)
    }

    /// True if the act is possible now.
    pub(super) fn may_act(&self, act: Act, now: Moment) -> bool {
        self.course.may_act(act, self.age(now))
    }

    /// Takes the intent off the scenario. False, and nothing happens, if the act is not possible now.
    pub(super) fn act(&mut self, act: Act, now: Moment) -> bool {
        let age = self.age(now);
        self.course.act(act, age)
    }

    /// The time of the next change after now.
    pub(super) fn next_change(&self, now: Moment) -> Option<Moment> {
        first_moment(self.created_at, self.course.next_after(self.age(now))?)
    }

    /// The time of the first confirmation, past or to come.
    pub(super) fn confirmed_at(&self) -> Option<Moment> {
        first_moment(self.created_at, self.course.confirmed_at()?)
    }

    /// The time of the webhook that the test has not taken, past or to come.
    pub(super) fn next_to_take(&self) -> Option<Moment> {
        self.confirmed_at().filter(|_| !self.is_taken)
    }

    /// Notes that the test has taken the webhook.
    pub(super) fn take(&mut self) {
        self.is_taken = true;
    }

    /// The bitmask of the accepted coins.
    pub(super) const fn accepted_flags(&self) -> i64 {
        self.terms.accepted_flags
    }

    /// The payload of create's reply. An intent from before there were several coins has no flags.
    pub(super) fn created(&self, id_name: &str, flags: Option<i64>, pages: Option<&str>) -> Json {
        let flags = flags.map_or(Json::Null, Json::Int);
        let page = match pages {
            Some(base) => format!("{base}/{}", self.id),
            None => format!("https://checkout.allscale.io/{}", self.derived(URL, 12)),
        };
        Json::object([
            ("checkout_url", Json::Text(page)),
            (id_name, Json::text(&self.id)),
            ("amount_coins", Json::text(decimal(self.terms.amount, DECIMALS))),
            ("stable_coin_type", Json::Int(i64::from(self.terms.coin.value()))),
            ("rate", Json::text_or_null(self.terms.rate.as_deref())),
            ("accepted_stable_coins", flags),
        ])
    }

    /// The payload of get's reply: the fields of the page's table, in the order of the table.
    pub(super) fn whole(&self, id_name: &str, now: Moment, tampered_status: Option<i64>) -> Json {
        let stage = self.course.stage_at(self.age(now));
        let currency = self.currency();
        let coin = self.terms.coin;
        let paid = self.course.paid_of(self.terms.amount);
        let fee = paid * FEE_PERMILLE / 1000;
        let when = |is: bool, value: Json| if is { value } else { Json::Null };
        let amount = |units| Json::text(decimal(units, DECIMALS));
        let address = |what| Json::text(self.address(what));
        let transaction = |what| Json::text(self.transaction(what));
        let order = &self.order;
        Json::object([
            (id_name, Json::text(&self.id)),
            ("currency", currency.map_or(Json::Null, |fiat| Json::Int(i64::from(fiat.value())))),
            ("currency_symbol", Json::text_or_null(currency.map(Currency::code))),
            ("amount_cents", when(currency.is_some(), Json::Int(order.amount_cents))),
            ("chain_id", when(stage.paid, Json::Int(CHAIN_ID))),
            ("amount_coins", amount(self.terms.amount)),
            ("coin_symbol", Json::text(coin.code())),
            ("coin_contract", when(stage.paid, Json::text(coin_contract(coin)))),
            ("currency_rate", Json::text_or_null(self.terms.rate.as_deref())),
            ("status", Json::Int(tampered_status.unwrap_or(stage.status))),
            ("order_id", Json::text_or_null(order.order_id.as_deref())),
            ("order_description", Json::text_or_null(order.order_description.as_deref())),
            ("user_id", Json::text_or_null(order.user_id.as_deref())),
            ("user_name", Json::text_or_null(order.user_name.as_deref())),
            ("error_message", Json::text_or_null(error_message(stage.status))),
            ("tx_hash", when(stage.paid, transaction(TX_HASH))),
            ("tx_hash_2", when(stage.settled, transaction(TX_HASH_2))),
            ("tx_from", when(stage.paid, address(TX_FROM))),
            ("tx_to", address(TX_TO)),
            ("actual_paid_amount", when(stage.paid, amount(paid))),
            ("service_fee_amount", when(stage.settled, amount(fee))),
            ("net_income_amount", when(stage.settled, amount(paid - fee))),
            ("payment_method_type", Json::Int(if stage.paid { self.payment_method() } else { 0 })),
        ])
    }

    /// The body of the webhook: the fields of the guide's table, in the order of the table.
    ///
    /// Assumed: `amount_coins` is the price in coins, as in get's reply, and the metadata come back as the
    /// same JSON in another spelling.
    pub(super) fn webhook_body(&self, transaction_id: &str, webhook_id: &str) -> Json {
        let (order, coin, currency) = (&self.order, self.terms.coin, self.currency());
        let fiat = |value: Json| if currency.is_some() { value } else { Json::Null };
        let extra = order.extra.as_ref().map_or(Json::Null, |extra| Json::Raw(extra.to_string()));
        Json::object([
            ("all_scale_transaction_id", Json::text(transaction_id)),
            ("all_scale_checkout_intent_id", Json::text(&self.id)),
            ("webhook_id", Json::text(webhook_id)),
            ("amount_cents", fiat(Json::Int(order.amount_cents))),
            ("currency", currency.map_or(Json::Null, |fiat| Json::Int(i64::from(fiat.value())))),
            ("currency_symbol", Json::text_or_null(currency.map(Currency::code))),
            ("amount_coins", Json::text(decimal(self.terms.amount, DECIMALS))),
            ("coin_symbol", Json::text(coin.code())),
            ("coin_contract_address", Json::text(coin_contract(coin))),
            ("chain_id", Json::Int(CHAIN_ID)),
            ("tx_hash", Json::text(self.transaction(TX_HASH))),
            ("tx_from", Json::text(self.address(TX_FROM))),
            ("payment_method_type", Json::Int(self.payment_method())),
            ("order_id", Json::text_or_null(order.order_id.as_deref())),
            ("user_id", Json::text_or_null(order.user_id.as_deref())),
            ("user_name", Json::text_or_null(order.user_name.as_deref())),
            ("extra_obj", extra),
        ])
    }

    /// The id of the transaction. An intent has one transaction that is confirmed.
    pub(super) fn transaction_id(&self) -> String {
        format!("txn_{}", self.derived(TRANSACTION_ID, 24))
    }

    pub(super) fn webhook_id(&self) -> String {
        format!("wh_{}", self.derived(WEBHOOK_ID, 24))
    }

    /// The seed of the nonces of the webhook's deliveries.
    pub(super) fn webhook_seed(&self) -> u64 {
        Generator::new(self.seed.wrapping_add(NONCES)).number()
    }

    /// The same intent at a tenth of its price.
    pub(super) fn at_a_tenth(mut self) -> Self {
        self.order.amount_cents /= 10;
        self.terms.amount /= 10;
        self
    }

    /// The same intent, settled in another coin.
    pub(super) fn settled_in(mut self, coin: i64) -> Self {
        self.terms.coin = StableCoin::from_value(coin).unwrap_or(self.terms.coin);
        self
    }

    /// An intent of somebody else's that nobody created, at another status and with twice the amount.
    pub(super) fn made_up_other(mut self, now: Moment) -> Self {
        let status = if self.status(now) == 20 { 2 } else { 20 };
        self.id = Generator::new(!self.seed).hex(24);
        self.seed = !self.seed;
        self.order.order_id = Some("order_of_somebody_else".to_owned());
        self.order.amount_cents = self.order.amount_cents.saturating_mul(2);
        self.terms.amount = self.terms.amount.saturating_mul(2);
        self.course = Course::new(&[(Duration::ZERO, status)], 1000);
        self
    }

    fn age(&self, now: Moment) -> Duration {
        now.saturating_since(self.created_at)
    }

    fn currency(&self) -> Option<Currency> {
        match self.order.price {
            Price::Fiat(currency) => Some(currency),
            Price::Native(_) => None,
        }
    }

    fn address(&self, purpose: u64) -> String {
        format!("0x{}", self.derived(purpose, 40))
    }

    fn transaction(&self, purpose: u64) -> String {
        format!("0x{}", self.derived(purpose, 64))
    }

    /// The digits for one purpose of this intent, the same in every call.
    fn derived(&self, purpose: u64, digits: usize) -> String {
        Generator::new(self.seed.wrapping_add(purpose)).hex(digits)
    }

    /// The method of payment: a wallet's scan (1), a wallet connected (2), or AllScale Pay (3).
    fn payment_method(&self) -> i64 {
        match self.seed % 3 {
            0 => 1,
            1 => 2,
            _ => 3,
        }
    }
}

/// The message for every status below zero that the page names. Assumed: in words of ours.
fn error_message(status: i64) -> Option<&'static str> {
    match status {
        -1 => Some("the payment could not be processed"),
        -2 => Some("rejected by the checks of the transaction"),
        -3 => Some("paid less than required"),
        -4 => Some("canceled by the user"),
        -5 => Some("expired"),
        _ => None,
    }
}

/// The address of a coin, the same in every sandbox. No contract has the address.
fn coin_contract(coin: StableCoin) -> String {
    format!("0x{:040x}", 0xc01_0000 + u32::from(coin.value()))
}

/// The EIP-155 number of Sepolia, a test network.
const CHAIN_ID: i64 = 11_155_111;

/// The fee, half a per cent. Assumed: no page of the API tells the fee.
const FEE_PERMILLE: i128 = 5;

// The purposes of the runs of derived digits.
const URL: u64 = 1;
const TX_HASH: u64 = 2;
const TX_HASH_2: u64 = 3;
const TX_FROM: u64 = 4;
const TX_TO: u64 = 5;
const TRANSACTION_ID: u64 = 6;
const WEBHOOK_ID: u64 = 7;
const NONCES: u64 = 8;
