//! WebAssembly, as [`abi::wasm`] says.
