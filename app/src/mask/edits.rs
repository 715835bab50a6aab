//! Everything that was done to a mask, with the way back.

use super::stroke::{Stroke, Tool};

/// One thing that was done to a mask.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// A stroke of the brush or of the eraser.
    Stroke(Stroke),
    /// What was painted is not any more, and the rest is.
    Invert,
    /// Nothing is painted any more.
    Clear,
    /// A mask that was read from a file, by its number, took the place of all that was there.
    Picture(usize),
}

impl Edit {
    /// Whether nothing of what was done before is left to be seen.
    fn covers_all(&self) -> bool {
        matches!(self, Self::Clear | Self::Picture(_))
    }

    /// Whether something may be painted after it that was not before.
    fn paints(&self) -> bool {
        match self {
            Self::Stroke(stroke) => stroke.tool == Tool::Brush,
            Self::Invert | Self::Picture(_) => true,
            Self::Clear => false,
        }
    }
}

/// What was done, in order, and what was taken back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edits {
    done: Vec<Edit>,
    undone: Vec<Edit>,
}

impl Edits {
    /// Does one more thing. What was taken back before is forgotten.
    pub fn push(&mut self, edit: Edit) {
        self.undone.clear();
        self.done.push(edit);
    }

    /// Takes the last thing back. Says whether there was one.
    pub fn undo(&mut self) -> bool {
        let last = self.done.pop();
        let was_one = last.is_some();
        self.undone.extend(last);
        was_one
    }

    /// Does again what was taken back last. Says whether there was such a thing.
    pub fn redo(&mut self) -> bool {
        let last = self.undone.pop();
        let was_one = last.is_some();
        self.done.extend(last);
        was_one
    }

    /// Whether there is something to take back.
    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether there is something to do again.
    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    /// What has to be drawn to see the mask: everything since the last thing that covered all.
    pub fn visible(&self) -> &[Edit] {
        let first = self.done.iter().rposition(Edit::covers_all).unwrap_or(0);
        &self.done[first..]
    }

    /// Whether certainly nothing is painted.
    pub fn is_blank(&self) -> bool {
        !self.visible().iter().any(Edit::paints)
    }

    /// The number of the mask that was read from a file, if it is all there is: then the file says it already.
    pub fn untouched_picture(&self) -> Option<usize> {
        match self.visible() {
            [Edit::Picture(number)] => Some(*number),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::stroke::Place;

    fn stroke(tool: Tool) -> Edit {
        Edit::Stroke(Stroke::begin(tool, 4.0, Place { x: 1.0, y: 2.0 }))
    }

    fn done(edits: impl IntoIterator<Item = Edit>) -> Edits {
        let mut all = Edits::default();
        edits.into_iter().for_each(|edit| all.push(edit));
        all
    }

    #[test]
    fn undo_and_redo_walk_back_and_forth() {
        let mut edits = done([stroke(Tool::Brush), Edit::Invert]);
        assert!(edits.undo());
        assert_eq!(edits.visible(), [stroke(Tool::Brush)]);
        assert!(edits.undo());
        assert!(!edits.can_undo());
        assert!(!edits.undo());
        assert!(edits.redo());
        assert!(edits.redo());
        assert!(!edits.redo());
        assert_eq!(edits.visible(), [stroke(Tool::Brush), Edit::Invert]);
    }

    #[test]
    fn what_was_taken_back_is_forgotten_once_something_else_is_done() {
        let mut edits = done([stroke(Tool::Brush), Edit::Invert]);
        edits.undo();
        edits.push(stroke(Tool::Eraser));
        assert!(!edits.can_redo());
        assert_eq!(edits.visible(), [stroke(Tool::Brush), stroke(Tool::Eraser)]);
    }

    #[test]
    fn clear_can_be_taken_back_and_hides_what_was_before() {
        let mut edits = done([stroke(Tool::Brush), Edit::Clear]);
        assert!(edits.is_blank());
        assert_eq!(edits.visible(), [Edit::Clear]);
        edits.undo();
        assert!(!edits.is_blank());
        assert_eq!(edits.visible(), [stroke(Tool::Brush)]);
    }

    #[test]
    fn a_mask_is_blank_until_something_is_painted_or_inverted() {
        assert!(Edits::default().is_blank());
        assert!(done([stroke(Tool::Eraser)]).is_blank());
        assert!(!done([stroke(Tool::Brush)]).is_blank());
        assert!(!done([Edit::Clear, Edit::Invert]).is_blank());
        assert!(done([Edit::Picture(0), Edit::Clear]).is_blank());
    }

    #[test]
    fn a_mask_from_a_file_is_known_as_long_as_nobody_paints_on_it() {
        let mut edits = done([stroke(Tool::Brush), Edit::Picture(2)]);
        assert_eq!(edits.untouched_picture(), Some(2));
        edits.push(stroke(Tool::Eraser));
        assert_eq!(edits.untouched_picture(), None);
        edits.undo();
        assert_eq!(edits.untouched_picture(), Some(2));
        assert_eq!(Edits::default().untouched_picture(), None);
    }
}
