//! The orders of the storm: which provider, which merchant, and how the payment goes.

use checkout_engine::{Draft, Provider};
use checkout_money::Cents;
use checkout_tables::allscale::Currency;
use checkout_tables::azotte::PaymentChannel;
use checkout_validate::{allscale, azotte, peach};

/// One order. Its number says everything, so that every process knows all orders.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) provider: Provider,
    pub(crate) merchant: usize,
    pub(crate) reference: String,
    /// The way of the payment, which the reference chooses.
    pub(crate) course: Course,
}

/// The way of a payment, from the sentence of the sandbox's scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// The payer pays the price or more: the order is settled.
    Paid,
    /// The payer pays less than the price: a person looks.
    Short,
    /// The payer pays nothing: the order fails.
    Unpaid,
}

use Course::{Paid, Short, Unpaid};

/// The scenarios that end within minutes, by their numbers.
const ALLSCALE: [(&str, Course); 8] = [
    ("happy", Paid),
    ("happy", Paid),
    ("happy", Paid),
    ("kyt_passed", Paid),
    ("underpaid", Short),
    ("overpaid", Paid),
    ("canceled", Unpaid),
    ("regression", Paid),
];
const AZOTTE: [(&str, Course); 7] = [
    ("happy", Paid),
    ("happy", Paid),
    ("three_ds_at_once", Paid),
    ("failed", Unpaid),
    ("done_at_once", Paid),
    ("unknown_code", Paid),
    ("failed_at_once", Unpaid),
];
/// Peach's references are short, so the number of the scenario stands for its name: happy,
/// `pending_then_successful`, cancelled, `declined_then_paid`.
const PEACH: [(&str, Course); 6] =
    [("01", Paid), ("01", Paid), ("01", Paid), ("02", Paid), ("03", Unpaid), ("08", Paid)];

/// So many merchants sell by all providers. The others sell by Peach alone, whose limit is the merchant's.
pub(crate) const SELLERS_OF_ALL: usize = 6;

impl Order {
    pub(crate) fn new(number: usize, merchants: usize) -> Self {
        let (provider, turn) = match number % 10 {
            0..=4 => (Provider::AllScale, number / 10 + number % 10),
            5..=7 => (Provider::Azotte, number / 10 + number % 10),
            8 => (Provider::Peach, number / 10),
            _ => (Provider::PeachV2, number / 10),
        };
        let scenarios = match provider {
            Provider::AllScale => &ALLSCALE[..],
            Provider::Azotte => &AZOTTE,
            Provider::Peach | Provider::PeachV2 | _ => &PEACH,
        };
        let (scenario, course) = scenarios.get(turn % scenarios.len()).copied().unwrap_or(("happy", Paid));
        let reference = match provider {
            Provider::AllScale | Provider::Azotte => format!("sandbox.{scenario}.{number}"),
            Provider::Peach | Provider::PeachV2 | _ => format!("sbxcase{scenario}{number:06}"),
        };
        // Every second merchant sells by Peach's V1, and the others by V2.
        let merchants = merchants.max(1);
        let merchant = match provider {
            Provider::Peach => turn * 2 % merchants,
            Provider::PeachV2 => (turn * 2 + 1) % merchants,
            Provider::AllScale | Provider::Azotte | _ => turn % merchants.min(SELLERS_OF_ALL),
        };
        Self { id: format!("order-{number:06}"), provider, merchant, reference, course }
    }

    pub(crate) fn draft(&self, entity_id: &str) -> Result<Draft, Box<dyn std::error::Error + Send + Sync>> {
        let reference = self.reference.clone();
        Ok(match self.provider {
            Provider::AllScale => {
                let draft = allscale::Draft::fiat(Currency::EUR, Cents::new(49_90)).order_id(reference);
                draft.check()?.into()
            }
            Provider::Azotte => {
                let draft = azotte::Draft::stored_method(PaymentChannel::CreditCard);
                let draft = draft.offer_identifier("off_1").correlation_id(reference).item("plan_gold");
                draft.customer_urn(format!("urn:customer:{}", self.id)).check()?.into()
            }
            Provider::Peach | Provider::PeachV2 | _ => {
                let currency = checkout_tables::peach::Currency::ZAR;
                let draft = peach::Draft::debit(currency, Cents::new(14_99)).entity_id(entity_id.to_owned());
                let draft = draft.merchant_transaction_id(reference);
                draft.shopper_result_url("https://shop.example/result").check()?.into()
            }
        })
    }

    /// The name of the merchant: Peach's V2 has merchants of its own.
    pub(crate) fn merchant_name(&self) -> String {
        match self.provider {
            Provider::PeachV2 => format!("v2-{}", self.merchant),
            Provider::AllScale | Provider::Azotte | Provider::Peach | _ => format!("m-{}", self.merchant),
        }
    }
}

/// The reference of the order that a request makes at a provider; none of a request that names no order.
pub(crate) fn reference_in(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let (_, from) =
        ["sandbox.", "sbxcase"].iter().find_map(|begin| text.split_at_checked(text.find(begin)?))?;
    let is_part = |letter: &char| letter.is_ascii_alphanumeric() || ['.', '_'].contains(letter);
    Some(from.chars().take_while(is_part).collect())
}

#[test]
fn a_request_names_the_order_that_it_makes() {
    for (body, named) in [
        (
            &br#"{"amount":1,"order_id":"sandbox.kyt_passed.12","extra":""}"#[..],
            Some("sandbox.kyt_passed.12"),
        ),
        (b"authentication.entityId=e&merchantTransactionId=sbxcase01000008&nonce=1", Some("sbxcase01000008")),
        (b"authentication.entityId=e", None),
        (b"", None),
    ] {
        assert_eq!(reference_in(body).as_deref(), named);
    }
}
