//! AllScale Checkout: the numbers and names on its pages.
//!
//! Sources, by the name each item's documentation calls them:
//! - *Create Checkout Intent*, v4, 2026-05-06;
//! - *Get Checkout Intent*, v3, 2026-03-06;
//! - *Get Status*, v3, 2026-05-14.

mod currency_hash;

use self::currency_hash::CodeIndex;
use crate::code_table;
use crate::repeat::Repeat;
use core::fmt;

code_table! {
    /// A fiat currency, as AllScale numbers it: the numbers are **not** ISO 4217's numeric codes.
    ///
    /// [`code`](Self::code) is the three-letter code, [`name`](Self::name) the page's English name.
    /// `ALL` is the Albanian lek; the list of all rows is [`ROWS`](Self::ROWS).
    ///
    /// Source: *Create Checkout Intent*, v4, 2026-05-06, Appendix A (163 rows).
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::allscale::Currency;
    ///
    /// assert_eq!(Currency::from_value(44), Some(Currency::EUR));
    /// assert_eq!(Currency::from_code("EUR"), Some(Currency::EUR));
    /// assert_eq!(Currency::EUR.value(), 44);
    /// assert_eq!(Currency::EUR.name(), "Euro");
    /// assert_eq!(Currency::from_code("eur"), None); // codes are upper case
    /// assert_eq!(Currency::ROWS.len(), 163);
    /// ```
    #[non_exhaustive]
    pub enum Currency: u16, from_code = currency_from_code, row = (&'static str,) {
        USD = 1, "US Dollar";
        AED = 2, "United Arab Emirates Dirham";
        AFN = 3, "Afghan Afghani";
        ALL = 4, "Albanian Lek";
        AMD = 5, "Armenian Dram";
        ANG = 6, "Netherlands Antillean Guilder";
        AOA = 7, "Angolan Kwanza";
        ARS = 8, "Argentine Peso";
        AUD = 9, "Australian Dollar";
        AWG = 10, "Aruban Florin";
        AZN = 11, "Azerbaijani Manat";
        BAM = 12, "Bosnia and Herzegovina Convertible Mark";
        BBD = 13, "Barbadian Dollar";
        BDT = 14, "Bangladeshi Taka";
        BGN = 15, "Bulgarian Lev";
        BHD = 16, "Bahraini Dinar";
        BIF = 17, "Burundian Franc";
        BMD = 18, "Bermudian Dollar";
        BND = 19, "Brunei Dollar";
        BOB = 20, "Bolivian Boliviano";
        BRL = 21, "Brazilian Real";
        BSD = 22, "Bahamian Dollar";
        BTN = 23, "Bhutanese Ngultrum";
        BWP = 24, "Botswanan Pula";
        BYN = 25, "Belarusian Ruble";
        BZD = 26, "Belize Dollar";
        CAD = 27, "Canadian Dollar";
        CDF = 28, "Congolese Franc";
        CHF = 29, "Swiss Franc";
        CLP = 30, "Chilean Peso";
        CNY = 31, "Chinese Yuan";
        COP = 32, "Colombian Peso";
        CRC = 33, "Costa Rican Colón";
        CUP = 34, "Cuban Peso";
        CVE = 35, "Cape Verdean Escudo";
        CZK = 36, "Czech Koruna";
        DJF = 37, "Djiboutian Franc";
        DKK = 38, "Danish Krone";
        DOP = 39, "Dominican Peso";
        DZD = 40, "Algerian Dinar";
        EGP = 41, "Egyptian Pound";
        ERN = 42, "Eritrean Nakfa";
        ETB = 43, "Ethiopian Birr";
        EUR = 44, "Euro";
        FJD = 45, "Fijian Dollar";
        FKP = 46, "Falkland Islands Pound";
        FOK = 47, "Faroese Króna";
        GBP = 48, "British Pound";
        GEL = 49, "Georgian Lari";
        GGP = 50, "Guernsey Pound";
        GHS = 51, "Ghanaian Cedi";
        GIP = 52, "Gibraltar Pound";
        GMD = 53, "Gambian Dalasi";
        GNF = 54, "Guinean Franc";
        GTQ = 55, "Guatemalan Quetzal";
        GYD = 56, "Guyanese Dollar";
        HKD = 57, "Hong Kong Dollar";
        HNL = 58, "Honduran Lempira";
        HRK = 59, "Croatian Kuna";
        HTG = 60, "Haitian Gourde";
        HUF = 61, "Hungarian Forint";
        IDR = 62, "Indonesian Rupiah";
        ILS = 63, "Israeli New Shekel";
        IMP = 64, "Isle of Man Pound";
        INR = 65, "Indian Rupee";
        IQD = 66, "Iraqi Dinar";
        IRR = 67, "Iranian Rial";
        ISK = 68, "Icelandic Króna";
        JEP = 69, "Jersey Pound";
        JMD = 70, "Jamaican Dollar";
        JOD = 71, "Jordanian Dinar";
        JPY = 72, "Japanese Yen";
        KES = 73, "Kenyan Shilling";
        KGS = 74, "Kyrgyzstani Som";
        KHR = 75, "Cambodian Riel";
        KID = 76, "Kiribati Dollar";
        KMF = 77, "Comorian Franc";
        KRW = 78, "South Korean Won";
        KWD = 79, "Kuwaiti Dinar";
        KYD = 80, "Cayman Islands Dollar";
        KZT = 81, "Kazakhstani Tenge";
        LAK = 82, "Lao Kip";
        LBP = 83, "Lebanese Pound";
        LKR = 84, "Sri Lankan Rupee";
        LRD = 85, "Liberian Dollar";
        LSL = 86, "Lesotho Loti";
        LYD = 87, "Libyan Dinar";
        MAD = 88, "Moroccan Dirham";
        MDL = 89, "Moldovan Leu";
        MGA = 90, "Malagasy Ariary";
        MKD = 91, "Macedonian Denar";
        MMK = 92, "Myanmar Kyat";
        MNT = 93, "Mongolian Tögrög";
        MOP = 94, "Macanese Pataca";
        MRU = 95, "Mauritanian Ouguiya";
        MUR = 96, "Mauritian Rupee";
        MVR = 97, "Maldivian Rufiyaa";
        MWK = 98, "Malawian Kwacha";
        MXN = 99, "Mexican Peso";
        MYR = 100, "Malaysian Ringgit";
        MZN = 101, "Mozambican Metical";
        NAD = 102, "Namibian Dollar";
        NGN = 103, "Nigerian Naira";
        NIO = 104, "Nicaraguan Córdoba";
        NOK = 105, "Norwegian Krone";
        NPR = 106, "Nepalese Rupee";
        NZD = 107, "New Zealand Dollar";
        OMR = 108, "Omani Rial";
        PAB = 109, "Panamanian Balboa";
        PEN = 110, "Peruvian Sol";
        PGK = 111, "Papua New Guinean Kina";
        PHP = 112, "Philippine Peso";
        PKR = 113, "Pakistani Rupee";
        PLN = 114, "Polish Złoty";
        PYG = 115, "Paraguayan Guaraní";
        QAR = 116, "Qatari Riyal";
        RON = 117, "Romanian Leu";
        RSD = 118, "Serbian Dinar";
        RUB = 119, "Russian Ruble";
        RWF = 120, "Rwandan Franc";
        SAR = 121, "Saudi Riyal";
        SBD = 122, "Solomon Islands Dollar";
        SCR = 123, "Seychellois Rupee";
        SDG = 124, "Sudanese Pound";
        SEK = 125, "Swedish Krona";
        SGD = 126, "Singapore Dollar";
        SHP = 127, "Saint Helena Pound";
        SLE = 128, "Sierra Leonean Leone (new)";
        SLL = 129, "Sierra Leonean Leone (old)";
        SOS = 130, "Somali Shilling";
        SRD = 131, "Surinamese Dollar";
        SSP = 132, "South Sudanese Pound";
        STN = 133, "São Tomé and Príncipe Dobra";
        SYP = 134, "Syrian Pound";
        SZL = 135, "Swazi Lilangeni";
        THB = 136, "Thai Baht";
        TJS = 137, "Tajikistani Somoni";
        TMT = 138, "Turkmenistani Manat";
        TND = 139, "Tunisian Dinar";
        TOP = 140, "Tongan Paʻanga";
        TRY = 141, "Turkish Lira";
        TTD = 142, "Trinidad and Tobago Dollar";
        TVD = 143, "Tuvaluan Dollar";
        TWD = 144, "New Taiwan Dollar";
        TZS = 145, "Tanzanian Shilling";
        UAH = 146, "Ukrainian Hryvnia";
        UGX = 147, "Ugandan Shilling";
        UYU = 148, "Uruguayan Peso";
        UZS = 149, "Uzbekistani Som";
        VES = 150, "Venezuelan Bolívar";
        VND = 151, "Vietnamese Dong";
        VUV = 152, "Vanuatu Vatu";
        WST = 153, "Samoan Tālā";
        XAF = 154, "Central African CFA Franc";
        XCD = 155, "East Caribbean Dollar";
        XCG = 156, "Caribbean Guilder";
        XDR = 157, "IMF Special Drawing Rights";
        XOF = 158, "West African CFA Franc";
        XPF = 159, "CFP Franc";
        YER = 160, "Yemeni Rial";
        ZAR = 161, "South African Rand";
        ZMW = 162, "Zambian Kwacha";
        ZWL = 163, "Zimbabwe Dollar";
    }
}

