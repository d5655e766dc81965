//! What the contract draws from a seed: `contracts/test/vectors/challenge-samples.json` is
//! written by the Solidity tests from what the contracts really accept. If a case differs
//! here, a node would prepare answers that nobody asked for, and fail.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use walrus_core::challenge::*;
use walrus_core::*;

fn vectors() -> Value {
    let text = include_str!("../../../contracts/test/vectors/challenge-samples.json");
    serde_json::from_str(text).unwrap()
}

fn cases<'a>(vectors: &'a Value, name: &str) -> &'a [Value] {
    let cases = vectors[name].as_array().unwrap();
    assert!(!cases.is_empty(), "{name}");
    cases
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value).strip_prefix("0x").unwrap()).unwrap()
}

fn number<T: TryFrom<u64>>(value: &Value) -> T {
    T::try_from(value.as_u64().unwrap()).ok().unwrap()
}

fn seed(value: &Value) -> ChallengeSeed {
    text(value).parse().unwrap()
}

#[test]
fn seeds_are_equal() {
    for case in cases(&vectors(), "seeds") {
        let randomness = bytes(&case["randomness"]).try_into().unwrap();
        let challenges = text(&case["challenges"]).parse().unwrap();
        let epoch = Epoch(number(&case["epoch"]));
        let derived =
            ChallengeSeed::derive(&randomness, epoch, number(&case["chain_id"]), challenges);
        assert_eq!(derived, seed(&case["seed"]), "{case}");
    }
}

#[test]
fn counts_are_equal() {
    for case in cases(&vectors(), "counts") {
        let k = SampleRules::default().sample_count(number(&case["entries"]));
        assert_eq!(k, number::<u16>(&case["samples"]), "{case}");
    }
}

#[test]
fn shards_and_symbols_are_equal() {
    for case in cases(&vectors(), "shards") {
        let seed = seed(&case["seed"]);
        let (node, peer) = (NodeId(number(&case["node_id"])), NodeId(number(&case["peer"])));
        let sample = number(&case["sample"]);
        // Shards far from 0, so that a position is not taken for a shard.
        let shards: Vec<_> =
            (0..number::<u16>(&case["weight"])).map(|i| ShardIndex(2 * i + 7)).collect();
        let at = |place: &Value| Some(ShardIndex(2 * number::<u16>(place) + 7));
        assert_eq!(own_shard(&seed, node, sample, &shards), at(&case["own"]), "{case}");
        let of_peer = peer_shard(&seed, node, sample, peer, &shards);
        assert_eq!(of_peer, at(&case["of_peer"]), "{case}");
        let symbol = chain_symbol(&seed, node, sample, number(&case["n_shards"]));
        assert_eq!(symbol, Some(SliverIndex(number(&case["symbol"]))), "{case}");
    }
}

#[test]
fn messages_are_equal() {
    for case in cases(&vectors(), "messages") {
        let context = SigningContext::Deployed(text(&case["domain"]).parse().unwrap());
        let body =
            ChallengePassed { seed: seed(&case["seed"]), node: NodeId(number(&case["node_id"])) };
        let message = Message::new(Epoch(number(&case["epoch"])), body);
        let expected = bytes(&case["message"]);
        assert_eq!(message.to_bytes(&context), expected, "{case}");
        assert_eq!(Message::from_bytes(&context, &expected).unwrap(), message, "{case}");
        message.check(&context, &expected).unwrap();

        // A signature for another node or another challenge is not one for this.
        let other = |body| Message::new(message.epoch, body).to_bytes(&context);
        let node = other(ChallengePassed { node: NodeId(99), ..body });
        assert!(matches!(message.check(&context, &node), Err(MessageError::Node { .. })));
        let seed = other(ChallengePassed { seed: ChallengeSeed([1; 32]), ..body });
        assert!(matches!(message.check(&context, &seed), Err(MessageError::Seed { .. })));
    }
}

#[test]
fn samples_are_equal() {
    let vectors = vectors();
    let log = &vectors["log"];
    let start: u64 = number(&log["start"]);
    let status: Vec<_> = cases(log, "entries")
        .iter()
        .map(|entry| match text(&entry["status"]) {
            "live" => EntryStatus::Live,
            "waived" => EntryStatus::Waived,
            "dead" => EntryStatus::Dead,
            other => panic!("unknown status {other}"),
        })
        .collect();
    let entries = cases(log, "entries").iter().map(|entry| LogEntry {
        token: TokenId(number(&entry["token"])),
        cumulative_units: number(&entry["cumulative_units"]),
    });
    let candidates = CandidateLog::new(start, number(&log["base_units"]), entries.collect());
    let candidates = candidates.unwrap();
    let seed = seed(&log["seed"]);
    let (mut waived, mut redrawn) = (0, 0);
    for (number_, case) in (0..).zip(cases(log, "samples")) {
        let drawn = candidates.draw(&seed, number_, |index, _| status[(index - start) as usize]);
        let token = TokenId(number(&case["token"]));
        let expected = match case["waived"].as_bool().unwrap() {
            true => SampleOutcome::Waived(token),
            false if token.0 == 0 => SampleOutcome::Nothing,
            false => SampleOutcome::Blob(token),
        };
        let indexes: Vec<u64> = cases(case, "log_indexes").iter().map(number).collect();
        assert_eq!((drawn.log_indexes.clone(), drawn.outcome), (indexes, expected), "{number_}");
        waived += u32::from(matches!(drawn.outcome, SampleOutcome::Waived(_)));
        redrawn += u32::from(drawn.log_indexes.len() > 1);
    }
    assert!(waived > 0 && redrawn > 0, "the vectors hold every kind of sample");
}
