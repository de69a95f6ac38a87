//! Decides from a key's name alone whether its value is a secret.
//!
//! A name is read as words (`apiKey`, `api-key`, `API_KEY` are the same two words), so that
//! `keyboard` and `author` are not secrets while `accessToken` and `key1` are.

const SECRET_WORDS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "key",
    "apikey",
    "credential",
    "authorization",
    "bearer",
    "cookie",
    "dsn",
];

/// Words that turn a following `key` into a plain identifier.
const HARMLESS_KEYS: [&str; 9] =
    ["partition", "routing", "idempotency", "primary", "foreign", "sort", "public", "message", "entity"];

/// Whether values below a key of this name must not be shown, by its words (design section 7).
pub fn names_a_secret(name: &str) -> bool {
    let words = words(name);
    words.iter().enumerate().any(|(index, word)| {
        let word = singular(word);
        let harmless = word == "key" && index > 0 && HARMLESS_KEYS.contains(&words[index - 1].as_str());
        SECRET_WORDS.contains(&word) && !harmless
    })
}

/// `tokens` and `key1` name what `token` and `key` name.
fn singular(word: &str) -> &str {
    let word = word.trim_end_matches(|character: char| character.is_ascii_digit());
    word.strip_suffix('s').filter(|stem| SECRET_WORDS.contains(stem)).unwrap_or(word)
}

fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous_is_lower = false;
    for character in name.chars() {
        let starts_word = !character.is_alphanumeric() || (character.is_uppercase() && previous_is_lower);
        if starts_word {
            words.push(String::new());
        }
        previous_is_lower = character.is_lowercase() || character.is_ascii_digit();
        if let (true, Some(word)) = (character.is_alphanumeric(), words.last_mut()) {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::names_a_secret;

    #[test]
    fn names_are_judged_by_their_words() {
        for secret in [
            "password",
            "db_password",
            "PASSWORD",
            "apiKey",
            "api-key",
            "X-Api-Key",
            "token",
            "accessToken",
            "tokens",
            "key",
            "key1",
            "client_secret",
            "Authorization",
        ] {
            assert!(names_a_secret(secret), "{secret} is a secret");
        }
        for plain in [
            "author",
            "keyboard",
            "monkey",
            "partition_key",
            "idempotencyKey",
            "public_key",
            "tokenizer",
            "region",
            "description",
            "",
        ] {
            assert!(!names_a_secret(plain), "{plain} is no secret");
        }
    }
}
