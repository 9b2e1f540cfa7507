//! The keys by which an event is recognized.

use std::cmp::Ordering;
use std::fmt::{self, Display, Formatter};
use std::hash::{Hash, Hasher};
use std::time::Duration;

use sha2::{Digest, Sha256};

/// The origin of a [`Key`]: a provider and an identifier of the provider.
///
/// The name is part of the key's text form, so the name is short, and never changes in meaning: another way
/// of making a key is another scheme.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::Scheme;
///
/// assert_eq!(Scheme::ALLSCALE_DELIVERY.name(), "allscale-delivery");
/// let shipping = Scheme::named("parcel-event").unwrap();
/// assert_eq!(shipping.name(), "parcel-event");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scheme(pub(super) &'static str);

impl Scheme {
    /// AllScale's webhook id and nonce: one delivery of a webhook.
    ///
    /// ```
    /// # use checkout_trust::replay::Scheme;
    /// assert_eq!(Scheme::ALLSCALE_DELIVERY.name(), "allscale-delivery");
    /// ```
    pub const ALLSCALE_DELIVERY: Self = Self("allscale-delivery");
    /// AllScale's `all_scale_transaction_id`: the payment itself, for any number of deliveries.
    ///
    /// ```
    /// # use checkout_trust::replay::Scheme;
    /// assert_eq!(Scheme::ALLSCALE_TRANSACTION.name(), "allscale-transaction");
    /// ```
    pub const ALLSCALE_TRANSACTION: Self = Self("allscale-transaction");
    /// The content that Peach signed, pair by pair. The receiver makes [`PEACH_TEXT`](Self::PEACH_TEXT).
    ///
    /// ```
    /// # use checkout_trust::replay::Scheme;
    /// assert_eq!(Scheme::PEACH_CONTENT.name(), "peach-content");
    /// ```
    pub const PEACH_CONTENT: Self = Self("peach-content");
    /// The text that Peach signed, and the checkout that its pairs name.
    ///
    /// ```
    /// # use checkout_trust::replay::Scheme;
    /// assert_eq!(Scheme::PEACH_TEXT.name(), "peach-text");
    /// ```
    pub const PEACH_TEXT: Self = Self("peach-text");

    /// The most bytes of a name.
    ///
    /// ```
    /// # use checkout_trust::replay::Scheme;
    /// assert!(Scheme::named("a-name-of-twenty-five-let").is_none());
    /// assert_eq!(Scheme::MAX_LEN, 24);
    /// ```
    pub const MAX_LEN: usize = 24;

    /// Creates a scheme of your own, or returns `None` if `name` is not 1 to [`MAX_LEN`](Self::MAX_LEN) of
    /// `a` to `z`, `0` to `9` and `-`.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::replay::Scheme;
    ///
    /// const SHIPPING: Scheme = Scheme::named("parcel-event").unwrap();
    /// assert_eq!(SHIPPING.name(), "parcel-event");
    /// assert!(Scheme::named("").is_none());
    /// assert!(Scheme::named("v1:x").is_none());
    /// ```
    #[must_use]
    pub const fn named(name: &'static str) -> Option<Self> {
        let mut rest = name.as_bytes();
        if rest.is_empty() || rest.len() > Self::MAX_LEN {
            return None;
        }
        while let [first, after @ ..] = rest {
            if !matches!(first, b'a'..=b'z' | b'0'..=b'9' | b'-') {
                return None;
            }
            rest = after;
        }
        Some(Self(name))
    }

    /// The name, as in the key's text form.
    ///
    /// ```
    /// # use checkout_trust::replay::Scheme;
    /// assert_eq!(Scheme::PEACH_CONTENT.name(), "peach-content");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// One identifier of an event, and its retention: the primary key of a [`Store`].
///
/// A key is made of **signed material only**. Anybody who replays the event can change the unsigned parts (a
/// header that the signature leaves out, the sender's address), and then the replay looks new.
///
/// A key is a SHA-256 and holds nothing of its parts. Each part goes into the hash with its length, so that
/// no two lists of parts give the same input. The owner (the merchant, the store, Peach's entity) is one of
/// the parts: two merchants who share a store never meet. Choose an owner that outlives a rotation of keys,
/// not the id of a key.
///
/// **Text form**, by [`Display`], for a database: `v1:<scheme>:<64 hex digits>`, ASCII, at most
/// [`MAX_TEXT_LEN`](Self::MAX_TEXT_LEN) bytes, and the same in every version of this crate.
///
/// Keys are compared and ordered by the digest, which the scheme is part of; the retention does not count.
///
/// [`Store`]: super::Store
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::{Key, Scheme};
/// use std::time::Duration;
///
/// let scheme = Scheme::named("parcel-event").unwrap();
/// let key = Key::new(scheme, "merchant-7", ["event-1"], Duration::from_secs(600));
/// assert_eq!(
///     key.to_string(),
///     "v1:parcel-event:6933237ee9444231d7daf3fc5e3f0508d7b1b95def4e77e12fa06ae73c453b02",
/// );
/// assert_ne!(key, Key::new(scheme, "merchant-8", ["event-1"], Duration::from_secs(600)));
/// ```
#[derive(Clone, Copy)]
pub struct Key {
    scheme: Scheme,
    digest: [u8; 32],
    retention: Duration,
    /// The beginning of a hash of the owner: the owner whose room the key takes in a store with shared room.
    owner: u64,
    /// The beginning of a hash of the signed text that the key is one cut of, if a text can be cut in several
    /// ways.
    text: Option<u64>,
}

impl Key {
    /// The most bytes of the text form.
    ///
    /// ```
    /// # use checkout_trust::replay::Key;
    /// assert_eq!(Key::MAX_TEXT_LEN, 92);
    /// ```
    pub const MAX_TEXT_LEN: usize = "v1:".len() + Scheme::MAX_LEN + ":".len() + 64;

