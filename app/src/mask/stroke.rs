//! What a brush leaves behind.

/// A place on the picture, in its pixels from the upper left corner. May lie beside the picture: a stroke may
/// begin there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

impl Place {
    /// Pixels between two places.
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// What a stroke does to the mask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tool {
    /// Adds to what is painted anew.
    #[default]
    Brush,
    /// Takes away from it.
    Eraser,
}

/// A line of round dabs.
#[derive(Debug, Clone, PartialEq)]
pub struct Stroke {
    /// What it does.
    pub tool: Tool,
    /// Half the brush's width, in the picture's pixels.
    pub radius: f64,
    /// Where it went; never empty.
    pub places: Vec<Place>,
}

/// A pointer tells of every move; of those nearer than this part of the radius nobody sees anything.
const SHORTEST_MOVE: f64 = 0.1;

impl Stroke {
    /// A stroke that has just begun: one dab.
    pub fn begin(tool: Tool, radius: f64, place: Place) -> Self {
        Self { tool, radius, places: vec![place] }
    }

    /// Where it is now.
    pub fn end(&self) -> Place {
        self.places[self.places.len() - 1]
    }

    /// Goes on to a place, and says where from; nothing if that is too near to be seen.
    pub fn go_on(&mut self, to: Place) -> Option<Place> {
        let from = self.end();
        if from.distance(to) < self.radius * SHORTEST_MOVE {
            return None;
        }
        self.places.push(to);
        Some(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_keeps_the_moves_that_can_be_seen() {
        let mut stroke = Stroke::begin(Tool::Brush, 20.0, Place { x: 0.0, y: 0.0 });
        assert_eq!(stroke.go_on(Place { x: 1.0, y: 1.0 }), None);
        assert_eq!(stroke.go_on(Place { x: 3.0, y: 0.0 }), Some(Place { x: 0.0, y: 0.0 }));
        assert_eq!(stroke.go_on(Place { x: 3.0, y: 40.0 }), Some(Place { x: 3.0, y: 0.0 }));
        assert_eq!(stroke.places.len(), 3);
        assert_eq!(stroke.end(), Place { x: 3.0, y: 40.0 });
    }

    #[test]
    fn many_small_moves_add_up_to_one_that_is_kept() {
        let mut stroke = Stroke::begin(Tool::Eraser, 30.0, Place { x: 0.0, y: 0.0 });
        for step in 1..=10 {
            stroke.go_on(Place { x: f64::from(step), y: 0.0 });
        }
        assert!(stroke.end().x >= 8.0, "the stroke ends at {}", stroke.end().x);
        assert!(stroke.places.len() < 6);
    }
}
