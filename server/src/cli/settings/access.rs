//! Settings of who may call, and how much: the flags of `darkroom serve`, and the tables `[access]` and `[limits]`.

use anyhow::anyhow;
use backend::access::{Limits, Ration};
use clap::Args;
use ipnet::IpNet;
use serde::Deserialize;

use super::doors::{BodiesTable, ConnectionsTable, StreamsTable};
use crate::callers::{Access, Bodies, Hosts, Password, Programs};

/// Flags of `darkroom serve`.
#[derive(Args, Default)]
pub struct AccessFlags {
    /// Limits for a site that everybody on the internet can reach, where no others are set: 120 requests a minute and 4
    /// jobs at a time for a visitor, 600 and 16 for an address, 60 and 300 megapixels a day, 500 and 2000 megabytes of uploads a
    /// day, and 300 seconds a job [default: no limits but those in darkroom.toml]
    #[arg(long, env = "DARKROOM_PUBLIC", value_parser = clap::builder::FalseyValueParser::new())]
    public: bool,
    /// A name that the site answers to besides addresses and names of private networks, such as demo.example.com or
    /// *.ngrok.app; can be given several times, `*` allows any [default: none]
    #[arg(long = "host", env = "DARKROOM_HOSTS", value_name = "NAME", value_delimiter = ',')]
    hosts: Vec<String>,
    /// A proxy whose word is taken for where callers come from (X-Forwarded-For) and whether by TLS, as an address or a
    /// network such as 127.0.0.1 or 10.0.0.0/8; can be given several times [default: none]
    #[arg(long = "trust-proxy", env = "DARKROOM_TRUSTED_PROXIES", value_name = "NET", value_delimiter = ',', value_parser = parse_net)]
    trusted_proxies: Vec<IpNet>,
    /// A password that everybody needs who wants to see the site; better in the environment or in darkroom.toml than here,
    /// where other users of the machine see it [default: none]
    #[arg(long, env = "DARKROOM_PASSWORD", value_name = "TEXT", hide_env_values = true)]
    password: Option<String>,
    /// Whether programs may call without a key: open or keys [default: open]
    #[arg(long, env = "DARKROOM_PROGRAMS", value_name = "NAME", value_parser = parse_programs)]
    programs: Option<Programs>,
}

/// The table `[access]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessTable {
    hosts: Vec<String>,
    trusted_proxies: Vec<String>,
    password: Option<String>,
    programs: Option<String>,
}

/// The table `[limits]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsTable {
    visitor: RationTable,
    address: RationTable,
    seconds_per_job: Option<u32>,
    streams: StreamsTable,
    waiting: StreamsTable,
    bodies: BodiesTable,
    connections: ConnectionsTable,
}

/// What one visitor, or all at one address, may ask for.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RationTable {
    requests_per_minute: Option<u32>,
    queued_jobs: Option<u32>,
    megapixels_per_day: Option<u32>,
    uploaded_megabytes_per_day: Option<u32>,
}

/// What is limited on a site that everybody can reach, unless its operator says otherwise. A picture of SDXL has a
/// megapixel.
const PUBLIC: Limits = Limits {
    visitor: Ration {
        requests_per_minute: Some(120),
        queued_jobs: Some(4),
        megapixels_per_day: Some(60),
        uploaded_megabytes_per_day: Some(500),
    },
    address: Ration {
        requests_per_minute: Some(600),
        queued_jobs: Some(16),
        megapixels_per_day: Some(300),
        uploaded_megabytes_per_day: Some(2000),
    },
    seconds_per_job: Some(300),
};

impl AccessFlags {
    /// The same for a site that everybody on the internet can reach.
    #[must_use]
    pub fn made_public(self) -> Self {
        Self { public: true, ..self }
    }

    /// Flags and tables together.
    ///
    /// # Errors
    /// A table says something that is not understood.
    pub fn with(self, access: AccessTable, limits: &LimitsTable) -> anyhow::Result<(Access, Limits)> {
        let said = |setting: &str, sentence: String| anyhow!("setting `{setting}` is wrong: {sentence}");
        let hosts = if self.hosts.is_empty() { access.hosts } else { self.hosts };
        let hosts = Hosts::from_list(&hosts).map_err(|sentence| said("access.hosts", sentence))?;
        let proxies = access.trusted_proxies.iter().map(|net| parse_net(net)).collect::<Result<Vec<_>, _>>();
        let proxies = proxies.map_err(|sentence| said("access.trusted_proxies", sentence))?;
        let programs = access.programs.as_deref().map(parse_programs).transpose();
        let programs = programs.map_err(|sentence| said("access.programs", sentence))?;
        let password = self.password.or(access.password).filter(|password| !password.is_empty());
        let password = password.map(|text| Password::new(&text)).transpose();
        let bodies = limits.bodies.limits().map_err(|sentence| said("limits.bodies", sentence))?;
        let access = Access {
            hosts,
            trusted_proxies: if self.trusted_proxies.is_empty() { proxies } else { self.trusted_proxies },
            password: password.map_err(|sentence| said("access.password", sentence))?,
            programs: self.programs.or(programs).unwrap_or_default(),
            bodies: Bodies::new(bodies),
            answers: Bodies::new(bodies),
            patience: limits.connections.patience(),
            ..Access::default()
        };
        let access = access.with_stream_limits(limits.streams.limits());
        Ok((access.with_waiting_limits(limits.waiting.limits()), limits.limits(self.public)))
    }
}