    /// The retention of Peach's content: 31 days.
    ///
    /// Peach sends a webhook again for up to 30 days (*Checkout webhooks*, 2026-07-23); the rest is margin.
    ///
    /// ```
    /// # use checkout_trust::replay::Key;
    /// assert_eq!(Key::PEACH_RETENTION.as_secs(), 31 * 24 * 60 * 60);
    /// ```
    pub const PEACH_RETENTION: Duration = Duration::from_secs(31 * 24 * 60 * 60);

    /// Creates the key of the signed `parts`, of the events that `owner` receives, to be remembered for
    /// `retention` from the commit ([`Duration::MAX`]: for ever).
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::replay::{Key, Scheme};
    /// use std::time::Duration;
    ///
    /// let scheme = Scheme::named("parcel-event").unwrap();
    /// let key = |parts: &[&str]| Key::new(scheme, "merchant-7", parts, Duration::MAX);
    /// assert_ne!(key(&["a", "bc"]), key(&["ab", "c"]));
    /// ```
    pub fn new<P: AsRef<[u8]>>(
        scheme: Scheme,
        owner: &str,
        parts: impl IntoIterator<Item = P>,
        retention: Duration,
    ) -> Self {
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            // The length of a slice is below 2^63.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        add(scheme.0.as_bytes());
        add(owner.as_bytes());
        for part in parts {
            add(part.as_ref());
        }
        Self { scheme, digest: hash.finalize().into(), retention, owner: beginning(owner), text: None }
    }

    /// One delivery of an AllScale webhook to `merchant`: its webhook id and its nonce, both signed.
    ///
    /// The `tolerance` is the verifier's tolerance for a timestamp. A delivery can be played back from that
    /// much before its timestamp until that much after. The key is therefore remembered for twice the
    /// tolerance, or for the 600 s that AllScale names if 600 s is more, and for a minute on top for clocks
    /// that disagree.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::replay::Key;
    /// use std::time::Duration;
    ///
    /// let key = Key::allscale_delivery("store-1", "wh_1", "5a0a4f4c", Duration::from_secs(300));
    /// assert!(key.to_string().starts_with("v1:allscale-delivery:"));
    /// assert_eq!(key.retention(), Duration::from_secs(660));
    /// ```
    #[must_use]
    pub fn allscale_delivery(merchant: &str, webhook_id: &str, nonce: &str, tolerance: Duration) -> Self {
        let retention = tolerance.saturating_mul(2).max(NONCE_RETENTION).saturating_add(CLOCKS);
        Self::new(Scheme::ALLSCALE_DELIVERY, merchant, [webhook_id, nonce], retention)
    }

    /// The payment that AllScale reports to `merchant`: `all_scale_transaction_id`, AllScale's own
    /// idempotency key. Remember this key for as long as you keep orders ([`Duration::MAX`]: for ever).
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::replay::Key;
    /// use std::time::Duration;
    ///
    /// let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
    /// assert!(key.to_string().starts_with("v1:allscale-transaction:"));
    /// ```
    #[must_use]
    pub fn allscale_transaction(merchant: &str, transaction_id: &str, retention: Duration) -> Self {
        Self::new(Scheme::ALLSCALE_TRANSACTION, merchant, [transaction_id], retention)
    }

