//! A table for people, in Markdown.

use std::fmt::{Result, Write};

/// A Markdown table whose columns are as wide as they need to be, so that it can be read as it is.
#[derive(Clone, Debug)]
pub struct Table {
    titles: Vec<String>,
    /// The columns before this one are texts, the others figures.
    first_figure: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows, whose first columns are texts with these titles.
    #[must_use]
    pub fn new(texts: &[&str]) -> Self {
        Self {
            titles: texts.iter().map(|&title| title.to_owned()).collect(),
            first_figure: texts.len(),
            rows: Vec::new(),
        }
    }

    /// Adds a column of figures.
    pub fn figure_column(&mut self, title: &str) {
        self.titles.push(title.to_owned());
    }

    /// Adds a row, with a cell for every column.
    pub fn row(&mut self, cells: Vec<String>) {
        // In Markdown this would be the end of the cell.
        self.rows
            .push(cells.iter().map(|cell| cell.replace('|', "\\|")).collect());
    }

    /// Writes the table.
    ///
    /// # Errors
    ///
    /// Those of the text that it is written to; a string has none.
    pub fn write(&self, out: &mut String) -> Result {
        let lines = || std::iter::once(&self.titles).chain(&self.rows);
        let width = |column: usize| {
            let cells = lines().filter_map(|cells| cells.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.titles.len()).map(width).collect();
        let is_figure = |column: usize| column >= self.first_figure;
        for (index, cells) in lines().enumerate() {
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                if is_figure(column) {
                    write!(out, "| {cell:>width$} ")?;
                } else {
                    write!(out, "| {cell:<width$} ")?;
                }
            }
            writeln!(out, "|")?;
            if index > 0 {
                continue;
            }
            for (column, width) in widths.iter().enumerate() {
                let end = if is_figure(column) { ':' } else { '-' };
                write!(out, "|{}{end}", "-".repeat(width + 1))?;
            }
            writeln!(out, "|")?;
        }
        Ok(())
    }
}
