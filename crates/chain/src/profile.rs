//! What kinds of networks are deployed with: the files under `contracts/deployments`.

use serde::Deserialize;

use crate::{deploy::DeployParams, deployment::Parameters};

const TEST: &str = include_str!("../../../contracts/deployments/profile-test.json");
const PRODUCTION: &str = include_str!("../../../contracts/deployments/profile-production.json");

/// A profile, as `contracts/deployments/profile.schema.json` describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// Where the file's description is.
    #[serde(rename = "$schema")]
    #[allow(dead_code, reason = "allowed in the file, of no use here")]
    schema: Option<String>,
    /// Its name.
    #[serde(rename = "profile")]
    pub name: String,
    /// What is fixed for ever.
    pub parameters: ProfileParameters,
    /// Tunables that start with another value than the default.
    pub params: Vec<Tunable>,
    /// Times of governance.
    pub governance: GovernanceTimes,
    /// The contract that gives challenges their seed; there is one.
    randomness: Randomness,
    /// The exchange of test networks.
    pub dev_exchange: Option<ExchangeTerms>,
}

/// [`Parameters`] with a start that counts from the deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileParameters {
    /// Number of shards.
    pub n_shards: u16,
    /// How many epochs ahead storage is sold.
    pub max_epochs_ahead: u32,
    /// Shortest length of an epoch in seconds.
    pub epoch_duration: u32,
    /// Seconds from the deployment to the earliest selection of a committee.
    pub first_start_delay: u64,
    /// Fewest staked nodes a committee is selected from.
    pub min_nodes: u16,
    /// Largest committee.
    pub max_committee: u16,
}

/// The first value of a tunable.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tunable {
    /// Its name, one of `ParamKeys` in `contracts/src/types/Param.sol`; at most 31 bytes.
    pub key: String,
    /// Its value.
    pub value: u64,
}

/// Times of governance in seconds, fixed when a network is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GovernanceTimes {
    /// From a proposal to its snapshot.
    pub voting_delay: u32,
    /// From the snapshot to the end of the vote.
    pub voting_period: u32,
    /// From queueing to execution.
    pub timelock_delay: u64,
    /// From the deployment to the end of the guardian's office.
    pub guardian_term: u64,
}

/// Rate and funds of the exchange of a test network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExchangeTerms {
    /// Wei for one FROST.
    pub wei_per_frost: u64,
    /// WAL put into it at deployment, in FROST, when the deployer receives the supply.
    pub funding_frost: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Randomness {
    PrevrandaoRandomness,
}

impl Profile {
    /// Epochs of minutes, WAL from an exchange.
    pub fn test() -> Self {
        Self::parse(TEST)
    }

    /// Epochs of two weeks.
    pub fn production() -> Self {
        Self::parse(PRODUCTION)
    }

    fn parse(text: &str) -> Self {
        let profile: Self = serde_json::from_str(text)
            .expect("the profiles are part of the source, and a test reads them");
        let Randomness::PrevrandaoRandomness = profile.randomness;
        profile
    }

    /// What a network of this profile is deployed with at the Unix time `now`. Guardian
    /// and receiver of the WAL are left open.
    pub fn deploy_params(&self, now: u64) -> DeployParams {
        let p = &self.parameters;
        let parameters = Parameters {
            n_shards: p.n_shards,
            max_epochs_ahead: p.max_epochs_ahead,
            epoch_duration: p.epoch_duration,
            first_start: now.saturating_add(p.first_start_delay),
            min_nodes: p.min_nodes,
            max_committee: p.max_committee,
        };
        DeployParams {
            tunables: self.params.clone(),
            governance: self.governance,
            dev_exchange: self.dev_exchange,
            ..DeployParams::new(parameters)
        }
    }
}

impl Default for GovernanceTimes {
    /// Those of the test profile.
    fn default() -> Self {
        Profile::test().governance
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn the_profiles_are_what_they_are_called() {
        // A file that cannot be read would end every deployment.
        let (test, production) = (Profile::test(), Profile::production());
        assert_eq!((test.name.as_str(), production.name.as_str()), ("test", "production"));
        assert!(test.parameters.epoch_duration <= 600 && test.dev_exchange.is_some());
        assert_eq!(production.parameters.epoch_duration, 14 * 24 * 3600);
        assert!(production.dev_exchange.is_none(), "WAL has a price there");
        let params = production.deploy_params(1_000);
        assert_eq!(params.parameters.first_start, 1_000 + 14 * 24 * 3600);
        assert!(test.params.iter().chain(&production.params).all(|t| t.key.len() <= 31));
    }
}
