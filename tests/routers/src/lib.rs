//! What the routers of the tests have in common.
#![forbid(unsafe_code)]

use std::error::Error;

use tokio::io::AsyncReadExt;

/// What `main` of a router gives back.
pub type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// The realm of all tests.
pub const REALM: &str = "realm1";

/// Waits for the end of the standard input, which ends with the process of the tests, however that ends.
///
/// # Errors
///
/// If it cannot be read.
pub async fn until_the_tests_end() -> Outcome {
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}
