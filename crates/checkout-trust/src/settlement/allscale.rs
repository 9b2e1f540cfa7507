//! An order that is paid with AllScale.

use super::findings::{Findings, Id};
use super::{Code, Mismatch, Policy, Read, ReadField, Remark, Settlement, Unit, Unproven};
use checkout_lifecycle::Status;
use checkout_money::{Cents, CoinAmount};
use checkout_tables::allscale::{Currency, StableCoin};
use checkout_tables::{Environment, Open};
use checkout_validate::allscale::{self as validate, CreateIntent};
use checkout_wire::Verbatim;
use checkout_wire::allscale::{CreatedIntent, Intent};

/// The shop's stored data of an order that is paid with AllScale.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::allscale::StableCoin;
/// use checkout_kit::settlement::allscale::{Order, OrderPrice};
/// use checkout_kit::settlement::{Policy, Read, ReadField, Unproven};
/// use checkout_kit::wire::{Head, Reply, allscale};
/// use checkout_kit::{Cents, Environment};
///
/// let order = Order {
///     environment: Environment::Live,
///     id: "order_124",
///     intent_id: "65b2f3d0d2d9c0a1b2c3d4e5",
///     price: OrderPrice::Coin { coin: StableCoin::USDC, amount: Cents::new(10_00) },
/// };
/// let read = |paid: &str| {
///     let body = format!(
///         r#"{{"code":0,"payload":{{"all_scale_checkout_intent_id":"65b2f3d0d2d9c0a1b2c3d4e5","order_id":"order_124",
///             "amount_coins":"10.0000","coin_symbol":"USDC","status":20,"actual_paid_amount":{paid}}}}}"#
///     );
///     match allscale::read::<allscale::Intent>(&Head::new(200), body.as_bytes()) {
///         Ok(Reply::Done(answer)) => Read::answer(answer.payload.into_owned(), Environment::Live),
///         other => panic!("{other:?}"),
///     }
/// };
/// let policy = Policy::default();
/// assert_eq!(order.settled_by_with(&read(r#""10""#), &policy).to_string(), "settled");
/// assert_eq!(order.settled_by_with(&read(r#""10.5""#), &policy).to_string(), "settled, overpaid by 0.50 USDC");
/// let settlement = order.settled_by_with(&read("null"), &policy);
/// assert!(settlement.unproven().eq([&Unproven::Missing(ReadField::ActualPaidAmount)]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order<'a> {
    /// The environment of the order: goods leave for a live order only. AllScale tells live and test stores
    /// apart by their keys alone, so only this field and the client's environment can be compared.
    pub environment: Environment,
    /// The `order_id` of the create.
    pub id: &'a str,
    /// The intent's id, from the answer to the create.
    pub intent_id: &'a str,
    /// The price.
    pub price: OrderPrice<'a>,
}

/// The price of an order: in a currency, or in a coin.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::Cents;
/// use checkout_kit::allscale::StableCoin;
/// use checkout_kit::settlement::allscale::OrderPrice;
///
/// let price = OrderPrice::Coin { coin: StableCoin::USDT, amount: Cents::new(10_00) };
/// assert_eq!(price.owed().to_string(), "10.00");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderPrice<'a> {
    /// In a fiat currency, which AllScale converts.
    Fiat {
        /// The `currency` of the create.
        currency: Currency,
        /// The `amount_cents` of the create: hundredths of the currency.
        amount: Cents,
        /// `amount_coins` of **the create's answer**: the amount owed. Do not compute this amount from a
        /// rate. If the create's answer was lost, use the amount of the first read, once somebody has found
        /// that amount right.
        owed: CoinAmount,
        /// The accepted coins: those that the create was given, else the coin of the create's answer. With an
        /// empty list nothing settles.
        accepted: &'a [StableCoin],
    },
    /// In a stable coin. The amount owed is the price itself.
    Coin {
        /// The `stable_coin` of the create.
        coin: StableCoin,
        /// The `amount_cents` of the create: hundredths of the coin.
        amount: Cents,
    },
}

impl OrderPrice<'_> {
    /// Returns the amount owed, in coins.
    ///
    /// ```
    /// # use checkout_money::Cents;
    /// # use checkout_tables::allscale::{Currency, StableCoin};
    /// # use checkout_trust::settlement::allscale::OrderPrice;
    /// let (currency, amount) = (Currency::EUR, Cents::new(1_00));
    /// let price = OrderPrice::Fiat { currency, amount, owed: "1.0800".parse()?, accepted: &[StableCoin::USDT] };
    /// assert_eq!(price.owed().to_string(), "1.0800");
    /// # Ok::<(), checkout_money::ParseAmountError>(())
    /// ```
    #[must_use]
    pub const fn owed(&self) -> CoinAmount {
        match *self {
            Self::Fiat { owed, .. } => owed,
            Self::Coin { amount, .. } => CoinAmount::from_cents(amount),
        }
    }

    fn accepts(&self, coin: StableCoin) -> bool {
        match *self {
            Self::Fiat { accepted, .. } => accepted.contains(&coin),
            Self::Coin { coin: asked, .. } => coin == asked,
        }
    }

    const fn amount(&self) -> Cents {
        match *self {
            Self::Fiat { amount, .. } | Self::Coin { amount, .. } => amount,
        }
    }
}

