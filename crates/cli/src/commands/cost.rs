//! `walrus cost`: what storing would cost, before anything is paid.

use serde_json::{Value, json};
use walrus_core::Epoch;
use walrus_encryption::Padding;
use walrus_env::Env;

use super::store_many::expand;
use crate::{
    args::{CostArgs, Global, PaddingChoice},
    client,
    dates::Calendar,
    failure::{Failure, Kind, Outcome},
    output::{Output, bytes, ether, table, wal},
    session::Session,
};

/// Header and tags of an encrypted file, roughly: a recipient takes about 100 bytes.
const HEADER_BYTES: u64 = 512;
/// As measured by the tests of the contracts, `contracts/snapshots`.
const MARKET: &str = include_str!("../../../../contracts/snapshots/market.json");
const GAS: &str = include_str!("../../../../contracts/snapshots/gas.json");

/// Gas of storing one blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gas {
    register: u64,
    certify: u64,
}

impl Gas {
    /// As measured: buying for more epochs writes more words, a certificate that fewer members
    /// signed takes more work.
    fn measured(epochs: u32) -> Option<Self> {
        let (market, gas): (Value, Value) =
            (serde_json::from_str(MARKET).ok()?, serde_json::from_str(GAS).ok()?);
        let number = |table: &Value, name: &str| table[name].as_str()?.parse::<u64>().ok();
        let one = number(&gas, "buyAndRegister, 1 epoch")?;
        let many = number(&gas, "buyAndRegister, 53 epochs")?
            .max(number(&market, "buy and register, 53 epochs")?);
        let each = many.saturating_sub(one).div_ceil(52);
        let certify = number(&gas, "certify, 67 of 100 sign, spread")?;
        let register = one + each * u64::from(epochs.saturating_sub(1));
        Some(Self { register, certify })
    }
}

/// Runs `walrus cost`.
pub async fn run(env: &Env, global: &Global, arguments: &CostArgs, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let client = client::open(&session);
    let snapshot = client.network().await?;
    let (params, view) = (snapshot.committee.params(), snapshot.network);
    if !view.prices.are_set() {
        return Err(Failure::message(Kind::Unavailable, "the network sells no storage yet"));
    }
    let calendar = Calendar::new(&view);
    let epochs = calendar.epochs(env, arguments.until.as_deref(), arguments.epochs)?;
    let lengths = lengths(arguments)?;
    let (mut length, mut encoded, mut storage, mut write) = (0_u64, 0_u64, 0_u64, 0_u64);
    for content in &lengths {
        let stored = match arguments.encrypt {
            Some(PaddingChoice::Padme) => sealed(Padding::Padme.padded(*content)),
            Some(PaddingChoice::None) => sealed(*content),
            None => *content,
        };
        let counted = params.encoded_blob_length(stored).map_err(|error| {
            Failure::new(Kind::Usage, error).hint("split it, or use a network with more shards")
        })?;
        let cost = view.prices.cost(counted, epochs);
        (length, encoded) = (length + stored, encoded + counted);
        storage = storage.saturating_add(cost.storage);
        write = write.saturating_add(cost.write);
    }
    let blobs = lengths.len() as u64;
    let gas =
        Gas::measured(epochs).ok_or_else(|| anyhow::anyhow!("the measured gas is not readable"))?;
    let units = blobs * (gas.register + gas.certify);
    let price = session.chain.gas_price().await?;
    let end = Epoch(calendar.now().0.saturating_add(epochs));
    let report = json!({
        "blobs": blobs,
        "size": length,
        "encoded_size": encoded,
        "epochs": epochs,
        "end_epoch": end.0,
        "ends": calendar.text(calendar.begins(end)),
        "storage_frost": storage,
        "write_frost": write,
        "cost_frost": storage.saturating_add(write),
        "gas": { "register": gas.register, "certify": gas.certify, "total": units },
        "gas_price_wei": price.to_string(),
        "gas_wei": (u128::from(units) * price).to_string(),
    });
    output.result(&report, |_| {
        let gas_cost = ether(u128::from(units) * price);
        let rows = [
            ("blobs", blobs.to_string()),
            ("size", format!("{}, {} encoded", bytes(length), bytes(encoded))),
            (
                "stored",
                format!(
                    "{epochs} epochs, until {} UTC at least",
                    report["ends"].as_str().unwrap_or("")
                ),
            ),
            ("storage", wal(storage.into())),
            ("registration", wal(write.into())),
            ("together", wal(u128::from(storage) + u128::from(write))),
            ("gas", format!("about {units} units, {gas_cost} at the present price")),
        ];
        let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
        table(&rows) + "\n\nNothing was paid. Gas is what the contracts' tests measured."
    });
    Ok(())
}

/// The length of an age file of so many bytes.
fn sealed(padded: u64) -> u64 {
    let chunks = padded.div_ceil(walrus_encryption::CHUNK_BYTES).max(1);
    padded.saturating_add(16 * chunks).saturating_add(HEADER_BYTES)
}

fn lengths(arguments: &CostArgs) -> Result<Vec<u64>, Failure> {
    if let Some(size) = arguments.size {
        return Ok(vec![size]);
    }
    let length = |path: &std::path::PathBuf| {
        let metadata = std::fs::metadata(path);
        metadata.map(|metadata| metadata.len()).map_err(|error| {
            Failure::message(Kind::Usage, format!("cannot read {}: {error}", path.display()))
        })
    };
    expand(&arguments.files)?.iter().map(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measured_gas_is_there_and_grows_with_epochs() {
        // A renamed row of the snapshots would make every estimate an error.
        let (one, many) = (Gas::measured(1).unwrap(), Gas::measured(53).unwrap());
        assert!(one.register > 100_000 && one.certify > 100_000, "{one:?}");
        assert!(many.register > one.register && many.register < 400_000, "{many:?}");
    }
}
