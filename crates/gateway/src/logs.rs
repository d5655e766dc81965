//! `eth_getLogs` from a page, understood before it is passed on: whatever the chain's node
//! would take another way than the limits do would pass by them.

use serde::Deserialize;
use serde_json::{Value, json};

/// Blocks that one question for logs may cover.
pub(crate) const BLOCKS: u64 = 100_000;
/// Contracts that one question for logs may name.
const ADDRESSES: usize = 32;
/// Places for topics in a log.
const TOPICS: usize = 4;
/// Values that may be wanted in one of these places.
const VALUES: usize = 64;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LogFilter {
    addresses: Vec<Hex<40>>,
    /// For each place: any of these values; all if there are none.
    topics: Vec<Vec<Hex<64>>>,
    blocks: Blocks,
}

#[derive(Debug, PartialEq, Eq)]
enum Blocks {
    /// The one with this hash.
    One(Hex<64>),
    /// From the first to the second, both included.
    Range(Bound, Bound),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Number(u64),
    Latest,
}

/// `0x` and so many hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Hex<const DIGITS: usize>(String);

impl<const DIGITS: usize> TryFrom<String> for Hex<DIGITS> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").unwrap_or_default();
        if digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(Self(text));
        }
        Err(format!("0x and {DIGITS} hexadecimal digits were expected"))
    }
}

/// A number of JSON-RPC: `0x` and 1 to 16 hexadecimal digits.
pub(crate) fn quantity(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x")?;
    let known = digits.len() <= 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    known.then(|| u64::from_str_radix(digits, 16).ok())?
}

