//! Tokens that open the publisher (docs/protocol/http-api.md section 7): JSON Web Tokens,
//! each good for one store.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, header::AUTHORIZATION};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use walrus_env::Env;

use crate::config::TokenConfig;
use crate::error::{Error, Reason};
use crate::query::StoreQuery;

/// Used tokens that are remembered until they expire.
const USED: usize = 10_000;
/// Longest token, and longest `jti`.
const TOKEN_BYTES: usize = 4096;
const JTI_BYTES: usize = 256;
/// How far clocks may differ, in seconds.
const LEEWAY: i64 = 5;

/// Why the settings for tokens are unusable.
#[derive(Debug, thiserror::Error)]
pub enum TokenConfigError {
    /// The algorithm's name.
    #[error("{0} is no algorithm for tokens: use HS256, ES256, RS256, EdDSA or the like")]
    Algorithm(String),
    /// A secret that is guessed in no time.
    #[error("the secret for tokens is too short: use at least 16 bytes")]
    WeakSecret,
}

/// What a token says.
#[derive(Clone, Debug, Deserialize)]
struct Claims {
    exp: Option<i64>,
    jti: Option<String>,
    iat: Option<i64>,
    send_object_to: Option<String>,
    epochs: Option<u32>,
    max_epochs: Option<u32>,
    size: Option<u64>,
    max_size: Option<u64>,
}

/// Checks tokens; lets everybody in if none are asked for.
pub(crate) struct Tokens(Option<Checker>);

struct Checker {
    env: Env,
    config: TokenConfig,
    key: DecodingKey,
    validation: Validation,
    /// Used tokens and when they expire.
    used: Mutex<BTreeMap<String, i64>>,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grant {
    size: Option<u64>,
    max_size: Option<u64>,
}

impl Grant {
    /// Whether a body of this length may be stored.
    pub(crate) fn check_size(self, length: u64) -> Result<(), Error> {
        let exact = self.size.is_none_or(|size| size == length);
        if exact && self.max_size.is_none_or(|max| length <= max) {
            return Ok(());
        }
        let message = "the token allows another size";
        Err(Error::new(Reason::InvalidSize, message).with("size", length))
    }
}

impl Tokens {
    pub(crate) fn new(env: &Env, config: Option<TokenConfig>) -> Result<Self, TokenConfigError> {
        let Some(config) = config else { return Ok(Self(None)) };
        let algorithm: Algorithm = config
            .algorithm
            .parse()
            .map_err(|_| TokenConfigError::Algorithm(config.algorithm.clone()))?;
        let key = match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
                if config.key.len() < 16 {
                    return Err(TokenConfigError::WeakSecret);
                }
                DecodingKey::from_secret(&config.key)
            }
            Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_der(&config.key),
            Algorithm::EdDSA => DecodingKey::from_ed_der(&config.key),
            _ => DecodingKey::from_rsa_der(&config.key),
        };
        let mut validation = Validation::new(algorithm);
        // Times are checked below, by the clock that everything here goes by.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Ok(Self(Some(Checker {
            env: env.clone(),
            config,
            key,
            validation,
            used: Mutex::default(),
        })))
    }

    /// Whether tokens are asked for.
    pub(crate) fn are_needed(&self) -> bool {
        self.0.is_some()
    }

    /// Checks the token of a request and uses it up.
    pub(crate) fn check(
        &self,
        headers: &HeaderMap,
        query: &StoreQuery,
        length: Option<u64>,
    ) -> Result<Grant, Error> {
        let Some(checker) = &self.0 else { return Ok(Grant::default()) };
        let claims = checker.claims(headers)?;
        let (jti, exp) = checker.times(&claims)?;
        let grant = Grant { size: claims.size, max_size: claims.max_size };
        checker.consistent(&claims)?;
        if checker.config.verify_upload {
            checker.upload(&claims, query)?;
            if let Some(length) = length {
                // A form is longer than its files; an announced length bounds them.
                if claims.size.is_some_and(|size| length < size) {
                    grant.check_size(length)?;
                }
            }
        }
        // The last check, so that a token that was refused can still be used.
        checker.use_up(jti, exp)?;
        Ok(grant)
    }
}

