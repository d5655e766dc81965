//! The two directions of the code, as run-time values and as types.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which kind of sliver: a row of the matrix or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SliverType {
    /// The first `s` symbols of a row.
    Primary,
    /// The first `p` symbols of a column.
    Secondary,
}

impl SliverType {
    /// Both kinds, in the order of their serialised variants.
    pub const BOTH: [Self; 2] = [Self::Primary, Self::Secondary];

    /// The other kind.
    #[must_use]
    pub const fn orthogonal(self) -> Self {
        match self {
            Self::Primary => Self::Secondary,
            Self::Secondary => Self::Primary,
        }
    }
}

impl fmt::Display for SliverType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        })
    }
}

/// Text that names neither kind of sliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sliver type is `primary` or `secondary`")]
pub struct SliverTypeParseError;

impl FromStr for SliverType {
    type Err = SliverTypeParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "primary" => Ok(Self::Primary),
            "secondary" => Ok(Self::Secondary),
            _ => Err(SliverTypeParseError),
        }
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Primary {}
    impl Sealed for super::Secondary {}
}

/// A kind of sliver known at compile time: [`Primary`] or [`Secondary`].
pub trait Axis:
    sealed::Sealed + Copy + Eq + Ord + fmt::Debug + Send + Sync + Unpin + 'static
{
    /// The same kind as a value.
    const TYPE: SliverType;
    /// The other kind.
    type Orthogonal: Axis<Orthogonal = Self>;
}

/// Rows of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Primary {}

/// Columns of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Secondary {}

impl Axis for Primary {
    const TYPE: SliverType = SliverType::Primary;
    type Orthogonal = Secondary;
}

impl Axis for Secondary {
    const TYPE: SliverType = SliverType::Secondary;
    type Orthogonal = Primary;
}
