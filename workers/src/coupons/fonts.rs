//! The fonts of the machine: one with Chinese, and one with coloured emoji where there is one.

use std::{fmt, path::PathBuf, sync::Arc};

use cosmic_text::{FontSystem, fontdb::Database};

/// Families with Chinese, the best looking first.
const CHINESE: &[&str] = &[
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Noto Serif CJK SC",
];

/// Families with coloured emoji.
const EMOJI: &[&str] = &["Noto Color Emoji", "Twemoji", "Apple Color Emoji", "Segoe UI Emoji"];

/// Where fonts are, usually; the home directory's come on top.
const PLACES: &[&str] = &["/usr/share/fonts", "/usr/local/share/fonts"];

/// A kind of font that this machine has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// What it would draw.
    pub what: &'static str,
    /// Debian's package that brings it.
    pub package: &'static str,
    /// Whether nothing can be drawn without.
    pub needed: bool,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no font with {} in the usual directories or those of setting `coupons.fonts`: apt-get install {}",
            self.what, self.package
        )
    }
}

impl std::error::Error for Missing {}

const NO_CHINESE: Missing = Missing { what: "Chinese", package: "fonts-noto-cjk", needed: true };
const NO_EMOJI: Missing = Missing { what: "coloured emoji", package: "fonts-noto-color-emoji", needed: false };

/// The fonts of this machine; the files are read when something is drawn.
#[derive(Clone)]
pub struct Fonts {
    known: Arc<Database>,
    chinese: Option<&'static str>,
    emoji: Option<&'static str>,
}

impl Fonts {
    /// Looks in the usual directories, and in `more`.
    #[must_use]
    pub fn find(more: &[PathBuf]) -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let own = home.iter().flat_map(|home| [home.join(".local/share/fonts"), home.join(".fonts")]);
        let usual = PLACES.iter().map(PathBuf::from).chain(own);
        Self::in_places(&usual.chain(more.iter().cloned()).collect::<Vec<_>>())
    }

    /// Looks in these directories (and those below them) and files alone.
    #[must_use]
    pub fn in_places(places: &[PathBuf]) -> Self {
        let mut known = Database::new();
        for place in places {
            if place.is_dir() {
                known.load_fonts_dir(place);
            } else if let Err(error) = known.load_font_file(place)
                && place.exists()
            {
                tracing::warn!(place = %place.display(), %error, "no font");
            }
        }
        let first = |names: &[&'static str]| {
            names
                .iter()
                .copied()
                .find(|name| known.faces().any(|face| face.families.iter().any(|(own, _)| own == name)))
        };
        let (chinese, emoji) = (first(CHINESE), first(EMOJI));
        Self { known: Arc::new(known), chinese, emoji }
    }

    /// What is not there, the worst first.
    #[must_use]
    pub fn missing(&self) -> Vec<Missing> {
        let chinese = self.chinese.is_none().then_some(NO_CHINESE);
        chinese.into_iter().chain(self.emoji.is_none().then_some(NO_EMOJI)).collect()
    }

    /// The families that are drawn with.
    #[must_use]
    pub fn chosen(&self) -> Vec<&'static str> {
        self.chinese.into_iter().chain(self.emoji).collect()
    }

    /// The family with Chinese.
    pub(super) fn chinese(&self) -> Result<&'static str, Missing> {
        self.chinese.ok_or(NO_CHINESE)
    }

    /// The family with coloured emoji.
    pub(super) fn emoji(&self) -> Option<&'static str> {
        self.emoji
    }

    /// What shapes text, for one drawing: its caches grow with what is drawn, so it is thrown away after.
    pub(super) fn system(&self) -> FontSystem {
        FontSystem::new_with_locale_and_db("zh-CN".to_owned(), Database::clone(&self.known))
    }
}