impl Currency {
    /// The currency's English name, as the page prints it.
    ///
    /// ```
    /// # use checkout_tables::allscale::Currency;
    /// assert_eq!(Currency::CRC.name(), "Costa Rican Colón");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }
}

code_table! {
    /// A stable coin, as AllScale numbers it.
    ///
    /// Ten are numbered and two are supported; the others are reserved, and AllScale rejects an order priced
    /// in a reserved coin.
    ///
    /// Source: *Create Checkout Intent*, v4, 2026-05-06, Appendix B (10 rows).
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::allscale::StableCoin;
    ///
    /// assert_eq!(StableCoin::from_value(2), Some(StableCoin::USDC));
    /// assert!(StableCoin::USDC.is_supported());
    /// assert!(!StableCoin::DAI.is_supported());
    /// ```
    #[non_exhaustive]
    pub enum StableCoin: u8, row = (&'static str, bool) {
        USDT = 1, "Tether USD", true;
        USDC = 2, "USD Coin", true;
        BUSD = 3, "Binance USD", false;
        DAI = 4, "Dai", false;
        TUSD = 5, "TrueUSD", false;
        PAX = 6, "Pax Dollar", false;
        GUSD = 7, "Gemini Dollar", false;
        USTC = 8, "TerraClassicUSD", false;
        FRAX = 9, "Frax", false;
        EURS = 10, "Stasis Euro", false;
    }
}

