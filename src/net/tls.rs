//! One TLS set-up for HTTP and WebSockets.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// Mozilla's roots and the aws-lc-rs provider, which is installed for the process if none is yet.
pub fn client_config() -> Arc<ClientConfig> {
    // A provider that is installed already is this same one: it is the only one compiled in.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