impl Checker {
    fn claims(&self, headers: &HeaderMap) -> Result<Claims, Error> {
        let missing =
            || Error::new(Reason::MissingToken, "send a token: Authorization: Bearer TOKEN");
        let value = headers.get(AUTHORIZATION).ok_or_else(missing)?;
        let text = value.to_str().map_err(|_| missing())?;
        let (scheme, token) = text.split_once(' ').ok_or_else(missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") || token.len() > TOKEN_BYTES {
            return Err(missing());
        }
        let decoded = jsonwebtoken::decode::<Claims>(token.trim(), &self.key, &self.validation);
        decoded.map(|decoded| decoded.claims).map_err(|error| {
            use jsonwebtoken::errors::ErrorKind;
            match error.kind() {
                ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => {
                    Error::new(Reason::InvalidSignature, "the token is not signed as it must be")
                }
                _ => Error::new(Reason::InvalidToken, "the token cannot be read"),
            }
        })
    }

    fn times(&self, claims: &Claims) -> Result<(String, i64), Error> {
        let invalid =
            |what: &str| Error::new(Reason::InvalidToken, format!("the token has no {what}"));
        let exp = claims.exp.ok_or_else(|| invalid("exp"))?;
        let jti = claims.jti.clone().filter(|jti| !jti.is_empty() && jti.len() <= JTI_BYTES);
        let jti = jti.ok_or_else(|| invalid("jti of 1 to 256 bytes"))?;
        let now = self.now();
        if exp.saturating_add(LEEWAY) <= now {
            return Err(Error::new(Reason::ExpiredSignature, "the token has expired"));
        }
        if claims.iat.is_some_and(|iat| iat > now.saturating_add(LEEWAY) || iat > exp) {
            return Err(Error::new(Reason::InvalidTimestamp, "the token's times make no sense"));
        }
        if let Some(expiring) = self.config.expiring {
            let iat = claims.iat.ok_or_else(|| invalid("iat"))?;
            let lifetime = i64::try_from(expiring.as_secs()).unwrap_or(i64::MAX);
            if exp.checked_sub(iat) != Some(lifetime) {
                let message = format!("a token for this publisher lives {lifetime} seconds");
                return Err(Error::new(Reason::InvalidExpiration, message));
            }
        }
        Ok((jti, exp))
    }

    fn now(&self) -> i64 {
        i64::try_from(self.env.clock.unix().as_secs()).unwrap_or(i64::MAX)
    }

    fn consistent(&self, claims: &Claims) -> Result<(), Error> {
        let epochs = claims.epochs.is_some() && claims.max_epochs.is_some();
        let size = claims.size.is_some() && claims.max_size.is_some();
        if epochs || size {
            let message = "the token gives both an exact number and a largest one";
            return Err(Error::new(Reason::InconsistentToken, message));
        }
        Ok(())
    }

    fn upload(&self, claims: &Claims, query: &StoreQuery) -> Result<(), Error> {
        let epochs = query.epochs();
        let exact = claims.epochs.is_none_or(|claimed| claimed == epochs);
        if !exact || claims.max_epochs.is_some_and(|max| epochs > max) {
            let message = "the token allows another number of epochs";
            return Err(Error::new(Reason::InvalidEpochs, message).with("epochs", epochs));
        }
        if let Some(claimed) = &claims.send_object_to
            && !query.send_object_to.as_ref().is_some_and(|to| to.eq_ignore_ascii_case(claimed))
        {
            let message = "the token names another receiver of the object";
            return Err(Error::new(Reason::InvalidSendObjectTo, message));
        }
        Ok(())
    }

    fn use_up(&self, jti: String, exp: i64) -> Result<(), Error> {
        let now = self.now();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= USED {
            used.retain(|_, exp| exp.saturating_add(LEEWAY) > now);
        }
        if used.contains_key(&jti) {
            return Err(Error::new(Reason::TokenAlreadyUsed, "the token was used before"));
        }
        if used.len() >= USED {
            return Err(Error::overloaded("too many tokens are in use"));
        }
        used.insert(jti, exp);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Value, json};
    use walrus_env::real;

    use super::*;

    const SECRET: &[u8] = b"a secret of enough bytes";

    fn tokens(expiring: Option<Duration>) -> Tokens {
        let (algorithm, key) = ("HS256".to_owned(), SECRET.to_vec());
        let config = TokenConfig { algorithm, key, expiring, verify_upload: true };
        Tokens::new(&real::env(), Some(config)).unwrap()
    }

    fn bearer(claims: &Value, secret: &[u8]) -> HeaderMap {
        let key = EncodingKey::from_secret(secret);
        let token = jsonwebtoken::encode(&Header::default(), claims, &key).unwrap();
        [(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())].into_iter().collect()
    }

