//! Putting a new network's contracts on a chain, in the order of contracts/README.md.

use alloy::{
    primitives::{Address, B256, Bytes, U256, aliases::U48},
    sol_types::{SolCall, SolConstructor, SolValue},
};
use walrus_core::EvmAddress;

use crate::{
    abi::{
        Plain, blobs, capacity, challenges, committees, epochs, exchange, gate, governor, lens,
        params, proxy, randomness, references, staking, staking_nodes, staking_pools, system,
        timelock, to_address, wal,
    },
    client::ChainClient,
    deployment::{Contracts, Deployment, Parameters},
    endpoints::{Endpoints, RpcError},
    error::{ReadError, WriteError},
    probe::{ProbeError, probe},
    profile::{ExchangeTerms, GovernanceTimes, Tunable},
    sender::{Action, SendConfig, Sender},
    wallet::Wallet,
    writer::transfer_ether,
};

/// What a new network is made with.
#[derive(Clone, Debug)]
pub struct DeployParams {
    /// Fixed for ever.
    pub parameters: Parameters,
    /// Tunables that start with another value than the default.
    pub tunables: Vec<Tunable>,
    /// Times of governance.
    pub governance: GovernanceTimes,
    /// Who may stop new sales for a while, and veto; nobody when `None`.
    pub guardian: Option<EvmAddress>,
    /// A second account that may put calls into the timelock: for local networks only,
    /// since it needs no vote.
    pub local_proposer: Option<EvmAddress>,
    /// Adds an exchange of gas money for WAL.
    pub dev_exchange: Option<ExchangeTerms>,
    /// Receiver of the whole WAL supply; the deployer when `None`.
    pub wal_holder: Option<EvmAddress>,
    /// How transactions are sent.
    pub send: SendConfig,
}

impl DeployParams {
    /// The default tunables, the times of the test profile, no guardian and no exchange.
    pub fn new(parameters: Parameters) -> Self {
        Self {
            parameters,
            tunables: Vec::new(),
            governance: GovernanceTimes::default(),
            guardian: None,
            local_proposer: None,
            dev_exchange: None,
            wal_holder: None,
            send: SendConfig::default(),
        }
    }
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

/// Deploys a network: probes the chain (after waking a fresh development chain), sends all
/// creations without waiting in between, checks that the contracts know each other, and
/// funds the exchange if there is one.
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
    let now = endpoints.latest().await?.timestamp.to();
    let nonce = sender.next_nonce().await?;
    let plan = Plan::new(wallet.account(), nonce, now, params);
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
    let deployment = Deployment {
        chain_id,
        deploy_block,
        lens: plan.address(LENS).plain(),
        dev_exchange: params.dev_exchange.map(|_| plan.address(EXCHANGE).plain()),
        contracts: plan.contracts,
    };
    ChainClient::new(endpoints.clone(), deployment.clone()).check_wiring().await?;
    if let (Some(exchange), Some(terms)) = (deployment.dev_exchange, params.dev_exchange)
        && params.wal_holder.is_none_or(|holder| holder == wallet.address())
    {
        let amount = U256::from(terms.funding_frost);
        let call = wal::WAL::transferCall { to: to_address(exchange), value: amount };
        sender.execute(Action::call("fund the exchange", deployment.contracts.wal, &call)).await?;
    }
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

/// Positions in the order of creation (contracts/README.md).
const WAL: usize = 0;
const CAPACITY: usize = 1;
const BLOBS: usize = 2;
const REFERENCES: usize = 3;
const GATE: usize = 4;
const GOVERNOR: usize = 5;
const TIMELOCK: usize = 6;
const RANDOMNESS: usize = 7;
const SYSTEM_CODE: usize = 8;
const STAKING_NODES: usize = 9;
const STAKING_POOLS: usize = 10;
const STAKING_CODE: usize = 11;
const COMMITTEES_CODE: usize = 12;
const EPOCH_MANAGER_CODE: usize = 13;
const CHALLENGES_CODE: usize = 14;
const PARAMS_CODE: usize = 15;
const SYSTEM: usize = 16;
const STAKING: usize = 17;
const COMMITTEES: usize = 18;
const EPOCH_MANAGER: usize = 19;
const CHALLENGES: usize = 20;
const PARAMS: usize = 21;
const LENS: usize = 22;
const EXCHANGE: usize = 23;

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
    fn new(deployer: Address, nonce: u64, now: u64, params: &DeployParams) -> Self {
        let at = |position: usize| deployer.create(nonce + position as u64);
        let contracts = contracts(&at);
        let mut codes = assets(&at, params.wal_holder.map_or(deployer, to_address));
        codes.extend(governance(&at, &contracts, now, params));
        codes.extend(implementations(&at, &contracts, &params.parameters));
        codes.extend(proxies(&at, &params.tunables));
        let wired = wired(&contracts, &params.parameters);
        codes.push(("WalrusLens", code(&lens::WalrusLens::BYTECODE, wired)));
        if let Some(terms) = params.dev_exchange {
            let arguments = exchange::DevExchange::constructorCall {
                wal: at(WAL),
                weiPerFrost: U256::from(terms.wei_per_frost),
            };
            let code = code(&exchange::DevExchange::BYTECODE, arguments.abi_encode());
            codes.push(("DevExchange", code));
        }
        let creations = codes.into_iter().enumerate();
        let creations =
            creations.map(|(i, (name, code))| Creation { name, code, address: at(i) }).collect();
        Self { contracts, creations }
    }