impl<'a> Order<'a> {
    /// The order of a created intent: the draft's price and `order_id`, and the amount that the answer says
    /// is owed. None for a draft without an `order_id`, because that id tells the read from another order's.
    ///
    /// `environment` is the one that the goods leave for. Take it from the shop and not from the client: a
    /// client with a test key is told from a live one by this comparison alone.
    ///
    /// A draft that says no coins is paid in the coins of the answer: `accepted_stable_coins`, or else the
    /// settlement coin. An answer with an unknown coin and no mask accepts none, and no payment settles the
    /// order.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::allscale::{Currency, Draft, StableCoin};
    /// use checkout_kit::settlement::allscale::{Order, OrderPrice};
    /// use checkout_kit::wire::{Head, Reply, allscale};
    /// use checkout_kit::{Cents, Environment};
    ///
    /// let draft = Draft::fiat(Currency::EUR, Cents::new(49_90)).order_id("order_123").check()?;
    /// let body = br#"{"code":0,"payload":{"checkout_url":"https://pay.example/1",
    ///     "allscale_checkout_intent_id":"65b2","amount_coins":"49.9","stable_coin_type":1,"accepted_stable_coins":3}}"#;
    /// let Reply::Done(created) = allscale::read::<allscale::CreatedIntent>(&Head::new(200), body)? else { panic!() };
    /// let order = Order::of(Environment::Live, &draft, &created.payload).ok_or("no order id")?;
    /// let OrderPrice::Fiat { accepted, .. } = order.price else { panic!() };
    /// assert_eq!(accepted, [StableCoin::USDT, StableCoin::USDC]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of(
        environment: Environment,
        intent: &'a CreateIntent<'_>,
        created: &'a CreatedIntent<'_>,
    ) -> Option<Self> {
        let price = match intent.price() {
            validate::Price::Coin { coin, amount } => OrderPrice::Coin { coin, amount },
            validate::Price::Fiat { currency, amount, .. } => OrderPrice::Fiat {
                currency,
                amount,
                owed: created.amount_coins,
                accepted: intent.accepted().unwrap_or_else(|| accepted_by(created)),
            },
        };
        let intent_id = &*created.intent_id;
        intent.order_id().map(|id| Self { environment, id, intent_id, price })
    }
}

