//! The card beneath the text: rounded, torn off at a perforation, its stub in colour.

use tiny_skia::{
    Color, FillRule, GradientStop, LinearGradient, Mask, Paint, Path, PathBuilder, Pixmap, Point, Rect, Shader,
    SpreadMode, Stroke, StrokeDash, Transform,
};

use super::layout::Plan;

/// Distance of a cubic's control points for a quarter of a circle of radius 1.
const KAPPA: f32 = 0.552_284_8;

fn rgb(hex: u32) -> Color {
    let [_, r, g, b] = hex.to_be_bytes();
    Color::from_rgba8(r, g, b, 255)
}

fn paint(color: Color) -> Paint<'static> {
    Paint { shader: Shader::SolidColor(color), anti_alias: true, ..Paint::default() }
}

/// Draws the card.
pub(super) fn draw(canvas: &mut Pixmap, plan: &Plan) {
    let Some(outline) = outline(plan) else { return };
    canvas.fill_path(&outline, &paint(rgb(0xff_fd_fa)), FillRule::Winding, Transform::identity(), None);
    draw_stub(canvas, plan, &outline);
    let edge = Stroke { width: plan.scaled(1.0), ..Stroke::default() };
    canvas.stroke_path(&outline, &paint(rgb(0xe9_d9_cf)), &edge, Transform::identity(), None);
    draw_rule(canvas, plan);
}

fn draw_stub(canvas: &mut Pixmap, plan: &Plan, outline: &Path) {
    let Some(mut inside) = Mask::new(canvas.width(), canvas.height()) else { return };
    inside.fill_path(outline, FillRule::Winding, true, Transform::identity());
    let Some(stub) = Rect::from_xywh(0.0, 0.0, plan.stub, plan.h) else { return };
    let stops = vec![GradientStop::new(0.0, rgb(0xf2_6a_4b)), GradientStop::new(1.0, rgb(0xd8_3a_52))];
    let (from, to) = (Point::from_xy(0.0, 0.0), Point::from_xy(plan.stub, plan.h));
    let Some(shader) = LinearGradient::new(from, to, stops, SpreadMode::Pad, Transform::identity()) else { return };
    let coloured = Paint { shader, anti_alias: true, ..Paint::default() };
    canvas.fill_rect(stub, &coloured, Transform::identity(), Some(&inside));
    let mut tear = PathBuilder::new();
    tear.move_to(plan.stub, plan.notch * 1.6);
    tear.line_to(plan.stub, plan.h - plan.notch * 1.6);
    let dash = StrokeDash::new(vec![plan.scaled(4.0), plan.scaled(5.0)], 0.0);
    let dashed = Stroke { width: plan.scaled(2.0), dash, ..Stroke::default() };
    if let Some(tear) = tear.finish() {
        canvas.stroke_path(&tear, &paint(rgb(0xff_fd_fa)), &dashed, Transform::identity(), None);
    }
}

/// The fine lines under the stub's heading and over the period.
fn draw_rule(canvas: &mut Pixmap, plan: &Plan) {
    let thickness = plan.scaled(1.0).max(0.75);
    let lines = [(plan.heading_rule, Color::from_rgba8(255, 255, 255, 120)), (plan.period_rule, rgb(0xec_e2_da))];
    for ((x, y, w), color) in lines {
        if let Some(line) = Rect::from_xywh(x, y, w, thickness) {
            canvas.fill_rect(line, &paint(color), Transform::identity(), None);
        }
    }
}

/// The card's edge: round corners, and a half circle out of the upper and the lower side where the stub is torn off.
fn outline(plan: &Plan) -> Option<Path> {
    let edge = plan.scaled(1.0) / 2.0;
    let (left, top, right, bottom) = (edge, edge, plan.w - edge, plan.h - edge);
    let (r, n, x) = (plan.corner, plan.notch, plan.stub);
    let (rk, nk) = (r * (1.0 - KAPPA), n * KAPPA);
    let mut path = PathBuilder::new();
    path.move_to(left + r, top);
    path.line_to(x - n, top);
    path.cubic_to(x - n, top + nk, x - nk, top + n, x, top + n);
    path.cubic_to(x + nk, top + n, x + n, top + nk, x + n, top);
    path.line_to(right - r, top);
    path.cubic_to(right - rk, top, right, top + rk, right, top + r);
    path.line_to(right, bottom - r);
    path.cubic_to(right, bottom - rk, right - rk, bottom, right - r, bottom);
    path.line_to(x + n, bottom);
    path.cubic_to(x + n, bottom - nk, x + nk, bottom - n, x, bottom - n);
    path.cubic_to(x - nk, bottom - n, x - n, bottom - nk, x - n, bottom);
    path.line_to(left + r, bottom);
    path.cubic_to(left + rk, bottom, left, bottom - rk, left, bottom - r);
    path.line_to(left, top + r);
    path.cubic_to(left, top + rk, left + rk, top, left + r, top);
    path.close();
    path.finish()
}
