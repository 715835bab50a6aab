//! Where the operator's listener is.

use clap::Args;
use serde::Deserialize;

/// Flags of `serve` for whoever operates the site.
#[derive(Args, Default)]
pub struct OperatorFlags {
    /// Where the operator listens: health, metrics and a page, without a password where this machine alone reaches it, and
    /// with an operator's key elsewhere; port 0 takes a free one [default: nowhere; 127.0.0.1:3001 is usual]
    #[arg(long, env = "DARKROOM_OPERATOR_ADDR", value_name = "HOST:PORT")]
    operator_addr: Option<String>,
}

/// The table `[operator]` of `darkroom.toml`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OperatorTable {
    addr: Option<String>,
}

impl OperatorFlags {
    /// Where to listen, if anything was said about it.
    pub fn addr(self, table: OperatorTable) -> Option<String> {
        self.operator_addr.or(table.addr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_goes_before_the_file_and_without_either_nobody_listens() {
        let flags = |addr: Option<&str>| OperatorFlags { operator_addr: addr.map(str::to_owned) };
        let table = || OperatorTable { addr: Some("127.0.0.1:1".to_owned()) };
        assert_eq!(flags(Some("127.0.0.1:2")).addr(table()).as_deref(), Some("127.0.0.1:2"));
        assert_eq!(flags(None).addr(table()).as_deref(), Some("127.0.0.1:1"));
        assert_eq!(flags(None).addr(OperatorTable::default()), None);
    }
}