impl LimitsTable {
    fn limits(&self, is_public: bool) -> Limits {
        let usual = if is_public { PUBLIC } else { Limits::default() };
        Limits {
            visitor: self.visitor.ration().or(usual.visitor),
            address: self.address.ration().or(usual.address),
            seconds_per_job: self.seconds_per_job.or(usual.seconds_per_job),
        }
    }
}

impl RationTable {
    fn ration(&self) -> Ration {
        let Self { requests_per_minute, queued_jobs, megapixels_per_day, uploaded_megabytes_per_day } = *self;
        Ration { requests_per_minute, queued_jobs, megapixels_per_day, uploaded_megabytes_per_day }
    }
}

fn parse_net(text: &str) -> Result<IpNet, String> {
    let net = text.parse().ok().or_else(|| text.parse().ok().map(|ip: std::net::IpAddr| IpNet::from(ip)));
    net.ok_or_else(|| {
        format!("`{text}` is no address and no network; give one such as 127.0.0.1 or 10.0.0.0/8")
    })
}

fn parse_programs(name: &str) -> Result<Programs, String> {
    match name {
        "open" => Ok(Programs::Open),
        "keys" => Ok(Programs::Keys),
        _ => Err(format!("`{name}` is unknown; known are open, keys")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: AccessFlags, access: &str, limits: &str) -> anyhow::Result<(Access, Limits)> {
        flags.with(toml::from_str(access).unwrap(), &toml::from_str(limits).unwrap())
    }

    #[test]
    fn nothing_said_means_no_limits_and_no_password() {
        let (access, limits) = read(AccessFlags::default(), "", "").unwrap();
        assert_eq!(limits, Limits::default());
        assert_eq!((access.hosts, access.programs), (Hosts::Local, Programs::Open));
        assert!(access.password.is_none() && access.trusted_proxies.is_empty());
    }

    #[test]
    fn a_public_site_is_limited_and_what_its_operator_says_goes_before() {
        let flags = AccessFlags::default().made_public();
        let (_, limits) = read(flags, "", "seconds_per_job = 20\nvisitor.queued_jobs = 1").unwrap();
        assert_eq!(limits.seconds_per_job, Some(20));
        assert_eq!(limits.visitor, Ration { queued_jobs: Some(1), ..PUBLIC.visitor });
        assert_eq!(limits.address, PUBLIC.address);
    }

    #[test]
    fn flags_go_before_the_file() {
        let flags = AccessFlags {
            hosts: vec!["a.example".into()],
            programs: Some(Programs::Keys),
            ..AccessFlags::default()
        };
        let (access, _) = read(flags, "hosts = ['b.example']\nprograms = 'open'", "").unwrap();
        assert_eq!((access.hosts, access.programs), (Hosts::Named(vec!["a.example".into()]), Programs::Keys));
    }

    #[test]
    fn what_is_not_understood_is_refused_in_a_sentence() {
        let refused = |access: &str| read(AccessFlags::default(), access, "").err().unwrap().to_string();
        assert_eq!(
            refused("trusted_proxies = ['nginx']"),
            "setting `access.trusted_proxies` is wrong: `nginx` is no address and no network; give one such as 127.0.0.1 or 10.0.0.0/8"
        );
        assert_eq!(
            refused("programs = 'closed'"),
            "setting `access.programs` is wrong: `closed` is unknown; known are open, keys"
        );
        assert_eq!(
            refused("password = 'short'"),
            "setting `access.password` is wrong: a password of 5 characters is guessed at once; take at least 8"
        );
        assert!(
            refused("hosts = ['https://a.example']")
                .starts_with("setting `access.hosts` is wrong: host `https://a.example`")
        );
        assert!(toml::from_str::<LimitsTable>("jobs = 5").is_err());
    }
}
