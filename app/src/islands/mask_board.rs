//! What brush, keys and buttons do to the mask, and the canvas that shows it.
//!
//! A move of the pointer draws on the canvas and does nothing else, so that painting stays smooth on a phone.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::window;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Blob, Element, Event, HtmlCanvasElement, KeyboardEvent, PointerEvent, ResizeObserver};

use super::brush_ring::BrushRing;
use super::dom::{by_id, listen, set_px};
use super::mask_buttons::MaskButtons;
use super::mask_canvas::{board, draw, draw_line, read_mask, to_png};
use crate::mask::brush::{N_SIZES, place_after_key, size_after_key, usual_size, width};
use crate::mask::edits::{Edit, Edits};
use crate::mask::stroke::{Place, Stroke, Tool};
use crate::mask::view::View;
use crate::material::Material;

/// The button of a pen's other end, in a pointer's `buttons`.
const PEN_ERASER: u16 = 32;

/// A mask that was read from a file.
struct Sheet {
    /// Its name in requests.
    id: String,
    canvas: HtmlCanvasElement,
}

/// The mask that is to go with a request.
pub enum Wanted {
    /// None: nothing is painted.
    Nothing,
    /// One that lies on the server already.
    Known(String),
    /// One that was painted here.
    Painted,
}

/// A mask and everything that paints on it.
pub struct MaskBoard {
    /// Lies over the picture.
    canvas: HtmlCanvasElement,
    ring: BrushRing,
    buttons: MaskButtons,
    state: RefCell<State>,
}

struct State {
    /// Width and height of the picture.
    picture: (u32, u32),
    edits: Edits,
    sheets: Vec<Sheet>,
    /// The stroke that is being made.
    stroke: Option<Stroke>,
    /// What the next one does.
    tool: Tool,
    /// The brush's size, as a place of its slider.
    size: u32,
    /// Where the keyboard has the brush.
    cursor: Place,
    /// In the picture's pixels.
    feather_px: f64,
}

impl MaskBoard {
    /// The one on this page. `said` is read to a screen reader.
    pub fn find(said: Element) -> Option<Rc<Self>> {
        Some(Rc::new(Self {
            canvas: by_id("mask-canvas")?,
            ring: BrushRing::find()?,
            buttons: MaskButtons::find(said)?,
            state: RefCell::new(State {
                picture: (1, 1),
                edits: Edits::default(),
                sheets: Vec::new(),
                stroke: None,
                tool: Tool::Brush,
                size: 0,
                cursor: Place { x: 0.0, y: 0.0 },
                feather_px: 0.0,
            }),
        }))
    }

    /// Listens to pointer, keys and buttons.
    pub fn wake(self: &Rc<Self>) {
        let heard = |deed: fn(&Self, Event)| {
            let own = Rc::clone(self);
            move |event| deed(&own, event)
        };
        let canvas = &self.canvas;
        listen(canvas, "pointerdown", heard(|own, event| own.press(event.unchecked_ref())));
        listen(canvas, "pointermove", heard(|own, event| own.drag(event.unchecked_ref())));
        listen(canvas, "pointerup", heard(|own, _| own.lift()));
        listen(canvas, "pointercancel", heard(|own, _| own.abandon()));
        listen(canvas, "pointerleave", heard(|own, _| own.ring.hide()));
        listen(canvas, "keydown", heard(|own, event| own.key(event.unchecked_ref())));
        listen(canvas, "focus", heard(|own, _| own.show_cursor()));
        listen(canvas, "blur", heard(|own, _| own.ring.hide()));
        listen(&self.buttons.group, "click", heard(|own, event| own.click(&event)));
        listen(
            &self.buttons.size,
            "input",
            heard(|own, _| own.set_size(own.buttons.size.value().parse().unwrap_or(0))),
        );
        self.watch();
    }

    /// Keeps the canvas as sharp as the screen, whatever happens to its size: a window that gets narrower, a fold
    /// that opens.
    fn watch(self: &Rc<Self>) {
        let own = Rc::clone(self);
        let fit: Box<dyn FnMut()> = Box::new(move || own.fit());
        let fit = Closure::wrap(fit);
        if let Ok(observer) = ResizeObserver::new(fit.as_ref().unchecked_ref()) {
            observer.observe(&self.canvas);
        }
        // The canvas stays as long as its page.
        fit.forget();
    }

    /// Begins with a blank mask for a picture of this size.
    pub fn begin(&self, size: (u32, u32)) {
        {
            let mut state = self.state.borrow_mut();
            state.picture = size;
            state.edits = Edits::default();
            state.sheets.clear();
            state.size = usual_size(size.0.max(size.1));
            state.cursor = Place { x: f64::from(size.0) / 2.0, y: f64::from(size.1) / 2.0 };
            self.buttons.size.set_value(&state.size.to_string());
        }
        self.tell();
        self.fit();
    }

