//! Brings the fold of the start picture to life: what the server rendered, `components/start_picture.rs`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::html::P;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{
    ClipboardEvent, DragEvent, Element, File, FileList, HtmlDetailsElement, HtmlFormElement, HtmlInputElement,
};

use super::alive::mark_alive;
use super::dom::{by_id, is_open, listen, say, show};
use super::mask_board::{MaskBoard, Wanted};
use super::outpaint::draw_frame;
use super::picture_upload::upload;
use super::start_view::show_start;
use crate::material::{Material, size_fault};

/// The fold's own words, read to a screen reader; everything else is there already.
#[island]
pub(crate) fn StartPicture(
    /// The picture that the form was rendered with.
    start: Option<Material>,
    /// The mask over it.
    mask: Option<Material>,
) -> impl IntoView {
    let said = NodeRef::<P>::new();
    let first = StoredValue::new((start, mask));
    Effect::new(move || {
        let Some(said) = said.get() else { return };
        let (start, mask) = first.try_update_value(std::mem::take).unwrap_or_default();
        if let Some(fold) = StartFold::find(&said) {
            Rc::new(fold).wake(start, mask);
        }
        mark_alive(&said);
    });
    view! { <p class="visually-hidden" role="status" node_ref=said></p> }
}

/// The fold's parts, and what is going on in it.
struct StartFold {
    form: HtmlFormElement,
    fold: HtmlDetailsElement,
    file: HtmlInputElement,
    error: Element,
    sending: Element,
    mask_error: Element,
    /// Carry the names of picture and mask in the form.
    keep_start: HtmlInputElement,
    keep_mask: HtmlInputElement,
    said: Element,
    board: Rc<MaskBoard>,
    picture: RefCell<Option<Material>>,
    /// Counts pictures, so that one that was slow does not take the place of a later one.
    n_chosen: Cell<u32>,
    /// Uploads on their way.
    n_sending: Cell<u32>,
    /// Whether the form goes once everything is sent.
    then_submit: Cell<bool>,
    /// Whether everything is sent.
    is_ready: Cell<bool>,
}

impl StartFold {
    fn find(said: &Element) -> Option<Self> {
        Some(Self {
            form: said.closest("form").ok()??.dyn_into().ok()?,
            fold: by_id("start-picture")?,
            file: by_id("start_file")?,
            error: by_id("start-error")?,
            sending: by_id("start-sending")?,
            mask_error: by_id("mask-error")?,
            keep_start: by_id("keep-start")?,
            keep_mask: by_id("keep-mask")?,
            said: said.clone(),
            board: MaskBoard::find(said.clone())?,
            picture: RefCell::new(None),
            n_chosen: Cell::new(0),
            n_sending: Cell::new(0),
            then_submit: Cell::new(false),
            is_ready: Cell::new(false),
        })
    }

    fn wake(self: Rc<Self>, start: Option<Material>, mask: Option<Material>) {
        let own = || Rc::clone(&self);
        // Pictures are sent as soon as they are chosen, and not once more with the form.
        let _ = self.file.remove_attribute("name");
        let fold = own();
        listen(&self.file, "change", move |_| fold.choose());
        if let Some(inside) = by_id::<Element>("start-fold") {
            let fold = own();
            listen(&inside, "dragover", |event| event.prevent_default());
            listen(&inside, "drop", move |event| fold.drop_in(event.unchecked_ref()));
            let fold = own();
            listen(&inside, "keydown", move |event| {
                if fold.picture.borrow().is_some() && is_open("mask") {
                    fold.board.shortcut(event.unchecked_ref());
                }
            });
            let fold = own();
            listen(&inside, "input", move |_| fold.follow_numbers());
        }
        let fold = own();
        listen(&window(), "paste", move |event| fold.paste(event.unchecked_ref()));
        let fold = own();
        listen(&self.form, "submit", move |event| fold.submit(&event));
        if let Some(remove) = by_id::<Element>("remove-start") {
            let fold = own();
            listen(&remove, "click", move |_| fold.remove());
        }
        if let Some(mask_fold) = by_id::<Element>("mask") {
            let fold = own();
            listen(&mask_fold, "toggle", move |_| fold.board.set_painting(is_open("mask")));
        }
        if let Some(mask_file) = by_id::<HtmlInputElement>("mask_file") {
            let _ = mask_file.remove_attribute("name");
            let (fold, field) = (own(), mask_file.clone());
            listen(&mask_file, "change", move |_| Rc::clone(&fold).choose_mask(&field));
        }
        self.board.wake();
        self.board.set_painting(is_open("mask"));
        self.set_picture(start);
        self.follow_numbers();
        if let Some(mask) = mask {
            self.lay(mask);
        }
    }

    fn set_picture(&self, picture: Option<Material>) {
        show_start(picture.as_ref());
        self.keep_start.set_checked(picture.is_some());
        self.keep_mask.set_checked(false);
        if let Some(picture) = &picture {
            self.keep_start.set_value(&picture.id);
            self.board.begin(picture.size());
        }
        self.picture.replace(picture);
    }

    fn follow_numbers(&self) {
        let feather: Option<HtmlInputElement> = by_id("mask_feather");
        if let Some(feather) = feather {
            let (typed, usual) = (feather.value(), feather.placeholder());
            let text = if typed.trim().is_empty() { usual } else { typed };
            self.board.set_feather(f64::from(text.trim().parse::<u32>().unwrap_or(0)));
        }
        draw_frame(self.picture.borrow().as_ref());
    }

    fn choose(self: &Rc<Self>) {
        if !self.take(self.file.files()) {
            say(&self.error, "This is no picture; choose a PNG, JPEG or WebP file.");
        }
        // The same file may be chosen again after it was changed or removed.
        self.file.set_value("");
    }

