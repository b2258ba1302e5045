#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| crossbook::venue::polymarket::swallow(text));
