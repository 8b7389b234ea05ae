//! Values that a process makes once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use anyhow::Result;

/// Where a value is kept: `None` until it was made.
type Place<V> = Arc<Mutex<Option<V>>>;

/// A value for each key. Threads make those of different keys at the same time.
///
/// ```
/// use program_build::memo::Memo;
///
/// static LENGTHS: Memo<String, usize> = Memo::new();
///
/// let length = || LENGTHS.get("a".repeat(3), || Ok(3));
/// assert_eq!((length()?, length()?), (3, 3));
/// # anyhow::Ok(())
/// ```
#[derive(Debug)]
pub struct Memo<K, V>(LazyLock<Mutex<HashMap<K, Place<V>>>>);

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    /// Creates an empty memo. It can initialize a `static`.
    #[must_use]
    pub const fn new() -> Self {
        Self(LazyLock::new(|| Mutex::new(HashMap::new())))
    }

    /// The value of a key. The first call makes it, and so does each call after one that failed.
    /// Other threads wait for the value. `make` must not ask for its own key, or it waits forever.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub fn get(&self, key: K, make: impl FnOnce() -> Result<V>) -> Result<V> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Arc::clone(places.entry(key).or_default());
        drop(places);
        let mut value = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = &*value {
            return Ok(value.clone());
        }
        Ok(value.insert(make()?).clone())
    }
}

impl<K: Eq + Hash, V: Clone> Default for Memo<K, V> {
    fn default() -> Self {
        Self::new()
    }
}
