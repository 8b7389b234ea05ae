//! The text of source lines.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use loader::display::in_standard_library;
use program_build::dependencies;
use program_build::package::ProgramPackage;
use program_build::toolchain;

/// Longest source file that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// Finds source files by their names in debug information, which have no paths of a computer.
#[derive(Debug, Default)]
pub struct Sources {
    package: PathBuf,
    /// Folders that a name may be relative to.
    roots: Vec<PathBuf>,
    /// The packages outside of the workspace, by the names that the compiler gives their folders.
    foreign: Vec<(String, PathBuf)>,
    /// The compiler's own sources.
    library: Option<PathBuf>,
    files: HashMap<String, Option<File>>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    is_own: bool,
    lines: Vec<String>,
}

impl Sources {
    /// The sources of a package and of its dependencies.
    #[must_use]
    pub fn of(package: &ProgramPackage) -> Self {
        let mut roots: Vec<PathBuf> = package.folder.ancestors().map(Path::to_owned).collect();
        roots.extend(toolchain::registry_sources());
        Self {
            package: package.folder.clone(),
            roots,
            foreign: dependencies::foreign_folders(package),
            library: toolchain::library_sources(&package.folder),
            files: HashMap::new(),
        }
    }

    /// No sources, for a blob: it may name any file.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Whether the sources of a package are known.
    #[must_use]
    pub fn are_known(&self) -> bool {
        !self.roots.is_empty()
    }

    /// The text of a line, if its file can be read.
    pub fn line(&mut self, file: &str, line: u32) -> Option<&str> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        self.file(file)?.lines.get(index).map(|text| text.trim())
    }

    /// The path and the lines of a file, if it can be read.
    pub fn text(&mut self, file: &str) -> Option<(&Path, &[String])> {
        let file = self.file(file)?;
        Some((&file.path, &file.lines))
    }

    /// Whether a file is one of the package's own.
    pub fn is_own(&mut self, file: &str) -> bool {
        self.file(file).is_some_and(|file| file.is_own)
    }

    fn file(&mut self, name: &str) -> Option<&File> {
        if !self.files.contains_key(name) {
            let found = self.find(name).and_then(|path| {
                let is_short = fs::metadata(&path).ok()?.len() <= MAX_FILE;
                let text = is_short.then(|| fs::read(&path).ok())??;
                let text = String::from_utf8_lossy(&text);
                Some(File {
                    path: path.clone(),
                    is_own: path.starts_with(&self.package),
                    lines: text.lines().map(str::to_owned).collect(),
                })
            });
            self.files.insert(name.to_owned(), found);
        }
        self.files.get(name)?.as_ref()
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        if let Some(path) = in_standard_library(name) {
            let path = self.library.as_ref()?.join(plain(path)?);
            return path.is_file().then_some(path);
        }
        let relative = plain(name.trim_start_matches("./"))?;
        let foreign = self.foreign.iter().find_map(|(name, folder)| {
            let path = folder.join(relative.strip_prefix(name).ok()?);
            path.is_file().then_some(path)
        });
        if foreign.is_some() {
            return foreign;
        }
        let mut candidates = self.roots.iter().map(|root| root.join(relative));
        candidates.find(|path| path.is_file())
    }
}

/// A relative path that stays in its folder.
fn plain(path: &str) -> Option<&Path> {
    let path = Path::new(path);
    path.components()
        .all(|component| matches!(component, Component::Normal(_)))
        .then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folders() {
        for path in ["../x", "/etc/passwd", "a/../../b", "./x", ".."] {
            assert_eq!(plain(path), None, "{path}");
        }
        assert_eq!(plain("a/b.rs"), Some(Path::new("a/b.rs")));
        assert_eq!(Sources::unknown().line("Cargo.toml", 1), None);
    }

    #[test]
    fn line_is_found_by_its_debug_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = Sources {
            package: folder.to_owned(),
            roots: folder.ancestors().map(Path::to_owned).collect(),
            foreign: vec![("outside-0.1.0".to_owned(), folder.to_owned())],
            library: None,
            files: HashMap::new(),
        };
        let name = "./cargo-entrypoint/src/profile/sources.rs";
        assert_eq!(sources.line(name, 1), Some("//! The text of source lines."));
        assert!(sources.is_own(name));
        assert_eq!(sources.line(name, 0), None);
        assert_eq!(sources.line(name, 1_000_000), None);
        assert!(sources.line("./loader/src/lib.rs", 1).is_some());
        assert!(!sources.is_own("./loader/src/lib.rs"));
        assert!(sources.line("outside-0.1.0/src/lib.rs", 1).is_some());
        assert_eq!(sources.line("outside-0.1.0/src/no.rs", 1), None);
        assert_eq!(sources.line("/rustc/0/library/core/src/lib.rs", 1), None);
    }
}
