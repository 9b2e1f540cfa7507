//! A fault of a request, of whichever provider, or of the wire.

use checkout_sandbox::{FaultName, FaultNameError, allscale, azotte, peach};
use checkout_tables::{allscale as allscale_tables, azotte as azotte_tables, peach as peach_tables};
use serde_json::{Map, Value};

use crate::fields::Fields;
use crate::problem::Problem;
use crate::provider::Provider;
use crate::wire::Wire;

/// A fault of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    AllScale(allscale::Fault),
    Azotte(azotte::Fault),
    Peach(peach::Fault),
    /// A fault of the connection, after the sandbox has answered.
    Wire(Wire),
}

/// The route of a request. `None` if the provider has no such route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    AllScale(Option<allscale_tables::Route>),
    Azotte(Option<azotte_tables::Route>),
    Peach(Option<peach_tables::Route>),
}

impl Route {
    pub(crate) const fn provider(self) -> Provider {
        match self {
            Self::AllScale(_) => Provider::AllScale,
            Self::Azotte(_) => Provider::Azotte,
            Self::Peach(_) => Provider::Peach,
        }
    }

    /// The name in the provider's table.
    pub(crate) fn name(self) -> Option<String> {
        match self {
            Self::AllScale(route) => route.map(|route| route.to_string()),
            Self::Azotte(route) => route.map(|route| route.to_string()),
            Self::Peach(route) => route.map(|route| route.to_string()),
        }
    }

    /// The routes of a provider.
    pub(crate) fn all(provider: Provider) -> Vec<Self> {
        match provider {
            Provider::AllScale => {
                allscale_tables::Route::ROWS.into_iter().map(|route| Self::AllScale(Some(route))).collect()
            }
            Provider::Azotte => {
                azotte_tables::Route::ROWS.into_iter().map(|route| Self::Azotte(Some(route))).collect()
            }
            Provider::Peach => {
                peach_tables::Route::ROWS.into_iter().map(|route| Self::Peach(Some(route))).collect()
            }
        }
    }
}

impl Fault {
    /// The names of the sandbox's faults of a provider, each with the name of its value.
    pub(crate) fn rows(provider: Provider) -> &'static [FaultName] {
        static ALLSCALE: [FaultName; allscale::Fault::NAMES.len()] = allscale::Fault::NAMES;
        static AZOTTE: [FaultName; azotte::Fault::NAMES.len()] = azotte::Fault::NAMES;
        static PEACH: [FaultName; peach::Fault::NAMES.len()] = peach::Fault::NAMES;
        match provider {
            Provider::AllScale => &ALLSCALE,
            Provider::Azotte => &AZOTTE,
            Provider::Peach => &PEACH,
        }
    }

    /// Takes the fault and the fault's values from the fields.
    pub(super) fn read(provider: Provider, fields: &mut Fields) -> Result<Self, Problem> {
        let name = fields.text("fault")?.ok_or_else(|| Problem::field("fault", "is missing"))?;
        if let Some(wire) = Wire::read(&name, fields)? {
            return Ok(Self::Wire(wire));
        }
        let row = Self::rows(provider).iter().find(|row| row.name == name);
        let value = match row.and_then(|row| row.value) {
            Some(value) => fields.text_or_number(value)?,
            None => None,
        };
        let found = match provider {
            Provider::AllScale => allscale::Fault::by_name(&name, value.as_deref()).map(Self::AllScale),
            Provider::Azotte => azotte::Fault::by_name(&name, value.as_deref()).map(Self::Azotte),
            Provider::Peach => peach::Fault::by_name(&name, value.as_deref()).map(Self::Peach),
        };
        found.map_err(|error| match error {
            FaultNameError::Missing(value) => Problem::field(value, "is missing"),
            FaultNameError::Wrong { value, wanted } => Problem::field(value, format!("has to be {wanted}")),
            FaultNameError::Unknown | FaultNameError::NoValue | _ => {
                let names = Self::rows(provider).iter().map(|row| row.name).chain(Wire::names());
                let names = names.collect::<Vec<_>>().join(", ");
                Problem::field("fault", format!("has to be one of {names}"))
            }
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::AllScale(fault) => fault.name(),
            Self::Azotte(fault) => fault.name(),
            Self::Peach(fault) => fault.name(),
            Self::Wire(wire) => wire.name(),
        }
    }

    /// The values as JSON has them.
    pub(super) fn values(&self) -> Map<String, Value> {
        let of = |rows: &[FaultName], name: &str, value: Option<String>| {
            let field = rows.iter().find(|row| row.name == name).and_then(|row| row.value);
            field.zip(value).map(|(field, value)| (field.to_owned(), value.into())).into_iter().collect()
        };
        match self {
            Self::AllScale(fault) => of(&allscale::Fault::NAMES, fault.name(), fault.value()),
            Self::Azotte(fault) => of(&azotte::Fault::NAMES, fault.name(), fault.value()),
            Self::Peach(fault) => of(&peach::Fault::NAMES, fault.name(), fault.value()),
            Self::Wire(wire) => {
                wire.values().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
            }
        }
    }

    /// True if a request for the route can show the fault.
    pub(super) fn fits(&self, route: Route) -> bool {
        match (self, route) {
            (Self::AllScale(fault), Route::AllScale(route)) => fault.fits(route),
            (Self::Azotte(fault), Route::Azotte(route)) => fault.fits(route),
            (Self::Peach(fault), Route::Peach(route)) => fault.fits(route),
            (Self::Wire(_), _) => true,
            (Self::AllScale(_) | Self::Azotte(_) | Self::Peach(_), _) => false,
        }
    }

    /// The names of the provider's routes at which the fault can strike.
    pub(super) fn routes(&self, provider: Provider) -> Vec<String> {
        Route::all(provider).into_iter().filter(|route| self.fits(*route)).filter_map(Route::name).collect()
    }
}