impl StableCoin {
    /// The coin's English name, as the page prints it.
    ///
    /// ```
    /// # use checkout_tables::allscale::StableCoin;
    /// assert_eq!(StableCoin::USDT.name(), "Tether USD");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// True if the page marks the coin as supported: an order can be priced natively in the coin.
    ///
    /// ```
    /// # use checkout_tables::allscale::StableCoin;
    /// let supported: Vec<_> = StableCoin::ROWS.into_iter().filter(|coin| coin.is_supported()).collect();
    /// assert_eq!(supported, [StableCoin::USDT, StableCoin::USDC]);
    /// ```
    #[must_use]
    pub const fn is_supported(self) -> bool {
        self.row().1
    }

    /// The coin's bit in a `StableCoinFlag` bitmask (the `accepted_stable_coins` of a create **reply**; the
    /// request's field of the same name is a list of values).
    ///
    /// Bit *n* stands for the coin with the value *n* + 1: 1 is USDT, 2 is USDC, 3 is either.
    ///
    /// Source: *Create Checkout Intent*, v4, 2026-05-06, Response Fields.
    ///
    /// ```
    /// # use checkout_tables::allscale::StableCoin;
    /// assert_eq!(StableCoin::USDT.flag() | StableCoin::USDC.flag(), 3);
    /// assert_eq!(StableCoin::EURS.flag(), 1 << 9);
    /// ```
    #[must_use]
    pub const fn flag(self) -> u64 {
        1 << (self.value() - 1)
    }
}

