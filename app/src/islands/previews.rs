//! What a picture looks like while it develops.

use leptos::html::Div;
use leptos::prelude::*;

/// Strongest blur of a preview, in pixels on the screen.
const MOST_BLUR_PX: f64 = 14.0;

/// The last two previews, one above the other, so that the newer fades in over the older one. They are less
/// blurred the further the picture is.
///
/// A preview is a `data:` URL with a number that tells it from the one before.
pub fn previews(urls: RwSignal<Vec<(u32, String)>>, fraction: Signal<f64>) -> impl IntoView + use<> {
    let layers = NodeRef::<Div>::new();
    Effect::new(move || {
        if let Some(layers) = layers.get() {
            let blur = (1.0 - fraction.get()).max(0.0).sqrt() * MOST_BLUR_PX;
            let element: &web_sys::HtmlElement = &layers;
            let _ = element.style().set_property("--blur", &format!("{blur:.1}px"));
        }
    });
    view! {
        <div class="previews" node_ref=layers>
            <For each=move || urls.get() key=|(number, _)| *number let((_, url))>
                <img class="preview" src=url alt="" />
            </For>
        </div>
    }
}

/// Puts a new preview above the others and takes away those that nobody sees any more.
pub fn push_preview(urls: &mut Vec<(u32, String)>, url: String) {
    let number = urls.last().map_or(0, |(number, _)| number + 1);
    urls.push((number, url));
    let n_hidden = urls.len().saturating_sub(2);
    urls.drain(..n_hidden);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_previews_are_kept_and_each_has_its_own_number() {
        let mut urls = Vec::new();
        for url in ["a", "b", "c"] {
            push_preview(&mut urls, url.to_owned());
        }
        assert_eq!(urls, [(1, "b".to_owned()), (2, "c".to_owned())]);
    }
}
