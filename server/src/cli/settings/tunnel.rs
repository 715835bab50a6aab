//! Settings of the tunnel that makes the site reachable from the internet: flags of `darkroom serve`, and ngrok's
//! token.

use clap::Args;

use crate::callers::Hosts;
use crate::tunnel::{TunnelError, Wanted};

/// Who runs a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunnelKind {
    /// <https://ngrok.com>, with the token in the environment variable `NGROK_AUTHTOKEN`.
    Ngrok,
}

/// Flags of `darkroom serve`.
#[derive(Args, Default)]
pub struct TunnelFlags {
    /// Serve the site at an address on the internet as well, by a tunnel: ngrok, whose token is taken from
    /// `NGROK_AUTHTOKEN`; the limits of --public hold [default: no tunnel]
    #[arg(long, env = "DARKROOM_TUNNEL", value_name = "NAME", value_parser = parse_kind)]
    tunnel: Option<TunnelKind>,
    /// Where the tunnel is, as one of the domains of the token's account [default: what ngrok gives]
    #[arg(long, env = "NGROK_DOMAIN", value_name = "NAME")]
    tunnel_domain: Option<String>,
}

impl TunnelFlags {
    /// The tunnel that is wanted, if one is.
    ///
    /// # Errors
    /// This program has no tunnel; no token; a domain that is none.
    pub fn wanted(self, token: Option<String>, is_built: bool) -> Result<Option<Wanted>, TunnelError> {
        if self.tunnel.is_none() {
            return Ok(None);
        }
        if !is_built {
            return Err(TunnelError::NotBuilt);
        }
        let token = token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
        let token = token.ok_or(TunnelError::NoToken)?;
        let domain = self.tunnel_domain.filter(|domain| !domain.is_empty());
        if let Some(domain) = &domain {
            Hosts::from_list(std::slice::from_ref(domain)).map_err(TunnelError::Domain)?;
        }
        Ok(Some(Wanted { token, domain }))
    }
}

fn parse_kind(name: &str) -> Result<TunnelKind, String> {
    match name {
        "ngrok" => Ok(TunnelKind::Ngrok),
        _ => Err(format!("`{name}` is unknown; known is ngrok")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(domain: Option<&str>, token: Option<&str>) -> Result<Option<Wanted>, TunnelError> {
        let flags = TunnelFlags { tunnel: Some(TunnelKind::Ngrok), tunnel_domain: domain.map(str::to_owned) };
        flags.wanted(token.map(str::to_owned), true)
    }

    #[test]
    fn without_the_flag_there_is_none_whatever_the_environment_holds() {
        let flags = TunnelFlags { tunnel: None, tunnel_domain: Some("a.ngrok.app".to_owned()) };
        assert_eq!(flags.wanted(Some("token".to_owned()), false).unwrap(), None);
    }

    #[test]
    fn a_token_is_needed_and_is_shown_to_nobody() {
        assert_eq!(
            wanted(None, Some(" ")).unwrap_err().to_string(),
            "a tunnel at ngrok needs a token: set the environment variable NGROK_AUTHTOKEN to the one that \
             https://dashboard.ngrok.com/get-started/your-authtoken shows"
        );
        let with = wanted(Some("a.ngrok.app"), Some("the token\n")).unwrap().unwrap();
        assert_eq!(with, Wanted { token: "the token".to_owned(), domain: Some("a.ngrok.app".to_owned()) });
        assert!(!format!("{with:?}").contains("the token"));
    }

    #[test]
    fn a_program_without_a_tunnel_says_how_one_with_it_is_built() {
        let flags = TunnelFlags { tunnel: Some(TunnelKind::Ngrok), tunnel_domain: None };
        assert_eq!(
            flags.wanted(Some("token".to_owned()), false).unwrap_err().to_string(),
            "this program has no tunnel: build it with `--features ngrok`, or leave out `--tunnel`"
        );
        assert_eq!(parse_kind("cloudflare").unwrap_err(), "`cloudflare` is unknown; known is ngrok");
    }

    #[test]
    fn a_domain_is_a_hosts_name() {
        assert_eq!(
            wanted(Some("https://a.ngrok.app"), Some("token")).unwrap_err().to_string(),
            "the domain of the tunnel is wrong: host `https://a.ngrok.app` is no host's name; give one such as \
             demo.example.com, without scheme and port"
        );
    }
}