    fn address(&self, position: usize) -> Address {
        self.creations[position].address
    }
}

/// Names and creation codes, in the order of creation.
type Codes = Vec<(&'static str, Bytes)>;

fn code(bytecode: &Bytes, arguments: Vec<u8>) -> Bytes {
    [bytecode.as_ref(), &arguments].concat().into()
}

/// The arguments `Wiring w, Parameters p`. Both have a fixed length, so that further
/// arguments of fixed length simply follow.
fn wired(contracts: &Contracts, parameters: &Parameters) -> Vec<u8> {
    lens::WalrusLens::constructorCall { w: contracts.into(), p: parameters.into() }.abi_encode()
}

fn contracts(at: &dyn Fn(usize) -> Address) -> Contracts {
    let at = |position| at(position).plain();
    Contracts {
        wal: at(WAL),
        system: at(SYSTEM),
        capacity: at(CAPACITY),
        blobs: at(BLOBS),
        references: at(REFERENCES),
        staking: at(STAKING),
        committees: at(COMMITTEES),
        epoch_manager: at(EPOCH_MANAGER),
        challenges: at(CHALLENGES),
        randomness: at(RANDOMNESS),
        params: at(PARAMS),
        upgrade_gate: at(GATE),
        governor: at(GOVERNOR),
        timelock: at(TIMELOCK),
    }
}

/// What people hold: WAL, capacity, blobs and references.
fn assets(at: &dyn Fn(usize) -> Address, holder: Address) -> Codes {
    let wal = wal::WAL::constructorCall { holder }.abi_encode();
    let system = at(SYSTEM);
    let capacity = capacity::StorageCapacity::constructorCall { system }.abi_encode();
    let blobs = blobs::BlobNFT::constructorCall { system }.abi_encode();
    let references = (system, at(BLOBS)).abi_encode_params();
    vec![
        ("WAL", code(&wal::WAL::BYTECODE, wal)),
        ("StorageCapacity", code(&capacity::StorageCapacity::BYTECODE, capacity)),
        ("BlobNFT", code(&blobs::BlobNFT::BYTECODE, blobs)),
        ("BlobReferences", code(&references::BlobReferences::BYTECODE, references)),
    ]
}

/// Who decides about changes, and the seed of challenges.
fn governance(
    at: &dyn Fn(usize) -> Address,
    contracts: &Contracts,
    now: u64,
    params: &DeployParams,
) -> Codes {
    let times = &params.governance;
    let guardian = params.guardian.map_or(Address::ZERO, to_address);
    let term = params.guardian.map_or(0, |_| now.saturating_add(times.guardian_term));
    let mut gate = wired(contracts, &params.parameters);
    gate.extend((guardian, U256::from(term)).abi_encode_params());
    let governor = governor::WalrusGovernor::constructorCall {
        wal: at(WAL),
        staked: at(STAKING),
        timelock_: at(TIMELOCK),
        times: governor::WalrusGovernor::VotingTimes {
            votingDelay: U48::from(times.voting_delay),
            votingPeriod: times.voting_period,
        },
    };
    let mut proposers = vec![at(GOVERNOR)];
    proposers.extend(params.local_proposer.map(to_address));
    let timelock = timelock::TimelockController::constructorCall {
        minDelay: U256::from(times.timelock_delay),
        proposers,
        // Anyone executes what has waited long enough.
        executors: vec![Address::ZERO],
        admin: Address::ZERO,
    };
    let randomness = &randomness::PrevrandaoRandomness::BYTECODE;
    vec![
        ("UpgradeGate", code(&gate::UpgradeGate::BYTECODE, gate)),
        ("WalrusGovernor", code(&governor::WalrusGovernor::BYTECODE, governor.abi_encode())),
        (
            "TimelockController",
            code(&timelock::TimelockController::BYTECODE, timelock.abi_encode()),
        ),
        ("PrevrandaoRandomness", code(randomness, Vec::new())),
    ]
}

/// The code behind the proxies.
fn implementations(
    at: &dyn Fn(usize) -> Address,
    contracts: &Contracts,
    parameters: &Parameters,
) -> Codes {
    let wired = wired(contracts, parameters);
    let mut staking = wired.clone();
    staking.extend((at(STAKING_NODES), at(STAKING_POOLS)).abi_encode_params());
    let code = |bytecode: &Bytes| code(bytecode, wired.clone());
    vec![
        ("WalrusSystem", code(&system::WalrusSystem::BYTECODE)),
        ("StakingNodes", code(&staking_nodes::StakingNodes::BYTECODE)),
        ("StakingPools", code(&staking_pools::StakingPools::BYTECODE)),
        ("Staking", self::code(&staking::Staking::BYTECODE, staking)),
        ("Committees", code(&committees::Committees::BYTECODE)),
        ("EpochManager", code(&epochs::EpochManager::BYTECODE)),
        ("Challenges", code(&challenges::Challenges::BYTECODE)),
        ("ParamRegistry", code(&params::ParamRegistry::BYTECODE)),
    ]
}

/// The proxies, in the order of their addresses in `Wiring`.
fn proxies(at: &dyn Fn(usize) -> Address, tunables: &[Tunable]) -> Codes {
    let initialize: Bytes = system::WalrusSystem::initializeCall {}.abi_encode().into();
    let values = tunables.iter().map(|tunable| params::ParamRegistry::ParamValue {
        key: tunable_key(&tunable.key),
        value: U256::from(tunable.value),
    });
    let initialize_params =
        params::ParamRegistry::initializeCall { values: values.collect() }.abi_encode();
    let proxy = |implementation: usize, data: Bytes| {
        let arguments = proxy::ERC1967Proxy::constructorCall {
            implementation: at(implementation),
            _data: data,
        };
        ("a proxy", code(&proxy::ERC1967Proxy::BYTECODE, arguments.abi_encode()))
    };
    let mut proxies: Codes =
        [SYSTEM_CODE, STAKING_CODE, COMMITTEES_CODE, EPOCH_MANAGER_CODE, CHALLENGES_CODE]
            .map(|implementation| proxy(implementation, initialize.clone()))
            .into();
    proxies.push(proxy(PARAMS_CODE, initialize_params.into()));
    proxies
}

/// The name of a tunable as the contracts have it: its bytes, then zeros. What is too long
/// is cut, and so unknown to the registry, which refuses it.
pub(crate) fn tunable_key(name: &str) -> B256 {
    let mut key = B256::ZERO;
    let length = name.len().min(key.len());
    key[..length].copy_from_slice(&name.as_bytes()[..length]);
    key
}