    /// The content that Peach signed for `entity`: all the pairs, decoded, in any order. A pair named
    /// `signature` is not content and is left out. Kept for [`PEACH_RETENTION`].
    ///
    /// Peach's signature runs names and values together, and `a` = `bc` signs like `ab` = `c`. This key tells
    /// the two apart: an attacker who moves such a border makes a second event, and does not hide the first.
    /// One text can be cut in as many ways as its length allows, and each cut has another key of this kind;
    /// so the receiver makes [`peach_text`](Self::peach_text), which differs for few of the cuts.
    ///
    /// [`PEACH_RETENTION`]: Self::PEACH_RETENTION
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::replay::Key;
    ///
    /// let pairs = [("amount", "14.99"), ("currency", "ZAR"), ("signature", "5246")];
    /// let key = Key::peach_content("8ac7a4c9", &pairs);
    /// assert_eq!(key, Key::peach_content("8ac7a4c9", &[("currency", "ZAR"), ("amount", "14.99")]));
    /// assert_ne!(key, Key::peach_content("8ac7a4c9", &[("currency", "ZA"), ("Ramount", "14.99")]));
    /// ```
    #[must_use]
    pub fn peach_content<N: AsRef<str>, V: AsRef<str>>(entity: &str, pairs: &[(N, V)]) -> Self {
        let mut pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        pairs.retain(|&(name, _)| name != "signature");
        pairs.sort_unstable();
        let parts = pairs.into_iter().flat_map(|(name, value)| [name, value]);
        Self::new(Scheme::PEACH_CONTENT, entity, parts, Self::PEACH_RETENTION)
    }

    /// The text that Peach signed for `entity`, and the checkout that the pairs name by `checkoutId` and
    /// `merchantTransactionId`; from all the pairs, decoded, in any order, without `signature`. Kept for
    /// [`PEACH_RETENTION`].
    ///
    /// Peach signs the text of the pairs, keys and values one after the other, so anybody who has seen a
    /// signed message can cut the message's text into other pairs. Such a cut is the same event, unless the
    /// cut names another checkout: then the cut is another event, which does not hide the genuine event. The
    /// number of events that one text can be cut into is bounded:
    ///
    /// - If each of the two names stands in the text once, as in an ordinary message, an id begins at one
    ///   place and ends within 48 characters, the most that an id has (*Payment status*): at most 49 times 49
    ///   events. The order of the keys leaves a few dozen of them.
    /// - If one of the names stands in the text more often, as is possible in a payer's name, the ids could
    ///   begin at many places: at most 64 events, by six bits of a hash of the two ids.
    ///
    /// [`PEACH_RETENTION`]: Self::PEACH_RETENTION
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::replay::Key;
    ///
    /// let key = |pairs: &[(&str, &str)]| Key::peach_text("8ac7a4c9", pairs);
    /// let genuine = key(&[("amount", "14.99"), ("checkoutId", "c1"), ("currency", "ZAR"), ("signature", "5246")]);
    /// // In another order, and cut where no id is touched.
    /// assert_eq!(genuine, key(&[("currency", "ZAR"), ("checkoutId", "c1"), ("amount", "14.99")]));
    /// assert_eq!(genuine, key(&[("amount1", "4.99"), ("checkoutId", "c1"), ("currency", "ZAR")]));
    /// // Cut so that it names another checkout.
    /// assert_ne!(genuine, key(&[("amount", "14.99"), ("checkoutId", "c1c"), ("urrencyZAR", "")]));
    /// assert_ne!(genuine, key(&[("amount", "14.99checkoutIdc1"), ("currency", "ZAR")]));
    /// ```
    #[must_use]
    pub fn peach_text<N: AsRef<str>, V: AsRef<str>>(entity: &str, pairs: &[(N, V)]) -> Self {
        let mut pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        pairs.retain(|&(name, _)| name != "signature");
        pairs.sort_unstable();
        let text: String = pairs.iter().flat_map(|&(name, value)| [name, value]).collect();
        let ids = ["checkoutId", "merchantTransactionId"];
        let named = ids.map(|id| {
            let value = pairs.iter().find(|(name, _)| *name == id).map_or("", |(_, value)| *value);
            // A value longer than an id can be names nothing.
            if value.chars().count() <= LONGEST_ID { value } else { "" }
        });
        let new = |parts: &[&[u8]]| Self::new(Scheme::PEACH_TEXT, entity, parts, Self::PEACH_RETENTION);
        let [checkout_id, merchants_id] = named.map(str::as_bytes);
        let exact = new(&[text.as_bytes(), checkout_id, merchants_id]);
        let once = ids.iter().all(|id| text.matches(id).count() <= 1);
        let [first, ..] = exact.digest;
        let key = if once { exact } else { new(&[text.as_bytes(), &[first % CUTS]]) };
        Self { text: Some(beginning(&text)), ..key }
    }

    /// The owner whose room the key takes.
    pub(super) const fn owner(&self) -> u64 {
        self.owner
    }

