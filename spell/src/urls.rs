//! The URL of a router, or those of several.

/// One URL, or several, best first: anything that is a text, or a collection of texts.
///
/// `M` is [`One`] or [`Many`]; the compiler finds it.
///
/// ```
/// use spell::urls::IntoUrls;
///
/// fn count<M>(urls: impl IntoUrls<M>) -> usize {
///     urls.into_urls().len()
/// }
/// assert_eq!(count("ws://router.example"), 1);
/// assert_eq!(count(["ws://a.router.example", "ws://b.router.example"]), 2);
/// let configured: Vec<String> = vec!["ws://router.example".to_owned()];
/// assert_eq!(count(&configured), 1);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a URL nor a collection of URLs",
    note = "a `&str`, a `String`, an array or a `Vec` of them is"
)]
pub trait IntoUrls<M> {
    /// The URLs, best first.
    fn into_urls(self) -> Vec<String>;
}

/// [`IntoUrls`] of a text.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "only a mark for the compiler")]
pub enum One {}

/// [`IntoUrls`] of a collection.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "only a mark for the compiler")]
pub enum Many {}

impl<T: AsRef<str>> IntoUrls<One> for T {
    fn into_urls(self) -> Vec<String> {
        vec![self.as_ref().to_owned()]
    }
}

impl<I> IntoUrls<Many> for I
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    fn into_urls(self) -> Vec<String> {
        let urls = self.into_iter();
        urls.map(|url| url.as_ref().to_owned()).collect()
    }
}
