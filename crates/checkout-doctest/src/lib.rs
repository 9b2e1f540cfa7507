//! The facade's paths for the examples of the crates below the facade.
//!
//! A user depends on the facade, `checkout-kit`, so the visible lines of an example name `checkout_kit`. A
//! crate below the facade cannot depend on the facade, not even in its tests: the circle would switch on
//! features in the crate under test. [`facade!`] makes a module `checkout_kit` inside the example instead.
//!
//! The file `src/names.rs` holds the facade's re-exports, written from the facade's sources. The test
//! `facade_in_examples` of `checkout-kit` compares the two. So every path of the module is a path of the
//! facade, and both lead to the same item.
//!
//! This crate is a dev-dependency alone, and depends on nothing.

#![no_std]

mod names;

/// Makes the module `checkout_kit` for an example in the docs of one crate below the facade.
///
/// The macro takes the crate's name and stands once in an example, in a hidden line:
///
/// ```text
/// /// ```
/// /// # checkout_doctest::facade!(money);
/// /// use checkout_kit::Cents;
/// ///
/// /// assert_eq!(Cents::new(1000).get(), 1000);
/// /// ```
/// ```
///
/// The module has the facade's names of the crate, and of the crates that the crate depends on.
#[macro_export]
macro_rules! facade {
    (auth) => { $crate::facade!(@ auth); };
    (money) => { $crate::facade!(@ money); };
    (tables) => { $crate::facade!(@ tables); };
    (transport) => { $crate::facade!(@ transport); };
    (lifecycle) => { $crate::facade!(@ lifecycle tables); };
    (validate) => { $crate::facade!(@ money tables validate); };
    (poll) => { $crate::facade!(@ lifecycle poll tables); };
    (wire) => { $crate::facade!(@ money tables validate wire); };
    (trust) => { $crate::facade!(@ auth lifecycle money tables trust validate wire); };
    (client) => {
        $crate::facade!(@ auth client lifecycle money poll tables transport trust validate wire);
    };
    (engine) => {
        $crate::facade!(@ auth client engine lifecycle money poll tables transport trust validate wire);
    };
    (@ $($visible:ident)+) => {
        mod checkout_kit {
            $($crate::names!($visible);)+
            pub mod allscale {
                $($crate::names!(allscale $visible);)+
            }
            pub mod azotte {
                $($crate::names!(azotte $visible);)+
            }
            pub mod peach {
                $($crate::names!(peach $visible);)+
            }
        }
    };
}
