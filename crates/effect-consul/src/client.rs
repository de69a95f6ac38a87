//! Decides how Consul's API is called: through consulrs, over an HTTP client of our own.
//!
//! The only module that knows consulrs, which is no longer maintained; a successor goes in here. Its
//! own constructor sets no timeout and reads the environment, so every field is given. Its models of
//! services cannot be read back, so the reading endpoints are declared here.

use std::collections::HashMap;
use std::error::Error;

use consulrs::api::check::common::{AgentServiceCheck, AgentServiceCheckBuilder};
use consulrs::api::features::{FeaturedEndpoint, Features};
use consulrs::api::service::requests::RegisterServiceRequest;
use consulrs::client::{ConsulClient, ConsulClientSettings};
use consulrs::error::ClientError;
use onex_event::intent::{ConsulRegister, HealthCheck};
use onex_node::{ErrorClass, Failure};
use rustify::Endpoint;
use rustify::clients::reqwest::Client as HttpClient;
use rustify_derive::Endpoint;
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::config::{ConsulConfig, refused};
use crate::failure::{answered, failed};
use crate::service::AgentService;

/// Calls one agent.
pub(crate) struct Client {
    consul: ConsulClient,
}

impl Client {
    pub(crate) fn new(config: &ConsulConfig) -> Result<Self, Failure> {
        let address = config.base()?;
        let http = HttpClient::new(&address, http_client(config)?);
        let settings = ConsulClientSettings {
            address,
            ca_certs: Vec::new(),
            client_cert: None,
            client_key: None,
            token: config.token()?,
            verify: true,
            version: 1,
        };
        Ok(Self { consul: ConsulClient { http, settings } })
    }

    /// Writes a service with this meta over whatever has its id.
    pub(crate) async fn register(&self, intent: &ConsulRegister, meta: HashMap<String, String>) -> Result<(), Failure> {
        let mut request = RegisterServiceRequest::builder();
        request.id(intent.service_id.as_str()).tags(intent.tags.clone()).meta(meta);
        if let Some(address) = &intent.address {
            request.address(address.as_str());
        }
        if let Some(port) = intent.port {
            request.port(port);
        }
        if let Some(check) = &intent.health_check {
            request.check(check_of(check)?);
        }
        let name = intent.service_name.as_str();
        let registered = consulrs::service::register(&self.consul, name, Some(&mut request)).await;
        registered.map_err(|error| failure("registering the service", &error))?;
        Ok(())
    }

    /// Takes a service out; one that is not there counts as taken out.
    pub(crate) async fn deregister(&self, id: &str) -> Result<(), Failure> {
        match consulrs::service::deregister(&self.consul, id, None).await {
            Ok(_) | Err(ClientError::APIError { code: 404, .. }) => Ok(()),
            Err(error) => Err(failure("deregistering the service", &error)),
        }
    }

    /// The service with this id.
    pub(crate) async fn service(&self, id: &str) -> Result<Option<AgentService>, Failure> {
        match self.read(ReadService { id: id.to_owned() }).await {
            Ok(service) => Ok(Some(service)),
            Err(ClientError::APIError { code: 404, .. }) => Ok(None),
            Err(error) => Err(failure("reading the service", &error)),
        }
    }

    /// Every service of the agent that the token may see, in no order.
    pub(crate) async fn services(&self) -> Result<Vec<AgentService>, Failure> {
        let services = self.read(ListServices {}).await;
        let services = services.map_err(|error| failure("reading the services", &error))?;
        Ok(services.into_values().collect())
    }

    /// The cluster's leader; empty while there is none.
    pub(crate) async fn leader(&self) -> Result<String, Failure> {
        self.read(ReadLeader {}).await.map_err(|error| failure("asking Consul for its leader", &error))
    }

    /// The datacenter that the agent is in.
    pub(crate) async fn datacenter(&self) -> Result<String, Failure> {
        let agent = self.read(ReadAgent {}).await;
        let agent = agent.map_err(|error| failure("asking Consul for its datacenter", &error))?;
        Ok(agent.config.datacenter)
    }

