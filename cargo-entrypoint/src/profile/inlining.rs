//! What was inlined where.
use super::costs::Frame;
use loader::profile::Frame as Plain;
/// x
#[derive(Default)]
pub struct Inlining;
impl Inlining {
    /// x
    pub fn of(_p: &crate::package::ProgramPackage) -> Self {
        Self
    }
    /// x
    pub fn complete(&self, stack: &[&Plain]) -> Vec<Frame> {
        stack
            .iter()
            .map(|f| Frame {
                function: f.function.clone(),
                kind: f.kind,
                location: f.location.clone(),
            })
            .collect()
    }
}
