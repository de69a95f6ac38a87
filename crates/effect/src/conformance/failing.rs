//! What failing promises: the class tells whether to try again, and no text shows a secret.

use std::sync::Arc;

use onex_node::{ErrorClass, Failure, Retry};

use super::node::{Suite, at};
use crate::backend::RegistryBackend;

pub(super) async fn run(suite: &Suite<'_>) {
    for failure in failures(suite, suite.fixture.unreachable()).await {
        let class = failure.class;
        let known = [ErrorClass::Connection, ErrorClass::Timeout, ErrorClass::Unavailable].contains(&class);
        assert!(
            known,
            "a backend that nothing answers to is a connection, timeout or unavailable failure: {failure:?}"
        );
        assert_eq!(class.retry(), Retry::Later, "a backend that nothing answers to may answer later");
    }
    let Some(refused) = suite.fixture.bad_credentials() else {
        return;
    };
    for failure in failures(suite, refused).await {
        let known = [ErrorClass::Authentication, ErrorClass::Authorization].contains(&failure.class);
        assert!(known, "refused credentials are an authentication or authorization failure: {failure:?}");
        assert_eq!(failure.class.retry(), Retry::Never, "refused credentials are not tried again");
    }
}

/// What every method of a broken backend fails with.
async fn failures(suite: &Suite<'_>, backend: Arc<dyn RegistryBackend>) -> Vec<Failure> {
    let node = suite.node("failing");
    let node = node.at(backend.clone());
    let promise = "a backend that cannot be used fails";
    let registration = node.registration(at(Some(1), 1));
    let failures = vec![
        node.register(at(Some(1), 1), "a").await.expect_err(promise),
        node.deregister(None, "b").await.expect_err(promise),
        backend.undo(&registration, &node.key("a")).await.expect_err(promise),
        backend.entries().await.expect_err(promise),
        backend.check().await.expect_err(promise),
    ];
    failures.iter().for_each(|failure| assert_presentable(suite, failure));
    failures
}

fn assert_presentable(suite: &Suite<'_>, failure: &Failure) {
    let message = &failure.message;
    for secret in suite.fixture.secrets() {
        assert!(!message.contains(&secret), "no error text shows a secret, but one of {} does", failure.code);
    }
    assert!(failure.code.starts_with("ONEX40"), "every failure has a code of this crate: {failure:?}");
    let shape = !message.is_empty() && !message.ends_with('.') && !message.starts_with(char::is_uppercase);
    assert!(shape, "a message is a lower-case sentence without a full stop: {message}");
}
