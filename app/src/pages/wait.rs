//! What is shown to those who asked for more than is allowed at a time.
//!
//! It is sent to whoever asks too often, so it costs next to nothing: it knows of no visitor, looks nothing up, and has
//! no script.

use leptos::prelude::*;

use crate::format::sentence;

/// The whole document. `message` says what there was too much of; `style` is where the site's style sheet lies.
pub fn wait_document(message: &str, style: &str) -> String {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="dark" />
                <meta name="theme-color" content="#0f0d0c" />
                <title>"Wait a moment · Darkroom"</title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=style.to_owned() />
            </head>
            <body>
                <header class="site-header">
                    <a class="wordmark" href="/" aria-label="Darkroom, home">
                        <img src="/logo.svg" alt="" width="28" height="28" />
                        <span>"Darkroom"</span>
                    </a>
                </header>
                <main id="main">
                    <div class="empty">
                        <h1>"Wait a moment"</h1>
                        <p role="alert">{sentence(message)}</p>
                        <p>"Whatever you typed is still there when you go back and send it again."</p>
                    </div>
                </main>
            </body>
        </html>
    }
    .to_html()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_there_was_too_much_of_and_has_no_script() {
        let page = wait_document("you sent <b>too</b> much", "/pkg/darkroom.css");
        assert!(page.contains("You sent &lt;b&gt;too&lt;/b&gt; much."), "{page}");
        assert!(page.contains("href=\"/pkg/darkroom.css\"") && !page.contains("<script"), "{page}");
    }
}
