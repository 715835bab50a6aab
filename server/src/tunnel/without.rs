//! What stands in the place of ngrok in a program that was built without it.

use super::{Tunnel, TunnelError, Wanted};

/// Opens none.
///
/// # Errors
/// Always.
pub async fn open(_wanted: Wanted) -> Result<Tunnel, TunnelError> {
    Err(TunnelError::NotBuilt)
}
