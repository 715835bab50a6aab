//! The pages and islands of the site.
//!
//! # Layout
//! * `shell`: the document around every page; `App` is the table of routes
//! * `pages`: one page a file; they render on the server alone
//! * `components`: what several pages show
//! * [`islands`]: the parts that come alive in the browser
//! * [`live`]: server-sent events as a stream of values
//! * [`job_view`], [`prompt_text`]: what islands decide, apart from what they show
//! * [`seen`]: a job as a browser follows it
//! * [`mask`]: a mask as it is painted, apart from its canvas; [`material`]: pictures that a form names
//! * `direction`: marks that turn text around
//! * `format`: numbers and times as people read them
//!
//! # Invariants
//! Pages are never in the browser's bundle: only [`islands`] and what they use are. Every page works
//! without them: an island renders forms and links that do the same by themselves.

#[cfg(feature = "ssr")]
pub mod components;
pub mod direction;
pub mod format;
pub mod islands;
pub mod job_view;
pub mod live;
pub mod mask;
pub mod material;
#[cfg(feature = "ssr")]
pub mod pages;
pub mod prompt_text;
#[cfg(feature = "ssr")]
mod request_query;
pub mod seen;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
mod state;
#[cfg(feature = "ssr")]
mod typed;

#[cfg(feature = "ssr")]
pub use pages::operator::{OperatorView, operator_document};
#[cfg(feature = "ssr")]
pub use pages::wait::wait_document;
#[cfg(feature = "ssr")]
pub use shell::{App, shell};
#[cfg(feature = "ssr")]
pub use state::{ApiDocument, DoorState, FormState, PageStatus};
#[cfg(feature = "ssr")]
pub use typed::TypedNumbers;
