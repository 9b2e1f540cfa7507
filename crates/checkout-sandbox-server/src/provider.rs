//! The providers that the server plays.

/// A provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    AllScale,
    Azotte,
    Peach,
}

impl Provider {
    pub(crate) const ALL: [Self; 3] = [Self::AllScale, Self::Azotte, Self::Peach];

    /// The name in a path and in JSON.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::AllScale => "allscale",
            Self::Azotte => "azotte",
            Self::Peach => "peach",
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AllScale => "AllScale",
            Self::Azotte => "Azotte",
            Self::Peach => "Peach",
        }
    }

    pub(crate) fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.key() == key)
    }
}
