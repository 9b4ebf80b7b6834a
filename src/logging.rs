//! The log: to standard error, as text or as JSON.
//!
//! **Invariant:** below `warn` only the add-on itself speaks. Libraries print headers and addresses at their lower
//! levels, and those carry tokens.

use std::io::{IsTerminal as _, stderr};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{Registry, fmt};

use crate::config::{Log, LogFormat};

/// Starts the log of this process.
///
/// # Errors
///
/// [`TryInitError`] when there is one already.
pub fn start(log: Log) -> Result<(), TryInitError> {
    subscriber(log, stderr, stderr().is_terminal()).try_init()
}

/// The log, to any writer.
fn subscriber<W>(log: Log, writer: W, colours: bool) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = Targets::new()
        .with_default(log.level.min(LevelFilter::WARN))
        .with_target("splynx_bitpay", log.level);
    let lines = fmt::layer().with_writer(writer);
    let layer = match log.format {
        LogFormat::Text => lines.with_ansi(colours).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_ansi(false).boxed(),
    };
    Box::new(Registry::default().with(layer.with_filter(filter)))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: LevelFilter, format: LogFormat, talk: impl FnOnce()) -> String {
        let paper = Paper::default();
        let writer = paper.clone();
        let subscriber = subscriber(Log { level, format }, move || writer.clone(), false);
        tracing::subscriber::with_default(subscriber, talk);
        String::from_utf8(paper.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_library_is_not_heard_below_warn() {
        let text = logged(LevelFilter::TRACE, LogFormat::Text, || {
            tracing::info!(target: "hyper", "authorization: secret");
            tracing::warn!(target: "hyper", "broken");
            tracing::trace!("ours");
        });
        assert!(!text.contains("secret"), "{text}");
        assert!(text.contains("broken") && text.contains("ours"), "{text}");
    }

    #[test]
    fn the_level_holds_for_everybody() {
        let text = logged(LevelFilter::ERROR, LogFormat::Text, || {
            tracing::warn!(target: "hyper", "broken");
            tracing::warn!("ours");
        });
        assert_eq!(text, "");
    }

    #[test]
    fn a_line_of_json_is_one_object() {
        let text = logged(LevelFilter::INFO, LogFormat::Json, || {
            tracing::info!(attempt = "01J", "settled");
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line.get("message"), Some(&"settled".into()));
        assert_eq!(line.get("attempt"), Some(&"01J".into()));
        assert_eq!(line.get("level"), Some(&"INFO".into()));
    }
}
