//! `/enter`: the door of a site with a password.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::format::sentence;
use crate::state::DoorState;

/// The page.
#[component]
pub fn DoorPage() -> impl IntoView {
    let DoorState { to, error } = use_context::<DoorState>().unwrap_or_default();
    let described = error.is_some().then_some("door-error");
    let notice = error.map(|error| {
        view! {
            <p class="notice" role="alert" id="door-error">
                {sentence(&error.message)}
            </p>
        }
    });
    view! {
        <Title text="Enter" />
        <form class="door" method="post" action="/enter">
            <h1>"Who is there?"</h1>
            <p>"This darkroom has a password. Whoever runs it knows it."</p>
            {notice}
            <input type="hidden" name="to" value=to />
            <div class="field">
                <label for="password">"Password"</label>
                <input
                    id="password"
                    name="password"
                    type="password"
                    autocomplete="current-password"
                    required
                    autofocus
                    aria-describedby=described
                />
            </div>
            <button type="submit" class="primary">
                "Enter"
            </button>
        </form>
    }
}
