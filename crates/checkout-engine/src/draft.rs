//! Checked requests, and their form in a store.

use checkout_money::Cents;
use checkout_tables::allscale::{Currency, StableCoin};
use checkout_tables::azotte::PaymentChannel;
use checkout_tables::peach::{self, PaymentType, RecurringType};
use checkout_tables::peach::{StandingInstructionMode, StandingInstructionSource, StandingInstructionType};
use checkout_validate::azotte::{ItemDraft, PaymentMethod, SubmitCheckout};
use checkout_validate::peach::{InitiateCheckout, StandingInstruction};
use checkout_validate::{allscale, azotte};
use core::fmt;
use serde::{Deserialize, Serialize};

/// A checked request for a checkout of any provider.
///
/// ```
/// # checkout_doctest::facade!(engine);
/// use checkout_kit::Cents;
/// use checkout_kit::allscale;
/// use checkout_kit::engine::Draft;
///
/// let intent = allscale::Draft::fiat(allscale::Currency::EUR, Cents::new(49_90)).order_id("order_1");
/// let draft = Draft::from(intent.check()?);
/// assert_eq!(draft.reference(), Some("order_1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Draft {
    /// For AllScale.
    AllScale(allscale::CreateIntent<'static>),
    /// For Azotte.
    Azotte(SubmitCheckout<'static>),
    /// For Peach, by V2 where the merchant has a client of V2.
    Peach(Box<InitiateCheckout<'static>>),
}

impl Draft {
    /// The id by which the provider names the checkout: `order_id`, `correlationId` or
    /// `merchantTransactionId`. None for a draft for AllScale without an `order_id`.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::AllScale(draft) => draft.order_id(),
            Self::Azotte(draft) => Some(draft.correlation_id()),
            Self::Peach(draft) => Some(draft.merchant_transaction_id()),
        }
    }
}

impl From<allscale::CreateIntent<'_>> for Draft {
    fn from(draft: allscale::CreateIntent<'_>) -> Self {
        Self::AllScale(draft.into_owned())
    }
}

impl From<SubmitCheckout<'_>> for Draft {
    fn from(draft: SubmitCheckout<'_>) -> Self {
        Self::Azotte(draft.into_owned())
    }
}

impl From<InitiateCheckout<'_>> for Draft {
    fn from(draft: InitiateCheckout<'_>) -> Self {
        Self::Peach(Box::new(draft.into_owned()))
    }
}

/// A draft in the store, from the save before the send until the create is done. Never a card.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoredDraft {
    AllScale(StoredIntent),
    Azotte(StoredSubmit),
    Peach(Vec<(String, String)>),
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredIntent {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coin: Option<String>,
    cents: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redirect_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extra: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<Vec<String>>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredSubmit {
    offer_identifier: String,
    correlation_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    installment_identifier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reseller_id: Option<i64>,
    items: Vec<StoredItem>,
    customer_urn: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ip_address: Option<String>,
    channel: String,
    stored_method: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider_identifier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    store_method: Option<bool>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredItem {
    identifier: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    quantity: u32,
}

impl fmt::Debug for StoredDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredDraft").finish_non_exhaustive()
    }
}

/// The reason why a stored draft is no draft any more.
pub(crate) type Unreadable = &'static str;

impl StoredDraft {
    /// None for a draft with a card, which is never stored.
    pub(crate) fn of(draft: &Draft) -> Option<Self> {
        Some(match draft {
            Draft::AllScale(draft) => Self::AllScale(StoredIntent::of(draft)),
            Draft::Azotte(draft) => Self::Azotte(StoredSubmit::of(draft)?),
            Draft::Peach(draft) => {
                let pairs = draft.pairs().map(|(name, value)| (name.to_owned(), value.to_owned()));
                Self::Peach(pairs.collect())
            }
        })
    }

    pub(crate) fn draft(&self) -> Result<Draft, Unreadable> {
        match self {
            Self::AllScale(stored) => stored.draft().map(Draft::AllScale),
            Self::Azotte(stored) => stored.draft().map(Draft::Azotte),
            Self::Peach(pairs) => initiate(pairs).map(|draft| Draft::Peach(Box::new(draft))),
        }
    }
}

