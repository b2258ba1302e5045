//! What is dropped where too much waits for a budget.

use super::*;
use crate::app::desk::counter::WAITING_MAX;

const SINCE: Timestamp = Timestamp::from_secs(1_000);

fn counter() -> (Counter, Ear) {
    let ear = Ear::new(Venue::Kalshi);
    (Counter::new(Box::new(ear.clone()), SINCE), ear)
}

/// What waits: cancels by their intent, questions by their name.
fn waiting(counter: &Counter) -> Vec<String> {
    let name = |call: &Call| match &call.subject {
        Subject::Cancel(intent) => format!("cancel {}", intent.0),
        Subject::Other(name, detail) => format!("{name} {detail}"),
        other => format!("{other:?}"),
    };
    counter.waiting().map(name).collect()
}

#[test]
fn the_newest_question_goes_and_the_cancel_that_is_first_in_line_stays() {
    let (mut counter, ear) = counter();
    let cancel = ear.call(Subject::Cancel(IntentId(1)), Class::Cancel, 2);
    counter.queue(cancel, Turn::First, SINCE);
    let question =
        |number: usize| ear.call(Subject::Other("question", number.to_string()), Class::Read, 20);
    for number in 1..WAITING_MAX {
        let now = SINCE.after(Duration::from_micros(number.try_into().unwrap()));
        counter.queue(question(number), Turn::First, now);
    }
    let late = SINCE.after(Duration::from_secs(1));
    counter.queue(question(WAITING_MAX), Turn::Next, late);
    let beat = ear.call(Subject::Other("heartbeat", String::new()), Class::Cancel, 1);
    counter.queue(beat, Turn::First, late);
    let cancel = ear.call(Subject::Cancel(IntentId(2)), Class::Cancel, 2);
    counter.queue(cancel, Turn::First, late);
    let waits = waiting(&counter);
    assert_eq!(waits.len(), WAITING_MAX);
    assert_eq!((waits[0].as_str(), waits[1].as_str()), ("cancel 1", "question 1"));
    // Three came beyond what may wait, one of them a question, and three questions went.
    let last = format!("question {}", WAITING_MAX - 3);
    assert_eq!(waits[WAITING_MAX - 3..], [last.as_str(), "heartbeat ", "cancel 2"]);
    // Cancels go first, whatever the number of questions.
    let released = counter.release(2, late);
    assert!(matches!(released.free[0].subject, Subject::Cancel(IntentId(1))));
    assert!(matches!(released.free[1].subject, Subject::Cancel(IntentId(2))));
}

#[test]
fn without_a_question_the_newest_call_goes() {
    let (mut counter, ear) = counter();
    for intent in 1..=WAITING_MAX as u64 + 1 {
        let now = SINCE.after(Duration::from_micros(intent));
        let cancel = ear.call(Subject::Cancel(IntentId(intent)), Class::Cancel, 2);
        counter.queue(cancel, Turn::First, now);
    }
    let waits = waiting(&counter);
    assert_eq!((waits.len(), waits[0].as_str()), (WAITING_MAX, "cancel 1"));
    assert_eq!(waits[WAITING_MAX - 1], format!("cancel {WAITING_MAX}"));
}
