//! The same input, settings and model give the same bytes.

use std::fs;
use std::path::Path;

use super::{assert_code, audit, contents, program};

#[test]
fn must_give_the_same_bytes_at_any_number_of_threads_and_any_batch() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("some.jsonl");
    let all = fs::read_to_string("examples/larkspur.jsonl").unwrap();
    fs::write(&input, all.lines().take(12).map(|l| format!("{l}\n")).collect::<String>()).unwrap();
    let run = |name: &str, more: &[&str]| {
        let out = dir.path().join(name);
        assert_code(&audit(&input, &out, more), 0);
        contents(&out).unwrap()
    };
    let one = run("one", &["--threads", "1"]);
    assert!(one[2].len() > 5_000);
    for threads in ["2", "3", "8"] {
        assert_eq!(run(threads, &["--threads", threads]), one, "{threads} threads");
    }
    for slice in ["1", "7", "50", "100000"] {
        assert_eq!(run("slices", &["--slice", slice]), one, "slices of {slice} turns");
    }
}

#[test]
fn must_give_the_same_bytes_over_many_steps_of_reading() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("many.jsonl");
    // Notes are not classified: this is many turns in little time.
    let line = |i: usize| {
        let note = r#"{"role":"system","text":"moved"}"#;
        let notes = [note; 40].join(",");
        format!(
            "{{\"id\":\"t{i}\",\"turns\":[{{\"role\":\"customer\",\"text\":\"is line {} open?\"}},{notes}]}}\n",
            i % 97
        )
    };
    fs::write(&input, (0..250).map(line).collect::<String>()).unwrap();
    let runs = ["1", "2"].map(|threads| {
        let out = dir.path().join(threads);
        assert_code(&audit(&input, &out, &["--threads", threads]), 0);
        contents(&out).unwrap()
    });
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0][2].iter().filter(|b| **b == b'\n').count() > 2 * 4096, "more than two steps");
}

#[test]
fn a_model_folder_gives_the_same_as_the_built_in_one_and_a_changed_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("model");
    fs::create_dir(&folder).unwrap();
    for name in ["model.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(Path::new("models/default").join(name), folder.join(name)).unwrap();
    }
    let score = |args: &[&str]| {
        let mut command = assert_cmd::Command::new(program());
        command.arg("score").args(args).write_stdin("I was charged twice!\n").output().unwrap()
    };
    let model = folder.to_string_lossy().into_owned();
    assert_eq!(score(&["--model", &model]).stdout, score(&[]).stdout);
    let mut weights = fs::read(folder.join("model.safetensors")).unwrap();
    *weights.last_mut().unwrap() ^= 1;
    fs::write(folder.join("model.safetensors"), weights).unwrap();
    let refused = score(&["--model", &model]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("sha256 differs"));
}
