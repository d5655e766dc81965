//! A failed command: what went wrong in the user's words, and what to do next.

use std::{ffi::OsString, process::ExitCode};

use serde_json::json;

/// What kind of failure it is: decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something else.
    Failed,
    /// The command makes no sense as given.
    Usage,
    /// There is no such blob, or it has expired.
    NotFound,
    /// The network or the chain could not be reached, or not enough of it.
    Unavailable,
    /// The chain refused: no funds, wrong state.
    Refused,
}

impl Kind {
    /// The process's exit code, documented in `walrus --help`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Unavailable => 4,
            Self::Refused => 5,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NotFound => "not_found",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
        }
    }
}

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: Kind,
    /// What went wrong.
    pub cause: anyhow::Error,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure of `kind`.
    pub fn new(kind: Kind, cause: impl Into<anyhow::Error>) -> Self {
        Self { kind, cause: cause.into(), hint: None }
    }

    /// A failure of `kind` described in words.
    pub fn message(kind: Kind, text: impl Into<String>) -> Self {
        Self::new(kind, anyhow::Error::msg(text.into()))
    }

    /// The same failure with the next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What went wrong and because of what. Errors differ in whether they say their cause
    /// themselves; it is said once.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for cause in self.cause.chain() {
            let cause = cause.to_string();
            if text.is_empty() {
                text = cause;
            } else if !text.contains(&cause) {
                text = format!("{text}: {cause}");
            }
        }
        text
    }

    /// One line of JSON for programs.
    pub fn to_json(&self) -> String {
        let message = self.text();
        json!({"error": {"kind": self.kind.name(), "message": message, "hint": self.hint}})
            .to_string()
    }
}

impl From<anyhow::Error> for Failure {
    fn from(cause: anyhow::Error) -> Self {
        Self::new(Kind::Failed, cause)
    }
}

/// What the command line does not understand, in its own words.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        // Then the words are the whole help.
        if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Self::message(Kind::Usage, "a subcommand is missing")
                .hint("`--help` in its place says which ones there are");
        }
        let text = error.render().to_string();
        Self::message(Kind::Usage, text.trim_start_matches("error: ").trim_end())
    }
}

/// Whether arguments that make no sense as a whole ask for JSON.
pub fn wants_json(arguments: impl IntoIterator<Item = OsString>) -> bool {
    arguments.into_iter().take_while(|argument| argument != "--").any(|word| word == "--json")
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        failure.kind.exit_code().into()
    }
}

/// What a command returns.
pub type Outcome = Result<(), Failure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("too few nodes: one, two")]
    struct Few;

    #[derive(Debug, thiserror::Error)]
    enum Store {
        #[error("{0}; store it again")]
        Said(#[from] Few),
        #[error("it was not stored")]
        Unsaid(#[source] Few),
    }

    #[test]
    fn a_cause_is_said_once() {
        // A list of a hundred nodes that failed was printed twice.
        let text = |error: Store| Failure::new(Kind::Failed, error).text();
        assert_eq!(text(Few.into()), "too few nodes: one, two; store it again");
        assert_eq!(text(Store::Unsaid(Few)), "it was not stored: too few nodes: one, two");
    }
}
