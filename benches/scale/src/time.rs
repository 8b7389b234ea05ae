//! The shortest time of many short rounds.

use std::time::{Duration, Instant};

use crate::Effort;

/// How long one round of a subject takes. Other processes interrupt longer rounds.
const ROUND: Duration = Duration::from_micros(300);

/// How long all rounds of a subject take at most, but for the last. Processes of the compiling
/// engine take long on a computer that is busy.
const ALL_ROUNDS: Duration = Duration::from_secs(1);

/// The time of one run of each subject in its fastest round, in microseconds. All subjects run in
/// turns, so that a computer that becomes slower does so for all of them.
pub fn fastest(effort: Effort, subjects: &mut [Box<dyn FnMut() + '_>]) -> Vec<f64> {
    let rounds = match effort {
        Effort::Full => 200,
        Effort::Quick => 1,
    };
    let counts: Vec<u32> = subjects
        .iter_mut()
        .map(|subject| {
            subject();
            let once = time(1, subject).as_nanos().max(1);
            (ROUND.as_nanos() / once).clamp(1, 100) as u32
        })
        .collect();
    let mut best = vec![Duration::MAX; subjects.len()];
    let mut all = vec![Duration::ZERO; subjects.len()];
    for _ in 0..rounds {
        for (index, subject) in subjects.iter_mut().enumerate() {
            if all[index] < ALL_ROUNDS {
                let round = time(counts[index], subject);
                best[index] = best[index].min(round);
                all[index] += round;
            }
        }
    }
    let best = best.iter().zip(counts);
    best.map(|(best, count)| best.as_secs_f64() * 1e6 / f64::from(count))
        .collect()
}

fn time(count: u32, subject: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..count {
        subject();
    }
    start.elapsed()
}
