//! Decides what can be set about the connection, and refuses what consulrs would panic at later.

use std::time::Duration;

use onex_effect::codes;
use onex_node::{ErrorClass, Failure};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use url::Url;

/// How to reach the agent. `Debug` shows neither token nor key.
#[derive(Clone, Debug)]
pub struct ConsulConfig {
    /// `http://host:port` or `https://host:port`, without a path.
    pub address: String,
    /// The ACL token.
    pub token: Option<SecretString>,
    /// The datacenter that the agent has to be in; [`onex_effect::RegistryBackend::check`] refuses
    /// any other, for which the token needs `agent:read`.
    pub datacenter: Option<String>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a request may take, its connection included.
    pub request_timeout: Duration,
    /// PEM of a certificate authority to trust besides the usual ones.
    pub ca_certificate: Option<Vec<u8>>,
    /// PEM of the client's certificate chain; needs `client_key`.
    pub client_certificate: Option<Vec<u8>>,
    /// PEM of the client's private key, PKCS#8 or RSA.
    pub client_key: Option<SecretSlice<u8>>,
}

impl ConsulConfig {
    /// The agent at `address`, 2 s to connect, 5 s for a request, and nothing else set.
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            token: None,
            datacenter: None,
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(5),
            ca_certificate: None,
            client_certificate: None,
            client_key: None,
        }
    }

    /// The address as `scheme://host:port`.
    pub(crate) fn base(&self) -> Result<String, Failure> {
        let url = Url::parse(&self.address).map_err(|error| invalid(&format!("cannot be read: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("needs `http://` or `https://` and a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("holds a user or password; use the token"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("has a path or query; only scheme, host and port are possible"));
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }

    /// The token, which becomes a header.
    pub(crate) fn token(&self) -> Result<Option<String>, Failure> {
        let Some(token) = &self.token else { return Ok(None) };
        let token = token.expose_secret();
        match !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(Some(token.to_owned())),
            false => Err(refused("the Consul token is empty or holds blanks, line breaks or other than ASCII")),
        }
    }
}

fn invalid(problem: &str) -> Failure {
    refused(&format!("the Consul address {problem}"))
}

/// The failure of a configuration that cannot be used.
pub(crate) fn refused(message: &str) -> Failure {
    Failure::new(ErrorClass::Validation, codes::REFUSED, message)
}

#[cfg(test)]
mod tests {
    use super::ConsulConfig;

    #[test]
    fn only_scheme_host_and_port_are_an_address() {
        for (address, base) in [
            ("http://127.0.0.1:8500", Some("http://127.0.0.1:8500")),
            ("https://consul/", Some("https://consul")),
            ("http://[::1]:8500", Some("http://[::1]:8500")),
            ("127.0.0.1:8500", None),
            ("consul:8500", None),
            ("http://", None),
            ("http://consul/prefix", None),
            ("http://consul/?dc=a", None),
            ("http://u:hunter2@consul", None),
            ("unix:///consul.sock", None),
        ] {
            let read = ConsulConfig::new(address).base();
            assert_eq!(read.as_ref().ok().map(String::as_str), base, "{address}");
            assert!(!format!("{read:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_token_that_is_no_header_is_refused() {
        for (token, fine) in [("4b0a9de4-3437", true), ("", false), ("a\n", false), ("a b", false), ("ä", false)] {
            let config = ConsulConfig { token: Some(token.into()), ..ConsulConfig::new("http://consul") };
            assert_eq!(config.token().is_ok(), fine, "{token:?}");
        }
    }
}
