//! Slivers whose type is known only at run time.

use crate::axis::{Primary, Secondary, SliverType};
use crate::bcs::{BcsError, Reader, Writer};
use crate::blob_id::BlobId;
use crate::index::SliverIndex;
use crate::params::EncodingParams;
use crate::sliver::{Sliver, SliverError, VerifiedSliver};

macro_rules! for_either {
    ($any:expr, $sliver:ident => $result:expr) => {
        match $any {
            Self::Primary($sliver) => $result,
            Self::Secondary($sliver) => $result,
        }
    };
}

/// A [`Sliver`] whose type is known only at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnySliver {
    /// A row.
    Primary(Sliver<Primary>),
    /// A column.
    Secondary(Sliver<Secondary>),
}

impl AnySliver {
    /// Parses a serialised sliver that is said to be of type `sliver_type`.
    ///
    /// # Errors
    /// As [`Sliver::from_bcs`].
    pub fn from_bcs(
        sliver_type: SliverType,
        bytes: &[u8],
        params: EncodingParams,
    ) -> Result<Self, SliverError> {
        Ok(match sliver_type {
            SliverType::Primary => Self::Primary(Sliver::from_bcs(bytes, params)?),
            SliverType::Secondary => Self::Secondary(Sliver::from_bcs(bytes, params)?),
        })
    }

    /// Reads the form that carries its type: variant 0 primary or 1 secondary, then the sliver.
    ///
    /// # Errors
    /// As [`Sliver::from_bcs`].
    pub fn read_tagged(
        reader: &mut Reader<'_>,
        params: EncodingParams,
    ) -> Result<Self, SliverError> {
        match reader.uleb()? {
            0 => Ok(Self::Primary(Sliver::read(reader, params)?)),
            1 => Ok(Self::Secondary(Sliver::read(reader, params)?)),
            got => Err(BcsError::UnknownVariant { what: "sliver", got }.into()),
        }
    }

    /// Appends the form that carries its type.
    pub fn write_tagged(&self, writer: &mut Writer) {
        writer.uleb(self.sliver_type() as u32);
        for_either!(self, sliver => sliver.write(writer));
    }

    /// The serialised sliver, without its type.
    pub fn to_bcs(&self) -> Vec<u8> {
        for_either!(self, sliver => sliver.to_bcs())
    }

    /// The sliver's type.
    pub fn sliver_type(&self) -> SliverType {
        match self {
            Self::Primary(_) => SliverType::Primary,
            Self::Secondary(_) => SliverType::Secondary,
        }
    }

    /// The sliver's position among those of its type.
    pub fn index(&self) -> SliverIndex {
        for_either!(self, sliver => sliver.index())
    }

    /// The symbols, one after the other.
    pub fn data(&self) -> &[u8] {
        for_either!(self, sliver => sliver.data())
    }
}

/// A [`VerifiedSliver`] whose type is known only at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyVerifiedSliver {
    /// A row.
    Primary(VerifiedSliver<Primary>),
    /// A column.
    Secondary(VerifiedSliver<Secondary>),
}

impl AnyVerifiedSliver {
    /// The serialised sliver, without its type.
    pub fn to_bcs(&self) -> Vec<u8> {
        for_either!(self, sliver => sliver.to_bcs())
    }

    /// The sliver's type.
    pub fn sliver_type(&self) -> SliverType {
        match self {
            Self::Primary(_) => SliverType::Primary,
            Self::Secondary(_) => SliverType::Secondary,
        }
    }

    /// The sliver's position among those of its type.
    pub fn index(&self) -> SliverIndex {
        for_either!(self, sliver => sliver.index())
    }

    /// The symbols, one after the other.
    pub fn data(&self) -> &[u8] {
        for_either!(self, sliver => sliver.data())
    }

    /// The blob that the sliver is part of.
    pub fn blob_id(&self) -> &BlobId {
        for_either!(self, sliver => sliver.blob_id())
    }

    /// The sliver without the knowledge that it is right.
    pub fn into_sliver(self) -> AnySliver {
        match self {
            Self::Primary(sliver) => AnySliver::Primary(sliver.into_sliver()),
            Self::Secondary(sliver) => AnySliver::Secondary(sliver.into_sliver()),
        }
    }
}

impl From<VerifiedSliver<Primary>> for AnyVerifiedSliver {
    fn from(sliver: VerifiedSliver<Primary>) -> Self {
        Self::Primary(sliver)
    }
}

impl From<VerifiedSliver<Secondary>> for AnyVerifiedSliver {
    fn from(sliver: VerifiedSliver<Secondary>) -> Self {
        Self::Secondary(sliver)
    }
}