/// The coins that the store's own setting accepts. None where the answer has a coin that is not in the table.
fn accepted_by(created: &CreatedIntent<'_>) -> &'static [StableCoin] {
    let mask = created.accepted_stable_coins.as_ref().and_then(Verbatim::known);
    let has = |coin: StableCoin| match mask {
        Some(coins) if coins.unknown_bits() == 0 && !coins.is_empty() => {
            coins.iter().any(|other| other == coin)
        }
        Some(_) | None => created.stable_coin_type == Open::Known(coin),
    };
    match (has(StableCoin::USDT), has(StableCoin::USDC)) {
        (true, true) => &[StableCoin::USDT, StableCoin::USDC],
        (true, false) => &[StableCoin::USDT],
        (false, true) => &[StableCoin::USDC],
        (false, false) => &[],
    }
}

impl Order<'_> {
    /// Compares a read of the whole intent with the order. The read settles the order if the intent is
    /// confirmed, is the order's own intent at the price and in a coin of the order, and the amount owed has
    /// come. The amount that has come is `actual_paid_amount`, before the fee.
    ///
    /// Net income that differs from the amount paid less the fee is a [`Remark`]: the difference is between
    /// the merchant and AllScale, and the payer has paid, so the order stays settled. If one of the three
    /// amounts is missing, or is not decimal text, there is nothing to compare.
    ///
    /// For a price in a coin, `currency` and `currency_symbol` are null, and `amount_cents` is null or
    /// agrees.
    ///
    /// AllScale's webhook carries no status, and a bare status carries no order: neither fits here. An amount
    /// that is owed or paid in a coin other than the order's is compared by number, and the finding stands
    /// beside [`Mismatch::WrongCoin`].
    ///
    /// ```
    /// # use checkout_trust::settlement::{Read, allscale::Order};
    /// # use checkout_wire::allscale::Intent;
    /// fn may_ship(order: &Order<'_>, read: &Read<Intent<'_>>) -> bool {
    ///     order.settled_by(read).is_settled()
    /// }
    /// ```
    pub fn settled_by(&self, read: &Read<Intent<'_>>) -> Settlement {
        self.settled_by_with(read, &Policy::default())
    }

    /// Compares a read with the order as [`settled_by`](Self::settled_by) does, under a policy of the
    /// merchant.
    ///
    /// ```
    /// # use checkout_trust::settlement::{Overpaid, Policy, Read, allscale::Order};
    /// # use checkout_wire::allscale::Intent;
    /// fn may_ship(order: &Order<'_>, read: &Read<Intent<'_>>) -> bool {
    ///     let policy = Policy::default().overpaid(Overpaid::Hold);
    ///     order.settled_by_with(read, &policy).is_settled()
    /// }
    /// ```
    pub fn settled_by_with(&self, read: &Read<Intent<'_>>, policy: &Policy) -> Settlement {
        let intent = read.payload();
        let owed = self.price.owed();
        let mut findings = Findings::default();
        findings.price(owed > CoinAmount::ZERO && self.price.amount().is_positive());
        findings.environment(self.environment, read.environment() == Environment::Sandbox);
        if findings.id(self.id, intent.order_id.as_deref(), Mismatch::AnotherOrder) == Id::Missing {
            findings.unproven(Unproven::Missing(ReadField::OrderId));
        }
        if findings.id(self.intent_id, Some(&intent.intent_id), Mismatch::AnotherCheckout) == Id::Missing {
            findings.unproven(Unproven::Nameless);
        }
        self.currency(intent, &mut findings);
        self.cents(intent, &mut findings);
        if intent.amount_coins != owed {
            findings.mismatch(Mismatch::WrongOwed { asked: owed, found: intent.amount_coins });
        }
        let unit = self.coin(intent, &mut findings);
        match intent.status {
            Open::Known(status) => findings.phase(status.phase()),
            Open::Unknown(_) => {
                findings.unproven(Unproven::NoStatus(Some(Code::printed(&intent.status))));
            }
        }
        match intent.actual_paid_amount {
            Some(paid) => findings.paid((ReadField::ActualPaidAmount, paid), owed, unit, policy),
            None => findings.unproven(Unproven::Missing(ReadField::ActualPaidAmount)),
        }
        net_income(intent, &mut findings);
        findings.settlement(policy)
    }

    /// Checks the currency: the number must be present and agree, and the symbol must not contradict the
    /// number.
    fn currency(&self, intent: &Intent<'_>, findings: &mut Findings) {
        let asked = match self.price {
            OrderPrice::Fiat { currency, .. } => Some(currency),
            OrderPrice::Coin { .. } => None,
        };
        let symbol = intent.currency_symbol.as_ref().filter(|symbol| !symbol.text().is_empty());
        match (&intent.currency, symbol) {
            (Some(found), _) if found.known().is_none() || found.known() != asked => {
                findings.mismatch(Mismatch::WrongCurrency(Code::printed(found)));
            }
            // The form of a symbol is not documented: a symbol that is not a code proves nothing beside a
            // number that agrees.
            (Some(_), Some(found)) if found.known().is_none() => {}
            (_, Some(found)) if found.known().is_none() || found.known() != asked => {
                findings.mismatch(Mismatch::WrongCurrency(Code::of(found.text())));
            }
            (None, _) if asked.is_some() => findings.unproven(Unproven::Missing(ReadField::Currency)),
            _ => {}
        }
    }

    fn cents(&self, intent: &Intent<'_>, findings: &mut Findings) {
        let asked = self.price.amount();
        match (intent.amount_cents, self.price) {
            (Some(found), _) if found != asked => findings.mismatch(Mismatch::WrongPrice { asked, found }),
            (None, OrderPrice::Fiat { .. }) => findings.unproven(Unproven::Missing(ReadField::AmountCents)),
            (Some(_), _) | (None, OrderPrice::Coin { .. }) => {}
        }
    }

    /// Returns the coin, if the order accepts the coin.
    fn coin(&self, intent: &Intent<'_>, findings: &mut Findings) -> Option<Unit> {
        let symbol = intent.coin_symbol.as_ref().filter(|symbol| !symbol.text().is_empty());
        let Some(symbol) = symbol else {
            findings.unproven(Unproven::Missing(ReadField::CoinSymbol));
            return None;
        };
        let coin = symbol.known().filter(|coin| self.price.accepts(*coin));
        if coin.is_none() {
            findings.mismatch(Mismatch::WrongCoin(Code::of(symbol.text())));
        }
        coin.map(Unit::Coin)
    }
}

/// Checks that net income is the amount paid less the fee (Stated: GI-17).
fn net_income(intent: &Intent<'_>, findings: &mut Findings) {
    let known = |amount: &Option<Verbatim<'_, CoinAmount>>| amount.as_ref().and_then(Verbatim::known);
    let (fee, net) = (known(&intent.service_fee_amount), known(&intent.net_income_amount));
    let (Some(paid), Some(fee), Some(net)) = (intent.actual_paid_amount, fee, net) else { return };
    if paid.checked_sub(fee).is_ok_and(|left| left != net) {
        findings.remark(Remark::NetIncome { paid, fee, net });
    }
}

impl super::Order for Order<'_> {
    type Payload = Intent<'static>;

    fn settled_by_with(&self, read: &Read<Intent<'static>>, policy: &Policy) -> Settlement {
        Order::settled_by_with(self, read, policy)
    }
}
