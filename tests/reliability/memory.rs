//! Memory does not grow with the input.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::program;

/// Audits a generated stream of so many bytes and gives the peak of the resident memory, in bytes.
///
/// Nearly all of it is notes, which are read, checked, spooled and written, but not classified: what classifying needs does not
/// depend on the input's length, and would take days here.
fn peak(bytes: u64, out: &Path) -> u64 {
    let mut child = Command::new(program())
        .args(["audit", "-", "--quiet", "--out"])
        .arg(out)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let note = "The parcel was scanned at the depot and is on its way to the next one. ".repeat(60);
        let (mut sent, mut i) = (0u64, 0u64);
        while sent < bytes {
            let line = if i % 50 == 7 {
                // Rejects are kept too.
                format!("{{\"id\":\"t{i}\",\"turns\":[{{\"role\":\"nobody\",\"text\":\"{note}\"}}]}}\n")
            } else {
                let said = if i % 1000 == 0 { "where is it?" } else { " " };
                format!(
                    "{{\"id\":\"t{i}\",\"turns\":[{{\"role\":\"customer\",\"text\":\"{said}\"}},{{\"role\":\"system\",\"text\":\"{i} {note}\"}}]}}\n"
                )
            };
            pipe.write_all(line.as_bytes()).unwrap();
            sent += line.len() as u64;
            i += 1;
        }
    });
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        peak = peak.max(line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        sleep(Duration::from_millis(10));
    }
    writer.join().unwrap();
    fs::remove_dir_all(out).unwrap();
    let _ = fs::remove_file(out.with_extension("rejects"));
    println!("{:.2} GB in: {} MB at the peak", bytes as f64 / 1e9, peak >> 20);
    peak
}

/// The model in memory, and what the program may need beside it.
const MODEL: u64 = 50 << 20;
const ALLOWED: u64 = 400 << 20;
/// What a set of 8-byte hashes may take for each, and a little more for the chance of when the peak is seen.
const ID: u64 = 28;

#[cfg(target_os = "linux")]
#[test]
fn must_not_need_more_memory_for_more_input() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let (small, large) = (peak(40_000_000, &out), peak(240_000_000, &out));
    assert!(small > 10 << 20);
    assert!(large < small + (64 << 20), "{small} and then {large} bytes");
    assert!(large < ALLOWED + MODEL);
}

/// `cargo test --release --test reliability memory -- --ignored --nocapture`; writes 5 GB to the folder for temporary files.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes minutes and 6 GB of disk"]
fn must_stay_within_400_mb_on_5_gb() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let (small, large) = (peak(500_000_000, &out), peak(5_000_000_000, &out));
    assert!(large < ALLOWED + MODEL, "{large} bytes");
    // The ids, kept to find doubles, are all that grows: a line here has about 4,400 bytes.
    let ids = (5_000_000_000 - 500_000_000) / 4_400 * ID;
    assert!(large < small + ids, "{small} bytes at 0.5 GB and {large} at 5 GB");
}
