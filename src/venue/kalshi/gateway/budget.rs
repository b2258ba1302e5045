//! What requests cost, and what the venue grants.

use crate::venue::gateway::{Budget, Class};

use super::super::facts;
use super::super::wire::http::AccountLimits;
use super::super::wire::portfolio::EndpointCosts;

/// The share of writes that is kept for cancels, so that orders can never use it up.
const CANCEL_SHARE_PERCENT: u64 = 20;

/// Costs and budgets as far as the venue told.
#[derive(Debug, Default)]
pub(super) struct Tariff {
    costs: Vec<(String, String, u32)>,
    limits: Option<AccountLimits>,
}

impl Tariff {
    /// The most costs that are kept.
    const COSTS_MAX: usize = 1_000;

    pub(super) fn take_costs(&mut self, told: EndpointCosts) {
        self.costs = told
            .endpoint_costs
            .into_iter()
            .take(Self::COSTS_MAX)
            .map(|one| (one.method.to_ascii_uppercase(), one.path, one.cost))
            .collect();
    }

    pub(super) fn take_limits(&mut self, limits: AccountLimits) {
        self.limits = Some(limits);
    }

    /// What a request costs. `path` is the one behind the prefix of the API.
    pub(super) fn cost(&self, method: &str, path: &str) -> u32 {
        let told = self
            .costs
            .iter()
            .find(|(one, template, _)| one == method && fits(template, path))
            .map(|(_, _, cost)| *cost);
        told.unwrap_or_else(|| ordinary(method, path))
    }

    /// The budget of a class: of the account where it told, else of the lowest tier. Reads are
    /// shared with the client that reads market facts.
    pub(super) fn budget(&self, class: Class) -> Budget {
        let basic = (facts::WRITE_TOKENS_PER_S, facts::WRITE_TOKENS_PER_S);
        let write = self
            .limits
            .as_ref()
            .map_or(basic, |limits| (limits.write.bucket_capacity, limits.write.refill_rate));
        let read = self
            .limits
            .as_ref()
            .map_or((facts::READ_TOKENS_PER_S, facts::READ_TOKENS_PER_S), |limits| {
                (limits.read.bucket_capacity, limits.read.refill_rate)
            });
        let share = |of: u64, percent: u64| of.saturating_mul(percent) / 100;
        let (capacity, refill_per_s) = match class {
            Class::Read => {
                let percent = facts::ORDER_READS_PERCENT;
                (share(read.0, percent), share(read.1, percent))
            }
            Class::Order => {
                let percent = 100 - CANCEL_SHARE_PERCENT;
                (share(write.0, percent), share(write.1, percent))
            }
            Class::Cancel => {
                (share(write.0, CANCEL_SHARE_PERCENT), share(write.1, CANCEL_SHARE_PERCENT))
            }
        };
        Budget { capacity, refill_per_s }
    }
}

/// What is known of costs before the venue tells (wire, `/account/endpoint_costs`, October 2026).
fn ordinary(method: &str, path: &str) -> u32 {
    const CHEAP: [(&str, &str); 2] = [
        ("DELETE", "/portfolio/events/orders/{order_id}"),
        ("GET", "/portfolio/orders/{order_id}"),
    ];
    let is_cheap = CHEAP.iter().any(|(one, template)| *one == method && fits(template, path));
    if is_cheap { 2 } else { u32::try_from(facts::REQUEST_COST).unwrap_or(u32::MAX) }
}

/// Whether a path is of the kind that a template with names in braces describes.
fn fits(template: &str, path: &str) -> bool {
    let template = template.strip_prefix("/trade-api/v2").unwrap_or(template);
    let mut parts = path.split('/');
    let all = template.split('/').all(|wanted| {
        let is_name = wanted.starts_with('{') || wanted.starts_with(':');
        parts.next().is_some_and(|part| part == wanted || is_name && !part.is_empty())
    });
    all && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Tariff {
        let mut tariff = Tariff::default();
        tariff.take_costs(serde_json::from_str(text).unwrap());
        tariff
    }

    #[test]
    fn what_the_venue_tells_outranks_what_is_known() {
        let tariff = Tariff::default();
        assert_eq!(tariff.cost("POST", "/portfolio/events/orders"), 10);
        assert_eq!(tariff.cost("DELETE", "/portfolio/events/orders/x"), 2);
        assert_eq!(tariff.cost("GET", "/portfolio/orders/x"), 2);
        assert_eq!(tariff.cost("GET", "/portfolio/orders"), 10);
        let tariff = told(include_str!("../../../../tests/data/kalshi/http_endpoint_costs.json"));
        assert_eq!(tariff.cost("DELETE", "/portfolio/events/orders/x"), 3);
        assert_eq!(tariff.cost("DELETE", "/portfolio/events/orders"), 10);
        assert_eq!(tariff.cost("GET", "/portfolio/orders/x"), 2);
        assert_eq!(tariff.cost("GET", "/portfolio/orders/x/queue_position"), 10);
    }

    #[test]
    fn orders_never_use_up_what_is_kept_for_cancels() {
        let mut tariff = Tariff::default();
        assert_eq!(tariff.budget(Class::Order), Budget { capacity: 80, refill_per_s: 80 });
        assert_eq!(tariff.budget(Class::Cancel), Budget { capacity: 20, refill_per_s: 20 });
        assert_eq!(tariff.budget(Class::Read), Budget { capacity: 100, refill_per_s: 100 });
        let limits = r#"{"read":{"refill_rate":300,"bucket_capacity":900},
            "write":{"refill_rate":300,"bucket_capacity":900}}"#;
        tariff.take_limits(serde_json::from_str(limits).unwrap());
        assert_eq!(tariff.budget(Class::Order), Budget { capacity: 720, refill_per_s: 240 });
        assert_eq!(tariff.budget(Class::Cancel), Budget { capacity: 180, refill_per_s: 60 });
        assert_eq!(tariff.budget(Class::Read), Budget { capacity: 450, refill_per_s: 150 });
    }
}
