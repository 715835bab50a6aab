//! What a page says when the backend could not do its part.

use leptos::prelude::*;
use types::error::ErrorCode;

use crate::format::sentence;
use crate::state::PageStatus;

/// The sentence that a visitor is told. The page gets the status that belongs to it, and the log gets what only
/// an operator should see.
pub fn failure(error: &backend::Error, status: &PageStatus) -> AnyView {
    let public = error.public();
    if public.code == ErrorCode::Internal {
        tracing::error!(
            error = error as &(dyn std::error::Error + 'static),
            "a page could not be shown whole"
        );
    }
    status.report(public.code);
    view! {
        <p class="notice" role="alert">
            {sentence(&public.message)}
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_without_internals_and_with_its_status() {
        let status = PageStatus::default();
        let page = failure(&backend::Error::Broken("row 7 is odd".into()), &status).to_html();
        assert!(page.contains("Something went wrong on the server; its log has the details."), "{page}");
        assert!(!page.contains("row 7"), "{page}");
        assert_eq!(status.error(), Some(ErrorCode::Internal));
    }
}
