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
}

/// The scenarios that end within minutes, by their numbers.
const ALLSCALE: [&str; 8] =
    ["happy", "happy", "happy", "kyt_passed", "underpaid", "overpaid", "canceled", "regression"];
const AZOTTE: [&str; 7] =
    ["happy", "happy", "three_ds_at_once", "failed", "done_at_once", "unknown_code", "failed_at_once"];
/// Peach's references are short, so the number of the scenario stands for its name.
const PEACH: [u8; 6] = [1, 1, 1, 2, 3, 8];

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
        let pick = |names: &[&str]| names.get(turn % names.len()).copied().unwrap_or("happy").to_owned();
        let reference = match provider {
            Provider::AllScale => format!("sandbox.{}.{number}", pick(&ALLSCALE)),
            Provider::Azotte => format!("sandbox.{}.{number}", pick(&AZOTTE)),
            Provider::Peach | Provider::PeachV2 | _ => {
                let scenario = PEACH.get(turn % PEACH.len()).copied().unwrap_or(1);
                format!("sbxcase{scenario:02}{number:06}")
            }
        };
        // Every second merchant sells by Peach's V1, and the others by V2.
        let merchants = merchants.max(1);
        let merchant = match provider {
            Provider::Peach => turn * 2 % merchants,
            Provider::PeachV2 => (turn * 2 + 1) % merchants,
            Provider::AllScale | Provider::Azotte | _ => turn % merchants.min(SELLERS_OF_ALL),
        };
        Self { id: format!("order-{number:06}"), provider, merchant, reference }
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
