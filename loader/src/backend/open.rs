//! The loader's own backends, by the names of their engines.

use std::sync::Arc;

use super::object::{BackendObject, share};
use super::polkavm::PolkaVm;
#[cfg(feature = "wasm")]
use super::{polkavm::DEFAULT_IDLE_INSTANCES, wasm::Wasmi};
use crate::engine::Engine;
use crate::error::LoadError;

/// The backend of an engine that needs nothing but its name.
///
/// # Errors
///
/// [`LoadError`] if this build or this computer does not have the engine, or if the engine needs a
/// command.
pub(crate) fn open(engine: Engine) -> Result<Arc<dyn BackendObject>, LoadError> {
    if let Some(feature) = engine.disabled_feature() {
        return Err(LoadError::EngineDisabled { engine, feature });
    }
    match engine {
        Engine::Interpreter | Engine::Compiler => Ok(share(PolkaVm::new(engine)?)),
        #[cfg(feature = "wasm")]
        Engine::Wasm => Ok(share(Wasmi::with_idle_instances(DEFAULT_IDLE_INSTANCES))),
        _ => Err(LoadError::EngineNeedsRunner { engine }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_cannot_be_opened_says_why() {
        for (engine, otherwise) in [
            (Engine::Interpreter, None),
            (Engine::Wasm, None),
            (Engine::Native, Some("EngineNeedsRunner")),
        ] {
            let error = open(engine).err();
            let expected = match engine.disabled_feature() {
                Some(_) => Some("EngineDisabled"),
                None => otherwise,
            };
            assert_eq!(error.map(|error| error.kind()), expected, "{engine}");
        }
    }
}