/// A filter as it is sent. What is null counts as absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    address: Option<OneOrMany<Hex<40>>>,
    #[serde(default)]
    topics: Option<Vec<Option<OneOrMany<Hex<64>>>>>,
    block_hash: Option<Hex<64>>,
    from_block: Option<String>,
    to_block: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn list(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

impl LogFilter {
    /// Understands the parameters of a question, or says what is wrong with them.
    pub(crate) fn parse(params: &Value) -> Result<Self, String> {
        let (sent,) = <(Sent,)>::deserialize(params)
            .map_err(|error| format!("one filter is needed: {error}"))?;
        let addresses = sent.address.map(OneOrMany::list).unwrap_or_default();
        if addresses.is_empty() || addresses.len() > ADDRESSES {
            return Err(format!("name the 1 to {ADDRESSES} contracts whose logs are wanted"));
        }
        let topics = sent.topics.unwrap_or_default().into_iter();
        let topics = topics.map(|values| values.map(OneOrMany::list).unwrap_or_default());
        let topics: Vec<_> = topics.collect();
        if topics.len() > TOPICS || topics.iter().any(|values| values.len() > VALUES) {
            return Err(format!("a log has {TOPICS} topics; name up to {VALUES} values for each"));
        }
        let blocks = match (sent.block_hash, sent.from_block, sent.to_block) {
            (Some(hash), None, None) => Blocks::One(hash),
            (Some(_), _, _) => return Err("a blockHash allows no other blocks".to_owned()),
            (None, from, to) => Blocks::Range(Bound::parse(from)?, Bound::parse(to)?),
        };
        Ok(Self { addresses, topics, blocks })
    }

    /// Whether what it covers depends on which block is the newest.
    pub(crate) fn needs_head(&self) -> bool {
        matches!(self.blocks, Blocks::Range(Bound::Number(_), Bound::Latest))
    }

    /// Refuses what covers too many blocks, if this is the newest one.
    pub(crate) fn check(&self, head: u64) -> Result<(), String> {
        let (from, to) = match self.blocks {
            Blocks::Range(Bound::Number(from), Bound::Number(to)) => (from, to),
            Blocks::Range(Bound::Number(from), Bound::Latest) => (from, head),
            // From the newest on, or one by its hash.
            Blocks::Range(Bound::Latest, _) | Blocks::One(_) => return Ok(()),
        };
        if to.saturating_sub(from) > BLOCKS {
            return Err(format!("logs of at most {BLOCKS} blocks at a time: range too large"));
        }
        Ok(())
    }

    /// The parameters that are passed on: nothing but what was understood.
    pub(crate) fn params(&self) -> Value {
        let topic = |values: &Vec<Hex<64>>| match values.as_slice() {
            [] => Value::Null,
            values => Value::Array(values.iter().map(|value| value.0.clone().into()).collect()),
        };
        let addresses: Vec<_> = self.addresses.iter().map(|address| &address.0).collect();
        let topics: Vec<_> = self.topics.iter().map(topic).collect();
        let mut filter = json!({"address": addresses, "topics": topics});
        match &self.blocks {
            Blocks::One(hash) => filter["blockHash"] = hash.0.clone().into(),
            Blocks::Range(from, to) => {
                filter["fromBlock"] = from.text().into();
                filter["toBlock"] = to.text().into();
            }
        }
        json!([filter])
    }
}

impl Bound {
    fn parse(text: Option<String>) -> Result<Self, String> {
        match text.as_deref() {
            None | Some("latest") => Ok(Self::Latest),
            Some("earliest") => Ok(Self::Number(0)),
            Some(text) => quantity(text).map(Self::Number).ok_or_else(|| {
                "name blocks by 0x and hexadecimal digits, `earliest` or `latest`".to_owned()
            }),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Number(number) => format!("{number:#x}"),
            Self::Latest => "latest".to_owned(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HEAD: u64 = 1_000_000;

    fn address() -> String {
        format!("0x{}", "aB".repeat(20))
    }

    fn word() -> String {
        format!("0x{}", "0c".repeat(32))
    }

    fn ask(filter: Value) -> Result<Value, String> {
        let filter = LogFilter::parse(&json!([filter]))?;
        filter.check(HEAD)?;
        Ok(filter.params()[0].clone())
    }

    #[test]
    fn no_spelling_of_a_question_passes_by_the_limits() {
        // Each of these made the chain's node search all blocks or all contracts.
        let all = |extra: Value| {
            let mut filter = json!({"address": address(), "fromBlock": "0x0"});
            filter.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            filter
        };
        for extra in [
            json!({}),
            json!({"blockHash": null}),
            json!({"blockHash": ""}),
            json!({"blockHash": {}}),
            json!({"blockHash": word()}),
            json!({"toBlock": null}),
            json!({"toBlock": "finalized"}),
            json!({"toBlock": "safe"}),
            json!({"toBlock": "pending"}),
            json!({"toBlock": 1_000_000}),
            json!({"toBlock": "0xf4240"}),
            json!({"toBlock": "0xffffffffffffffffff"}),
            json!({"fromBlock": "earliest"}),
            json!({"fromBlock": "0X0"}),
            json!({"fromBlock": "0x+0"}),
            json!({"fromBlock": "0"}),
            json!({"fromBlock": " 0x0"}),
            json!({"fromBlock": 0}),
            json!({"fromBlock": "safe"}),
            json!({"fromBlock": "finalized"}),
            json!({"fromBlock": "Earliest"}),
        ] {
            assert!(ask(all(extra.clone())).is_err(), "{extra}");
        }
        let many = vec![address(); ADDRESSES + 1];
        for contracts in [
            json!(null),
            json!([]),
            json!([null]),
            json!(many),
            json!("0x"),
            json!({}),
            json!([[]]),
            json!(7),
        ] {
            let filter = json!({"address": contracts, "fromBlock": "latest"});
            assert!(ask(filter).is_err(), "{contracts}");
        }
        assert!(ask(json!({"fromBlock": "latest"})).is_err(), "all contracts");
        for topics in [json!([[], [], [], [], []]), json!(["0x"]), json!(vec![vec![word(); 65]])] {
            let filter = json!({"address": address(), "fromBlock": "latest", "topics": topics});
            assert!(ask(filter).is_err(), "{topics}");
        }
        for params in [json!([]), json!({}), json!(null), json!(["x"])] {
            assert!(LogFilter::parse(&params).is_err(), "{params}");
        }
        // A second filter that the node may prefer.
        let good = json!({"address": address(), "fromBlock": "latest"});
        assert!(LogFilter::parse(&json!([good, good])).is_err());
    }

    #[test]
    fn only_what_was_understood_is_passed_on() {
        // A key that only the node knows would be a way around the limits.
        let passed = ask(json!({
            "address": address(), "topics": [word(), null, [word(), word()]],
            "fromBlock": "0xF4230", "toBlock": null, "blockHash": null, "limit": 1, "block_hash": "x",
        }));
        let expected = json!({
            "address": [address()], "topics": [[word()], null, [word(), word()]],
            "fromBlock": "0xf4230", "toBlock": "latest",
        });
        assert_eq!(passed.unwrap(), expected);
        let one = ask(json!({"address": [address()], "blockHash": word()})).unwrap();
        assert_eq!(one, json!({"address": [address()], "topics": [], "blockHash": word()}));
        // Ways of giving a key twice end in one value.
        let twice =
            format!(r#"[{{"address":"{}","fromBlock":"0xf4230","fromBlock":"0x0"}}]"#, address());
        let twice: Value = serde_json::from_str(&twice).unwrap();
        assert!(LogFilter::parse(&twice).unwrap().check(HEAD).is_err());
    }

    #[test]
    fn a_range_ends_where_the_limit_says() {
        // The page asks by ranges of its own: one block too few and it sees nothing.
        let range = |from: u64, to: u64| {
            let (from, to) = (format!("{from:#x}"), format!("{to:#x}"));
            ask(json!({"address": address(), "fromBlock": from, "toBlock": to})).is_ok()
        };
        assert!(range(5, 5 + BLOCKS) && !range(5, 6 + BLOCKS));
        let filter = json!([{"address": address(), "fromBlock": "0x0"}]);
        let filter = LogFilter::parse(&filter).unwrap();
        assert!(filter.needs_head());
        assert!(filter.check(BLOCKS).is_ok() && filter.check(BLOCKS + 1).is_err());
    }
}
