//! Ids in paths.

use core::fmt::{self, Write};

/// An id as a segment of a path, percent-encoded. Ids that a provider hands out are opaque, so whatever they
/// are made of is kept; three cannot be a segment at all, and are refused: the empty one, which would ask
/// another route, and the two that HTTP software takes for "here" and "one up" even when they are encoded.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::validate::{IdError, PathSegment};
///
/// assert_eq!(PathSegment::new("65b2f3d0d2d9c0a1b2c3d4e5")?.to_string(), "65b2f3d0d2d9c0a1b2c3d4e5");
/// assert_eq!(PathSegment::new("../a?b#c%2F é")?.to_string(), "..%2Fa%3Fb%23c%252F%20%C3%A9");
/// assert_eq!(PathSegment::new(""), Err(IdError::Empty));
/// assert_eq!(PathSegment::new(".."), Err(IdError::Dots));
/// # Ok::<(), IdError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PathSegment<'a>(&'a str);

impl<'a> PathSegment<'a> {
    /// Takes the id unchanged from the provider.
    ///
    /// # Errors
    /// [`IdError`] for the three ids that cannot be a segment.
    pub const fn new(id: &'a str) -> Result<Self, IdError> {
        match id.as_bytes() {
            b"" => Err(IdError::Empty),
            b"." | b".." => Err(IdError::Dots),
            _ => Ok(Self(id)),
        }
    }

    /// Of an id that has been checked.
    pub(crate) const fn checked(id: &'a str) -> Self {
        Self(id)
    }

    /// The id, unchanged.
    ///
    /// ```
    /// # use checkout_validate::PathSegment;
    /// assert_eq!(PathSegment::new("a b")?.id(), "a b");
    /// # Ok::<(), checkout_validate::IdError>(())
    /// ```
    #[must_use]
    pub const fn id(&self) -> &'a str {
        self.0
    }
}

impl fmt::Display for PathSegment<'_> {
    /// The percent-encoded form: everything but RFC 3986's unreserved characters is encoded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                    f.write_char(byte.into())?
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

/// An id that cannot be a segment of a path. The error does not know which id failed: add the name where you
/// know it.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::validate::{IdError, PathSegment};
///
/// let error = PathSegment::new("").unwrap_err();
/// assert_eq!(error.to_string(), "an empty id would ask another route");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// There is no id.
    #[error("an empty id would ask another route")]
    Empty,
    /// The id is `.` or `..`, which a path resolves away, percent-encoded or not.
    #[error("an id of one or two dots is resolved away in a path")]
    Dots,
}
