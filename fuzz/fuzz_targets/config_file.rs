#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = crossbook::config::load(Some(("fuzz.toml", text)), &Default::default());
});
