//! Which previews of a picture are told as partial images.

use types::job::Progress;

/// Chooses at most so many previews of each picture, spread over its steps.
#[derive(Debug)]
pub struct Partials {
    wanted: u32,
    /// The picture that is being made, from 1.
    picture: u32,
    told: u32,
}

impl Partials {
    /// So many of each picture.
    pub fn new(wanted: u32) -> Self {
        Self { wanted, picture: 0, told: 0 }
    }

    /// The index of the partial image that a preview at this progress is, from 0 for each picture. Nothing if it is
    /// too early for the next one, or all were told.
    ///
    /// The steps are cut into one part more than there are partial images, and each is told at the end of a part: the
    /// last part ends with the picture itself.
    pub fn index_at(&mut self, progress: &Progress) -> Option<u32> {
        if progress.picture != self.picture {
            self.picture = progress.picture;
            self.told = 0;
        }
        let is_due = progress.step * (self.wanted + 1) >= progress.n_steps * (self.told + 1);
        if self.told == self.wanted || !is_due {
            return None;
        }
        self.told += 1;
        Some(self.told - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps at which partial images are told, if there is a preview at each of these.
    fn told(partials: &mut Partials, picture: u32, n_steps: u32, previews: &[u32]) -> Vec<(u32, u32)> {
        let progress = |step| Progress { picture, n_pictures: 2, step, n_steps, ..Progress::default() };
        previews.iter().filter_map(|step| Some((*step, partials.index_at(&progress(*step))?))).collect()
    }

    #[test]
    fn partial_images_are_spread_over_the_steps() {
        let all: Vec<u32> = (1..=20).collect();
        assert_eq!(told(&mut Partials::new(0), 1, 20, &all), []);
        assert_eq!(told(&mut Partials::new(1), 1, 20, &all), [(10, 0)]);
        assert_eq!(told(&mut Partials::new(3), 1, 20, &all), [(5, 0), (10, 1), (15, 2)]);
    }

    #[test]
    fn where_previews_are_rare_each_is_told_once() {
        assert_eq!(told(&mut Partials::new(3), 1, 20, &[1, 9, 17, 19]), [(9, 0), (17, 1), (19, 2)]);
        assert_eq!(told(&mut Partials::new(3), 1, 20, &[18]), [(18, 0)]);
        assert_eq!(told(&mut Partials::new(3), 1, 2, &[1, 2]), [(1, 0), (2, 1)]);
    }

    #[test]
    fn every_picture_begins_with_index_0() {
        let mut partials = Partials::new(1);
        assert_eq!(told(&mut partials, 1, 4, &[1, 2, 3, 4]), [(2, 0)]);
        assert_eq!(told(&mut partials, 2, 4, &[1, 2, 3, 4]), [(2, 0)]);
    }
}
