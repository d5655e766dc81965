//! The well-known development accounts.

use alloy::primitives::{Address, B256, U256, b256, keccak256};
use k256::ecdsa::SigningKey;

/// A funded account whose key is public knowledge: never send it anything of value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevAccount {
    /// Its address.
    pub address: Address,
    /// Its secp256k1 secret key, 32 bytes, big endian.
    pub secret_key: [u8; 32],
}

/// What each development account owns at genesis: 10,000 ether, in wei.
pub(crate) const DEV_BALANCE: U256 = U256::from_limbs([0x19e0_c9ba_b240_0000, 0x21e, 0, 0]);

/// Keys 0 to 9 of `m/44'/60'/0'/0/i` under the mnemonic every development
/// chain uses ("test test test test test test test test test test test junk").
const SECRET_KEYS: [B256; 10] = [
    b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    b256!("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    b256!("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    b256!("7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
    b256!("47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
    b256!("8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
    b256!("92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
    b256!("4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"),
    b256!("dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"),
    b256!("2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"),
];

/// The ten development accounts.
pub(crate) fn dev_accounts() -> Vec<DevAccount> {
    SECRET_KEYS
        .iter()
        .map(|key| DevAccount { address: address_of(&key.0), secret_key: key.0 })
        .collect()
}

/// The address of a secret key: the last 20 bytes of the hash of the public point.
fn address_of(secret_key: &[u8; 32]) -> Address {
    let key = SigningKey::from_slice(secret_key).expect("the constants are valid keys");
    let point = key.verifying_key().to_encoded_point(false);
    Address::from_slice(&keccak256(&point.as_bytes()[1..])[12..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::address;

    #[test]
    fn accounts_are_those_every_tool_knows() {
        // A mistyped key would leave users with accounts their wallets do not show.
        let accounts = dev_accounts();
        assert_eq!(accounts[0].address, address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
        assert_eq!(accounts[9].address, address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720"));
        assert_eq!(DEV_BALANCE, U256::from(10_000) * U256::from(10).pow(U256::from(18)));
    }
}