code_table! {
    /// The status of a checkout intent.
    ///
    /// Not `non_exhaustive`: a status that joins this table must break every `match` that does not handle the
    /// status. A status that AllScale adds before this table does arrives as [`Open::Unknown`](crate::Open).
    ///
    /// Source: *Get Status*, v3, 2026-05-14, Appendix (12 rows). Newer texts call 2 PAYING and 4
    /// PENDING_MANUAL_OPERATION; the integers are the same.
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::allscale::IntentStatus;
    ///
    /// assert_eq!(IntentStatus::from_value(-3), Some(IntentStatus::Underpaid));
    /// assert_eq!(IntentStatus::Underpaid.code(), "UNDERPAID");
    /// assert!(IntentStatus::Underpaid.is_terminal());
    /// assert!(!IntentStatus::OnChain.is_terminal());
    /// assert_eq!(IntentStatus::from_value(6), None);
    /// ```
    pub enum IntentStatus: i8, row = (bool, &'static str) {
        /// Failed by an internal or processing error.
        Failed("FAILED") = -1, true, "failed by an internal or processing error";
        /// Rejected by the checks of the transaction (KYT).
        Rejected("REJECTED") = -2, true, "rejected by the checks of the transaction (KYT)";
        /// The payer paid less than the amount due.
        Underpaid("UNDERPAID") = -3, true, "less was paid than is required";
        /// The user canceled.
        Canceled("CANCELED") = -4, true, "canceled by the user";
        /// Expired by inactivity or its time limit.
        Timeout("TIMEOUT") = -5, true, "expired by inactivity or the time limit";
        /// Created, not yet viewed.
        Created("CREATED") = 1, false, "created, and not yet viewed by the user";
        /// The user has opened the hosted page.
        Viewed("VIEWED") = 2, false, "the user has opened the hosted page";
        /// A temporary deposit wallet is assigned; in the KYT flow only.
        TempWalletReceived("TEMP_WALLET_RECEIVED") = 3, false,
            "a temporary deposit wallet is assigned, in the KYT flow only";
        /// Stuck with its temporary wallet; a person at AllScale reviews the intent.
        ManualOperation("MANUAL_OPERATION") = 4, false, "stuck with its temporary wallet, and waits for a manual review";
        /// A refund to the payer is under way, after KYT or an underpayment.
        SendBack("SEND_BACK") = 5, false, "a refund to the payer is in progress, after KYT or an underpayment";
        /// The transaction is seen on-chain and waits for confirmation.
        OnChain("ON_CHAIN") = 10, false, "the transaction is seen on-chain and waits for its confirmation";
        /// Confirmed on-chain: paid.
        Confirmed("CONFIRMED") = 20, true, "the payment is confirmed on-chain";
    }
}

impl IntentStatus {
    /// True if the page marks the status as terminal: no ordinary step leaves the status. (An intent that a
    /// merchant gave up can still be paid late: see `checkout-lifecycle`.)
    ///
    /// ```
    /// # use checkout_tables::allscale::IntentStatus;
    /// let terminal = IntentStatus::ROWS.into_iter().filter(|status| status.is_terminal()).count();
    /// assert_eq!(terminal, 6);
    /// ```
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        self.row().0
    }

    /// The meaning of the status, in a few words of ours: for a person, and never to be compared.
    ///
    /// Source: *Get Status*, v3, 2026-05-14, Appendix, the column Meaning.
    ///
    /// ```
    /// # use checkout_tables::allscale::IntentStatus;
    /// assert_eq!(IntentStatus::Underpaid.meaning(), "less was paid than is required");
    /// ```
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.row().1
    }
}

