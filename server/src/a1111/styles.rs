//! Named additions to prompts.

use backend::Services;
use types::prompt::Style;

/// Those of these names that stand for a style. Others are passed over, as there.
pub fn known(services: &Services, names: &[&str]) -> Vec<String> {
    let styles = services.styles();
    let is_known = |name: &&&str| styles.iter().any(|style: &Style| style.is_called(name));
    names.iter().filter(is_known).map(|name| (*name).to_owned()).collect()
}
