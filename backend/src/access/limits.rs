//! How much somebody may ask for at a time.

/// What one visitor, key or address may ask for. Nothing said means no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ration {
    /// Requests in a minute, of any kind but for files.
    pub requests_per_minute: Option<u32>,
    /// Jobs that are not at their end.
    pub queued_jobs: Option<u32>,
    /// Millions of pixels in 24 hours, as large as the pictures become.
    pub megapixels_per_day: Option<u32>,
    /// Millions of bytes of uploads in 24 hours.
    pub uploaded_megabytes_per_day: Option<u32>,
}

impl Ration {
    /// The same with `other`'s limits where this one says nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            requests_per_minute: self.requests_per_minute.or(other.requests_per_minute),
            queued_jobs: self.queued_jobs.or(other.queued_jobs),
            megapixels_per_day: self.megapixels_per_day.or(other.megapixels_per_day),
            uploaded_megabytes_per_day: self.uploaded_megabytes_per_day.or(other.uploaded_megabytes_per_day),
        }
    }
}

/// The limits of a site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// For each visitor, and for each key that has no limits of its own.
    pub visitor: Ration,
    /// For everybody together who calls from one address without a key.
    pub address: Ration,
    /// Longest time that a job may take, in seconds: by what steps took before if that is known, and then by what it takes.
    pub seconds_per_job: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_does_not_limit_is_limited_as_for_everybody() {
        let own = Ration { queued_jobs: Some(50), ..Ration::default() };
        let all = Ration { requests_per_minute: Some(60), queued_jobs: Some(2), ..Ration::default() };
        let both = Ration { queued_jobs: Some(50), ..all };
        assert_eq!(own.or(all), both);
    }
}