    async fn read<E: Endpoint + FeaturedEndpoint>(&self, endpoint: E) -> Result<E::Response, ClientError> {
        let answer = consulrs::api::exec_with_result(&self.consul, endpoint).await?;
        Ok(answer.response)
    }
}

#[derive(Debug, Endpoint)]
#[endpoint(path = "agent/service/{self.id}", response = "AgentService")]
struct ReadService {
    #[endpoint(skip)]
    id: String,
}

#[derive(Debug, Endpoint)]
#[endpoint(path = "agent/services", response = "HashMap<String, AgentService>")]
struct ListServices {}

#[derive(Debug, Endpoint)]
#[endpoint(path = "status/leader", response = "String")]
struct ReadLeader {}

#[derive(Debug, Endpoint)]
#[endpoint(path = "agent/self", response = "Agent")]
struct ReadAgent {}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Agent {
    config: AgentConfig,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AgentConfig {
    datacenter: String,
}

macro_rules! without_features {
    ($($endpoint:ty),*) => {
        $(impl FeaturedEndpoint for $endpoint {
            fn features(&self) -> Option<Features> {
                None
            }
        })*
    };
}

without_features!(ReadService, ListServices, ReadLeader, ReadAgent);

fn http_client(config: &ConsulConfig) -> Result<reqwest::Client, Failure> {
    let mut builder = reqwest::Client::builder()
        .use_rustls_tls()
        .no_proxy()
        .connect_timeout(config.connect_timeout)
        .timeout(config.request_timeout);
    if let Some(pem) = &config.ca_certificate {
        let certificate = reqwest::Certificate::from_pem(pem);
        builder = builder.add_root_certificate(certificate.map_err(|_| unusable("certificate authority"))?);
    }
    builder = match (&config.client_certificate, &config.client_key) {
        (None, None) => builder,
        (Some(certificate), Some(key)) => {
            let pem = [key.expose_secret(), b"\n", certificate].concat();
            let identity = reqwest::Identity::from_pem(&pem);
            builder.identity(identity.map_err(|_| unusable("client certificate or key"))?)
        }
        (Some(_), None) | (None, Some(_)) => return Err(refused("a client certificate and its key belong together")),
    };
    builder.build().map_err(|_| unusable("TLS configuration"))
}

fn unusable(what: &str) -> Failure {
    refused(&format!("the {what} for Consul cannot be used"))
}

fn check_of(check: &HealthCheck) -> Result<AgentServiceCheck, Failure> {
    let mut built = AgentServiceCheckBuilder::default();
    let deregister_after = match check {
        HealthCheck::Http(check) => {
            built.http(check.http.as_str()).interval(check.interval.as_str()).timeout(check.timeout.as_str());
            &check.deregister_critical_service_after
        }
        HealthCheck::Ttl(check) => {
            built.ttl(check.ttl.as_str());
            &check.deregister_critical_service_after
        }
    };
    if let Some(after) = deregister_after {
        built.deregister_critical_service_after(after.as_str());
    }
    built.build().map_err(|_| refused("the health check cannot be built"))
}

/// Neither `Debug` nor `Display` of the error is used: they show response bodies and backtraces.
fn failure(act: &str, error: &ClientError) -> Failure {
    if let ClientError::APIError { code, message } = error {
        return answered(act, *code, message.as_deref().unwrap_or_default());
    }
    let causes = || std::iter::successors(Some(error as &(dyn Error + 'static)), |cause| (*cause).source());
    let Some(http) = causes().find_map(|cause| cause.downcast_ref::<reqwest::Error>()) else {
        return failed(ErrorClass::Internal, act, "the answer is not one of Consul's");
    };
    let root = causes().last().map(ToString::to_string).unwrap_or_default();
    match (http.is_timeout(), http.is_connect()) {
        (true, true) => failed(ErrorClass::Connection, act, "Consul cannot be reached: no connection in time"),
        (true, false) => failed(ErrorClass::Timeout, act, "Consul gave no answer in time"),
        (false, true) => failed(ErrorClass::Connection, act, &format!("Consul cannot be reached: {root}")),
        (false, false) => failed(ErrorClass::Connection, act, &format!("the connection to Consul broke: {root}")),
    }
}
