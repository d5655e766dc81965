//! Does this chain have what the contracts need? Asked before anything is sent
//! (docs/protocol/onchain.md section 2.0).

use std::time::Duration;

use alloy::primitives::{Address, Bytes, U256, address, hex};
use tokio::time::{Instant, sleep};

use crate::{
    endpoints::{Endpoints, RpcError},
    rpc::{BlockTag, CallRequest, Head},
};

/// BLAKE2b compression.
const BLAKE2F: Address = address!("0x0000000000000000000000000000000000000009");
/// BLS12-381 addition in G1.
const G1_ADD: Address = address!("0x000000000000000000000000000000000000000b");
/// BLS12-381 pairing check.
const PAIRING: Address = address!("0x000000000000000000000000000000000000000f");
/// Field element to G2.
const MAP_FP2_TO_G2: Address = address!("0x0000000000000000000000000000000000000011");
/// The system contract of EIP-2935.
const HISTORY: Address = address!("0x0000F90827F1C53a10cb7A02335B175320002935");

/// How long two blocks are waited for.
const BLOCKS_WAIT: Duration = Duration::from_secs(60);

/// Why a chain cannot carry a network.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProbeError {
    /// The chain cannot be reached.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// A precompiled contract is missing or computes something else.
    #[error("the chain's {name} precompile does not work ({got}): it needs the Prague rules")]
    Precompile {
        /// Which.
        name: &'static str,
        /// What it answered.
        got: String,
    },
    /// Old block hashes cannot be read by contracts.
    #[error(
        "the history contract (EIP-2935) gave {got} for the hash of block {number}: it needs the Prague rules"
    )]
    History {
        /// The block asked for.
        number: u64,
        /// What it answered.
        got: String,
    },
    /// Two blocks with the same random number.
    #[error("blocks {first} and {second} have the same PREVRANDAO: this chain has no randomness")]
    Randomness {
        /// A block.
        first: u64,
        /// A later block.
        second: u64,
    },
    /// No second block came.
    #[error("the chain stands still at block {number}: it must mine a block every few seconds")]
    NoBlocks {
        /// Its newest block.
        number: u64,
    },
    /// No finalized block is named.
    #[error("the chain does not answer for its finalized block ({reason})")]
    Finality {
        /// What it said.
        reason: String,
    },
}

/// Checks precompiles, block history, randomness and the finalized tag. Waits up to a
/// minute for two blocks.
///
/// # Errors
/// See [`ProbeError`].
pub async fn probe(endpoints: &Endpoints) -> Result<(), ProbeError> {
    precompiles(endpoints).await?;
    let (first, second) = two_blocks(endpoints).await?;
    if first.mix_hash == second.mix_hash {
        let (first, second) = (first.number(), second.number());
        return Err(ProbeError::Randomness { first, second });
    }
    history(endpoints, &second).await?;
    match endpoints.head(BlockTag::Finalized).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(ProbeError::Finality { reason: "there is none".to_owned() }),
        Err(error) if error.is_retryable() => Err(error.into()),
        Err(error) => Err(ProbeError::Finality { reason: error.to_string() }),
    }
}

async fn precompiles(endpoints: &Endpoints) -> Result<(), ProbeError> {
    let one = U256::from(1).to_be_bytes::<32>().to_vec();
    // e(G1, G2) * e(-G1, G2) = 1, and e(G1, G2) alone is not.
    let pair = [&G1_GENERATOR[..], &G2_GENERATOR].concat();
    let balanced = [&pair[..], &G1_GENERATOR[..64], &NEGATED_Y, &G2_GENERATOR].concat();
    expect(endpoints, "pairing (0x0f)", PAIRING, balanced, &one).await?;
    expect(endpoints, "pairing (0x0f)", PAIRING, pair, &[0; 32]).await?;
    // G1 + (-G1) = infinity.
    let opposite = [&G1_GENERATOR[..], &G1_GENERATOR[..64], &NEGATED_Y].concat();
    expect(endpoints, "G1 addition (0x0b)", G1_ADD, opposite, &[0; 128]).await?;
    // Any field element maps to a point; zero's is checked for its length only.
    let mapped = call(endpoints, MAP_FP2_TO_G2, vec![0; 128]).await?;
    if !matches!(&mapped, Ok(point) if point.len() == 256) {
        let got = mapped.map_or_else(|refusal| refusal, |answer| answer.to_string());
        return Err(ProbeError::Precompile { name: "map to G2 (0x11)", got });
    }
    expect(endpoints, "BLAKE2F (0x09)", BLAKE2F, BLAKE2F_INPUT.to_vec(), &BLAKE2F_OUTPUT).await
}

