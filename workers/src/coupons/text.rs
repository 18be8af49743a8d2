//! Text that fits an area whole: the largest size that does, wrapped by Unicode's rules (no closing punctuation at a line's start).

use cosmic_text::{
    Align, Attrs, Buffer, CacheKey, Color, Ellipsize, EllipsizeHeightLimit, Family, FontSystem, Metrics, Shaping,
    SwashCache, Weight, Wrap,
};
use tiny_skia::{Pixmap, PremultipliedColorU8};

use super::emoji;

/// An area in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Rect {
    /// Whether no point is in both, but for an edge that they share.
    #[must_use]
    pub fn apart_from(&self, other: &Self) -> bool {
        let before = |end: f32, begin: f32| end <= begin + 0.01;
        before(self.x + self.w, other.x)
            || before(other.x + other.w, self.x)
            || before(self.y + self.h, other.y)
            || before(other.y + other.h, self.y)
    }

    /// Whether `other` is wholly inside, but for `slack` pixels.
    #[must_use]
    pub fn holds(&self, other: &Self, slack: f32) -> bool {
        other.x >= self.x - slack
            && other.y >= self.y - slack
            && other.x + other.w <= self.x + self.w + slack
            && other.y + other.h <= self.y + self.h + slack
    }
}

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) bold: bool,
    pub(super) color: Color,
    /// Pixels of an em, at most and at least.
    pub(super) sizes: (f32, f32),
    /// Line height in ems.
    pub(super) leading: f32,
    pub(super) lines: usize,
    pub(super) align: Align,
    /// Up to so many lines are made about equally long.
    pub(super) balanced_lines: usize,
}

impl Style {
    fn metrics(&self, size: f32) -> Metrics {
        Metrics::relative(size, self.leading)
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of lines on a card")]
    fn tall(&self, lines: usize, size: f32) -> f32 {
        lines as f32 * size * self.leading
    }
}

/// Text laid out at the largest size that fits.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) buffer: Buffer,
    pub(super) size: f32,
    /// What it was wrapped and aligned in, at most what was asked for.
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) color: Color,
    /// Whether all of the text is there.
    pub(super) whole: bool,
}

/// The next smaller size to try, in pixels.
const STEP: f32 = 0.5;

/// Words are broken only where the text would get smaller than this share of the largest size.
const COMFORTABLE: f32 = 0.6;

/// The families that are written with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Families {
    pub(super) text: &'static str,
    pub(super) emoji: Option<&'static str>,
}

/// Lays `text` out in `width` and at most `height`.
pub(super) fn fit(
    system: &mut FontSystem,
    families: Families,
    text: &str,
    style: &Style,
    (width, height): (f32, f32),
) -> Fitted {
    let (largest, smallest) = style.sizes;
    let mut buffer = written(system, families, text, style);
    for (wrap, least) in [(Wrap::Word, smallest.max(largest * COMFORTABLE)), (Wrap::WordOrGlyph, smallest)] {
        buffer.set_wrap(wrap);
        let mut size = largest;
        while size >= least {
            buffer.set_metrics_and_size(style.metrics(size), Some(width), None);
            buffer.shape_until_scroll(system, false);
            let lines = lines(&buffer);
            let height_used = style.tall(lines, size);
            if lines <= style.lines && height_used <= height && widest(&buffer) <= width {
                let balanced = lines <= style.balanced_lines;
                let width = if balanced { balance(system, &mut buffer, lines, width) } else { width };
                return Fitted { width, height: height_used, size, color: style.color, whole: true, buffer };
            }
            size -= STEP;
        }
    }
    let limit = (height / (smallest * style.leading)).floor().max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of lines on a card")]
    let limit = (limit as usize).min(style.lines);
    buffer.set_metrics_and_size(style.metrics(smallest), Some(width), None);
    buffer.set_ellipsize(Ellipsize::End(EllipsizeHeightLimit::Lines(limit)));
    buffer.shape_until_scroll(system, false);
    let height = style.tall(lines(&buffer), smallest);
    Fitted { buffer, size: smallest, width, height, color: style.color, whole: false }
}

fn written(system: &mut FontSystem, families: Families, text: &str, style: &Style) -> Buffer {
    let weight = if style.bold { Weight::BOLD } else { Weight::NORMAL };
    let plain = Attrs::new().family(Family::Name(families.text)).weight(weight);
    let spans = emoji::parts(text).into_iter().map(|(part, emoji)| match families.emoji.filter(|_| emoji) {
        // There are no bold ones: asked for, another font's outlines would come.
        Some(family) => (part, Attrs::new().family(Family::Name(family))),
        None => (part, plain.clone()),
    });
    let mut buffer = Buffer::new(system, style.metrics(style.sizes.0));
    buffer.set_rich_text(spans, &plain, Shaping::Advanced, Some(style.align));
    buffer
}

/// Narrows it, with as many lines, to where all lines end at a space or punctuation; where there is no such width, to the smallest.
fn balance(system: &mut FontSystem, buffer: &mut Buffer, count: usize, width: f32) -> f32 {
    if count < 2 {
        return width;
    }
    let (mut enough, mut too_little) = (width, width / 2.0);
    while enough - too_little > 1.0 {
        let middle = f32::midpoint(enough, too_little);
        if holds(system, buffer, count, middle) { enough = middle } else { too_little = middle }
    }
    let mut chosen = enough;
    while chosen <= width {
        if holds(system, buffer, count, chosen) && ends_well(buffer) {
            return chosen;
        }
        chosen += STEP * 4.0;
    }
    holds(system, buffer, count, enough);
    enough
}

