//! Greets the sender of a request, in the requested language.
//!
//! This is not a program but a handler: a WebAssembly module with a request/response interface. A
//! host calls it for each request, in one instance. `docs/handlers.md` has such a host.
//!
//! | | |
//! |---|---|
//! | called with | the path of the request, a slash and a name; or with nothing, to see whether it is there |
//! | asks for | headers of the request |
//! | answers | a response; or nothing, if it was called with that |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::string::String;

use entrypoint::handler::Call;
use entrypoint::host_return::HostReturnError;

entrypoint::handler!(handle);

entrypoint::host_functions! {
    /// The value of a header of the request; `None` if the request does not have it.
    fn header(name: &str) -> Option<&str>;
}

/// A language: its prefix in `accept-language`, and its greeting.
const LANGUAGES: [(&str, &str); 3] = [("en", "Hello"), ("de", "Hallo"), ("fr", "Bonjour")];

/// Replies to a request. The handler has a reply for every request that a client may send: after an
/// error, the host creates a new instance.
pub fn handle(call: Call<'_>) -> Result<Option<String>, HostReturnError> {
    let refused = match greet(call) {
        Err(HostReturnError::NotUtf8 { .. }) => "400 Bad Request",
        // The request did not fit in memory.
        Err(HostReturnError::NoRoom) => "431 Request Header Fields Too Large",
        answered => return answered,
    };
    Ok(Some(format!("HTTP/1.1 {refused}\r\n\r\n")))
}

fn greet(call: Call<'_>) -> Result<Option<String>, HostReturnError> {
    let Some(path) = call.text()? else {
        return Ok(None);
    };
    let name = match path.trim_start_matches('/') {
        "" => "stranger",
        name => name,
    };
    let wanted = header(call, "accept-language")?.unwrap_or_default();
    let (language, greeting) = choose(wanted);
    // An empty header is present. This copies nothing: the values are in memory of this module,
    // where the host has written them.
    let browser = match header(call, "user-agent")? {
        None => "no browser that says so",
        Some("") => "a browser without a name",
        Some(browser) => browser,
    };
    Ok(Some(format!(
        "HTTP/1.1 200 OK\r\ncontent-language: {language}\r\n\r\n{greeting}, {name}! This is for {browser}.\n"
    )))
}

/// The first language of the list that this module knows. Browsers list the preferred language
/// first.
fn choose(wanted: &str) -> (&'static str, &'static str) {
    let known = |range: &str| {
        let tag = range.split([';', '-']).next().unwrap_or_default();
        LANGUAGES
            .into_iter()
            .find(|(language, _)| tag.trim().eq_ignore_ascii_case(language))
    };
    wanted.split(',').find_map(known).unwrap_or(LANGUAGES[0])
}

// On the author's computer, a test is the host.
#[cfg(test)]
mod tests {
    use entrypoint::handler::TestHost;

    #[test]
    fn the_first_language_that_is_known_is_spoken() {
        for (wanted, greeting) in [
            ("de-CH, en;q=0.8", "Hallo, Ada!"),
            ("nl, FR;q=0.9", "Bonjour, Ada!"),
            ("nl", "Hello, Ada!"),
        ] {
            let host = TestHost::new().function("header", |name| {
                (name == b"accept-language").then(|| wanted.into())
            });
            let answer = host.call(Some(b"/Ada"), super::handle).expect("a response");
            let answer = alloc::string::String::from_utf8(answer).expect("text");
            assert!(answer.contains(greeting), "{wanted}: {answer}");
        }
        assert_eq!(TestHost::new().call(None, super::handle), None);
    }
}