    fn drop_in(self: &Rc<Self>, event: &DragEvent) {
        event.prevent_default();
        if !self.take(event.data_transfer().and_then(|data| data.files())) {
            say(&self.error, "This is no picture; drop a PNG, JPEG or WebP file.");
        }
    }

    /// A picture is pasted anywhere on the page; text goes where text goes.
    fn paste(self: &Rc<Self>, event: &ClipboardEvent) {
        if self.take(event.clipboard_data().and_then(|data| data.files())) {
            event.prevent_default();
            self.fold.set_open(true);
        }
    }

    /// Sends the first picture of some files. Says whether there was one.
    fn take(self: &Rc<Self>, files: Option<FileList>) -> bool {
        let Some(file) = first_picture(files) else { return false };
        let number = self.n_chosen.get() + 1;
        self.n_chosen.set(number);
        say(&self.error, "");
        self.begin_sending();
        let own = Rc::clone(self);
        spawn_local(async move {
            let sent = upload(&file).await;
            let is_latest = own.n_chosen.get() == number;
            let fault = match sent {
                Ok(picture) if is_latest => {
                    own.said.set_text_content(Some("The start picture is there"));
                    own.set_picture(Some(picture));
                    None
                }
                Err(fault) if is_latest => Some(fault),
                _ => None,
            };
            own.end_sending(&own.error, fault);
        });
        true
    }

    fn remove(&self) {
        self.n_chosen.set(self.n_chosen.get() + 1);
        say(&self.error, "");
        self.set_picture(None);
        self.said.set_text_content(Some("The start picture was removed"));
        // The button went away with the picture.
        let _ = self.file.focus();
    }

    /// A mask that was made elsewhere.
    fn choose_mask(self: Rc<Self>, mask_file: &HtmlInputElement) {
        let file = first_picture(mask_file.files());
        // The same file may be chosen again after it was mended.
        mask_file.set_value("");
        let (Some(file), Some(size)) = (file, self.picture.borrow().as_ref().map(Material::size)) else {
            say(&self.mask_error, "This is no picture; choose a PNG, JPEG or WebP file.");
            return;
        };
        say(&self.mask_error, "");
        self.begin_sending();
        spawn_local(async move {
            let fault = match upload(&file).await {
                Err(fault) => Some(fault),
                Ok(mask) => match size_fault(&mask, size) {
                    None if self.board.lay(&mask).await => None,
                    None => Some("The browser cannot show this mask.".to_owned()),
                    fault => fault,
                },
            };
            self.end_sending(&self.mask_error, fault);
        });
    }

    /// Lays the mask that the form was rendered with over the picture.
    fn lay(self: &Rc<Self>, mask: Material) {
        self.begin_sending();
        let own = Rc::clone(self);
        spawn_local(async move {
            let is_laid = own.board.lay(&mask).await;
            let fault = (!is_laid).then(|| "The mask cannot be shown; paint it anew.".to_owned());
            own.end_sending(&own.mask_error, fault);
        });
    }

    fn begin_sending(&self) {
        self.n_sending.set(self.n_sending.get() + 1);
        show(&self.sending, true);
    }

    /// What was on its way is there, or came to nothing: the form may go, if it waited and nothing is wrong.
    fn end_sending(self: &Rc<Self>, error: &Element, fault: Option<String>) {
        self.n_sending.set(self.n_sending.get() - 1);
        show(&self.sending, self.n_sending.get() > 0);
        if let Some(fault) = fault {
            self.fail(error, &fault);
        } else if self.then_submit.get() && self.n_sending.get() == 0 {
            self.send_mask();
        }
    }

    fn fail(&self, error: &Element, fault: &str) {
        self.then_submit.set(false);
        say(error, fault);
        self.fold.set_open(true);
    }

    /// Before the form goes to the server, the mask does.
    fn submit(self: &Rc<Self>, event: &web_sys::Event) {
        let has_material = self.picture.borrow().is_some() || self.n_sending.get() > 0;
        if self.is_ready.take() || !has_material {
            return;
        }
        event.prevent_default();
        // It is not sent yet, whatever listens further up.
        event.stop_propagation();
        if !self.then_submit.replace(true) && self.n_sending.get() == 0 {
            self.send_mask();
        }
    }

    fn send_mask(self: &Rc<Self>) {
        let own = Rc::clone(self);
        spawn_local(async move {
            match own.mask_name().await {
                Ok(name) => {
                    own.keep_mask.set_checked(name.is_some());
                    own.keep_mask.set_value(&name.unwrap_or_default());
                    // A form that is just telling that it is submitted does not submit itself once more.
                    set_timeout(move || own.send_form(), Duration::ZERO);
                }
                Err(fault) => own.fail(&own.mask_error, &fault),
            }
        });
    }

    fn send_form(&self) {
        self.then_submit.set(false);
        self.is_ready.set(true);
        let _ = self.form.request_submit();
    }

    /// The name of the mask as it is now, if there is one.
    async fn mask_name(&self) -> Result<Option<String>, String> {
        match self.board.wanted() {
            Wanted::Nothing => Ok(None),
            Wanted::Known(name) => Ok(Some(name)),
            Wanted::Painted => {
                let file = self.board.file().await;
                let file = file.ok_or_else(|| "The browser could not make a file of the mask.".to_owned())?;
                upload(&file).await.map(|mask| Some(mask.id))
            }
        }
    }
}

fn first_picture(files: Option<FileList>) -> Option<File> {
    let files = files?;
    let mut files = (0..files.length()).filter_map(|at| files.get(at));
    files.find(|file| file.type_().starts_with("image/"))
}
