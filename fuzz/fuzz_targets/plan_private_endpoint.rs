#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| astra_fuzz::run("plan_private_endpoint", data));
