#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let checked = crossbook::pairing::check_files(&[("fuzz.toml", text)], Default::default());
    let _ = crossbook::ui::findings::lines(&checked.findings);
});
