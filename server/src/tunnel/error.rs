//! Why a tunnel does not open.

/// Why a tunnel does not open, for whoever starts the program.
#[derive(Debug, thiserror::Error)]
pub enum TunnelError {
    /// The program was built without.
    #[error("this program has no tunnel: build it with `--features ngrok`, or leave out `--tunnel`")]
    NotBuilt,
    /// ngrok does not know whose tunnel it is.
    #[error(
        "a tunnel at ngrok needs a token: set the environment variable NGROK_AUTHTOKEN to the one that \
         https://dashboard.ngrok.com/get-started/your-authtoken shows"
    )]
    NoToken,
    /// What is no name of a host, in a sentence.
    #[error("the domain of the tunnel is wrong: {0}")]
    Domain(String),
    /// Nobody answers there.
    #[error(
        "ngrok cannot be reached: {0}; look whether this machine may connect to connect.ngrok-agent.com, port 443"
    )]
    Unreachable(String),
    /// ngrok's own code says which of the many reasons it is. Its sentence is left out, as it may repeat the token.
    #[error(
        "ngrok does not let this program in with the token in NGROK_AUTHTOKEN ({code}, explained at {}); \
         https://dashboard.ngrok.com/get-started/your-authtoken shows the right one",
        explained(code)
    )]
    TokenRefused {
        /// As `ERR_NGROK_105`.
        code: String,
    },
    /// The token is good, and the tunnel is not allowed: another one's domain, as a rule.
    #[error(
        "ngrok does not open the tunnel{} ({code}, explained at {}); allowed are the domains that \
         https://dashboard.ngrok.com/domains lists",
        at(domain.as_deref()), explained(code)
    )]
    TunnelRefused {
        /// The one that was wanted.
        domain: Option<String>,
        /// As `ERR_NGROK_319`.
        code: String,
    },
    /// Whatever else may be.
    #[error("the tunnel at ngrok does not open: {0}")]
    Broken(String),
}

fn at(domain: Option<&str>) -> String {
    domain.map(|domain| format!(" at `{domain}`")).unwrap_or_default()
}

/// Where ngrok explains one of its codes.
pub(super) fn explained(code: &str) -> String {
    format!("https://ngrok.com/docs/errors/{}", code.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_one_sentence_for_whoever_starts_the_program() {
        let token = TunnelError::TokenRefused { code: "ERR_NGROK_105".to_owned() };
        assert_eq!(
            token.to_string(),
            "ngrok does not let this program in with the token in NGROK_AUTHTOKEN (ERR_NGROK_105, explained at \
             https://ngrok.com/docs/errors/err_ngrok_105); https://dashboard.ngrok.com/get-started/your-authtoken \
             shows the right one"
        );
        let refused = |domain: Option<&str>| {
            let code = "ERR_NGROK_319".to_owned();
            TunnelError::TunnelRefused { domain: domain.map(str::to_owned), code }.to_string()
        };
        assert!(
            refused(None).starts_with("ngrok does not open the tunnel (ERR_NGROK_319, explained at https://")
        );
        assert!(
            refused(Some("a.ngrok.app"))
                .starts_with("ngrok does not open the tunnel at `a.ngrok.app` (ERR_NGROK_319, ")
        );
        assert_eq!(
            TunnelError::Unreachable("connection refused".to_owned()).to_string(),
            "ngrok cannot be reached: connection refused; look whether this machine may connect to \
             connect.ngrok-agent.com, port 443"
        );
    }
}