code_table! {
    /// An error code of the reply's envelope; code 0, success, is not one.
    ///
    /// Branch on the code and never on the HTTP status: no page documents the HTTP status.
    ///
    /// Source: the lists of possible errors in *Create Checkout Intent*, v4, 2026-05-06, *Get Checkout
    /// Intent*, v3, 2026-03-06, and *Get Status*, v3, 2026-05-14.
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::allscale::{ErrorCode, Route};
    ///
    /// assert_eq!(ErrorCode::from_value(50001), Some(ErrorCode::IntentNotFound));
    /// assert_eq!(ErrorCode::IntentNotFound.routes(), [Route::Get, Route::Status]);
    /// ```
    #[non_exhaustive]
    pub enum ErrorCode: u32, row = (&'static str, &'static [Route]) {
        /// The request does not pass validation.
        ValidationError("VALIDATION_ERROR") = 10001, "validation error", INTENT_ROUTES;
        /// One of the four authentication headers is missing.
        MissingAuthentication("MISSING_AUTHENTICATION") = 20001, "missing authentication headers", INTENT_ROUTES;
        /// The signature does not match the request.
        InvalidSignature("INVALID_SIGNATURE") = 20002, "invalid signature", INTENT_ROUTES;
        /// Create: the caller's IP address is not allowed. Get and status: the intent belongs to another
        /// store.
        Forbidden("FORBIDDEN") = 30001, "forbidden", INTENT_ROUTES;
        /// Too many requests.
        RateLimitExceeded("RATE_LIMIT_EXCEEDED") = 40001, "rate limit exceeded", INTENT_ROUTES;
        /// There is no such intent.
        IntentNotFound("INTENT_NOT_FOUND") = 50001, "checkout intent not found", READS;
        /// The intent could not be created, for example because its amount is at or below the floor.
        CreateError("CREATE_ERROR") = 50002, "create checkout intent error", CREATE;
        /// An internal error of the provider: write to AllScale, with the request id.
        InternalServerError("INTERNAL_SERVER_ERROR") = 90000, "internal server error", READS;
        /// An unclassified error: write to AllScale, with the request id.
        UnknownError("UNKNOWN_ERROR") = 99999, "unknown error", READS;
    }
}

impl ErrorCode {
    /// The meaning of the code, in a few words: for a person, and never to be compared. If a code means
    /// different things on different routes, the text holds on all of them; [`meaning_on`](Self::meaning_on)
    /// is specific. (The texts of [`code`](Self::code) are ours: the pages number the errors and name none.)
    ///
    /// ```
    /// # use checkout_tables::allscale::ErrorCode;
    /// assert_eq!(ErrorCode::RateLimitExceeded.meaning(), "rate limit exceeded");
    /// ```
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.row().0
    }

    /// The meaning of the code on a route, in a few words of ours; None if the route's page does not list the
    /// code.
    ///
    /// Source: *Create Checkout Intent*, v4, 2026-05-06, *Get Checkout Intent*, v3, 2026-03-06, and *Get
    /// Status*, v3, 2026-05-14, each its Possible Errors.
    ///
    /// ```
    /// # use checkout_tables::allscale::{ErrorCode, Route};
    /// let forbidden = |route| ErrorCode::Forbidden.meaning_on(route);
    /// assert_eq!(forbidden(Route::Create), Some("the IP address of the caller is not allowed"));
    /// assert_eq!(forbidden(Route::Status), Some("no permission to view this checkout intent"));
    /// assert_eq!(forbidden(Route::Ping), None); // no page lists the codes of the test routes
    /// ```
    #[must_use]
    pub fn meaning_on(self, route: Route) -> Option<&'static str> {
        self.routes().contains(&route).then_some(match (self, route) {
            (Self::Forbidden, Route::Create) => "the IP address of the caller is not allowed",
            (Self::Forbidden, Route::Get | Route::Status) => "no permission to view this checkout intent",
            (Self::CreateError, Route::Create) => {
                "the intent cannot be created, for example because its amount is at or below 0.1 coin"
            }
            _ => self.meaning(),
        })
    }

    /// True if the page asks to contact AllScale about the code: write to AllScale, with the request id.
    ///
    /// Source: *Get Checkout Intent*, v3, 2026-03-06, and *Get Status*, v3, 2026-05-14, Possible Errors.
    ///
    /// ```
    /// # use checkout_tables::allscale::ErrorCode;
    /// let contact: Vec<_> = ErrorCode::ROWS.into_iter().filter(|code| code.contact_support()).collect();
    /// assert_eq!(contact, [ErrorCode::InternalServerError, ErrorCode::UnknownError]);
    /// ```
    #[must_use]
    pub const fn contact_support(self) -> bool {
        matches!(self, Self::InternalServerError | Self::UnknownError)
    }

    /// The routes whose pages list the code. No page lists the codes of the test routes.
    ///
    /// ```
    /// # use checkout_tables::allscale::{ErrorCode, Route};
    /// assert_eq!(ErrorCode::CreateError.routes(), [Route::Create]);
    /// assert_eq!(ErrorCode::InvalidSignature.routes(), [Route::Create, Route::Get, Route::Status]);
    /// ```
    #[must_use]
    pub const fn routes(self) -> &'static [Route] {
        self.row().1
    }
}

