//! What an account owns on the chain: `walrus blob`, `capacity`, `ref`.

use clap::Subcommand;

/// `walrus blob …`
#[derive(Debug, Subcommand)]
pub enum BlobCommand {
    /// List the blob objects of the wallet
    List,
    /// Move the end of a certified blob; anyone may pay for it
    Extend {
        /// Number of the object
        object: u64,
        /// Epochs to add
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        epochs: u32,
        /// Spend capacity of the wallet from the blob's end on, instead of WAL
        #[arg(long)]
        with_capacity: bool,
    },
    /// Delete a deletable blob and get the rest of its capacity
    Delete {
        /// Number of the object
        object: u64,
    },
    /// Give a blob object to another account
    Transfer {
        /// Number of the object
        object: u64,
        /// Who gets it, 0x…
        to: String,
    },
    /// Drop a blob object; the data stays stored until its end
    Burn {
        /// Number of the object
        object: u64,
    },
    /// Show, set and remove attributes of a blob object
    Attributes {
        /// Number of the object
        object: u64,
        /// Attribute to set; may be repeated
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
        /// Attribute to remove; may be repeated
        #[arg(long, value_name = "KEY")]
        remove: Vec<String>,
    },
}

/// `walrus capacity …`
#[derive(Debug, Subcommand)]
pub enum CapacityCommand {
    /// List the capacity of the wallet
    List,
    /// Buy capacity from the current epoch on
    Buy {
        /// Bytes of encoded size, at least 1 MiB
        #[arg(long, value_name = "BYTES")]
        size: u64,
        /// Epochs, the current one included
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        epochs: u32,
    },
    /// Cut capacity in two at an epoch
    Split {
        /// First epoch of the capacity
        #[arg(long)]
        start: u32,
        /// Its end: the first epoch it does not cover
        #[arg(long)]
        end: u32,
        /// First epoch of the second part
        #[arg(long)]
        middle: u32,
        /// Bytes to cut
        #[arg(long, value_name = "BYTES")]
        size: u64,
    },
    /// Join two capacities, of which one ends where the other starts
    Fuse {
        /// First epoch of the first one
        #[arg(long)]
        start: u32,
        /// First epoch of the second one
        #[arg(long)]
        middle: u32,
        /// End of the second one: the first epoch it does not cover
        #[arg(long)]
        end: u32,
        /// Bytes to join
        #[arg(long, value_name = "BYTES")]
        size: u64,
    },
    /// Give capacity to another account
    Transfer {
        /// Who gets it, 0x…
        to: String,
        /// First epoch of the capacity
        #[arg(long)]
        start: u32,
        /// Its end: the first epoch it does not cover
        #[arg(long)]
        end: u32,
        /// Bytes to give
        #[arg(long, value_name = "BYTES")]
        size: u64,
    },
    /// Cut past epochs off capacity, so that it joins with what is bought now
    Normalise {
        /// First epoch of the capacity
        #[arg(long)]
        start: u32,
        /// Its end: the first epoch it does not cover
        #[arg(long)]
        end: u32,
        /// Bytes to normalise
        #[arg(long, value_name = "BYTES")]
        size: u64,
    },
    /// Give capacity up; nothing is paid back
    Destroy {
        /// First epoch of the capacity
        #[arg(long)]
        start: u32,
        /// Its end: the first epoch it does not cover
        #[arg(long)]
        end: u32,
        /// Bytes to give up
        #[arg(long, value_name = "BYTES")]
        size: u64,
    },
}

/// `walrus ref …`
#[derive(Debug, Subcommand)]
pub enum RefCommand {
    /// Create a reference to a blob
    Create {
        /// Blob id, 43 characters
        #[arg(allow_hyphen_values = true)]
        blob_id: String,
        /// Blob object of it whose end the reference shows
        #[arg(long)]
        object: Option<u64>,
    },
    /// Point a reference at another blob
    Update {
        /// Number of the reference
        reference: u64,
        /// Blob id, 43 characters
        #[arg(allow_hyphen_values = true)]
        blob_id: String,
        /// Blob object of it whose end the reference shows
        #[arg(long)]
        object: Option<u64>,
    },
    /// Show where a reference points
    Resolve {
        /// Number of the reference
        reference: u64,
    },
    /// Make the target of a reference final
    Freeze {
        /// Number of the reference
        reference: u64,
    },
}
