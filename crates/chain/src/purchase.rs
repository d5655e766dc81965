//! Paying in WAL with one transaction: what the storage market may not take yet is signed
//! for (ERC-2612) in the same call (docs/protocol/onchain.md section 2.4).

use alloy::{
    primitives::{Address, B256, U256},
    sol_types::{SolCall, SolStruct, eip712_domain},
};
use walrus_core::Epoch;

use crate::{
    abi::{Plain, system, to_address, wal},
    assets::CapacityClass,
    error::{ReadError, WriteError},
    sender::{Action, Receipt},
    writer::{BlobRegistration, ChainWriter, Registered, find_event, register_args},
};

/// How long a signed permission can be used, in seconds of the chain's clock. It is for
/// one payment and used at once.
const PERMIT_SECONDS: u64 = 3600;

mod typed {
    alloy::sol! {
        /// What a holder of WAL signs (ERC-2612).
        struct Permit {
            address owner;
            address spender;
            uint256 value;
            uint256 nonce;
            uint256 deadline;
        }
    }
}

/// Each of these sends one transaction and waits for it; see [`WriteError`] for what can
/// go wrong.
#[allow(clippy::missing_errors_doc, reason = "said once for all")]
impl ChainWriter {
    /// Buys the storage and registers the blob in one transaction, for `epochs` epochs,
    /// the current one counted, at no more than `max_payment` FROST and the write fee.
    pub async fn buy_and_register(
        &self,
        blob: &BlobRegistration,
        epochs: u32,
        max_payment: u64,
    ) -> Result<Registered, WriteError> {
        let call = system::WalrusSystem::buyAndRegisterCall {
            a: register_args(blob, U256::ZERO),
            epochs,
            maxPayment: U256::from(max_payment),
        };
        let most = max_payment.saturating_add(blob.max_write_fee);
        let name = "buy storage and register the blob";
        let receipt = self.pay(name, &call, most).await?;
        self.registration(name, receipt)
    }

    /// Buys `size` bytes of capacity at no more than `max_payment`; the FROST paid.
    pub async fn buy_capacity(
        &self,
        size: u64,
        class: CapacityClass,
        max_payment: u64,
    ) -> Result<u64, WriteError> {
        let name = "buy capacity";
        let call = system::WalrusSystem::buyCall {
            size,
            start: class.start.0,
            end: class.end.0,
            maxPayment: U256::from(max_payment),
            to: to_address(self.address()),
        };
        let receipt = self.pay(name, &call, max_payment).await?;
        let system = self.client().deployment().contracts.system;
        let event: system::WalrusSystem::CapacityBought = find_event(name, &receipt, system)?;
        Ok(event.paid.plain())
    }

    /// Moves the end of a certified blob by `epochs`, at no more than `max_payment` FROST.
    pub async fn extend(
        &self,
        token: walrus_core::TokenId,
        epochs: u32,
        max_payment: u64,
    ) -> Result<Receipt, WriteError> {
        let (token, max) = (U256::from(token.0), U256::from(max_payment));
        let call = system::WalrusSystem::extendCall { tokenId: token, epochs, maxPayment: max };
        self.pay("extend the blob", &call, max_payment).await
    }

    /// Moves the end of a certified blob to `end`, spending capacity of this account that
    /// starts where the blob ends.
    pub async fn extend_with_capacity(
        &self,
        token: walrus_core::TokenId,
        blob_end: Epoch,
        end: Epoch,
    ) -> Result<Receipt, WriteError> {
        let call = system::WalrusSystem::extendWithCapacityCall {
            tokenId: U256::from(token.0),
            capacityId: CapacityClass { start: blob_end, end }.id(),
        };
        let system = self.client().deployment().contracts.system;
        self.sender().execute(Action::call("extend the blob", system, &call)).await
    }

    /// Makes a call of the market that takes up to `most` FROST, with a permission for
    /// them if the account's allowance is too small.
    async fn pay<C: SolCall>(
        &self,
        name: &'static str,
        call: &C,
        most: u64,
    ) -> Result<Receipt, WriteError> {
        let read = |source| WriteError::Read { action: name, source };
        let system = self.client().deployment().contracts.system;
        let plain = Action::call(name, system, call);
        // A permission replaces the allowance, and its number is used once: payments of one
        // account that depend on either go one after the other.
        let turn = self.payments().lock().await;
        let allowed = self.client().wal_allowance(self.address(), system).await.map_err(read)?;
        if allowed == u64::MAX {
            // Any amount, which no payment makes less: others need not wait.
            drop(turn);
            return self.sender().execute(plain).await;
        }
        if allowed >= most {
            return self.sender().execute(plain).await;
        }
        let permit = self.permit(most).await.map_err(read)?;
        let data = vec![permit.abi_encode().into(), plain.data.clone()];
        let call = system::WalrusSystem::multicallCall { data };
        self.sender().execute(Action::call(name, system, &call)).await
    }

    /// A signed permission for the market to take `value` FROST.
    async fn permit(&self, value: u64) -> Result<system::WalrusSystem::permitCall, ReadError> {
        let client = self.client();
        let (owner, contracts) = (to_address(self.address()), client.deployment().contracts);
        let wal = to_address(contracts.wal);
        let nonce = client.read("a nonce", wal, wal::WAL::noncesCall { owner }).await?;
        let deadline = U256::from(client.block_time().await?.saturating_add(PERMIT_SECONDS));
        let (spender, value) = (to_address(contracts.system), U256::from(value));
        let digest = permit_digest(
            client.deployment().chain_id,
            wal,
            &typed::Permit { owner, spender, value, nonce, deadline },
        );
        let (r, s, odd) = self.sender().sign_hash(digest);
        let v = 27 + u8::from(odd);
        Ok(system::WalrusSystem::permitCall { value, deadline, v, r: r.into(), s: s.into() })
    }
}

/// What is signed: the domain is computed here, so that an RPC address that lies cannot
/// obtain a signature for another token.
fn permit_digest(chain_id: u64, wal: Address, permit: &typed::Permit) -> B256 {
    let domain = eip712_domain! {
        name: "WAL Token",
        version: "1",
        chain_id: chain_id,
        verifying_contract: wal,
    };
    permit.eip712_signing_hash(&domain)
}
