//! Opening a file. In: a path or `-`. Out: its plain bytes, buffered, and a hash of what was read.
//!
//! Compression is told by the first bytes, so that a renamed file and standard input work alike.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use sha2::{Digest, Sha256};

use super::IngestError;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const BOM: [u8; 3] = [0xef, 0xbb, 0xbf];
/// How many plain bytes are looked at to tell the format.
const HEAD: usize = 64 * 1024;

/// The plain bytes of an input.
pub struct Stream {
    /// The first bytes, to tell the format from.
    head: Vec<u8>,
    /// How many of them were read.
    taken: usize,
    /// What went wrong behind them; told once they are read.
    fault: Option<io::Error>,
    rest: Box<dyn BufRead + Send>,
}

/// SHA-256 of the bytes as stored, known once the stream was read to its end.
#[derive(Clone, Default)]
pub struct FileHash(Arc<Mutex<Sha256>>);

impl FileHash {
    /// The hash of what was read so far, in hex.
    pub fn hex(&self) -> String {
        let state = self.0.lock().unwrap_or_else(|e| e.into_inner()).clone();
        hex::encode(state.finalize())
    }
}

struct Hashing<R> {
    inner: R,
    hash: FileHash,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.hash.0.lock().unwrap_or_else(|e| e.into_inner()).update(&buf[..n]);
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// What any file may unpack to …
const ALLOWED: u64 = 64 * 1024 * 1024;
/// … and beyond that how many times its size: transcripts pack to a tenth or a thirtieth, a bomb to a thousandth.
const RATIO: u64 = 250;

/// Why so many bytes out of so many packed ones are more than transcripts can be, where they are.
pub(super) fn bomb(packed: u64, plain: u64) -> Option<String> {
    let bomb = plain > ALLOWED && plain / RATIO > packed;
    bomb.then(|| format!("the file unpacks to more than {RATIO} times its size, as a bomb does"))
}

/// Ends the reading of what unpacks to far more than transcripts do.
struct Unpacked<R> {
    inner: R,
    packed: Arc<AtomicU64>,
    count: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.count += n as u64;
        if let Some(reason) = bomb(self.packed.load(Ordering::Relaxed), self.count) {
            return Err(io::Error::other(reason));
        }
        Ok(n)
    }
}

/// What a zstd frame may ask to be kept in memory while it is unpacked: what `zstd --long` does by default.
const WINDOW: u64 = 128 * 1024 * 1024;
/// The longest header of a zstd frame.
const ZSTD_HEADER: usize = 18;

/// A stream whose next bytes can be looked at.
struct Peeked<R> {
    ahead: Vec<u8>,
    rest: R,
}

impl<R: Read> Peeked<R> {
    fn peek(&mut self, n: usize) -> io::Result<&[u8]> {
        let wanted = n.saturating_sub(self.ahead.len()) as u64;
        self.rest.by_ref().take(wanted).read_to_end(&mut self.ahead)?;
        Ok(&self.ahead)
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.ahead.is_empty() {
            return self.rest.read(buf);
        }
        let n = buf.len().min(self.ahead.len());
        buf[..n].copy_from_slice(&self.ahead[..n]);
        self.ahead.drain(..n);
        Ok(n)
    }
}

/// The window that the header of a zstd frame asks for (RFC 8878, 3.1.1.1); 0 where there is no header.
fn window(header: &[u8]) -> u64 {
    let Some((descriptor, fields)) = header.get(4..).and_then(<[u8]>::split_first) else { return 0 };
    if descriptor & 0x20 == 0 {
        let byte = fields.first().copied().map_or(0, u64::from);
        let base = 1 << (10 + (byte >> 3));
        return base + base / 8 * (byte & 7);
    }
    // A single segment: its whole content, whose size stands behind the dictionary's number.
    let number = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let bytes = fields.get(number..number + size).unwrap_or_default();
    bytes.iter().rev().fold(0, |sum, b| sum << 8 | u64::from(*b))
}

