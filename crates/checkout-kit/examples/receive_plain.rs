//! The same as `receive_axum`, without a framework: a receiver needs the method, path, query, headers and
//! bytes of a request.
//!
//!     cargo run --example receive_plain

mod receiver;

use checkout_kit::allscale::webhook::WebhookRequest;
use receiver::{Shop, play};
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(run(&mut io::stdout().lock()))
}

/// Runs the program, and returns the exit code.
pub fn run(out: &mut dyn Write) -> u8 {
    match deliveries(out) {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(out, "{error}");
            1
        }
    }
}

fn deliveries(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let shop = Shop::open()?;
    play(&shop, out, &mut |delivery| {
        let (path, query) = delivery.path.split_once('?').unwrap_or((&delivery.path, ""));
        let (headers, body) = (&delivery.headers, &*delivery.body);
        let request = WebhookRequest { method: "POST", path, query, headers, body };
        pollster::block_on(shop.take(shop.receiver.receive(&request, shop.now())))
    })
}
