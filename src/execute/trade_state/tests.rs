//! The whole table, written out: for each event, every phase that it moves and where to. A phase
//! that is not named is left as it is.

use super::*;

const ALONE: &str = "stranded finishing unwinding offsetting holding";

fn table() -> Vec<(Event, Vec<(String, &'static str)>)> {
    let to = |to: &'static str, from: &str| -> Vec<(String, &'static str)> {
        from.split_whitespace().map(|from| (from.to_owned(), to)).collect()
    };
    let all_but_paid = format!("opened first_leg second_leg both_legs {ALONE} locked half_paid");
    vec![
        (Event::FirstSent, to("first_leg", "opened")),
        (Event::SecondSent, to("second_leg", "first_leg")),
        (Event::BothSent, to("both_legs", "opened locked")),
        (Event::Even, to("locked", &format!("second_leg both_legs {ALONE} flat dust"))),
        (Event::Empty, {
            let from = format!("opened first_leg second_leg both_legs {ALONE} locked dust");
            to("flat", &from)
        }),
        (Event::OnlyDust, {
            let from = format!("opened first_leg second_leg both_legs {ALONE} locked flat");
            to("dust", &from)
        }),
        (Event::Uneven, to("stranded", "first_leg second_leg both_legs locked flat dust")),
        (Event::Took(Way::Open), to("stranded", ALONE)),
        (Event::Took(Way::Finish), to("finishing", ALONE)),
        (Event::Took(Way::Unwind), to("unwinding", ALONE)),
        (Event::Took(Way::Offset), to("offsetting", ALONE)),
        (Event::Took(Way::Hold), to("holding", ALONE)),
        (Event::OnePaid, to("half_paid", &format!("locked {ALONE}"))),
        (Event::BothPaid, to("paid", &format!("{all_but_paid} flat dust"))),
    ]
}

#[test]
fn every_move_of_the_table() {
    let table = table();
    assert_eq!(table.iter().map(|row| row.0).collect::<Vec<_>>(), Event::ALL);
    for (event, mut expected) in table {
        let mut found: Vec<(String, &str)> = Phase::ALL
            .into_iter()
            .filter_map(|phase| Some((phase.name().to_owned(), next(phase, event)?.name())))
            .collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{event:?}");
    }
}

#[test]
fn every_phase_has_a_name_of_its_own_and_is_found_by_it() {
    for phase in Phase::ALL {
        assert_eq!(Phase::named(phase.name()), Some(phase));
    }
    assert_eq!(Phase::named("something else"), None);
}
