//! Where everything is on a coupon, at either scale.

use cosmic_text::{Align, Color, FontSystem, SwashCache};
use tiny_skia::Pixmap;

pub use super::text::Rect;
use super::{
    CouponCard, DrawError, Fonts, card,
    text::{Families, Fitted, Style, fit},
};

/// Which drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 580x224.
    Full,
    /// 290x112.
    Small,
}

impl Size {
    /// Width and height in pixels.
    #[must_use]
    pub const fn pixels(self) -> (u32, u32) {
        match self {
            Self::Full => (580, 224),
            Self::Small => (290, 112),
        }
    }
}

/// What a block of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The stub's heading.
    Heading,
    /// The shop's name.
    Shop,
    /// The coupon's name.
    Name,
    /// What it is good for.
    Text,
    /// When.
    Period,
}

/// The measures of a drawing, pixels.
pub(super) struct Plan {
    pub(super) w: f32,
    pub(super) h: f32,
    /// Width of the coloured stub.
    pub(super) stub: f32,
    pub(super) corner: f32,
    pub(super) notch: f32,
    /// Left end, height and length of the line under the stub's heading.
    pub(super) heading_rule: (f32, f32, f32),
    /// The same of the line over the period.
    pub(super) period_rule: (f32, f32, f32),
    heading: Rect,
    shop: Rect,
    /// Name and text together.
    body: Rect,
    period: Rect,
    /// Between name and text.
    gap: f32,
    /// Of the name, at most.
    name_height: f32,
    /// Largest and smallest font sizes.
    heading_size: f32,
    shop_sizes: (f32, f32),
    name_sizes: (f32, f32),
    text_sizes: (f32, f32),
    /// Below this size of the text the name is made smaller too.
    readable: f32,
    period_sizes: (f32, f32),
    /// Of the text: small letters need the stronger one.
    text_color: u32,
    scale: f32,
}

const fn rect(x: f32, y: f32, w: f32, h: f32) -> Rect {
    Rect { x, y, w, h }
}

const FULL: Plan = Plan {
    w: 580.0,
    h: 224.0,
    stub: 152.0,
    corner: 14.0,
    notch: 10.0,
    heading_rule: (56.0, 55.0, 40.0),
    period_rule: (178.0, 181.0, 378.0),
    heading: rect(12.0, 22.0, 128.0, 26.0),
    shop: rect(14.0, 64.0, 124.0, 140.0),
    body: rect(178.0, 16.0, 378.0, 158.0),
    period: rect(178.0, 188.0, 378.0, 20.0),
    gap: 8.0,
    name_height: 84.0,
    heading_size: 17.0,
    shop_sizes: (23.0, 9.0),
    name_sizes: (34.0, 11.0),
    text_sizes: (18.0, 9.0),
    readable: 15.0,
    period_sizes: (14.0, 9.0),
    text_color: 0x5c_50_4a,
    scale: 1.0,
};

const SMALL: Plan = Plan {
    w: 290.0,
    h: 112.0,
    stub: 58.0,
    corner: 8.0,
    notch: 5.0,
    heading_rule: (19.0, 24.0, 20.0),
    period_rule: (69.0, 93.0, 212.0),
    heading: rect(4.0, 8.0, 50.0, 14.0),
    shop: rect(5.0, 28.0, 48.0, 77.0),
    body: rect(69.0, 6.0, 212.0, 85.0),
    period: rect(69.0, 95.0, 212.0, 13.0),
    gap: 3.0,
    name_height: 44.0,
    heading_size: 11.0,
    shop_sizes: (13.0, 6.0),
    name_sizes: (19.0, 8.0),
    text_sizes: (12.0, 5.0),
    readable: 9.5,
    period_sizes: (9.5, 7.0),
    text_color: 0x45_3b_36,
    scale: 0.5,
};

impl Plan {
    /// A measure of the full drawing at this one's scale.
    pub(super) fn scaled(&self, pixels: f32) -> f32 {
        pixels * self.scale
    }
}

/// Share of its largest size that the name is left with beside a long text.
const MODEST: f32 = 0.7;

const WHITE: Color = Color::rgb(255, 255, 255);

const fn ink(hex: u32) -> Color {
    Color(0xff_00_00_00 | hex)
}

/// A block of text in its place.
#[derive(Debug)]
pub struct Block {
    /// What it is.
    pub role: Role,
    /// Where it may be.
    pub area: Rect,
    origin: (f32, f32),
    fitted: Fitted,
}

impl Block {
    /// In the middle of `area` from top to bottom, and from left to right where its lines are centred.
    fn centred(role: Role, area: Rect, fitted: Fitted) -> Self {
        let origin = (area.x + (area.w - fitted.width) / 2.0, area.y + (area.h - fitted.height) / 2.0);
        Self { role, area, origin, fitted }
    }

    /// From the upper edge of `column` on. Emoji are a little taller than a line: its area reaches `bleed` beyond it.
    fn from_top(role: Role, column: Rect, bleed: f32, fitted: Fitted) -> Self {
        let area = Rect { y: column.y - bleed, h: fitted.height + 2.0 * bleed, ..column };
        Self { role, area, origin: (column.x, column.y), fitted }
    }

    /// Pixels of an em.
    #[must_use]
    pub fn font_size(&self) -> f32 {
        self.fitted.size
    }

