//! Putting a new network's contracts on a chain, in the order of contracts/README.md.

use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::{SolCall, SolConstructor},
};
use walrus_core::EvmAddress;

use crate::{
    abi::{
        Plain, blobs, capacity, committees, epochs, lens, proxy, staking, system, to_address, wal,
    },
    client::ChainClient,
    deployment::{Contracts, Deployment, Parameters, to_abi},
    endpoints::{Endpoints, RpcError},
    error::{ReadError, WriteError},
    probe::{ProbeError, probe},
    sender::{Action, SendConfig, Sender},
    wallet::Wallet,
    writer::transfer_ether,
};

/// What a new network is made with.
#[derive(Clone, Debug)]
pub struct DeployParams {
    /// Fixed for ever.
    pub parameters: Parameters,
    /// Receiver of the whole WAL supply; the deployer when `None`.
    pub wal_holder: Option<EvmAddress>,
    /// The only account that may upgrade the proxies; the deployer when `None`.
    pub upgrade_authority: Option<EvmAddress>,
    /// How transactions are sent.
    pub send: SendConfig,
}

/// Why a network was not deployed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DeployError {
    /// The chain cannot be reached.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The chain lacks something; nothing was sent.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// A transaction failed. Deploy again: what was created so far is of no use.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A contract was created elsewhere than computed: another program used the account
    /// meanwhile. Deploy again with an account of its own.
    #[error("{contract} was created at {got}, expected {expected}: use an account of its own")]
    Address {
        /// The contract.
        contract: &'static str,
        /// The computed address.
        expected: EvmAddress,
        /// The real one.
        got: EvmAddress,
    },
    /// The contracts do not agree with each other.
    #[error("the deployed contracts do not fit together: {0}")]
    Wiring(#[from] ReadError),
}

/// Deploys a network: probes the chain (after waking a fresh development chain), sends twelve creations without waiting in
/// between, and checks that the contracts know each other.
///
/// # Errors
/// See [`DeployError`].
pub async fn deploy(
    endpoints: &Endpoints,
    wallet: &Wallet,
    params: &DeployParams,
) -> Result<Deployment, DeployError> {
    let chain_id = endpoints.chain_id().await?;
    let sender = Sender::new(endpoints.clone(), wallet.clone(), chain_id, params.send.clone());
    wake(endpoints, &sender).await?;
    probe(endpoints).await?;
    let nonce = sender.next_nonce().await?;
    let plan = Plan::new(wallet.account(), nonce, params);
    let mut pending = Vec::new();
    for creation in &plan.creations {
        pending.push(sender.submit(creation.action()).await?);
    }
    let mut deploy_block = u64::MAX;
    for (creation, pending) in plan.creations.iter().zip(pending) {
        let receipt = sender.confirm(pending).await?;
        deploy_block = deploy_block.min(receipt.block_number);
        let got = receipt.contract.unwrap_or_default();
        if got != creation.address {
            return Err(DeployError::Address {
                contract: creation.name,
                expected: creation.address.plain(),
                got: got.plain(),
            });
        }
    }
    let lens = plan.address(LENS).plain();
    let deployment = Deployment { chain_id, deploy_block, lens, contracts: plan.contracts };
    ChainClient::new(endpoints.clone(), deployment.clone()).check_wiring().await?;
    Ok(deployment)
}

/// Makes a fresh development chain, which mines only when asked to, mine the two blocks
/// that the probe compares: the deployer sends nothing to itself.
async fn wake(endpoints: &Endpoints, sender: &Sender) -> Result<(), DeployError> {
    for number in 0..2 {
        if endpoints.latest().await?.number() <= number {
            sender.execute(transfer_ether(sender.address(), 0)).await?;
        }
    }
    Ok(())
}

/// Positions in the order of creation.
const WAL: usize = 0;
const CAPACITY: usize = 1;
const BLOBS: usize = 2;
const FIRST_IMPLEMENTATION: usize = 3;
const SYSTEM: usize = 7;
const STAKING: usize = 8;
const COMMITTEES: usize = 9;
const EPOCH_MANAGER: usize = 10;
const LENS: usize = 11;

