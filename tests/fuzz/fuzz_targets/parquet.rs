#![no_main]

#[path = "../targets.rs"]
mod targets;

// The Parquet library may stop at a damaged file, and the reader makes an error of it: without the hook, only a panic that nobody catches ends the fuzzer.
libfuzzer_sys::fuzz_target!(init: drop(std::panic::take_hook()), |data: &[u8]| targets::run("parquet", data));
