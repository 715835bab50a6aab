//! Draws a mask on a canvas, and makes a file of it.

use js_sys::Promise;
use leptos::prelude::document;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{Clamped, JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, CanvasRenderingContext2d, HtmlCanvasElement, HtmlImageElement, ImageData};

use crate::mask::edits::Edit;
use crate::mask::picture::tint;
use crate::mask::stroke::{Place, Stroke, Tool};

/// What is painted anew is shown in the colour of the safelight.
const COLOUR: [u8; 3] = [0xf5, 0x83, 0x4a];
const COLOUR_NAME: &str = "#f5834a";

/// The canvas's drawing board, on which one unit is one pixel of the picture.
pub fn board(canvas: &HtmlCanvasElement, picture_width: u32) -> Option<CanvasRenderingContext2d> {
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.unchecked_into();
    let scale = f64::from(canvas.width()) / f64::from(picture_width);
    context.set_transform(scale, 0.0, 0.0, scale, 0.0, 0.0).ok()?;
    Some(context)
}

/// Draws a mask anew. `sheets` are the masks that were read from files.
pub fn draw(
    context: &CanvasRenderingContext2d,
    edits: &[Edit],
    sheets: &[HtmlCanvasElement],
    (width, height): (u32, u32),
) {
    let (width, height) = (f64::from(width), f64::from(height));
    context.clear_rect(0.0, 0.0, width, height);
    for edit in edits {
        match edit {
            Edit::Stroke(stroke) => draw_stroke(context, stroke),
            Edit::Invert => {
                fill(context, "source-out", COLOUR_NAME, width, height);
            }
            Edit::Clear => context.clear_rect(0.0, 0.0, width, height),
            Edit::Picture(number) => {
                if let Some(sheet) = sheets.get(*number) {
                    let _ = context.set_global_composite_operation("copy");
                    let _ = context
                        .draw_image_with_html_canvas_element_and_dw_and_dh(sheet, 0.0, 0.0, width, height);
                }
            }
        }
    }
}

fn draw_stroke(context: &CanvasRenderingContext2d, stroke: &Stroke) {
    let mut from = stroke.places[0];
    draw_line(context, stroke, from, from);
    for to in &stroke.places[1..] {
        draw_line(context, stroke, from, *to);
        from = *to;
    }
}

/// Draws one move of a stroke: a line with round ends. One that leads nowhere is a dab.
pub fn draw_line(context: &CanvasRenderingContext2d, stroke: &Stroke, from: Place, to: Place) {
    let mode = match stroke.tool {
        Tool::Brush => "source-over",
        Tool::Eraser => "destination-out",
    };
    let _ = context.set_global_composite_operation(mode);
    context.begin_path();
    if from == to {
        // A line of no length is not drawn by every browser.
        context.set_fill_style_str(COLOUR_NAME);
        let _ = context.arc(from.x, from.y, stroke.radius, 0.0, std::f64::consts::TAU);
        context.fill();
        return;
    }
    context.set_stroke_style_str(COLOUR_NAME);
    context.set_line_width(stroke.radius * 2.0);
    context.set_line_cap("round");
    context.move_to(from.x, from.y);
    context.line_to(to.x, to.y);
    context.stroke();
}

fn fill(context: &CanvasRenderingContext2d, mode: &str, colour: &str, width: f64, height: f64) {
    let _ = context.set_global_composite_operation(mode);
    context.set_fill_style_str(colour);
    context.fill_rect(0.0, 0.0, width, height);
}

/// The mask as a PNG of the picture's own size: white is painted anew, black stays.
///
/// # Errors
/// Whatever the browser throws, as when there is no memory for the canvas.
pub async fn to_png(edits: &[Edit], sheets: &[HtmlCanvasElement], size: (u32, u32)) -> Result<Blob, JsValue> {
    let canvas = blank_canvas(size)?;
    let context = board(&canvas, size.0).ok_or(JsValue::NULL)?;
    draw(&context, edits, sheets, size);
    let (width, height) = (f64::from(size.0), f64::from(size.1));
    fill(&context, "source-in", "#fff", width, height);
    fill(&context, "destination-over", "#000", width, height);
    let made = Promise::new(&mut |resolve, _| {
        let give = Closure::once_into_js(move |blob: JsValue| {
            let _ = resolve.call1(&JsValue::NULL, &blob);
        });
        // Without a type it is a PNG.
        let _ = canvas.to_blob(give.unchecked_ref());
    });
    // Nothing comes where there was no memory for it.
    JsFuture::from(made).await?.dyn_into()
}

/// A mask from a file, ready to be drawn over the picture.
///
/// # Errors
/// Whatever the browser throws, as when the file is no picture.
pub async fn read_mask(path: &str, size: (u32, u32)) -> Result<HtmlCanvasElement, JsValue> {
    let image = HtmlImageElement::new()?;
    image.set_src(path);
    JsFuture::from(image.decode()).await?;
    let canvas = blank_canvas(size)?;
    let context = board(&canvas, size.0).ok_or(JsValue::NULL)?;
    context.draw_image_with_html_image_element(&image, 0.0, 0.0)?;
    let (width, height) = (f64::from(size.0), f64::from(size.1));
    let mut pixels = context.get_image_data(0.0, 0.0, width, height)?.data();
    tint(&mut pixels, COLOUR);
    let tinted = ImageData::new_with_u8_clamped_array(Clamped(&pixels), size.0)?;
    context.put_image_data(&tinted, 0.0, 0.0)?;
    Ok(canvas)
}

fn blank_canvas((width, height): (u32, u32)) -> Result<HtmlCanvasElement, JsValue> {
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
    canvas.set_width(width);
    canvas.set_height(height);
    Ok(canvas)
}
