//! What the log is told when a tunnel is lost and regained: each once, however often it is tried.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::error::explained;

/// What is to be told of a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// The connection broke.
    Lost,
    /// It stands again, and ngrok does not let the program in.
    Refused {
        /// As `ERR_NGROK_108`.
        code: String,
    },
    /// ngrok is there again.
    Reached,
}

impl fmt::Display for News {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => {
                formatter.write_str("the tunnel is lost; it is connected anew until that goes well")
            }
            Self::Refused { code } => write!(
                formatter,
                "ngrok does not let the lost tunnel in ({code}, explained at {}); it is tried again, more and more \
                 seldom",
                explained(code)
            ),
            Self::Reached => formatter.write_str("ngrok is reached again; the tunnel is where it was"),
        }
    }
}

/// How a tunnel is.
#[derive(Default)]
pub(super) struct Watch(Mutex<Option<News>>);

impl Watch {
    /// A lost tunnel is about to be connected anew; the last time, ngrok may have refused that with a code.
    pub(super) fn connecting(&self, refused: Option<String>) -> Option<News> {
        let news = refused.map_or(News::Lost, |code| News::Refused { code });
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = match &*last {
            // It was reached in between, and that came to nothing.
            Some(News::Reached) | None => false,
            Some(last) => *last == news,
        };
        if is_told {
            return None;
        }
        Some(last.insert(news).clone())
    }

    /// ngrok answers.
    pub(super) fn reached(&self) -> Option<News> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            // Whether it stays so, nobody knows yet; a refusal was told and is told no second time.
            None | Some(News::Reached | News::Refused { .. }) => None,
            Some(News::Lost) => Some(last.insert(News::Reached).clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "ERR_NGROK_108";

    #[test]
    fn a_tunnel_that_is_lost_and_regained_is_told_of_once_each() {
        let watch = Watch::default();
        assert_eq!(watch.reached(), None, "the first time nothing was lost");
        for _ in 0..2 {
            assert_eq!(watch.connecting(None), Some(News::Lost));
            assert_eq!(watch.connecting(None), None);
            assert_eq!(watch.reached(), Some(News::Reached));
        }
    }

    #[test]
    fn a_refusal_is_told_of_once_however_often_it_is_tried() {
        let watch = Watch::default();
        assert_eq!(watch.connecting(None), Some(News::Lost));
        assert_eq!(watch.reached(), Some(News::Reached));
        assert_eq!(watch.connecting(Some(CODE.to_owned())), Some(News::Refused { code: CODE.to_owned() }));
        assert_eq!((watch.reached(), watch.connecting(Some(CODE.to_owned()))), (None, None));
        assert_eq!(
            News::Refused { code: CODE.to_owned() }.to_string(),
            "ngrok does not let the lost tunnel in (ERR_NGROK_108, explained at \
             https://ngrok.com/docs/errors/err_ngrok_108); it is tried again, more and more seldom"
        );
    }
}
