//! On whose behalf a message travels.
//!
//! The context is passed on and never judged here. Its access token is the one field that must
//! not be seen, so it has a type that does not show itself.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    object::object,
    timestamp::{Timestamp, rfc3339},
};

/// Who is behind a message. Unknown keys are ignored, as upstream does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default)]
#[schemars(!remote)]
pub struct SecurityContext {
    /// The person.
    pub user_id: Option<Uuid>,
    /// The person's name.
    pub username: Option<String>,
    /// The service.
    pub service_account: Option<String>,
    /// How it was established who it is.
    pub auth_method: Option<String>,
    /// When it was.
    #[serde(with = "rfc3339::option")]
    #[schemars(with = "Option<Timestamp>")]
    pub auth_timestamp: Option<Timestamp>,
    /// Whether with a second factor.
    pub mfa_verified: bool,
    /// The session.
    pub session_id: Option<Uuid>,
    /// The client's address.
    pub ip_address: Option<String>,
    /// The client's program.
    pub user_agent: Option<String>,
    /// Roles.
    pub roles: Vec<String>,
    /// Permissions beyond those of the roles.
    pub permissions: Vec<String>,
    /// Groups.
    pub groups: Vec<String>,
    /// The token, if it travels along.
    pub access_token: Option<AccessToken>,
    /// Until when the token counts.
    #[serde(with = "rfc3339::option")]
    #[schemars(with = "Option<Timestamp>")]
    pub token_expires_at: Option<Timestamp>,
    /// The request.
    pub request_id: Option<Uuid>,
    /// The conversation.
    pub correlation_id: Option<Uuid>,
    /// Labels for policies.
    pub security_labels: BTreeMap<String, String>,
    /// How far the sender is trusted: 0 to 100, which upstream states and does not check.
    pub trust_level: Option<i64>,
}

/// A token that is written to the wire and to nothing else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AccessToken(String);

impl AccessToken {
    /// The token itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

object!(SecurityContext);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_token() {
        let read = serde_json::from_str::<SecurityContext>(r#"{"access_token":"hunter2"}"#).unwrap();
        assert!(!format!("{read:?}").contains("hunter2"));
        assert_eq!(read.access_token.unwrap().expose(), "hunter2");
    }
}