impl StoredIntent {
    fn of(draft: &allscale::CreateIntent<'_>) -> Self {
        let (currency, coin, amount) = match draft.price() {
            allscale::Price::Fiat { currency, amount } => (Some(currency), None, amount),
            allscale::Price::Coin { coin, amount } => (None, Some(coin), amount),
        };
        let text = |text: Option<&str>| text.map(str::to_owned);
        Self {
            currency: currency.map(|currency| currency.code().to_owned()),
            coin: coin.map(|coin| coin.code().to_owned()),
            cents: amount.get(),
            order_id: text(draft.order_id()),
            order_description: text(draft.order_description()),
            user_id: text(draft.user_id()),
            user_name: text(draft.user_name()),
            redirect_url: text(draft.redirect_url()),
            extra: text(draft.extra()),
            accepted: draft.accepted().map(|coins| coins.iter().map(|coin| coin.code().to_owned()).collect()),
        }
    }

    fn draft(&self) -> Result<allscale::CreateIntent<'static>, Unreadable> {
        let amount = Cents::new(self.cents);
        let coin = |code: &String| StableCoin::from_code(code).ok_or("coin");
        let mut draft = match (&self.currency, &self.coin) {
            (Some(code), None) => allscale::Draft::fiat(Currency::from_code(code).ok_or("currency")?, amount),
            (None, Some(code)) => allscale::Draft::coin(coin(code)?, amount),
            (Some(_), Some(_)) | (None, None) => return Err("price"),
        };
        if let Some(id) = &self.order_id {
            draft = draft.order_id(id.clone());
        }
        if let Some(text) = &self.order_description {
            draft = draft.order_description(text.clone());
        }
        if let Some(id) = &self.user_id {
            draft = draft.user_id(id.clone());
        }
        if let Some(name) = &self.user_name {
            draft = draft.user_name(name.clone());
        }
        if let Some(url) = &self.redirect_url {
            draft = draft.redirect_url(url.clone());
        }
        if let Some(json) = &self.extra {
            draft = draft.extra(json.clone());
        }
        if let Some(coins) = &self.accepted {
            draft = draft.accept(coins.iter().map(coin).collect::<Result<Vec<_>, _>>()?);
        }
        draft.check().map_err(|_| "draft")
    }
}

impl StoredSubmit {
    fn of(draft: &SubmitCheckout<'_>) -> Option<Self> {
        let stored_method = match draft.payment_method() {
            PaymentMethod::StoredMethod { .. } => true,
            PaymentMethod::Other { .. } => false,
            PaymentMethod::NewCard(_) => return None,
        };
        let text = |text: Option<&str>| text.map(str::to_owned);
        Some(Self {
            offer_identifier: draft.offer_identifier().to_owned(),
            correlation_id: draft.correlation_id().to_owned(),
            installment_identifier: text(draft.installment_identifier()),
            reseller_id: draft.reseller_id(),
            items: draft
                .items()
                .iter()
                .map(|item| StoredItem {
                    identifier: item.item_identifier().to_owned(),
                    parent: text(item.parent_item_identifier()),
                    quantity: item.quantity().get(),
                })
                .collect(),
            customer_urn: draft.customer_urn().to_owned(),
            ip_address: text(draft.ip_address()),
            channel: draft.payment_method().channel().code().to_owned(),
            stored_method,
            provider_identifier: text(draft.provider_identifier()),
            store_method: draft.store_method_success_payment(),
        })
    }

    fn draft(&self) -> Result<SubmitCheckout<'static>, Unreadable> {
        let channel = PaymentChannel::from_code(&self.channel).ok_or("channel")?;
        let draft = match self.stored_method {
            true => azotte::Draft::stored_method(channel),
            false => azotte::Draft::other(channel),
        };
        let mut draft = draft
            .offer_identifier(self.offer_identifier.clone())
            .correlation_id(self.correlation_id.clone())
            .customer_urn(self.customer_urn.clone());
        if let Some(plan) = &self.installment_identifier {
            draft = draft.installment_identifier(plan.clone());
        }
        if let Some(reseller) = self.reseller_id {
            draft = draft.reseller_id(reseller);
        }
        for item in &self.items {
            let mut one = ItemDraft::new(item.identifier.clone()).quantity(item.quantity);
            if let Some(parent) = &item.parent {
                one = one.parent(parent.clone());
            }
            draft = draft.item(one);
        }
        if let Some(address) = &self.ip_address {
            draft = draft.ip_address(address.clone());
        }
        if let Some(provider) = &self.provider_identifier {
            draft = draft.provider_identifier(provider.clone());
        }
        if let Some(store) = self.store_method {
            draft = draft.store_method_success_payment(store);
        }
        draft.check().map_err(|_| "draft")
    }
}