/// Wraps it in `width`; whether it has no more than `count` lines then.
fn holds(system: &mut FontSystem, buffer: &mut Buffer, count: usize, width: f32) -> bool {
    buffer.set_size(Some(width), None);
    buffer.shape_until_scroll(system, false);
    lines(buffer) <= count && widest(buffer) <= width
}

/// Whether each line but the last ends where a reader pauses.
fn ends_well(buffer: &Buffer) -> bool {
    let mut last = true;
    let mut ends = buffer.layout_runs().map(|run| {
        let end = run.glyphs.iter().map(|glyph| glyph.end).max().unwrap_or(0);
        let (line, rest) = run.text.split_at_checked(end).unwrap_or((run.text, ""));
        let pause = |c: char| c.is_whitespace() || "，。；：、！？）》」”,.;:!?)".contains(c);
        line.chars().next_back().is_some_and(pause) || rest.chars().next().is_none_or(char::is_whitespace)
    });
    ends.all(|well| std::mem::replace(&mut last, well))
}

fn lines(buffer: &Buffer) -> usize {
    buffer.layout_runs().count()
}

fn widest(buffer: &Buffer) -> f32 {
    buffer.layout_runs().map(|run| run.line_w).fold(0.0, f32::max)
}

/// Where a glyph stands, and how it is drawn.
struct Placed {
    key: CacheKey,
    x: i32,
    y: i32,
}

impl Fitted {
    fn placed(&self, (x, y): (f32, f32)) -> impl Iterator<Item = Placed> {
        let runs = self.buffer.layout_runs();
        runs.flat_map(move |run| {
            run.glyphs.iter().map(move |glyph| {
                let physical = glyph.physical((x, y + run.line_y), 1.0);
                Placed { key: physical.cache_key, x: physical.x, y: physical.y }
            })
        })
    }

    /// Glyphs that no font has.
    pub(super) fn unknown_glyphs(&self) -> usize {
        self.buffer.layout_runs().flat_map(|run| run.glyphs).filter(|glyph| glyph.glyph_id == 0).count()
    }

    /// The lines' texts.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |run: cosmic_text::LayoutRun<'_>| {
            let (from, to) = run.glyphs.iter().fold((usize::MAX, 0), |(a, b), one| (a.min(one.start), b.max(one.end)));
            run.text.get(from..to).unwrap_or_default().to_owned()
        };
        self.buffer.layout_runs().map(line).collect()
    }

    /// Inks it with its upper left corner at `origin`, inside `area` alone. What the ink covers; none where there is no ink.
    pub(super) fn ink(
        &self,
        system: &mut FontSystem,
        glyphs: &mut SwashCache,
        canvas: &mut Pixmap,
        origin: (f32, f32),
        area: &Rect,
    ) -> Option<Rect> {
        let mut inked = Inked::default();
        for glyph in self.placed(origin) {
            glyphs.with_pixels(system, glyph.key, self.color, |x, y, color| {
                let (x, y) = (glyph.x + x, glyph.y + y);
                if color.a() > 0 {
                    inked.add(x, y);
                    if area.has(x, y) {
                        blend(canvas, x, y, color);
                    }
                }
            });
        }
        inked.rect()
    }
}

impl Rect {
    #[expect(clippy::cast_precision_loss, reason = "pixels of a card")]
    fn has(&self, x: i32, y: i32) -> bool {
        let (x, y) = (x as f32, y as f32);
        x >= self.x.floor() && x < (self.x + self.w).ceil() && y >= self.y.floor() && y < (self.y + self.h).ceil()
    }
}

/// The bounds of what is inked.
#[derive(Default)]
struct Inked(Option<(i32, i32, i32, i32)>);

impl Inked {
    fn add(&mut self, x: i32, y: i32) {
        let (left, top, right, bottom) = self.0.unwrap_or((x, y, x, y));
        self.0 = Some((left.min(x), top.min(y), right.max(x), bottom.max(y)));
    }

    #[expect(clippy::cast_precision_loss, reason = "pixels of a card")]
    fn rect(&self) -> Option<Rect> {
        let (left, top, right, bottom) = self.0?;
        let (w, h) = ((right - left + 1) as f32, (bottom - top + 1) as f32);
        Some(Rect { x: left as f32, y: top as f32, w, h })
    }
}

/// `color`, which is not premultiplied, over what is there, which is.
fn blend(canvas: &mut Pixmap, x: i32, y: i32, color: Color) {
    let (width, height) = (canvas.width(), canvas.height());
    let at = u32::try_from(x).ok().zip(u32::try_from(y).ok()).filter(|(x, y)| *x < width && *y < height);
    let Some((x, y)) = at else { return };
    let under = &mut canvas.pixels_mut()[(y * width + x) as usize];
    let alpha = u32::from(color.a());
    let over = |top: u8, below: u8| (u32::from(top) * alpha + u32::from(below) * (255 - alpha) + 127) / 255;
    let channels = [
        over(color.r(), under.red()),
        over(color.g(), under.green()),
        over(color.b(), under.blue()),
        over(255, under.alpha()),
    ];
    let [r, g, b, a] = channels.map(|channel| u8::try_from(channel).unwrap_or(u8::MAX));
    if let Some(blended) = PremultipliedColorU8::from_rgba(r.min(a), g.min(a), b.min(a), a) {
        *under = blended;
    }
}
