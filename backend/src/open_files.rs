//! How many files and connections the system lets the program have open.

/// Raises the limit to as many as the system allows without being asked for more, and gives it back; `None` where there is
/// none, or where it cannot be told. What most systems give a program at first is for programs that open a few.
#[cfg(target_os = "linux")]
pub fn raise_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, "no more files can be opened than the system allowed at first");
            current
        }
    }
}

/// Elsewhere it is left as it is.
#[cfg(not(target_os = "linux"))]
pub fn raise_limit() -> Option<u64> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn as_many_may_be_open_as_the_system_allows() {
        let most = raise_limit();
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        assert_eq!((limit.current, limit.maximum), (most, most));
    }
}