    fn fit(&self) {
        let Some(view) = self.view() else { return };
        let (width, height) = view.dots(window().device_pixel_ratio());
        if (self.canvas.width(), self.canvas.height()) != (width, height) {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
        self.redraw();
        self.soften();
    }

    /// How far the mask's edge is softened, in the picture's pixels.
    pub fn set_feather(&self, feather_px: f64) {
        self.state.borrow_mut().feather_px = feather_px;
        self.soften();
    }

    /// Shows the feather: the mask's edge as soft as it will be.
    fn soften(&self) {
        if let Some(view) = self.view() {
            let blur = view.shown_feather(self.state.borrow().feather_px);
            set_px(&self.canvas, "--feather", blur);
        }
    }

    fn redraw(&self) {
        let state = self.state.borrow();
        if let Some(context) = board(&self.canvas, state.picture.0) {
            draw(&context, state.edits.visible(), &state.sheet_canvases(), state.picture);
        }
    }

    fn view(&self) -> Option<View> {
        let shown = self.canvas.get_bounding_client_rect();
        let view = View {
            left: shown.left(),
            top: shown.top(),
            width: shown.width(),
            height: shown.height(),
            picture_width: self.state.borrow().picture.0,
        };
        view.is_seen().then_some(view)
    }

    /// A pointer comes down: a stroke begins.
    fn press(&self, event: &PointerEvent) {
        // A second finger is no second brush, and the other buttons of a mouse have other meanings.
        let is_eraser = event.buttons() & PEN_ERASER > 0;
        if !event.is_primary() || (event.button() > 0 && !is_eraser) {
            return;
        }
        let Some(view) = self.view() else { return };
        let _ = self.canvas.set_pointer_capture(event.pointer_id());
        let place = view.place(f64::from(event.client_x()), f64::from(event.client_y()));
        {
            let mut state = self.state.borrow_mut();
            let tool = if is_eraser { Tool::Eraser } else { state.tool };
            let stroke = Stroke::begin(tool, state.brush_width() / 2.0, place);
            self.show_line(&state, &stroke, place, place);
            state.stroke = Some(stroke);
        }
        self.show_ring(place);
    }

    /// The pointer moves: the stroke goes on, if there is one.
    fn drag(&self, event: &PointerEvent) {
        let Some(view) = self.view() else { return };
        let place =
            |event: &PointerEvent| view.place(f64::from(event.client_x()), f64::from(event.client_y()));
        self.show_ring(place(event));
        let mut state = self.state.borrow_mut();
        let Some(mut stroke) = state.stroke.take() else { return };
        for moved in moves(event) {
            let to = place(&moved);
            if let Some(from) = stroke.go_on(to) {
                self.show_line(&state, &stroke, from, to);
            }
        }
        state.stroke = Some(stroke);
    }

    fn show_line(&self, state: &State, stroke: &Stroke, from: Place, to: Place) {
        if let Some(context) = board(&self.canvas, state.picture.0) {
            draw_line(&context, stroke, from, to);
        }
    }

    /// The pointer is lifted: the stroke is done.
    fn lift(&self) {
        let stroke = self.state.borrow_mut().stroke.take();
        if let Some(stroke) = stroke {
            self.edit(Edit::Stroke(stroke));
        }
    }

    /// The pointer was taken for something else, such as zooming in with a second finger: there was no stroke.
    fn abandon(&self) {
        self.state.borrow_mut().stroke = None;
        self.redraw();
        self.ring.hide();
    }

    /// A key on the canvas: arrows move the brush, Space paints a dab.
    fn key(&self, event: &KeyboardEvent) {
        let key = event.key();
        let (place, moved, tool, width) = {
            let state = self.state.borrow();
            let width = state.brush_width();
            let moved = place_after_key(&key, state.cursor, width, state.picture);
            (state.cursor, moved, state.tool, width)
        };
        if let Some(moved) = moved {
            self.state.borrow_mut().cursor = moved;
            self.show_ring(moved);
        } else if key == " " {
            self.edit(Edit::Stroke(Stroke::begin(tool, width / 2.0, place)));
            self.redraw();
            let deed = if tool == Tool::Brush { "Painted" } else { "Erased" };
            self.buttons.say(&format!("{deed} at {}, {}", place.x.round() as u32, place.y.round() as u32));
        } else {
            return;
        }
        event.prevent_default();
    }

    /// A key anywhere in the fold: sizes of the brush, brush and eraser, undo and redo. In a text field it is text.
    pub fn shortcut(&self, event: &KeyboardEvent) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if target.is_some_and(|target| target.matches("input[type=text]").unwrap_or(false)) {
            return;
        }
        let (key, size) = (event.key(), self.state.borrow().size);
        let has_control = event.ctrl_key() || event.meta_key();
        match key.as_str() {
            "z" if has_control => self.deed("undo"),
            "Z" | "y" if has_control => self.deed("redo"),
            _ if has_control => return,
            "b" => self.deed("brush"),
            "e" => self.deed("eraser"),
            key => match size_after_key(key, size) {
                Some(size) => self.set_size(size),
                None => return,
            },
        }
        event.prevent_default();
    }

