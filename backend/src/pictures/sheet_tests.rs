use super::*;
use types::sampler::Sampler;

fn grid(rows: Option<GridAxis>, sheets: Option<GridAxis>) -> Grid {
    Grid { columns: GridAxis::Sampler(vec![Sampler::Euler, Sampler::Ddim]), rows, sheets }
}

/// A cell's place, and its picture in one colour.
fn colour(index: u32) -> Rgb<u8> {
    Rgb([100 + index as u8, 200, 50])
}

fn filled(grid: &Grid, size: (u32, u32)) -> (RgbImage, Layout) {
    let mut sheet = Sheet::new(grid, size).unwrap();
    for index in 0..grid.n_cells() {
        sheet.place(grid, index, &RgbImage::from_pixel(size.0, size.1, colour(index)));
    }
    let layout = sheet.layout.clone();
    (sheet.into_image(), layout)
}

/// Pixels of a place that are another colour than the sheet.
fn n_written(image: &RgbImage, place: Rect) -> usize {
    let columns = place.x..place.x + place.width;
    let all = columns.flat_map(|x| (place.y..place.y + place.height).map(move |y| (x, y)));
    all.filter(|(x, y)| *image.get_pixel(*x, *y) != GROUND).count()
}

#[test]
fn every_cell_stands_in_its_column_row_and_block() {
    let grid = grid(Some(GridAxis::Steps(vec![5, 10, 20])), Some(GridAxis::Seed(vec![1, 2])));
    let (image, layout) = filled(&grid, (160, 96));
    for index in 0..12 {
        let Rect { x, y, width, height } = layout.cell_of(grid.place_of(index));
        assert_eq!((width, height), (160, 96), "nothing is made smaller without need");
        for (x, y) in [(x, y), (x + width - 1, y + height - 1), (x + width / 2, y + height / 2)] {
            assert_eq!(*image.get_pixel(x, y), colour(index), "cell {index}");
        }
    }
    let (first, right, below) =
        (layout.cell_of([0, 0, 0]), layout.cell_of([1, 0, 0]), layout.cell_of([0, 1, 0]));
    assert!(right.x > first.x + first.width && right.y == first.y);
    assert!(below.y > first.y + first.height && below.x == first.x);
}

#[test]
fn labels_stand_above_and_at_the_left_and_over_each_block() {
    let grid = grid(Some(GridAxis::Steps(vec![5, 10])), Some(GridAxis::Seed(vec![1, 2])));
    let (image, layout) = filled(&grid, (256, 256));
    for block in 0..2 {
        assert!(n_written(&image, layout.block_label(block)) > 40, "block {block}");
        for at in 0..2 {
            assert!(n_written(&image, layout.column_label(block, at)) > 40, "column {at} of block {block}");
            assert!(n_written(&image, layout.row_label(block, at)) > 40, "row {at} of block {block}");
        }
    }
    let corner = Rect { x: 0, y: 0, width: image.width(), height: layout.text };
    assert_eq!(n_written(&image, corner), 0, "the margin is empty");
}

#[test]
fn labels_that_differ_look_different() {
    let (image, layout) = filled(&grid(None, None), (256, 256));
    let [left, right] = [0, 1].map(|column| n_written(&image, layout.column_label(0, column)));
    assert_ne!(left, right, "Euler is not DDIM");
}

#[test]
fn blocks_that_are_wide_stand_below_each_other_and_tall_ones_side_by_side() {
    let seeds = || Some(GridAxis::Seed(vec![1, 2]));
    let (wide, _) = filled(&grid(None, seeds()), (256, 128));
    assert!(wide.height() > 2 * 128 && wide.width() < 3 * 256, "{:?}", wide.dimensions());
    let (tall, _) = filled(&grid(Some(GridAxis::Steps(vec![1, 2, 3, 4])), seeds()), (128, 256));
    assert!(tall.width() > 4 * 128 && tall.height() < 5 * 256 + 256, "{:?}", tall.dimensions());
}

#[test]
fn no_side_of_a_sheet_is_longer_than_8192_pixels_and_cells_keep_their_shape() {
    let axis = |n: u64| GridAxis::Seed((0..n).collect());
    for (columns, rows, sheets) in
        [(axis(64), None, None), (axis(8), Some(axis(8)), None), (axis(1), Some(axis(1)), Some(axis(64)))]
    {
        let grid = Grid { columns, rows, sheets };
        let sheet = Sheet::new(&grid, (1024, 512)).unwrap();
        let Rect { width, height, .. } = sheet.layout.cell_of([0, 0, 0]);
        assert!(width.abs_diff(2 * height) <= 1, "{width}x{height}");
        let (width, height) = sheet.image.dimensions();
        assert!((6_000..=8_192).contains(&width.max(height)), "{width}x{height}");
    }
}

#[test]
fn a_long_label_is_cut_and_its_place_is_kept_to() {
    let lettering = Lettering::new().unwrap();
    let long = "a red sailing boat on a calm sea at sunset";
    let cut = lettering.shortened(long, 16, 100);
    assert!(cut.ends_with('…') && long.starts_with(cut.trim_end_matches('…')), "{cut}");
    assert!(lettering.width(&cut, 16) <= 100 && cut.chars().count() > 5, "{cut}");
    assert_eq!(lettering.shortened("Euler", 16, 100), "Euler");
    assert_eq!(lettering.shortened("Euler", 16, 2), "");

    let words = GridAxis::PromptPart(vec![long.into(), "x".repeat(2_000)]);
    let (_, layout) = filled(&grid(Some(words), None), (256, 256));
    assert_eq!(layout.row_label(0, 0).width, 8 * layout.text);
}

#[test]
fn letters_of_other_alphabets_are_written_and_unknown_ones_have_a_box() {
    let lettering = Lettering::new().unwrap();
    let written = |text: &str| {
        let mut image = RgbImage::from_pixel(64, 32, GROUND);
        let place = Rect { x: 0, y: 0, width: 64, height: 32 };
        lettering.write(&mut image, text, place, 16);
        n_written(&image, place)
    };
    for text in ["é", "ß", "Ж", "λ", "夕"] {
        assert!(written(text) > 10, "{text}");
    }
    assert_eq!(written(" "), 0);
}

#[test]
fn a_missing_picture_leaves_its_place_blank() {
    let grid = grid(None, None);
    let mut sheet = Sheet::new(&grid, (64, 64)).unwrap();
    sheet.place(&grid, 0, &RgbImage::from_pixel(64, 64, colour(0)));
    let Rect { x, y, .. } = sheet.layout.cell_of([1, 0, 0]);
    assert_eq!(*sheet.into_image().get_pixel(x + 5, y + 5), BLANK);
}
