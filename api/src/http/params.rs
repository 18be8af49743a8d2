//! The parameters of a request, one map from name to text whatever form they came in. What comes later wins: the body
//! over the query.

use percent_encoding::percent_decode;

use super::{error::ApiError, value::FromParam};

/// As much of a value as an error may repeat, in characters.
const ECHOED: usize = 40;

/// More parameters than any call has.
const MAX_PARAMS: usize = 1_000;

/// Largest page; more is clamped.
const MAX_PCOUNT: u32 = 100;

/// Parameters by name.
#[derive(Debug, Clone, Default)]
pub struct Params(Vec<(String, String)>);

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub page: u32,
    /// Items on a page, 1 to 100.
    pub pcount: u32,
}

impl Page {
    /// How many items come before the page.
    #[must_use]
    pub const fn offset(self) -> usize {
        (self.page as usize - 1).saturating_mul(self.pcount as usize)
    }

    /// Items on the page at most.
    #[must_use]
    pub const fn limit(self) -> usize {
        self.pcount as usize
    }
}

impl Params {
    /// Adds a parameter, which wins over those of the same name so far.
    ///
    /// # Errors
    /// 400 where there are too many.
    pub fn add(&mut self, name: String, value: String) -> Result<(), ApiError> {
        if self.0.len() >= MAX_PARAMS {
            return Err(ApiError::invalid("bad_body", "more parameters than any call has"));
        }
        self.0.push((name, value));
        Ok(())
    }

    /// Adds those of a query string or an urlencoded form.
    ///
    /// # Errors
    /// 400 where a name or a value is not UTF-8, or there are too many.
    pub fn add_urlencoded(&mut self, text: &[u8]) -> Result<(), ApiError> {
        for pair in text.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.iter().position(|b| *b == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &b""[..]),
            };
            self.add(decode(name)?, decode(value)?)?;
        }
        Ok(())
    }

    /// The text of `name`, where given.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All of them, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Every value given for `name`, in order (`ids[]=1&ids[]=2`).
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// 400 that names it, where it is absent or unreadable.
    pub fn required<T: FromParam>(&self, name: &str) -> Result<T, ApiError> {
        self.optional(name)?.ok_or_else(|| ApiError::missing(name))
    }

    /// A parameter that may be absent.
    ///
    /// # Errors
    /// 400 that names it, where it is unreadable.
    pub fn optional<T: FromParam>(&self, name: &str) -> Result<Option<T>, ApiError> {
        self.get(name).map(|text| read(name, text)).transpose()
    }

    /// A parameter, or `default` where it is absent.
    ///
    /// # Errors
    /// 400 that names it, where it is unreadable.
    pub fn or<T: FromParam>(&self, name: &str, default: T) -> Result<T, ApiError> {
        Ok(self.optional(name)?.unwrap_or(default))
    }

    /// `page` (from 1, default 1) and `pcount` (1 to 100, default 20, more is clamped).
    ///
    /// # Errors
    /// 400 where one is 0, negative or not a number.
    pub fn page(&self) -> Result<Page, ApiError> {
        let (page, pcount) = (self.or("page", 1u32)?, self.or("pcount", 20u32)?);
        for (name, value) in [("page", page), ("pcount", pcount)] {
            if value == 0 {
                return Err(ApiError::parameter(name, "must be at least 1"));
            }
        }
        Ok(Page { page, pcount: pcount.min(MAX_PCOUNT) })
    }
}

/// Reads a value of a parameter called `name`.
///
/// # Errors
/// 400 that names it and repeats at most the value's start.
pub fn read<T: FromParam>(name: &str, text: &str) -> Result<T, ApiError> {
    T::from_param(text).map_err(|must| {
        let start: String = text.chars().take(ECHOED).collect();
        let more = if start.len() < text.len() { "…" } else { "" };
        ApiError::parameter(name, format_args!("must be {must}, not \"{start}{more}\""))
    })
}

/// Text of a query or form: `+` is a space, `%XX` a byte, all of it UTF-8.
fn decode(text: &[u8]) -> Result<String, ApiError> {
    let spaced: Vec<u8> = text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let decoded = if spaced.contains(&b'%') { percent_decode(&spaced).collect() } else { spaced };
    String::from_utf8(decoded).map_err(|_| ApiError::invalid("bad_encoding", "a parameter's text is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Params {
        let mut params = Params::default();
        params.add_urlencoded(query.as_bytes()).expect("readable");
        params
    }

    #[test]
    fn urlencoded_text_is_decoded() {
        let params = of("name=%E8%A5%BF+%E6%B9%96&&empty=&bare&photo%5Broom%5D=1&a=1&a=2");
        assert_eq!(params.get("name"), Some("西 湖"));
        assert_eq!(params.get("empty"), Some(""));
        assert_eq!(params.get("bare"), Some(""));
        assert_eq!(params.get("photo[room]"), Some("1"));
        assert_eq!(params.get("a"), Some("2"));
        assert_eq!(params.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(params.get("absent"), None);
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        for bad in ["a=%ff", "%c3=1", "a=%e8%a5"] {
            assert_eq!(Params::default().add_urlencoded(bad.as_bytes()).map_err(|e| e.code), Err("bad_encoding"));
        }
    }

    #[test]
    fn errors_name_the_parameter_and_echo_little() {
        let params = of(&format!("lat={}", "9".repeat(1_000_000)));
        let error = params.required::<f64>("lat").expect_err("too long");
        assert!(error.message.starts_with("lat: must be"), "{}", error.message);
        assert!(error.message.len() < 120);
        assert_eq!(params.required::<f64>("lng").map_err(|e| e.code), Err("missing_parameter"));
    }

    #[test]
    fn pages_are_clamped_and_checked() {
        assert_eq!(of("").page().ok(), Some(Page { page: 1, pcount: 20 }));
        assert_eq!(of("page=3&pcount=500").page().ok(), Some(Page { page: 3, pcount: 100 }));
        assert_eq!(of("page=3&pcount=50").page().map(Page::offset).ok(), Some(100));
        for bad in ["page=0", "page=-1", "pcount=0", "pcount=x", "page="] {
            assert!(of(bad).page().is_err(), "{bad}");
        }
    }

    #[test]
    fn there_are_not_endless_parameters() {
        assert!(Params::default().add_urlencoded("a&".repeat(MAX_PARAMS + 1).as_bytes()).is_err());
    }
}
