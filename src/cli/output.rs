//! Where commands write to.
//!
//! **Invariant:** a reader who has seen enough (`| head`) is no failure; a disk that is full is one.

use std::io::{self, ErrorKind, Write};

/// What a command writes to.
pub struct Streams<'a> {
    /// The answer.
    pub out: &'a mut dyn Write,
    /// What went wrong, warnings, progress.
    pub err: &'a mut dyn Write,
}

/// A writer that does not mind when nobody reads on.
#[derive(Debug)]
pub struct Tolerant<W>(W);

impl<W: Write> Tolerant<W> {
    /// Makes `writer` tolerant.
    pub fn new(writer: W) -> Self {
        Self(writer)
    }
}

impl<W: Write> Write for Tolerant<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        tolerate(self.0.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        tolerate(self.0.flush(), ())
    }
}

fn tolerate<T>(result: io::Result<T>, instead: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(instead),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_reader_who_has_seen_enough_is_no_failure() {
        let mut pipe = Tolerant::new(Broken(ErrorKind::BrokenPipe));
        assert!(writeln!(pipe, "a line").and_then(|()| pipe.flush()).is_ok());
    }

    #[test]
    fn a_full_disk_is_a_failure() {
        let mut disk = Tolerant::new(Broken(ErrorKind::StorageFull));
        assert!(writeln!(disk, "a line").is_err());
    }
}
