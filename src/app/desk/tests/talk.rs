//! What is kept of the talk.

use super::*;

#[test]
fn what_was_asked_and_answered_is_kept_after_it_was_sent() {
    let (mut desk, _) = desk();
    let pad = Pad::default();
    desk.keep = Box::new(pad.clone());
    let now = Timestamp::from_secs(1_000);
    for intent in [1, 2] {
        desk.act(&Act::Place(order(intent)), &NoMarkets, now);
        desk.dispatch(now);
    }
    assert_eq!(pad.lines(), ["record", "record", "commit", "record", "record", "commit"]);
    let ids: Vec<CallId> = desk.outgoing.drain(..).map(|(id, _)| id).collect();
    let answer = Answer::Reply { status: 201, retry_after: None, headers: &[], body: "{}" };
    desk.answer(ids[0], &answer, &NoMarkets, now);
    desk.tick(&NoMarkets, now);
    desk.answer(ids[1], &Answer::Lost("cut"), &NoMarkets, now);
    assert_eq!(
        pad.lines()[6..],
        ["place 1 of int-000001", "place 2 of int-000002", "1: 201 {}", "2: - no answer: cut"]
    );
}