    /// Whether all of the text is there; else it ends in `…`.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.fitted.whole
    }

    /// Glyphs that no font of this machine has.
    #[must_use]
    pub fn unknown_glyphs(&self) -> usize {
        self.fitted.unknown_glyphs()
    }

    /// The lines as they are wrapped.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.fitted.lines()
    }
}

/// A coupon laid out.
pub struct Layout {
    size: Size,
    blocks: Vec<Block>,
    system: FontSystem,
}

impl Layout {
    /// Lays `card` out.
    ///
    /// # Errors
    /// There is no font with Chinese.
    pub fn new(card: &CouponCard, size: Size, fonts: &Fonts) -> Result<Self, DrawError> {
        let families = Families { text: fonts.chinese().map_err(DrawError::Font)?, emoji: fonts.emoji() };
        let (mut system, plan) = (fonts.system(), size.plan());
        let mut put =
            |text: &str, style: &Style, area: &Rect| fit(&mut system, families, text, style, (area.w, area.h));
        let heading = Block::centred(Role::Heading, plan.heading, put("优惠券", &plan.heading_style(), &plan.heading));
        let shop = Block::centred(Role::Shop, plan.shop, put(&card.shop, &plan.shop_style(), &plan.shop));
        let period = Block::centred(Role::Period, plan.period, put(&card.period, &plan.period_style(), &plan.period));
        let [name, text] = body(card, plan, &mut put);
        Ok(Self { size, blocks: vec![heading, shop, name, text, period], system })
    }

    /// The blocks of text.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The drawing, as PNG.
    ///
    /// # Errors
    /// The encoder's.
    pub fn draw(mut self) -> Result<Vec<u8>, DrawError> {
        let (canvas, _) = self.inked()?;
        canvas.encode_png().map_err(|e| DrawError::Encode(e.to_string()))
    }

    /// The drawing, and what each block's ink covers.
    pub(super) fn inked(&mut self) -> Result<(Pixmap, Vec<Option<Rect>>), DrawError> {
        let (width, height) = self.size.pixels();
        let mut canvas = Pixmap::new(width, height).ok_or_else(|| DrawError::Encode("no pixels".to_owned()))?;
        card::draw(&mut canvas, self.size.plan());
        let mut glyphs = SwashCache::new();
        let mut inked = Vec::new();
        for block in &self.blocks {
            inked.push(block.fitted.ink(&mut self.system, &mut glyphs, &mut canvas, block.origin, &block.area));
        }
        Ok((canvas, inked))
    }
}

/// Name and text, together in the middle of the body, a little towards the top.
fn body(card: &CouponCard, plan: &Plan, put: &mut dyn FnMut(&str, &Style, &Rect) -> Fitted) -> [Block; 2] {
    let mut both = |style: &Style| {
        let name = put(&card.name, style, &Rect { h: plan.name_height, ..plan.body });
        let left = Rect { h: plan.body.h - name.height - plan.gap, ..plan.body };
        let text = put(&card.text, &plan.text_style(), &left);
        (name, text)
    };
    let (mut name, mut text) = both(&plan.name_style());
    if text.size < plan.readable {
        // A long text gets some of the name's room.
        let style = plan.name_style();
        let sizes = ((style.sizes.0 * MODEST).round(), style.sizes.1);
        (name, text) = both(&Style { sizes, ..style });
    }
    let spare = (plan.body.h - name.height - plan.gap - text.height).max(0.0);
    let y = plan.body.y + spare * 0.45;
    let below = y + name.height + plan.gap;
    let bleed = plan.gap / 2.0;
    let name = Block::from_top(Role::Name, Rect { y, ..plan.body }, bleed, name);
    [name, Block::from_top(Role::Text, Rect { y: below, ..plan.body }, bleed, text)]
}

impl Size {
    const fn plan(self) -> &'static Plan {
        match self {
            Self::Full => &FULL,
            Self::Small => &SMALL,
        }
    }
}

impl Plan {
    const fn heading_style(&self) -> Style {
        let sizes = (self.heading_size, self.heading_size);
        Style { bold: true, color: WHITE, sizes, leading: 1.2, lines: 1, align: Align::Center, balanced_lines: 0 }
    }

    const fn shop_style(&self) -> Style {
        let (sizes, align) = (self.shop_sizes, Align::Center);
        Style { bold: true, color: WHITE, sizes, leading: 1.3, lines: usize::MAX, align, balanced_lines: usize::MAX }
    }

    const fn name_style(&self) -> Style {
        let (sizes, color) = (self.name_sizes, ink(0x2a_21_1d));
        Style { bold: true, color, sizes, leading: 1.3, lines: 2, align: Align::Left, balanced_lines: 2 }
    }

    const fn text_style(&self) -> Style {
        let (sizes, color, lines) = (self.text_sizes, ink(self.text_color), usize::MAX);
        Style { bold: false, color, sizes, leading: 1.34, lines, align: Align::Left, balanced_lines: 3 }
    }

    const fn period_style(&self) -> Style {
        let (sizes, color) = (self.period_sizes, ink(0x8a_7a_70));
        Style { bold: false, color, sizes, leading: 1.2, lines: 1, align: Align::Left, balanced_lines: 0 }
    }
}
