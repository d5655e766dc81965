//! Tests a contract that relies on blobs, against a network that really stores them: the NFT of
//! `contracts/src/examples/LastingArt.sol` must refuse artwork that is not stored for long
//! enough, and take it when it is.
//!
//!     cargo run --example test_a_contract
//!
//! (For tests in Solidity alone, see docs/protocol/contracts-for-developers.md section 9.)

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

mod network;

use std::error::Error;

use alloy::{
    primitives::{Address, B256},
    sol_types::{SolCall, SolConstructor, SolError},
};
use walrus_chain::{ContractError, WriteError};
use walrus_sdk::{ProgressSink, StoreOptions};

mod art {
    #![allow(missing_docs, unreachable_pub, clippy::all)]
    // The interface and the code, as the compiler left them; yours come from forge's `out/`.
    alloy::sol!(LastingArt, "../../contracts/artifacts/LastingArt.json");
}
use art::LastingArt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, writer) = network::connect().await?;
    let chain = client.chain();
    let system = Address::from(chain.deployment().contracts.system.0);
    let artist = Address::from(writer.address().0);

    // The contract under test. All it needs to know of Walrus is one address.
    let mut code = LastingArt::BYTECODE.to_vec();
    code.extend(LastingArt::constructorCall { system }.abi_encode());
    let (contract, receipt) = writer.create(code).await?;
    println!("the contract is at {contract}, for {} gas", receipt.gas_used);

    // New artwork in each run: what is stored once stays stored.
    let artwork =
        format!("a picture of {} in block {}", contract, receipt.block_number).into_bytes();
    let coder = client.coder();
    let params = client.network().await?.committee.params();
    let encoded = coder.encode(params, artwork.clone(), &ProgressSink::none()).await?;
    let blob_id = B256::from(*encoded.metadata().blob_id().as_bytes());
    let until = chain.block_time().await? + 1;
    let mint = LastingArt::mintCall { to: artist, blobId: blob_id, until };

    // Before: nobody has promised to store it.
    let refused = writer.invoke(contract, mint.abi_encode(), 0).await;
    let error = art_error(refused.err().ok_or("artwork was minted that nobody stores")?)?;
    assert_eq!((error.blobId, error.promised), (blob_id, 0));
    println!("refused before it is stored");

    // After: the network's certificate is on the chain, which is all that the contract asks.
    let options = StoreOptions { epochs: 2, ..StoreOptions::default() };
    let stored = client.store(&writer, artwork, &options, &ProgressSink::none()).await?;
    assert_eq!(stored.blob_id.as_bytes(), blob_id.as_slice());
    writer.invoke(contract, mint.abi_encode(), 0).await?;
    let token = alloy::primitives::U256::from(1);
    let piece = LastingArt::pieceOfCall { tokenId: token };
    let answer = chain.call(contract, piece.abi_encode()).await?;
    let piece = LastingArt::pieceOfCall::abi_decode_returns(&answer)?;
    assert!(piece.available && piece.piece.blobId == blob_id);
    println!("minted once it is stored");

    // Nor does the contract promise more than the network does.
    let forever = LastingArt::mintCall { until: u64::MAX, ..mint };
    let refused = writer.invoke(contract, forever.abi_encode(), 0).await;
    let error = art_error(refused.err().ok_or("artwork was minted for ever")?)?;
    assert!(error.promised >= until && error.promised < error.wanted);
    println!("refused beyond the end of storage");
    Ok(())
}

/// The contract's own error.
fn art_error(error: WriteError) -> Result<LastingArt::NotStoredUntil, Box<dyn Error>> {
    match error.contract_error() {
        Some(ContractError::Unknown(data)) => Ok(LastingArt::NotStoredUntil::abi_decode(data)?),
        _ => Err(error.into()),
    }
}