    /// The text that the key is one cut of.
    pub(super) const fn text(&self) -> Option<u64> {
        self.text
    }

    /// The scheme of the key.
    ///
    /// ```
    /// # use checkout_trust::replay::{Key, Scheme};
    /// # use std::time::Duration;
    /// let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
    /// assert_eq!(key.scheme(), Scheme::ALLSCALE_TRANSACTION);
    /// ```
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The SHA-256 over scheme, owner and parts, each after its length in eight bytes, most significant
    /// first.
    ///
    /// The digest alone tells keys apart, so a store can keep the digest in 32 bytes in place of the text
    /// form.
    ///
    /// ```
    /// # use checkout_trust::replay::Key;
    /// # use std::time::Duration;
    /// let one = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
    /// let two = Key::allscale_transaction("store-1", "tx_2", Duration::MAX);
    /// assert_ne!(one.digest(), two.digest());
    /// ```
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The retention of the key, from the commit. [`Duration::MAX`]: for ever.
    ///
    /// ```
    /// # use checkout_trust::replay::Key;
    /// let key = Key::peach_content("8ac7a4c9", &[("amount", "14.99")]);
    /// assert_eq!(key.retention(), Key::PEACH_RETENTION);
    /// ```
    #[must_use]
    pub const fn retention(&self) -> Duration {
        self.retention
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.digest.cmp(&other.digest)
    }
}

impl Display for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "v1:{}:", self.scheme.0)?;
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self} for {:?})", self.retention)
    }
}

/// The identity of one event: one [`Key`] or more. A claim of the event claims all the keys.
///
/// The first key is the event's own, and decides if the event is done. Other keys are of the event's
/// delivery. AllScale's identity has two: the transaction stops the second delivery of the same payment,
/// which is signed anew and has another nonce; the delivery (webhook id and nonce) stops a recorded request.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::{Identity, Key};
/// use std::time::Duration;
///
/// let identity = Identity::new(Key::allscale_transaction("store-1", "tx_1", Duration::MAX))
///     .and(Key::allscale_delivery("store-1", "wh_1", "5a0a4f4c", Duration::from_secs(300)));
/// assert_eq!(identity.keys().len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Never empty, and without duplicates.
    keys: Vec<Key>,
}

impl Identity {
    /// Creates the identity of an event whose own key is `key`.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::replay::{Identity, Key};
    ///
    /// let identity = Identity::new(Key::peach_content("8ac7a4c9", &[("amount", "14.99")]));
    /// assert_eq!(identity.keys().len(), 1);
    /// ```
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { keys: vec![key] }
    }

    /// Adds `key` to the identity. The key belongs to no other event: a delivery of this event.
    ///
    /// A key that is there already is not doubled; the longer of the two retentions applies.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::replay::{Identity, Key};
    /// use std::time::Duration;
    ///
    /// let key = |seconds| Key::allscale_transaction("store-1", "tx_1", Duration::from_secs(seconds));
    /// let identity = Identity::new(key(1)).and(key(3)).and(key(2));
    /// assert_eq!(identity.keys().len(), 1);
    /// assert_eq!(identity.keys()[0].retention(), Duration::from_secs(3));
    /// ```
    #[must_use]
    pub fn and(mut self, key: Key) -> Self {
        match self.keys.iter_mut().find(|same| **same == key) {
            Some(same) => same.retention = same.retention.max(key.retention),
            None => self.keys.push(key),
        }
        self
    }

    /// The keys: at least one, without duplicates, the event's own first.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::replay::{Identity, Key};
    ///
    /// let key = Key::peach_content("8ac7a4c9", &[("amount", "14.99")]);
    /// assert_eq!(Identity::new(key).keys(), [key]);
    /// ```
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Returns the keys in the order of the claim, which is the same for everybody.
    pub(super) fn in_order_of_claim(&self) -> Vec<Key> {
        let mut keys = self.keys.clone();
        keys.sort_unstable();
        keys
    }
}

impl From<Key> for Identity {
    fn from(key: Key) -> Self {
        Self::new(key)
    }
}

/// The beginning of the SHA-256 of a text.
fn beginning(text: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(text).into();
    digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// "AN48": Peach, *Payment status*.
const LONGEST_ID: usize = 48;

/// The most events that a text is cut into if the text has a name of an id more than once.
const CUTS: u8 = 64;

/// "Each nonce once, kept 600 s": *Webhook Signing & Payload Guide*, v5, 2026-04-30.
const NONCE_RETENTION: Duration = Duration::from_secs(600);

/// The most that the clocks of the machines that share a store may be apart, and the rest of the last second.
/// Assumed: machines that keep their time at all are closer.
const CLOCKS: Duration = Duration::from_secs(60);