    fn now() -> i64 {
        i64::try_from(real::env().clock.unix().as_secs()).unwrap()
    }

    fn ask(tokens: &Tokens, claims: &Value) -> Result<Grant, Reason> {
        let query = StoreQuery { epochs: Some(3), ..StoreQuery::default() };
        let headers = bearer(claims, SECRET);
        tokens.check(&headers, &query, Some(100)).map_err(|error| error.reason)
    }

    #[test]
    fn a_token_opens_once() {
        // A token that was overheard must be worth nothing after its store.
        let tokens = tokens(None);
        let claims = json!({"exp": now() + 60, "jti": "1", "max_size": 100});
        let grant = ask(&tokens, &claims).unwrap();
        assert!(grant.check_size(100).is_ok());
        assert_eq!(grant.check_size(101).unwrap_err().reason, Reason::InvalidSize);
        assert_eq!(ask(&tokens, &claims).unwrap_err(), Reason::TokenAlreadyUsed);
    }

    #[test]
    fn every_limit_of_a_token_holds() {
        // Each of these would let its holder spend more than he was given.
        let strict = tokens(Some(Duration::from_secs(60)));
        let base = |extra: Value| {
            let mut claims = json!({"iat": now(), "exp": now() + 60, "jti": extra.to_string()});
            claims.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            claims
        };
        assert!(ask(&strict, &base(json!({"epochs": 3}))).is_ok());
        for (extra, reason) in [
            (json!({"epochs": 2}), Reason::InvalidEpochs),
            (json!({"max_epochs": 2}), Reason::InvalidEpochs),
            (json!({"epochs": 3, "max_epochs": 3}), Reason::InconsistentToken),
            (json!({"size": 1, "max_size": 1}), Reason::InconsistentToken),
            (json!({"size": 1000}), Reason::InvalidSize),
            (json!({"send_object_to": "0x01"}), Reason::InvalidSendObjectTo),
            (json!({"exp": now() - 60}), Reason::ExpiredSignature),
            (json!({"exp": now() + 61}), Reason::InvalidExpiration),
            (json!({"iat": now() + 50}), Reason::InvalidTimestamp),
            (json!({"jti": ""}), Reason::InvalidToken),
            (json!({"jti": 5}), Reason::InvalidToken),
        ] {
            assert_eq!(ask(&strict, &base(extra.clone())).unwrap_err(), reason, "{extra}");
        }
    }

    #[test]
    fn tokens_of_others_and_none_at_all_are_refused() {
        // The publisher's money is behind this door.
        let tokens = tokens(None);
        let query = StoreQuery::default();
        let refused = |headers: &HeaderMap| tokens.check(headers, &query, None).unwrap_err().reason;
        assert_eq!(refused(&HeaderMap::new()), Reason::MissingToken);
        let claims = json!({"exp": now() + 60, "jti": "1"});
        assert_eq!(refused(&bearer(&claims, b"another secret of bytes")), Reason::InvalidSignature);
        for text in [
            "Basic x",
            "Bearer",
            "Bearer x.y.z",
            "Bearer ",
            &format!("Bearer {}", "x".repeat(5000)),
        ] {
            let headers = [(AUTHORIZATION, text.parse().unwrap())].into_iter().collect();
            assert!(tokens.check(&headers, &query, None).is_err(), "{text}");
        }
        // A token that says that it needs no signature.
        let unsigned = "Bearer eyJhbGciOiJub25lIn0.eyJleHAiOjQwMDAwMDAwMDAsImp0aSI6IngifQ.";
        let headers = [(AUTHORIZATION, unsigned.parse().unwrap())].into_iter().collect();
        assert!(tokens.check(&headers, &query, None).is_err());
    }

    #[test]
    fn remembered_tokens_are_bounded() {
        // Tokens that live for years would otherwise pile up in memory.
        let tokens = tokens(None);
        let checker = tokens.0.as_ref().unwrap();
        for number in 0..USED {
            let exp = if number == 0 { now() - 60 } else { now() + 60 };
            checker.use_up(number.to_string(), exp).unwrap();
        }
        assert!(checker.use_up("one".to_owned(), now() + 60).is_ok(), "an expired one made room");
        let full = checker.use_up("two".to_owned(), now() + 60).unwrap_err();
        assert_eq!(full.reason, Reason::Overloaded);
    }
}