code_table! {
    /// The payer's way of paying. The page numbers and names the four methods and says no more about them:
    /// the description of each name is Assumed from the name.
    ///
    /// Source: *Get Checkout Intent*, v3, 2026-03-06, `payment_method_type`.
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::allscale::PaymentMethodType;
    ///
    /// assert_eq!(PaymentMethodType::from_value(3), Some(PaymentMethodType::AllScalePay));
    /// assert_eq!(PaymentMethodType::AllScalePay.code(), "ALL_SCALE_PAY");
    /// ```
    #[non_exhaustive]
    pub enum PaymentMethodType: u8, row = () {
        /// Not known.
        Unknown("UNKNOWN") = 0;
        /// A wallet scanned the code.
        WalletScan("WALLET_SCAN") = 1;
        /// A wallet was connected to the page.
        WalletConnect("WALLET_CONNECT") = 2;
        /// AllScale Pay.
        AllScalePay("ALL_SCALE_PAY") = 3;
    }
}

/// A route of the API, with its known facts.
///
/// Sources: *Create Checkout Intent*, v4, 2026-05-06, *Get Checkout Intent*, v3, 2026-03-06, and *Get
/// Status*, v3, 2026-05-14; *Test Routes* for the others. All are signed alike.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::allscale::Route;
/// use checkout_kit::tables::Repeat;
///
/// assert_eq!(Route::Create.method(), "POST");
/// assert_eq!(Route::Status.path(), "/v1/checkout_intents/{checkout_intent_id}/status");
/// assert_eq!(Route::Create.repeat(), Repeat::Unsafe);
/// assert_eq!(Route::Create.to_string(), "create"); // names are ours: the pages have none
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "strum",
    derive(strum::EnumCount, strum::EnumIter, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
#[non_exhaustive]
pub enum Route {
    /// Create a checkout intent.
    Create,
    /// Read a whole checkout intent.
    Get,
    /// Read a checkout intent's status alone.
    Status,
    /// Test route: answers `{"pong":"ok"}`. Checks the credentials.
    Ping,
    /// Test route: always refused, with 10001.
    Fail,
    /// Test route: answers with the request's body.
    Post,
}

impl Route {
    /// Every route, in the order above.
    pub const ROWS: [Self; 6] = [Self::Create, Self::Get, Self::Status, Self::Ping, Self::Fail, Self::Post];

    /// The HTTP method.
    ///
    /// ```
    /// # use checkout_tables::allscale::Route;
    /// assert_eq!(Route::Get.method(), "GET");
    /// ```
    #[must_use]
    pub const fn method(self) -> &'static str {
        self.row().0
    }

    /// The path, with `{checkout_intent_id}` in the place of the id. The slash at the end of the create path
    /// belongs to the path and is signed.
    ///
    /// ```
    /// # use checkout_tables::allscale::Route;
    /// assert_eq!(Route::Create.path(), "/v1/checkout_intents/");
    /// ```
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.row().1
    }

    /// The repeatability of the request after an attempt with an unknown outcome. Create has no idempotency
    /// key: a second create makes a second payable intent.
    ///
    /// ```
    /// # use checkout_tables::{Repeat, allscale::Route};
    /// assert_eq!(Route::Status.repeat(), Repeat::Safe);
    /// ```
    #[must_use]
    pub const fn repeat(self) -> Repeat {
        self.row().2
    }

    /// The parameter to look an earlier attempt up by before repeating the request: None. The only request
    /// that cannot be [repeated](Self::repeat) blindly is a create, and no route finds an intent by the
    /// content of the create.
    ///
    /// Source: *Get Checkout Intent*, v3, 2026-03-06, and *Get Status*, v3, 2026-05-14, read by the intent's
    /// id, which the lost answer carried.
    ///
    /// ```
    /// # use checkout_tables::allscale::Route;
    /// assert_eq!(Route::Create.lookup_key(), None);
    /// ```
    #[must_use]
    pub const fn lookup_key(self) -> Option<&'static str> {
        match self {
            Self::Create | Self::Get | Self::Status | Self::Ping | Self::Fail | Self::Post => None,
        }
    }

    const fn row(self) -> (&'static str, &'static str, Repeat) {
        match self {
            Self::Create => ("POST", "/v1/checkout_intents/", Repeat::Unsafe),
            Self::Get => ("GET", "/v1/checkout_intents/{checkout_intent_id}", Repeat::Safe),
            Self::Status => ("GET", "/v1/checkout_intents/{checkout_intent_id}/status", Repeat::Safe),
            Self::Ping => ("GET", "/v1/test/ping", Repeat::Safe),
            Self::Fail => ("GET", "/v1/test/fail", Repeat::Safe),
            Self::Post => ("POST", "/v1/test/post", Repeat::Safe),
        }
    }
}

