//! The program that a profile is compared with: a file, or a commit.
//!
//! The files of a commit go to a folder of their own in the target folder, by way of an index of
//! their own. So git changes neither the author's files nor anything in its repository.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use program_build::files;
use program_build::guest::{self, DebugInfo};
use program_build::package::{Program, ProgramPackage};

/// How much of a commit's hash is shown.
const SHOWN_HASH: usize = 10;

/// The program to compare with.
pub struct Old {
    /// What it is, for people.
    pub name: String,
    pub blob: Vec<u8>,
}

impl Old {
    /// Reads the file with this path, or builds the commit with this name.
    ///
    /// # Errors
    ///
    /// If there is neither, or the program does not compile.
    pub fn read(program: &Program, old: &str) -> Result<Self> {
        if Path::new(old).is_file() {
            let blob = files::read_program(Path::new(old))?;
            let name = old.to_owned();
            return Ok(Self { name, blob });
        }
        match program {
            Program::Package(package) => Commit::find(package, old)?.build(package),
            Program::Blob(blob) => bail!(
                "{old} is not a file; a commit can be compared with a crate only, and {} is a file",
                blob.display()
            ),
        }
    }
}

/// A commit of a package's repository.
struct Commit {
    /// As the user names it.
    name: String,
    hash: String,
    /// The first line of its message.
    subject: String,
    /// The folder of the repository's files.
    repository: PathBuf,
    /// The package's folder in it.
    package: PathBuf,
}

impl Commit {
    fn find(package: &ProgramPackage, name: &str) -> Result<Self> {
        let folder = &package.folder;
        let repository = git(folder, &["rev-parse", "--show-toplevel"]).with_context(|| {
            format!("{name} is not a file, and a commit needs a git repository")
        })?;
        let commit = format!("{name}^{{commit}}");
        let words = ["rev-parse", "--verify", "--end-of-options", &commit];
        let hash = git(folder, &words)
            .with_context(|| format!("{name} is neither a file nor a commit of {repository}"))?;
        let inside = git(folder, &["rev-parse", "--show-prefix"])?;
        let subject = git(folder, &["log", "--max-count=1", "--format=%s", &hash])?;
        Ok(Self {
            name: name.to_owned(),
            hash,
            subject,
            repository: repository.into(),
            package: inside.into(),
        })
    }

    /// The commit for people.
    fn title(&self) -> String {
        let hash = &self.hash[..self.hash.len().min(SHOWN_HASH)];
        format!("{} ({hash} {})", self.name, self.subject)
    }

    fn build(&self, package: &ProgramPackage) -> Result<Old> {
        let title = self.title();
        let folder = package.target_folder.join("diff");
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
        let lock = folder.join("lock");
        // Two commands would write the same files. Dropping the file releases the lock.
        let lock = File::create(&lock)
            .and_then(|file| file.lock().map(|()| file))
            .with_context(|| format!("cannot lock {}", lock.display()))?;
        let tree = self.write_files(&folder)?;
        let old_folder = tree.join(&self.package);
        if !old_folder.join("Cargo.toml").is_file() {
            bail!(
                "{title} has no Cargo.toml in {}",
                Path::new(".").join(&self.package).display()
            );
        }
        let mut old = ProgramPackage::in_folder(&old_folder).with_context(|| title.clone())?;
        // Cargo takes two copies of a workspace for the same one, and would mix what it has built.
        old.target_folder = folder.join("target");
        old.options = package.options.clone();
        let lock_file = old.workspace_folder.join("Cargo.lock");
        if !lock_file.exists() {
            // A repository may leave it out. Other dependencies would be another difference.
            let _ = fs::copy(package.workspace_folder.join("Cargo.lock"), lock_file);
        }
        let built = guest::build(&old, DebugInfo::Keep).with_context(|| {
            format!(
                "cannot build {title}; its files are in {}, and what is outside of the repository is \
                 not part of a commit",
                tree.display()
            )
        });
        drop(lock);
        Ok(Old {
            name: title,
            blob: built?,
        })
    }

    /// Writes the files of the commit, unless they are there already.
    fn write_files(&self, folder: &Path) -> Result<PathBuf> {
        let (tree, written) = (folder.join("tree"), folder.join("commit"));
        if tree.is_dir() && fs::read_to_string(&written).is_ok_and(|hash| hash == self.hash) {
            return Ok(tree);
        }
        for removed in [fs::remove_file(&written), fs::remove_dir_all(&tree)] {
            match removed {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| {
                        format!(
                            "cannot remove the files of another commit in {}",
                            tree.display()
                        )
                    });
                }
                _ => {}
            }
        }
        let index = folder.join("index");
        let git = |words: &[&str]| {
            let mut command = Command::new("git");
            command
                .env("GIT_INDEX_FILE", &index)
                .arg("-C")
                .arg(&self.repository)
                .args(words);
            output_of(command)
        };
        git(&["read-tree", &self.hash])?;
        // The end of the prefix is that of a folder.
        let prefix = format!("--prefix={}/", tree.display());
        git(&["checkout-index", "--all", "--force", &prefix])?;
        let _ = fs::remove_file(&index);
        fs::create_dir_all(&tree)?;
        files::write_whole(&written, self.hash.clone().into_bytes())?;
        Ok(tree)
    }
}

/// What git prints in a folder, without the end of the line.
fn git(folder: &Path, words: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(words);
    output_of(command)
}

fn output_of(mut command: Command) -> Result<String> {
    let output = command
        .output()
        .context("cannot run git; install it, or compare with a file")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("git: {}", said.trim_end().trim_start_matches("fatal: "));
    }
    let text =
        String::from_utf8(output.stdout).context("git printed something that is not text")?;
    Ok(text.trim_end().to_owned())
}