    fn click(&self, event: &Event) {
        if let Some(deed) = MaskButtons::pressed(event) {
            self.deed(&deed);
        }
    }

    /// What a button says in its `data-mask`.
    fn deed(&self, deed: &str) {
        let is_done = {
            let mut state = self.state.borrow_mut();
            match deed {
                "undo" => state.edits.undo(),
                "redo" => state.edits.redo(),
                "clear" if state.edits.is_blank() => false,
                "clear" => {
                    state.edits.push(Edit::Clear);
                    true
                }
                "invert" => {
                    state.edits.push(Edit::Invert);
                    true
                }
                _ => {
                    state.tool = if deed == "eraser" { Tool::Eraser } else { Tool::Brush };
                    true
                }
            }
        };
        if is_done {
            self.tell();
            self.redraw();
            self.buttons.say(match deed {
                "undo" => "Undone",
                "redo" => "Done again",
                "clear" => "Cleared: nothing is painted",
                "invert" => "Inverted: what was painted is kept, and the rest is made anew",
                "eraser" => "Eraser",
                _ => "Brush",
            });
        }
    }

    fn edit(&self, edit: Edit) {
        self.state.borrow_mut().edits.push(edit);
        self.tell();
    }

    fn tell(&self) {
        let state = self.state.borrow();
        self.buttons.tell(&state.edits, state.tool);
    }

    /// Puts a mask from a file in the place of what is there. Says whether the browser could read it.
    pub async fn lay(&self, mask: &Material) -> bool {
        let Ok(canvas) = read_mask(&mask.path, mask.size()).await else { return false };
        let number = {
            let mut state = self.state.borrow_mut();
            state.sheets.push(Sheet { id: mask.id.clone(), canvas });
            state.sheets.len() - 1
        };
        self.edit(Edit::Picture(number));
        self.redraw();
        self.buttons.say("The mask lies over the picture");
        true
    }

    /// The mask that is to go with a request.
    pub fn wanted(&self) -> Wanted {
        let state = self.state.borrow();
        if state.edits.is_blank() {
            return Wanted::Nothing;
        }
        match state.edits.untouched_picture() {
            Some(number) => Wanted::Known(state.sheets[number].id.clone()),
            None => Wanted::Painted,
        }
    }

    /// The mask as a file.
    pub async fn file(&self) -> Option<Blob> {
        let (edits, sheets, picture) = {
            let state = self.state.borrow();
            (state.edits.visible().to_vec(), state.sheet_canvases(), state.picture)
        };
        to_png(&edits, &sheets, picture).await.ok()
    }

    /// Takes the pointer while the mask's fold is open: until then a finger on the picture scrolls the page.
    pub fn set_painting(&self, is_painting: bool) {
        let _ = self.canvas.class_list().toggle_with_force("painting", is_painting);
        let _ = self.canvas.set_attribute("tabindex", if is_painting { "0" } else { "-1" });
    }

    /// Makes the brush finer or coarser.
    fn set_size(&self, size: u32) {
        let size = size.min(N_SIZES);
        self.state.borrow_mut().size = size;
        self.buttons.size.set_value(&size.to_string());
        if let Some(view) = self.view() {
            self.ring.resize(&view, self.state.borrow().brush_width());
        }
    }

    /// The keyboard is on the canvas: shows where the brush is.
    fn show_cursor(&self) {
        let cursor = self.state.borrow().cursor;
        self.show_ring(cursor);
    }

    fn show_ring(&self, place: Place) {
        if let Some(view) = self.view() {
            self.ring.show(&view, place, self.state.borrow().brush_width());
        }
    }
}

impl State {
    /// In the picture's pixels.
    fn brush_width(&self) -> f64 {
        width(self.size, self.picture.0.max(self.picture.1))
    }

    fn sheet_canvases(&self) -> Vec<HtmlCanvasElement> {
        self.sheets.iter().map(|sheet| sheet.canvas.clone()).collect()
    }
}

/// All moves since the last frame, so that a quick stroke has no corners. Only the last one where the browser does
/// not tell them, as where the page came over plain HTTP from another machine.
fn moves(event: &PointerEvent) -> Vec<PointerEvent> {
    let tells =
        js_sys::Reflect::get(event, &"getCoalescedEvents".into()).is_ok_and(|tell| tell.is_function());
    let all = if tells { event.get_coalesced_events() } else { js_sys::Array::new() };
    if all.length() == 0 {
        return vec![event.clone()];
    }
    all.iter().map(JsCast::unchecked_into).collect()
}