impl fmt::Display for Route {
    /// The route's name, in lower case: `create`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Create => "create",
            Self::Get => "get",
            Self::Status => "status",
            Self::Ping => "ping",
            Self::Fail => "fail",
            Self::Post => "post",
        })
    }
}

/// The base URL of the API. A test store lives on the same host as a live store; only the key distinguishes
/// them.
///
/// Source: *Auth*, v1, 2026-01, and *Integration Guide*. The host of a separate sandbox is described there as
/// retired since mid-2026.
pub const BASE_URL: &str = "https://openapi.allscale.io";

/// The code of success in a reply's envelope.
///
/// Source: *Create Checkout Intent*, v4, 2026-05-06, Response Fields.
pub const SUCCESS: i64 = 0;

/// The floor in hundredths of a coin: an amount must be **greater** than 0.1 coin, so a native price of 10 is
/// rejected and 11 passes. The price in a fiat currency is measured after its conversion.
///
/// Source: *Create Checkout Intent*, v4, 2026-05-06, Important.
pub const FLOOR_CENTS: i64 = 10;

/// The text before the coin's code, and the text after it, in the documented refusal of an amount at or below
/// the floor (code 50002).
///
/// Source: *Create Checkout Intent*, v4, 2026-05-06, Important.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::allscale::{FLOOR_TEXT, StableCoin};
///
/// let text = format!("{}{}{}", FLOOR_TEXT.0, StableCoin::USDT.code(), FLOOR_TEXT.1);
/// assert_eq!(text, "amount must be greater than 0.1 USDT!");
/// ```
pub const FLOOR_TEXT: (&str, &str) = ("amount must be greater than 0.1 ", "!");

/// The largest difference, in seconds, between a request's timestamp and the provider's clock.
///
/// Source: *Auth*, v1, 2026-01, says ±5 minutes; newer texts say ±10 by default and settable per
/// store. The narrower one is taken.
pub const TIMESTAMP_WINDOW_SECONDS: u64 = 300;

/// The interval, in seconds, at which AllScale advises to read the status.
///
/// Source: *Integration Guide*.
pub const POLL_EVERY_SECONDS: u64 = 5;

/// The time, in seconds, after which AllScale advises to stop polling. A manual review or a late payment
/// outlasts this time.
///
/// Source: *Integration Guide*.
pub const POLL_GIVE_UP_SECONDS: u64 = 600;

const fn currency_from_code(code: &str) -> Option<Currency> {
    CURRENCY_INDEX.find(code)
}

static CURRENCY_INDEX: CodeIndex = CodeIndex::new(&Currency::ROWS);

const INTENT_ROUTES: &[Route] = &[Route::Create, Route::Get, Route::Status];
const READS: &[Route] = &[Route::Get, Route::Status];
const CREATE: &[Route] = &[Route::Create];