/// One creation transaction.
struct Creation {
    name: &'static str,
    code: Bytes,
    address: Address,
}

impl Creation {
    fn action(&self) -> Action {
        // Not estimated, because a proxy's creation fails until its implementation is
        // mined: 200 gas for a byte of code kept, up to 40 for a byte sent, and what
        // constructors compute.
        let gas = 1_000_000 + 300 * self.code.len() as u64;
        let action = Action {
            name: self.name,
            to: None,
            data: self.code.clone(),
            value: U256::ZERO,
            gas: None,
        };
        action.with_gas(gas)
    }
}

/// All creations with their addresses, which the contracts must know beforehand.
struct Plan {
    contracts: Contracts,
    creations: Vec<Creation>,
}

impl Plan {
    fn new(deployer: Address, nonce: u64, params: &DeployParams) -> Self {
        let at = |position: usize| deployer.create(nonce + position as u64);
        let contracts = Contracts {
            wal: at(WAL).plain(),
            system: at(SYSTEM).plain(),
            capacity: at(CAPACITY).plain(),
            blobs: at(BLOBS).plain(),
            staking: at(STAKING).plain(),
            committees: at(COMMITTEES).plain(),
            epoch_manager: at(EPOCH_MANAGER).plain(),
            upgrade_authority: params.upgrade_authority.unwrap_or(deployer.plain()),
        };
        let p = &params.parameters;
        let holder = params.wal_holder.map_or(deployer, to_address);
        let code = |bytecode: &Bytes, arguments: Vec<u8>| -> Bytes {
            [bytecode.as_ref(), &arguments].concat().into()
        };
        let wal = wal::WAL::constructorCall { holder }.abi_encode();
        let owned = at(SYSTEM);
        let capacity = capacity::StorageCapacity::constructorCall { system: owned }.abi_encode();
        let blobs = blobs::BlobNFT::constructorCall { system: owned }.abi_encode();
        let system = to_abi!(system::WalrusSystem, contracts, p).abi_encode();
        let staking = to_abi!(staking::Staking, contracts, p).abi_encode();
        let committees = to_abi!(committees::Committees, contracts, p).abi_encode();
        let epochs = to_abi!(epochs::EpochManager, contracts, p).abi_encode();
        let lens = to_abi!(lens::WalrusLens, contracts, p).abi_encode();
        let mut codes = vec![
            ("WAL", code(&wal::WAL::BYTECODE, wal)),
            ("StorageCapacity", code(&capacity::StorageCapacity::BYTECODE, capacity)),
            ("BlobNFT", code(&blobs::BlobNFT::BYTECODE, blobs)),
            ("WalrusSystem", code(&system::WalrusSystem::BYTECODE, system)),
            ("Staking", code(&staking::Staking::BYTECODE, staking)),
            ("Committees", code(&committees::Committees::BYTECODE, committees)),
            ("EpochManager", code(&epochs::EpochManager::BYTECODE, epochs)),
        ];
        let initialize: Bytes = system::WalrusSystem::initializeCall {}.abi_encode().into();
        for implementation in FIRST_IMPLEMENTATION..SYSTEM {
            let arguments = proxy::ERC1967Proxy::constructorCall {
                implementation: at(implementation),
                _data: initialize.clone(),
            };
            codes.push(("a proxy", code(&proxy::ERC1967Proxy::BYTECODE, arguments.abi_encode())));
        }
        codes.push(("WalrusLens", code(&lens::WalrusLens::BYTECODE, lens)));
        let creations = codes.into_iter().enumerate();
        let creations =
            creations.map(|(i, (name, code))| Creation { name, code, address: at(i) }).collect();
        Self { contracts, creations }
    }

    fn address(&self, position: usize) -> Address {
        self.creations[position].address
    }
}
