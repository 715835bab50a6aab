//! Which previews of a picture are told as partial images.

use types::job::Progress;

/// Chooses at most so many previews of each picture, spread over its steps.
#[derive(Debug)]
pub struct Partials {
    wanted: u32,
    /// The picture that is being made, from 1.
    picture: u32,
    told: u32,
    /// The newest preview of it that was not told.
    preview: Option<String>,
}

impl Partials {
    /// So many of each picture.
    pub fn new(wanted: u32) -> Self {
        Self { wanted, picture: 0, told: 0, preview: None }
    }

    /// The preview that is told after this step, with its index as a partial image, from 0 for each picture. Nothing if
    /// it is too early for the next one, all were told, or there is no preview that was not.
    ///
    /// The steps are cut into one part more than there are partial images, and each is told at the end of a part: the
    /// last part ends with the picture itself. Not every step has a preview, so the newest one may be of a step before.
    pub fn after_step(&mut self, progress: &Progress, preview: Option<String>) -> Option<(u32, String)> {
        if progress.picture != self.picture {
            *self = Self { picture: progress.picture, ..Self::new(self.wanted) };
        }
        self.preview = preview.or(self.preview.take());
        let is_due = progress.step * (self.wanted + 1) >= progress.n_steps * (self.told + 1);
        if self.told == self.wanted || !is_due {
            return None;
        }
        let preview = self.preview.take()?;
        self.told += 1;
        Some((self.told - 1, preview))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After which steps which partial images are told, and of which step they are, if there is a preview at each of
    /// these.
    fn told(partials: &mut Partials, picture: u32, n_steps: u32, previews: &[u32]) -> Vec<(u32, u32, u32)> {
        let mut told = Vec::new();
        for step in 1..=n_steps {
            let progress = Progress { picture, n_pictures: 2, step, n_steps, ..Progress::default() };
            let preview = previews.contains(&step).then(|| step.to_string());
            if let Some((index, preview)) = partials.after_step(&progress, preview) {
                told.push((step, index, preview.parse().unwrap()));
            }
        }
        told
    }

    #[test]
    fn partial_images_are_spread_over_the_steps() {
        let all: Vec<u32> = (1..=20).collect();
        assert_eq!(told(&mut Partials::new(0), 1, 20, &all), []);
        assert_eq!(told(&mut Partials::new(1), 1, 20, &all), [(10, 0, 10)]);
        assert_eq!(told(&mut Partials::new(3), 1, 20, &all), [(5, 0, 5), (10, 1, 10), (15, 2, 15)]);
    }

    #[test]
    fn where_previews_are_rare_each_is_told_once() {
        assert_eq!(told(&mut Partials::new(3), 1, 20, &[1, 9, 17, 19]), [(5, 0, 1), (10, 1, 9), (17, 2, 17)]);
        assert_eq!(told(&mut Partials::new(3), 1, 20, &[18]), [(18, 0, 18)]);
        assert_eq!(told(&mut Partials::new(2), 1, 8, &[1]), [(3, 0, 1)]);
        assert_eq!(told(&mut Partials::new(3), 1, 2, &[1, 2]), [(1, 0, 1), (2, 1, 2)]);
    }

    #[test]
    fn every_picture_begins_with_index_0_and_has_none_of_the_one_before() {
        let mut partials = Partials::new(1);
        assert_eq!(told(&mut partials, 1, 4, &[1, 2, 3, 4]), [(2, 0, 2)]);
        assert_eq!(told(&mut partials, 2, 4, &[]), []);
        assert_eq!(told(&mut partials, 3, 4, &[1]), [(2, 0, 1)]);
    }
}
