//! What is still done after a panic in the engine's thread: it acts as `kill`.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use tokio::task::LocalSet;
use tokio::time::Instant;

use crate::app::carrier::{Carrier, Paper};
use crate::app::desk::Desk;
use crate::app::pipeline::Input;
use crate::app::shutdown::{CANCELS_MAX, Stop};
use crate::domain::Timestamp;
use crate::net::clock;
use crate::net::http::Failure;

use super::{Driver, TICK};

/// The longest words of a panic that are kept.
const WORDS_MAX: usize = 400;

/// Cancels own orders, has everything halted and says what is held; an error where nothing is
/// traded, or where not even that could be done.
pub(super) fn rescue(
    driver: &Rc<RefCell<Driver>>,
    paper: Option<Paper>,
    panic: &(dyn Any + Send),
) -> std::io::Result<Stop> {
    let why = words(panic);
    tracing::error!("the engine stopped with an internal error: {why}");
    let failed = || std::io::Error::other("the engine stopped with an internal error");
    // Whoever held it was unwound.
    if driver.try_borrow_mut().map_or(true, |driver| driver.pipeline.desk().is_none()) {
        return Err(failed());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cancelling = cancel(Rc::clone(driver), paper, why);
    let done = catch_unwind(AssertUnwindSafe(|| LocalSet::new().block_on(&runtime, cancelling)));
    done.map_err(|_| failed())?.map_err(std::io::Error::other)?;
    Ok(Stop::Killed)
}

async fn cancel(
    driver: Rc<RefCell<Driver>>,
    paper: Option<Paper>,
    why: String,
) -> Result<(), Failure> {
    let now = || Timestamp::from_nanos(clock::unix_nanos());
    {
        let mut driver = driver.borrow_mut();
        // What was decided and not sent is not sent.
        driver.calls.clear();
        driver.pipeline.wishes.calls.clear();
        driver.pipeline.break_down(&why, now());
        driver.pass_on(now());
    }
    // The connections of before went with their runtime.
    let carrier = Carrier::new(paper)?;
    let until = Instant::now() + CANCELS_MAX;
    let mut calls = tokio::task::JoinSet::new();
    loop {
        for (id, call) in std::mem::take(&mut driver.borrow_mut().calls) {
            calls.spawn_local(carrier.clone().carry(Rc::clone(&driver), id, call));
        }
        let cancels = driver.borrow().pipeline.desk().map_or(0, Desk::cancels);
        if cancels == 0 || Instant::now() >= until {
            break;
        }
        let _ = tokio::time::timeout(TICK.min(Duration::from_millis(20)), async {
            if calls.join_next().await.is_none() {
                std::future::pending::<()>().await;
            }
        })
        .await;
        driver.borrow_mut().input(&Input::Tick);
    }
    calls.shutdown().await;
    driver.borrow_mut().tell(now());
    Ok(())
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "without a word".to_owned());
    text.chars().take(WORDS_MAX).collect()
}

/// A panic that only tests can order.
#[cfg(test)]
pub(super) mod fault {
    use std::cell::Cell;

    use crate::app::pipeline::Input;

    thread_local! {
        static TICKS_LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// Orders a panic at the tick after so many others.
    pub(in crate::app::driver) fn order(ticks: u32) {
        TICKS_LEFT.with(|left| left.set(Some(ticks)));
    }

    pub(in crate::app::driver) fn strike(input: &Input<'_>) {
        let Input::Tick = input else { return };
        let due = TICKS_LEFT.with(|left| {
            let now = left.get();
            left.set(now.and_then(|ticks| ticks.checked_sub(1)));
            now == Some(0)
        });
        assert!(!due, "a test ordered this");
    }
}

#[cfg(test)]
mod tests;
