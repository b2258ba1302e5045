//! Addresses of venues: encrypted, unless they stay on this machine.

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Requests and replies.
    Rest,
    /// Frames.
    WebSocket,
}

/// Why a text is no such address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Why not.
    pub(super) why: &'static str,
    /// What would be right.
    pub(super) cure: &'static str,
}

/// Checks scheme, host and what may stand behind them.
pub(super) fn check(text: &str, kind: Kind) -> Result<(), Flaw> {
    let (safe, open, example) = match kind {
        Kind::Rest => ("https://", "http://", "write for example `https://host/path`"),
        Kind::WebSocket => ("wss://", "ws://", "write for example `wss://host/path`"),
    };
    let flaw = |why| Err(Flaw { why, cure: example });
    let (rest, encrypted) = match (text.strip_prefix(safe), text.strip_prefix(open)) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        (None, None) => {
            return flaw(match kind {
                Kind::Rest => "an address of REST begins with `https://`",
                Kind::WebSocket => "an address of a WebSocket begins with `wss://`",
            });
        }
    };
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\');
    if !rest.bytes().all(fits) {
        return flaw("an address holds no spaces, quotes or control characters");
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return flaw("an address holds no user name or password");
    }
    if rest.contains(['?', '#']) || rest.ends_with('/') {
        return flaw("more is added to it: it ends without slash, `?` and `#`");
    }
    let (host, port) = split_port(authority);
    if host.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return flaw("a host belongs behind the scheme, with a port from 0 to 65535 if any");
    }
    if !encrypted && !is_loopback(host) {
        return flaw("only addresses of this machine may go without encryption");
    }
    Ok(())
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    if authority.starts_with('[')
        && let Some(end) = authority.find(']')
    {
        let (host, port) = authority.split_at(end + 1);
        return (host, (!port.is_empty()).then(|| port.strip_prefix(':').unwrap_or("?")));
    }
    match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypted_addresses_and_those_of_this_machine_pass() {
        for text in [
            "https://host.example/trade-api/v2",
            "https://host.example:8443",
            "http://127.0.0.1:4000/trade-api/v2",
            "http://[::1]:4000",
            "http://localhost",
        ] {
            assert_eq!(check(text, Kind::Rest), Ok(()), "{text}");
        }
        assert_eq!(check("wss://host.example/ws", Kind::WebSocket), Ok(()));
        assert_eq!(check("ws://127.0.0.1:1/ws", Kind::WebSocket), Ok(()));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "host.example",
            "wss://host.example",
            "http://host.example",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "https://",
            "https:///path",
            "https://:80",
            "https://user:word@host.example",
            "https://host.example/",
            "https://host.example/?a=1",
            "https://host.example/a b",
            "https://host.example:99999",
            "https://[::1]x",
        ] {
            assert!(check(text, Kind::Rest).is_err(), "{text}");
        }
        assert!(check("https://host.example", Kind::WebSocket).is_err());
        assert!(check("ws://host.example", Kind::WebSocket).is_err());
    }
}
