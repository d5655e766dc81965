//! Tokens that open the publisher (docs/protocol/http-api.md section 7): JSON Web Tokens,
//! each good for one store.

use std::io;
use std::path::Path;

use http::{HeaderMap, header::AUTHORIZATION};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use walrus_env::Env;

use crate::config::TokenConfig;
use crate::error::{Error, Reason};
use crate::query::StoreQuery;
use crate::used::UsedTokens;

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

/// Why there is no checker of tokens.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokensError {
    /// The settings.
    #[error(transparent)]
    Config(#[from] TokenConfigError),
    /// The file of used tokens.
    #[error(transparent)]
    Used(#[from] io::Error),
}

/// What a token says.
#[derive(Clone, Debug, Deserialize)]
struct Claims {
    exp: Option<i64>,
    jti: Option<String>,
    iat: Option<i64>,
    nbf: Option<i64>,
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
    used: UsedTokens,
}

/// What is known of a body before it is taken in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Announced {
    /// Nothing.
    Nothing,
    /// It has so many bytes, all of which are stored.
    Exactly(u64),
    /// It has so many bytes, those that are stored among them.
    AtMost(u64),
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
        Err(Self::another_size().with("size", length))
    }

    fn another_size() -> Error {
        Error::new(Reason::InvalidSize, "the token allows another size")
    }

    /// Most bytes that are taken in, where `limit` are for whoever needs no token.
    pub(crate) fn limit(self, limit: u64) -> u64 {
        self.size.or(self.max_size).map_or(limit, |max| max.min(limit))
    }

    /// The refusal of a body that was too long, if it was so for the token only.
    pub(crate) fn refusal(self, error: Error, limit: u64) -> Error {
        match error.reason {
            Reason::BodyTooLarge if self.limit(limit) < limit => Self::another_size(),
            _ => error,
        }
    }
}

impl Tokens {
    /// Makes a checker. Used tokens are remembered in `directory`.
    pub(crate) async fn open(
        env: &Env,
        config: Option<TokenConfig>,
        directory: &Path,
    ) -> Result<Self, TokensError> {
        let Some(config) = config else { return Ok(Self(None)) };
        let (key, validation) = keys(&config)?;
        let used = UsedTokens::open(env, directory).await?;
        Ok(Self(Some(Checker { env: env.clone(), config, key, validation, used })))
    }
    /// Whether tokens are asked for.
    pub(crate) fn are_needed(&self) -> bool {
        self.0.is_some()
    }

    /// Checks the token of a request and uses it up.
    pub(crate) async fn check(
        &self,
        headers: &HeaderMap,
        query: &StoreQuery,
        announced: Announced,
    ) -> Result<Grant, Error> {
        let Some(checker) = &self.0 else { return Ok(Grant::default()) };
        let claims = checker.claims(headers)?;
        let (jti, exp) = checker.times(&claims)?;
        let grant = Grant { size: claims.size, max_size: claims.max_size };
        checker.consistent(&claims)?;
        if checker.config.verify_upload {
            checker.upload(&claims, query)?;
        }
        match announced {
            Announced::Exactly(length) => grant.check_size(length)?,
            // A form is longer than its files.
            Announced::AtMost(length) if claims.size.is_some_and(|size| length < size) => {
                grant.check_size(length)?;
            }
            _ => {}
        }
        // The last check, so that a token that was refused can still be used.
        checker.used.use_up(&jti, exp.saturating_add(LEEWAY), checker.now()).await?;
        Ok(grant)
    }
}

