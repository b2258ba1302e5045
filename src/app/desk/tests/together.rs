//! Calls about several orders, and calls that change one.

use super::*;

/// A gateway that keeps what it reads.
#[derive(Debug, Clone, Default)]
struct Reader(Arc<Mutex<Vec<(Subject, String)>>>);

impl Reader {
    fn call(subject: Subject, cost: u32) -> Call {
        Call { subject, cost, ..Seeker::call(Subject::Cancels(Vec::new()), Class::Order) }
    }
}

impl Gateway for Reader {
    fn venue(&self) -> Venue {
        Venue::Kalshi
    }

    fn place(
        &mut self,
        order: &Order,
        _: &dyn Markets,
        _: Timestamp,
    ) -> Result<(OrderId, Call), Error> {
        Ok((OrderId("id".to_owned()), Self::call(Subject::Place(order.intent), 1)))
    }

    fn recall(&mut self, _: &Order, _: &OrderId) {}

    fn forget(&mut self, _: IntentId) {}

    fn cancel(&mut self, intent: IntentId, _: &dyn Markets, _: Timestamp) -> Result<Call, Error> {
        Ok(Seeker::call(Subject::Cancel(intent), Class::Cancel))
    }

    fn ask(
        &mut self,
        question: &Question,
        _: &dyn Markets,
        _: Timestamp,
    ) -> Result<Vec<Call>, Error> {
        let subject = match question {
            Question::Order(intent) => Subject::Order(*intent),
            _ => return Ok(Vec::new()),
        };
        Ok(vec![Call { cost: 1, ..Seeker::call(subject, Class::Read) }])
    }

    fn convert(&mut self, _: Conversion, _: &dyn Markets, _: Timestamp, _: &mut Taken) {}

    fn read(
        &mut self,
        call: &Call,
        answer: &Answer<'_>,
        _: &dyn Markets,
        _: Timestamp,
        _: &mut Taken,
    ) {
        self.0.lock().unwrap().push((call.subject.clone(), format!("{answer:?}")));
    }

    fn read_private(&mut self, _: &str, _: &dyn Markets, _: Timestamp, _: &mut Taken) {}

    fn tick(&mut self, _: Timestamp, _: &mut Taken) {}
}

fn with(reader: &Reader, now: Timestamp) -> Desk {
    let gateways: Vec<Box<dyn Gateway>> = vec![Box::new(reader.clone())];
    Desk::new(gateways, Box::new(Paperless), Rhythm::default(), now)
}

#[test]
fn a_change_that_waited_too_long_is_told_to_its_gateway_as_not_sent() {
    let (now, reader) = (Timestamp::from_secs(1_000), Reader::default());
    let mut desk = with(&reader, now);
    for subject in [Subject::Amend(IntentId(1), 1), Subject::Decrease(IntentId(2), 1)] {
        desk.offer(Venue::Kalshi, Ok(Reader::call(subject, 80)), &NoMarkets, now);
    }
    assert_eq!(desk.outgoing.len(), 1, "the budget has room for one");
    desk.tick(&NoMarkets, now.after(Duration::from_secs(4)));
    assert_eq!(desk.outgoing.len(), 1);
    let read = reader.0.lock().unwrap().clone();
    let [(Subject::Decrease(IntentId(2), 1), answer)] = &read[..] else { panic!("{read:?}") };
    assert!(answer.contains("NotSent"), "{answer}");
    assert!(desk.notices.is_empty(), "{:?}", desk.notices);
}

#[test]
fn each_order_of_a_batch_without_an_answer_is_asked_about() {
    for (answer, wanted) in [
        (Answer::Lost("cut"), vec![1, 2]),
        (Answer::Reply { status: 503, retry_after: None, body: "" }, vec![1, 2]),
        (Answer::Reply { status: 201, retry_after: None, body: "" }, vec![]),
        (Answer::NotSent("no route"), vec![]),
    ] {
        let (now, reader) = (Timestamp::from_secs(1_000), Reader::default());
        let mut desk = with(&reader, now);
        for intent in [1, 2] {
            desk.act(&Act::Place(order(intent)), &NoMarkets, now);
        }
        let together = Subject::Places(vec![IntentId(1), IntentId(2)]);
        desk.offer(Venue::Kalshi, Ok(Reader::call(together, 2)), &NoMarkets, now);
        let (id, _) = desk.outgoing.pop().unwrap();
        let missing = |desk: &Desk, at| {
            let evidence = Evidence::NotFound { as_of: at };
            !desk.is_early(&Report::Order { intent: IntentId(1), evidence })
        };
        assert!(!missing(&desk, now.after(Duration::from_secs(60))), "it may still arrive");
        desk.answer(id, &answer, &NoMarkets, now);
        assert!(!missing(&desk, now.after(Duration::from_secs(5))));
        assert!(missing(&desk, now.after(Duration::from_secs(6))), "{answer:?}");
        desk.tick(&NoMarkets, now.after(Duration::from_secs(7)));
        let asked: Vec<u64> = std::mem::take(&mut desk.outgoing)
            .into_iter()
            .filter_map(|(_, call)| match call.subject {
                Subject::Order(intent) => Some(intent.0),
                _ => None,
            })
            .collect();
        assert_eq!(asked, wanted, "{answer:?}");
    }
}