/// All frames of a zstd file, one after the other, each with its checksum.
struct Zstd<R: Read> {
    raw: Option<Peeked<R>>,
    frame: Option<StreamingDecoder<Peeked<R>, FrameDecoder>>,
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let n = frame.read(buf)?;
                if n > 0 || buf.is_empty() {
                    return Ok(n);
                }
                let wrong = frame
                    .decoder
                    .get_checksum_from_data()
                    .is_some_and(|sum| Some(sum) != frame.decoder.get_calculated_checksum());
                if wrong {
                    return Err(io::Error::other("the zstd checksum differs; the file is damaged"));
                }
                self.raw = self.frame.take().map(StreamingDecoder::into_inner);
            }
            let Some(mut raw) = self.raw.take() else { return Ok(0) };
            let header = raw.peek(ZSTD_HEADER)?;
            if header.is_empty() {
                return Ok(0);
            }
            if window(header) > WINDOW {
                return Err(io::Error::other(format!(
                    "unpacking the file needs more memory than {} MB; pack it without --ultra or --long",
                    WINDOW / (1024 * 1024)
                )));
            }
            self.frame = Some(StreamingDecoder::new(raw).map_err(|e| io::Error::other(e.to_string()))?);
        }
    }
}

impl Stream {
    /// Takes the first bytes of `rest`, which stay to be read; a byte order mark is left out.
    fn new(mut rest: Box<dyn BufRead + Send>) -> io::Result<Self> {
        let (mut head, mut fault) = (Vec::new(), None);
        while head.len() < HEAD {
            match rest.fill_buf() {
                Ok([]) => break,
                Ok(chunk) => {
                    let n = chunk.len().min(HEAD - head.len());
                    head.extend_from_slice(&chunk[..n]);
                    rest.consume(n);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if head.is_empty() => return Err(e),
                Err(e) => {
                    fault = Some(e);
                    break;
                }
            }
        }
        let taken = if head.starts_with(&BOM) { BOM.len() } else { 0 };
        Ok(Self { head, taken, fault, rest })
    }

    /// A text in memory, as if it were a file.
    #[cfg(test)]
    pub(super) fn from_text(text: &str) -> Self {
        #[allow(clippy::unwrap_used, reason = "a test")]
        Self::new(Box::new(io::Cursor::new(text.as_bytes().to_vec()))).unwrap()
    }

    /// The first bytes, without a byte order mark; they are still to be read.
    pub(super) fn head(&self) -> &[u8] {
        &self.head[self.taken.min(self.head.len())..]
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let chunk = self.fill_buf()?;
        let n = chunk.len().min(buf.len());
        buf[..n].copy_from_slice(&chunk[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken < self.head.len() {
            return Ok(&self.head[self.taken..]);
        }
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => self.rest.fill_buf(),
        }
    }

    fn consume(&mut self, n: usize) {
        if self.taken < self.head.len() {
            self.taken += n;
        } else {
            self.rest.consume(n);
        }
    }
}

/// Opens `path` (`-` is standard input) and undoes gzip or zstd.
pub(super) fn open(path: &Path) -> Result<(Stream, FileHash), IngestError> {
    let failed = |source| IngestError::Open { path: path.to_path_buf(), source };
    let raw: Box<dyn Read + Send> =
        if path.as_os_str() == "-" { Box::new(io::stdin()) } else { Box::new(File::open(path).map_err(failed)?) };
    let hash = FileHash::default();
    let packed = Arc::new(AtomicU64::new(0));
    let mut raw =
        BufReader::with_capacity(1 << 17, Hashing { inner: raw, hash: hash.clone(), count: Arc::clone(&packed) });
    let head = raw.fill_buf().map_err(failed)?;
    let plain: Box<dyn BufRead + Send> = if head.starts_with(&GZIP) {
        Box::new(BufReader::with_capacity(1 << 17, Unpacked { inner: MultiGzDecoder::new(raw), packed, count: 0 }))
    } else if head.starts_with(&ZSTD) {
        let frames = Zstd { raw: Some(Peeked { ahead: Vec::new(), rest: raw }), frame: None };
        Box::new(BufReader::with_capacity(1 << 17, Unpacked { inner: frames, packed, count: 0 }))
    } else {
        Box::new(raw)
    };
    Ok((Stream::new(plain).map_err(failed)?, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_read_from_the_header() {
        assert_eq!(window(&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]), 1 << 17);
        assert_eq!(window(&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x39]), (1 << 17) + (1 << 14));
        // A single segment of 300,000 bytes, its size in 4 bytes.
        assert_eq!(window(&[0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xe0, 0x93, 0x04, 0x00]), 300_000);
        assert_eq!(window(&[0x28, 0xb5]), 0);
    }

    #[test]
    fn a_frame_that_wants_gigabytes_is_refused() {
        let bytes: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0x00, 0x00];
        let mut frames = Zstd { raw: Some(Peeked { ahead: Vec::new(), rest: bytes }), frame: None };
        let refused = frames.read(&mut [0; 8]).unwrap_err();
        assert!(refused.to_string().contains("more memory than 128 MB"));
    }
}
