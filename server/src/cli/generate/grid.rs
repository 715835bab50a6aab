//! A grid on the command line.

use backend::Engine;
use backend::engine::Made;
use backend::pictures::{PictureError, Sheet};
use types::error::PublicError;
use types::request::{GenerationRequest, RawGrid, RawGridAxis};

/// Reads one axis, as in `steps=5,10,20`. A value with a comma in it stands in quotation marks.
pub fn parse_axis(text: &str) -> Result<RawGridAxis, String> {
    let (field, values) =
        text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`; write it as `steps=5,10,20`"))?;
    Ok(RawGridAxis::typed(field, values))
}

/// A grid has columns, rows and sheets, and nothing beyond.
pub fn check_axes(axes: &[RawGridAxis]) -> Result<(), PublicError> {
    if axes.len() <= RawGrid::FIELDS.len() {
        return Ok(());
    }
    let sentence = format!(
        "a grid over {} settings is not possible; at most {} are allowed",
        axes.len(),
        RawGrid::FIELDS.len()
    );
    Err(PublicError::invalid_field("grid", sentence))
}

/// The grid of these axes: columns, rows, sheets. None without any.
pub fn grid_of(axes: Vec<RawGridAxis>) -> Option<RawGrid> {
    let mut axes = axes.into_iter();
    Some(RawGrid { columns: axes.next()?, rows: axes.next(), sheets: axes.next() })
}

/// How many pictures are made together, at most. The cells of a grid differ in what a batch has in common.
pub fn n_together(engine: &dyn Engine, request: &GenerationRequest) -> u32 {
    if request.grid.is_some() { 1 } else { engine.n_together(request) }
}

/// The sheet of a request that has a grid, while its cells are made.
pub struct Sheets(Option<Sheet>);

impl Sheets {
    /// The sheet without its cells.
    ///
    /// # Errors
    /// The program's own font cannot be read.
    pub fn new(request: &GenerationRequest) -> Result<Self, PictureError> {
        let sheet = request.grid.as_ref().map(|grid| Sheet::new(grid, request.picture_size()));
        Ok(Self(sheet.transpose()?))
    }

    /// Puts a cell in its place.
    pub fn place(&mut self, request: &GenerationRequest, index: u32, made: &Made) {
        if let (Some(sheet), Some(grid)) = (&mut self.0, &request.grid) {
            sheet.place(grid, index, &made.image);
        }
    }

    /// The sheet, if that is what picture `index` is.
    pub fn finished(&mut self, request: &GenerationRequest, index: u32) -> Option<Made> {
        let sheet = self.0.take_if(|_| request.is_sheet(index))?;
        Some(Made { image: sheet.into_image(), notes: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_a_setting_and_its_values() {
        let axis = parse_axis("prompt_part=red,\"blue, deep\"").unwrap();
        assert_eq!((axis.field.as_str(), axis.list().as_str()), ("prompt_part", "red, \"blue, deep\""));
        assert_eq!(parse_axis("steps").unwrap_err(), "`steps` has no `=`; write it as `steps=5,10,20`");
    }

    #[test]
    fn three_settings_are_the_most() {
        let axes = vec![parse_axis("steps=5").unwrap(); 4];
        assert!(check_axes(&axes[..3]).is_ok());
        assert_eq!(
            check_axes(&axes).unwrap_err().message,
            "a grid over 4 settings is not possible; at most 3 are allowed"
        );
        assert_eq!(grid_of(axes).unwrap().axes().into_iter().flatten().count(), 3);
        assert_eq!(grid_of(Vec::new()), None);
    }
}
