//! Which of its steps a sampler walks, and the strength that means the same.

/// Steps, and the share of them that is walked, from the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// All steps.
    pub steps: u32,
    /// How many of them are walked.
    pub walked: u32,
    /// The strength with which a request walks so many.
    pub strength: f64,
}

impl Share {
    /// The last steps of a schedule.
    ///
    /// `likely` is a strength that is taken if it means the same.
    pub fn last(walked: u32, steps: u32, likely: f64) -> Self {
        let mut strength = likely;
        if walks(steps, strength) != walked {
            strength = f64::from(walked) / f64::from(steps.max(1));
            // A product that misses a whole number by a hair is cut off to the one below.
            while walks(steps, strength) < walked {
                strength = strength.next_up();
            }
        }
        Self { steps, walked, strength }
    }

    /// Whether all steps are walked.
    pub fn is_all(&self) -> bool {
        self.walked == self.steps
    }
}

/// As [`types::request::Start::strength`] is meant.
fn walks(steps: u32, strength: f64) -> u32 {
    (f64::from(steps) * strength) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_steps_has_a_strength_that_walks_it() {
        for steps in 1..=150 {
            for walked in 1..=steps {
                let share = Share::last(walked, steps, 0.37);
                assert_eq!(walks(steps, share.strength), walked, "{walked} of {steps}");
                assert!(share.strength <= 1.0, "{walked} of {steps}");
            }
        }
    }

    #[test]
    fn the_likely_strength_is_taken_where_it_means_the_same() {
        assert_eq!(Share::last(10, 20, 0.5), Share { steps: 20, walked: 10, strength: 0.5 });
        // 66 steps at 0.3 would be 19.
        assert!(Share::last(20, 66, 0.3).strength > 0.303);
    }
}