async fn expect(
    endpoints: &Endpoints,
    name: &'static str,
    precompile: Address,
    input: Vec<u8>,
    expected: &[u8],
) -> Result<(), ProbeError> {
    match call(endpoints, precompile, input).await? {
        Ok(answer) if *answer == *expected => Ok(()),
        Ok(answer) => Err(ProbeError::Precompile { name, got: answer.to_string() }),
        Err(got) => Err(ProbeError::Precompile { name, got }),
    }
}

/// Calls an address; the inner error is the chain's refusal in words.
async fn call(
    endpoints: &Endpoints,
    to: Address,
    data: Vec<u8>,
) -> Result<Result<Bytes, String>, RpcError> {
    let request = CallRequest { to: Some(to), data: data.into(), ..CallRequest::default() };
    match endpoints.call(&request, BlockTag::Latest).await {
        Ok(answer) => Ok(Ok(answer)),
        Err(RpcError::Refused { answer, .. }) => Ok(Err(answer.to_string())),
        Err(error) => Err(error),
    }
}

/// The two newest blocks, waiting for a second one after genesis.
async fn two_blocks(endpoints: &Endpoints) -> Result<(Head, Head), ProbeError> {
    let begun = Instant::now();
    loop {
        let newest = endpoints.latest().await?;
        let number = newest.number();
        // Block 0 is configured, not mined.
        if number >= 2 {
            let before = endpoints.head(BlockTag::Number(number - 1)).await?;
            if let Some(before) = before {
                return Ok((before, newest));
            }
        }
        if begun.elapsed() >= BLOCKS_WAIT {
            return Err(ProbeError::NoBlocks { number });
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Asks the history contract for the hash of `head`'s parent.
async fn history(endpoints: &Endpoints, head: &Head) -> Result<(), ProbeError> {
    let number = head.number() - 1;
    let data = U256::from(number).to_be_bytes::<32>();
    let request = CallRequest { to: Some(HISTORY), data: data.into(), ..CallRequest::default() };
    // Blocks mined meanwhile only make the parent older, well within the contract's range.
    let answer = endpoints.call(&request, BlockTag::Latest).await;
    let got = match answer {
        Ok(answer) if *answer == head.parent_hash[..] => return Ok(()),
        Ok(answer) => answer.to_string(),
        Err(RpcError::Refused { answer, .. }) => answer.to_string(),
        Err(error) => return Err(error.into()),
    };
    Err(ProbeError::History { number, got })
}

/// The generator of G1, in the form of EIP-2537.
const G1_GENERATOR: [u8; 128] = hex!(
    "0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0f"
    "c3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
    "0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4"
    "fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1"
);
/// The second coordinate of its negative.
const NEGATED_Y: [u8; 64] = hex!(
    "00000000000000000000000000000000114d1d6855d545a8aa7d76c8cf2e21f2"
    "67816aef1db507c96655b9d5caac42364e6f38ba0ecb751bad54dcd6b939c2ca"
);
/// The generator of G2.
const G2_GENERATOR: [u8; 256] = hex!(
    "00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051"
    "c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"
    "0000000000000000000000000000000013e02b6052719f607dacd3a088274f65"
    "596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
    "000000000000000000000000000000000ce5d527727d6e118cc9cdc6da2e351a"
    "adfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801"
    "000000000000000000000000000000000606c4a02ea734cc32acd2b02bc28b99"
    "cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be"
);
/// Vector 5 of EIP-152: one block of BLAKE2b-512("abc").
const BLAKE2F_INPUT: [u8; 213] = hex!(
    "0000000c48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f"
    "3af54fa5d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e13"
    "19cde05b61626300000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000"
    "000000000300000000000000000000000000000001"
);
/// BLAKE2b-512("abc").
const BLAKE2F_OUTPUT: [u8; 64] = hex!(
    "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
    "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
);