type Setter =
    fn(checkout_validate::peach::Draft<'static>, String) -> checkout_validate::peach::Draft<'static>;

/// The draft of the parameters that a request to Peach has.
fn initiate(pairs: &[(String, String)]) -> Result<InitiateCheckout<'static>, Unreadable> {
    let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let truth = |name: &str| match get(name).as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err("truth value"),
    };
    let currency = peach::Currency::from_code(&get("currency").ok_or("currency")?).ok_or("currency")?;
    let amount = get("amount").ok_or("amount")?;
    let kind = PaymentType::from_code(&get("paymentType").ok_or("paymentType")?).ok_or("paymentType")?;
    use checkout_validate::peach::Draft;
    let mut draft = if kind == PaymentType::PA {
        Draft::preauthorization(currency, amount)
    } else {
        Draft::debit(currency, amount)
    };
    let setters: [(&str, Setter); 7] = [
        ("authentication.entityId", |draft, text| draft.entity_id(text)),
        ("merchantTransactionId", |draft, text| draft.merchant_transaction_id(text)),
        ("shopperResultUrl", |draft, text| draft.shopper_result_url(text)),
        ("defaultPaymentMethod", |draft, text| draft.default_payment_method(text)),
        ("merchantInvoiceId", |draft, text| draft.merchant_invoice_id(text)),
        ("cancelUrl", |draft, text| draft.cancel_url(text)),
        ("notificationUrl", |draft, text| draft.notification_url(text)),
    ];
    for (name, set) in setters {
        if let Some(text) = get(name) {
            draft = set(draft, text);
        }
    }
    if let Some(force) = truth("forceDefaultMethod")? {
        draft = draft.force_default_method(force);
    }
    if let Some(create) = truth("createRegistration")? {
        draft = draft.create_registration(create);
    }
    if let Some(allow) = truth("allowStoringDetails")? {
        draft = draft.allow_storing_details(allow);
    }
    for token in get("cardTokens").iter().flat_map(|tokens| tokens.split(',')) {
        draft = draft.card_token(token.to_owned());
    }
    if let Some(instruction) = standing_instruction(&get)? {
        draft = draft.standing_instruction(instruction);
    }
    for (name, value) in pairs {
        if let Some(name) = name.strip_prefix("customParameters[").and_then(|name| name.strip_suffix(']')) {
            draft = draft.custom_parameter(name.to_owned(), value.clone());
        } else if ["customer.", "billing.", "shipping.", "cart."].iter().any(|group| name.starts_with(group))
        {
            draft = draft.field(name.clone(), value.clone());
        }
    }
    draft.check().map_err(|_| "draft")
}

