//! Tables on the terminal.

/// Rows under each other, every column as wide as its widest cell.
pub fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows =
            [["NAME", "STATE"], ["demo", "ready"], ["größer", "broken"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "NAME    STATE\ndemo    ready\ngrößer  broken\n");
    }
}