/// The key and how signatures are checked with it.
fn keys(config: &TokenConfig) -> Result<(DecodingKey, Validation), TokenConfigError> {
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
    Ok((key, validation))
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
        if claims.nbf.is_some_and(|nbf| nbf > now.saturating_add(LEEWAY)) {
            return Err(Error::new(Reason::InvalidTimestamp, "the token is not valid yet"));
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

    async fn tokens(directory: &tempfile::TempDir, expiring: Option<Duration>) -> Tokens {
        let (algorithm, key) = ("HS256".to_owned(), SECRET.to_vec());
        let config = TokenConfig { algorithm, key, expiring, verify_upload: true };
        Tokens::open(&real::env(), Some(config), directory.path()).await.unwrap()
    }

    fn bearer(claims: &Value, secret: &[u8]) -> HeaderMap {
        let key = EncodingKey::from_secret(secret);
        let token = jsonwebtoken::encode(&Header::default(), claims, &key).unwrap();
        [(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())].into_iter().collect()
    }

    fn now() -> i64 {
        i64::try_from(real::env().clock.unix().as_secs()).unwrap()
    }

    async fn ask(tokens: &Tokens, claims: &Value) -> Result<Grant, Reason> {
        let query = StoreQuery { epochs: Some(3), ..StoreQuery::default() };
        let headers = bearer(claims, SECRET);
        let checked = tokens.check(&headers, &query, Announced::Exactly(100)).await;
        checked.map_err(|error| error.reason)
    }

    #[tokio::test]
    async fn a_token_opens_once() {
        // A token that was overheard must be worth nothing after its store.
        let directory = tempfile::tempdir().unwrap();
        let tokens = tokens(&directory, None).await;
        let claims = json!({"exp": now() + 60, "jti": "1", "max_size": 100});
        let grant = ask(&tokens, &claims).await.unwrap();
        assert_eq!((grant.limit(99), grant.limit(101)), (99, 100), "no more is taken in");
        assert!(grant.check_size(100).is_ok());
        assert_eq!(grant.check_size(101).unwrap_err().reason, Reason::InvalidSize);
        assert_eq!(ask(&tokens, &claims).await.unwrap_err(), Reason::TokenAlreadyUsed);
    }

    #[tokio::test]
    async fn every_limit_of_a_token_holds() {
        // Each of these would let its holder spend more than he was given.
        let directory = tempfile::tempdir().unwrap();
        let strict = tokens(&directory, Some(Duration::from_secs(60))).await;
        let base = |extra: Value| {
            let mut claims = json!({"iat": now(), "exp": now() + 60, "jti": extra.to_string()});
            claims.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            claims
        };
        assert!(ask(&strict, &base(json!({"epochs": 3}))).await.is_ok());
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
            (json!({"nbf": now() + 50}), Reason::InvalidTimestamp),
            (json!({"max_size": 99}), Reason::InvalidSize),
            (json!({"jti": ""}), Reason::InvalidToken),
            (json!({"jti": 5}), Reason::InvalidToken),
        ] {
            assert_eq!(ask(&strict, &base(extra.clone())).await.unwrap_err(), reason, "{extra}");
        }
    }

    #[tokio::test]
    async fn tokens_of_others_and_none_at_all_are_refused() {
        // The publisher's money is behind this door.
        let directory = tempfile::tempdir().unwrap();
        let tokens = tokens(&directory, None).await;
        let query = StoreQuery::default();
        let refused = async |headers: &HeaderMap| {
            tokens.check(headers, &query, Announced::Nothing).await.unwrap_err().reason
        };
        assert_eq!(refused(&HeaderMap::new()).await, Reason::MissingToken);
        let claims = json!({"exp": now() + 60, "jti": "1"});
        assert_eq!(
            refused(&bearer(&claims, b"another secret of bytes")).await,
            Reason::InvalidSignature
        );
        for text in [
            "Basic x",
            "Bearer",
            "Bearer x.y.z",
            "Bearer ",
            &format!("Bearer {}", "x".repeat(5000)),
        ] {
            let headers = [(AUTHORIZATION, text.parse().unwrap())].into_iter().collect();
            assert!(tokens.check(&headers, &query, Announced::Nothing).await.is_err(), "{text}");
        }
        // A token that says that it needs no signature.
        let unsigned = "Bearer eyJhbGciOiJub25lIn0.eyJleHAiOjQwMDAwMDAwMDAsImp0aSI6IngifQ.";
        let headers = [(AUTHORIZATION, unsigned.parse().unwrap())].into_iter().collect();
        assert!(tokens.check(&headers, &query, Announced::Nothing).await.is_err());
    }
}
