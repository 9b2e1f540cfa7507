//! An order that is paid with AllScale.

use super::findings::{Findings, Id};
use super::{Code, Field, Mismatch, Policy, Read, Remark, Settlement, Unit, Unproven};
use checkout_lifecycle::Status;
use checkout_money::{Cents, CoinAmount};
use checkout_tables::allscale::{Currency, StableCoin};
use checkout_tables::{Environment, Open};
use checkout_wire::Verbatim;
use checkout_wire::allscale::Intent;

/// What the shop has stored of an order that is paid with AllScale.
///
/// ```
/// use checkout_money::Cents;
/// use checkout_tables::{Environment, allscale::StableCoin};
/// use checkout_trust::settlement::{Field, Policy, Read, Unproven, allscale::{Order, Price}};
/// use checkout_wire::{Head, Reply, allscale};
///
/// let order = Order {
///     environment: Environment::Live,
///     id: "order_124",
///     intent_id: "65b2f3d0d2d9c0a1b2c3d4e5",
///     price: Price::Coin { coin: StableCoin::USDC, amount: Cents::new(10_00) },
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
/// assert!(settlement.unproven().eq([&Unproven::Missing(Field::ActualPaidAmount)]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order<'a> {
    /// Whether goods leave for it. AllScale tells live and test stores apart by their keys alone, so that
    /// this and the environment of the client are all there is to compare.
    pub environment: Environment,
    /// What the create was given as `order_id`.
    pub id: &'a str,
    /// The intent's id, from the answer to the create.
    pub intent_id: &'a str,
    /// The price.
    pub price: Price<'a>,
}

/// What an order costs: in a currency, or in a coin.
///
/// ```
/// use checkout_money::Cents;
/// use checkout_tables::allscale::StableCoin;
/// use checkout_trust::settlement::allscale::Price;
///
/// let price = Price::Coin { coin: StableCoin::USDT, amount: Cents::new(10_00) };
/// assert_eq!(price.owed().to_string(), "10.00");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price<'a> {
    /// In a fiat currency, which AllScale converts.
    Fiat {
        /// What the create was given as `currency`.
        currency: Currency,
        /// What the create was given as `amount_cents`: hundredths of the currency.
        amount: Cents,
        /// `amount_coins` of **the create's answer**: what is owed. It is not to be computed from a rate.
        /// Where that answer was lost it is what the first read says, once somebody has found that right.
        owed: CoinAmount,
        /// The coins that may be paid in: those that the create was given, else the one of its answer. With
        /// none of them nothing settles.
        accepted: &'a [StableCoin],
    },
    /// In a stable coin. What is owed is the price itself.
    Coin {
        /// What the create was given as `stable_coin`.
        coin: StableCoin,
        /// What the create was given as `amount_cents`: hundredths of the coin.
        amount: Cents,
    },
}

impl Price<'_> {
    /// What is owed, in coins.
    ///
    /// ```
    /// # use checkout_money::Cents;
    /// # use checkout_tables::allscale::{Currency, StableCoin};
    /// # use checkout_trust::settlement::allscale::Price;
    /// let (currency, amount) = (Currency::EUR, Cents::new(1_00));
    /// let price = Price::Fiat { currency, amount, owed: "1.0800".parse()?, accepted: &[StableCoin::USDT] };
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

impl Order<'_> {
    /// Whether a read of the whole intent settles the order: whether it is confirmed, is the order's own
    /// intent at the price and in a coin of the order's, and what is owed has come. What has come is
    /// `actual_paid_amount`, before the fee.
    ///
    /// Net income that is not what was paid less the fee is a [`Remark`]: it is between the merchant and
    /// AllScale, the payer has paid, and so it unsettles nothing. Where one of the three amounts is missing,
    /// or is no decimal text, there is nothing to compare.
    ///
    /// Of a price in a coin, `currency` and `currency_symbol` are null, and `amount_cents` is too or else
    /// agrees.
    ///
    /// AllScale's webhook carries no status, and a bare status no order: neither fits here. An amount that is
    /// owed or paid in another coin than the order's is compared by its number, beside
    /// [`Mismatch::WrongCoin`].
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
    /// merchant's.
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
            findings.unproven(Unproven::Missing(Field::OrderId));
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
            Some(paid) => findings.paid((Field::ActualPaidAmount, paid), owed, unit, policy),
            None => findings.unproven(Unproven::Missing(Field::ActualPaidAmount)),
        }
        net_income(intent, &mut findings);
        findings.settlement(policy)
    }

    /// The number must be there and agree, and the symbol must not say otherwise.
    fn currency(&self, intent: &Intent<'_>, findings: &mut Findings) {
        let asked = match self.price {
            Price::Fiat { currency, .. } => Some(currency),
            Price::Coin { .. } => None,
        };
        let symbol = intent.currency_symbol.as_ref().filter(|symbol| !symbol.text().is_empty());
        match (&intent.currency, symbol) {
            (Some(found), _) if found.known().is_none() || found.known() != asked => {
                findings.mismatch(Mismatch::WrongCurrency(Code::printed(found)));
            }
            // What a symbol looks like is not documented: one that is no code says nothing beside a number
            // that agrees.
            (Some(_), Some(found)) if found.known().is_none() => {}
            (_, Some(found)) if found.known().is_none() || found.known() != asked => {
                findings.mismatch(Mismatch::WrongCurrency(Code::of(found.text())));
            }
            (None, _) if asked.is_some() => findings.unproven(Unproven::Missing(Field::Currency)),
            _ => {}
        }
    }

    fn cents(&self, intent: &Intent<'_>, findings: &mut Findings) {
        let asked = self.price.amount();
        match (intent.amount_cents, self.price) {
            (Some(found), _) if found != asked => findings.mismatch(Mismatch::WrongPrice { asked, found }),
            (None, Price::Fiat { .. }) => findings.unproven(Unproven::Missing(Field::AmountCents)),
            (Some(_), _) | (None, Price::Coin { .. }) => {}
        }
    }

    /// The coin, if it is one that the order accepts.
    fn coin(&self, intent: &Intent<'_>, findings: &mut Findings) -> Option<Unit> {
        let symbol = intent.coin_symbol.as_ref().filter(|symbol| !symbol.text().is_empty());
        let Some(symbol) = symbol else {
            findings.unproven(Unproven::Missing(Field::CoinSymbol));
            return None;
        };
        let coin = symbol.known().filter(|coin| self.price.accepts(*coin));
        if coin.is_none() {
            findings.mismatch(Mismatch::WrongCoin(Code::of(symbol.text())));
        }
        coin.map(Unit::Coin)
    }
}

/// Net income is what was paid less the fee (Stated: GI-17).
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