fn standing_instruction(
    get: &impl Fn(&str) -> Option<String>,
) -> Result<Option<StandingInstruction<'static>>, Unreadable> {
    const WRONG: &str = "standingInstruction";
    let (Some(mode), Some(kind)) = (get("standingInstruction.mode"), get("standingInstruction.type")) else {
        return Ok(None);
    };
    let mode = StandingInstructionMode::from_code(&mode).ok_or(WRONG)?;
    let kind = StandingInstructionType::from_code(&kind).ok_or(WRONG)?;
    let mut instruction = StandingInstruction::new(mode, kind);
    if let Some(source) = get("standingInstruction.source") {
        instruction = instruction.source(StandingInstructionSource::from_code(&source).ok_or(WRONG)?);
    }
    if let Some(kind) = get("standingInstruction.recurringType") {
        instruction = instruction.recurring_type(RecurringType::from_code(&kind).ok_or(WRONG)?);
    }
    if let Some(days) = get("standingInstruction.frequency") {
        instruction = instruction.frequency(days.parse().map_err(|_| WRONG)?);
    }
    if let Some(day) = get("standingInstruction.expiry") {
        instruction = instruction.expiry(day);
    }
    Ok(Some(instruction))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    /// The same draft comes out of the stored text, by the pairs or the body that the provider gets.
    fn round(draft: &Draft) -> Result<Draft, Box<dyn std::error::Error>> {
        let stored = StoredDraft::of(draft).ok_or("a card")?;
        let text = serde_json::to_string(&stored)?;
        Ok(serde_json::from_str::<StoredDraft>(&text)?.draft()?)
    }

    #[test]
    fn an_intent_with_every_field_comes_back() -> Outcome {
        let drafts = [
            allscale::Draft::fiat(Currency::JPY, Cents::new(49_90))
                .order_id("o-1")
                .order_description("two\ncups \"blue\"")
                .user("u", "Zoë")
                .redirect_url("https://shop.example/?a=1&b=2")
                .extra(r#"{"a": 1.50}"#)
                .accept([StableCoin::USDC, StableCoin::USDT]),
            allscale::Draft::coin(StableCoin::USDT, Cents::new(11)),
        ];
        for draft in drafts {
            let intent = draft.check()?;
            let Draft::AllScale(back) = round(&Draft::from(intent.clone()))? else { panic!() };
            assert_eq!(
                checkout_wire::allscale::create_body(&back),
                checkout_wire::allscale::create_body(&intent)
            );
        }
        Ok(())
    }

    #[test]
    fn a_submit_with_every_field_comes_back() -> Outcome {
        let draft = azotte::Draft::stored_method(PaymentChannel::CreditCard)
            .offer_identifier("off_1")
            .correlation_id("c-1")
            .installment_identifier("plan")
            .reseller_id(7)
            .item("gold")
            .item(ItemDraft::new("addon").parent("gold").quantity(3))
            .customer_urn("urn:customer:42")
            .ip_address("192.0.2.1")
            .provider_identifier("p")
            .store_method_success_payment(false)
            .check()?;
        let Draft::Azotte(back) = round(&Draft::from(draft.clone()))? else { panic!() };
        assert_eq!(checkout_wire::azotte::submit_body(&back), checkout_wire::azotte::submit_body(&draft));
        Ok(())
    }

    #[test]
    fn a_card_is_never_stored() -> Outcome {
        let card = azotte::CardDraft::new("4111111111111111", "12", "2031").cvc("123");
        let draft =
            azotte::Draft::new_card(card).offer_identifier("off_1").correlation_id("c-1").item("gold");
        let draft = Draft::from(draft.customer_urn("urn:customer:42").check()?);
        assert!(StoredDraft::of(&draft).is_none());
        Ok(())
    }

    #[test]
    fn a_checkout_of_peach_with_every_field_comes_back() -> Outcome {
        let instruction =
            StandingInstruction::new(StandingInstructionMode::Initial, StandingInstructionType::Recurring);
        let draft = checkout_validate::peach::Draft::debit(peach::Currency::ZAR, Cents::new(14_99))
            .entity_id("8ac7a4ca68c22c4d0168c2caab2e0025")
            .merchant_transaction_id("order0001")
            .shopper_result_url("https://shop.example/result")
            .default_payment_method("CARD")
            .force_default_method(true)
            .merchant_invoice_id("invoice-0001")
            .cancel_url("https://shop.example/cancel")
            .notification_url("https://shop.example/hook")
            .custom_parameter("colour", "blue")
            .field("customer.givenName", "Zoë")
            .allow_storing_details(true)
            .card_token("8ac7a4a1")
            .card_token("8ac7a4a2")
            .standing_instruction(
                instruction
                    .source(StandingInstructionSource::Cardholder)
                    .recurring_type(RecurringType::StandingOrder)
                    .frequency(30)
                    .expiry("2031-01-31"),
            )
            .check()?;
        let Draft::Peach(back) = round(&Draft::from(draft.clone()))? else { panic!() };
        assert!(back.pairs().eq(draft.pairs()));
        Ok(())
    }
}
