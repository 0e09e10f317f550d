use spell_roles::{AnswerError, Invocation};

async fn twice(invocation: Invocation) -> Result<(), AnswerError> {
    invocation.respond().await?;
    invocation.respond().await
}

async fn late(invocation: Invocation) -> Result<(), AnswerError> {
    let progress = invocation.progress();
    invocation.respond().await?;
    match progress {
        Some(progress) => progress.await,
        None => Ok(()),
    }
}

fn main() {}
