//! Host names of websites: a gateway that has `DOMAIN` serves the website of reference 7 at `7.DOMAIN`.

use std::fmt;
use std::str::FromStr;

/// Longest domain: with the number of a reference and a point before it, it is still a host name.
const DOMAIN_BYTES_MAX: usize = 253 - 21;
const LABEL_BYTES_MAX: usize = 63;

/// A domain below which each website has a host name, and with it an origin, of its own. In lower case,
/// without port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitesDomain(String);

/// A text that is no such domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a domain, such as sites.example.org or localhost")]
pub struct SitesDomainError(String);

impl FromStr for SitesDomain {
    type Err = SitesDomainError;

    fn from_str(text: &str) -> Result<Self, SitesDomainError> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let is_label = |label: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=LABEL_BYTES_MAX).contains(&label.len())
                && label.bytes().all(allowed)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // Browsers take a name that ends in a number for an address.
        let ends_in_name = name
            .rsplit('.')
            .next()
            .is_some_and(|last| !last.starts_with(|c: char| c.is_ascii_digit()));
        let good = name.len() <= DOMAIN_BYTES_MAX && name.split('.').all(is_label) && ends_in_name;
        if good { Ok(Self(name)) } else { Err(SitesDomainError(text.to_owned())) }
    }
}

impl fmt::Display for SitesDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SitesDomain {
    /// The host name of the website of a reference.
    pub fn host(&self, reference: u64) -> String {
        format!("{reference}.{}", self.0)
    }

    /// The reference whose website has the host name `host`, given without port. A number has one
    /// spelling only, so that a website has one origin.
    pub fn reference(&self, host: &str) -> Option<u64> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let place = host.len().checked_sub(self.0.len())?;
        let (number, domain) = host.split_at_checked(place)?;
        let number = number.strip_suffix('.')?;
        let plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
        if !plain || !domain.eq_ignore_ascii_case(&self.0) {
            return None;
        }
        number.parse().ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plain_number_before_the_domain_is_a_website() {
        // A second spelling is a second origin; any other name is the gateway's own.
        let domain: SitesDomain = "Sites.Example.org.".parse().unwrap();
        assert_eq!(
            (domain.to_string().as_str(), domain.host(7).as_str()),
            ("sites.example.org", "7.sites.example.org")
        );
        for (host, reference) in [
            ("7.sites.example.org", Some(7)),
            ("7.SITES.example.ORG.", Some(7)),
            ("18446744073709551615.sites.example.org", Some(u64::MAX)),
            ("18446744073709551616.sites.example.org", None),
            ("07.sites.example.org", None),
            ("0.sites.example.org", None),
            ("+7.sites.example.org", None),
            ("0x7.sites.example.org", None),
            ("1.7.sites.example.org", None),
            (".sites.example.org", None),
            ("sites.example.org", None),
            ("7sites.example.org", None),
            ("7.sites.example.org.evil.org", None),
            ("7.other.org", None),
            ("[::1]", None),
            ("é.sites.example.org", None),
            ("", None),
        ] {
            assert_eq!(domain.reference(host), reference, "{host}");
        }
    }

    #[test]
    fn what_no_browser_takes_for_a_domain_is_refused() {
        // The operator would believe that websites are apart from each other.
        for bad in [
            "",
            ".",
            "a..b",
            "a b",
            "sites.example.org:80",
            "http://x",
            "127.0.0.1",
            "[::1]",
            "-a.org",
            "a_b.org",
            "*.org",
            "é.org",
            &"a".repeat(64),
            &"a.".repeat(150),
        ] {
            assert!(bad.parse::<SitesDomain>().is_err(), "{bad}");
        }
        assert!("localhost".parse::<SitesDomain>().is_ok());
    }
}
