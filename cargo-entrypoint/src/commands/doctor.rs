//! `cargo entrypoint doctor`

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use cargo_entrypoint::toolchain::{self, MISSING_COMPILER, MISSING_LINKER, Origin};
use loader::{Engine, Loader};

pub fn doctor() -> Result<()> {
    let mut is_ready = true;
    match toolchain::find_compiler() {
        Some((origin, rustc, _)) => {
            let origin = match origin {
                Origin::Active => "the active toolchain, with rust-src",
                Origin::Debian => "Debian's packages",
            };
            println!("compiler   ok: {} ({origin})", version(&rustc));
        }
        None => {
            is_ready = false;
            println!("compiler   missing: {MISSING_COMPILER}");
        }
    }
    match toolchain::find_linker() {
        Some(linker) => println!("linker     ok: {}", linker.path.display()),
        None => {
            is_ready = false;
            println!("linker     missing: {MISSING_LINKER}");
        }
    }
    for engine in Engine::ALL {
        let name = engine.to_string();
        match Loader::new(engine) {
            Ok(_) => println!("{name:<10} ok"),
            // The other engine gives the same outcomes, so nothing is missing.
            Err(error) => println!("{name:<10} not here: {error}"),
        }
    }
    if is_ready {
        println!("\nready: `cargo entrypoint run` builds and runs a program");
        return Ok(());
    }
    if toolchain::can_install() {
        println!(
            "\nready: `cargo entrypoint run` installs what is missing, because you are root here"
        );
        return Ok(());
    }
    bail!("guests cannot be built here yet; what is missing stands above")
}

fn version(rustc: &Path) -> String {
    let output = Command::new(rustc).arg("--version").output();
    output.map_or_else(
        |_| rustc.display().to_string(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
