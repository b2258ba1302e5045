#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| crossbook::venue::kalshi::fuzz_text(text));
