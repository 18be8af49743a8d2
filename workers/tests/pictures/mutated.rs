//! Files with random damage: an answer each time, in bounded memory.

use dface_workers::pictures::{PictureLimits, process};
use proptest::prelude::*;

use crate::made::{Jpeg, animation, exif, interlaced, png, scene};
use crate::refused::peak_bytes;

fn originals() -> Vec<Vec<u8>> {
    let image = scene(90, 70);
    vec![
        Jpeg { segments: &[(1, &exif(6))], ..Jpeg::default() }.of(&image),
        Jpeg { progressive: true, ..Jpeg::default() }.of(&image),
        png(&image.clone().into(), &[]),
        interlaced(&image),
        animation(40, 30, 3),
        include_bytes!("../fixtures/apng_ball.png").to_vec(),
        include_bytes!("../fixtures/png16_rgba.png").to_vec(),
        include_bytes!("../fixtures/progressive_cat.jpg").to_vec(),
    ]
}

proptest! {
    #[test]
    fn prop_damage_is_answered(
        which in 0_usize..8,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut file = originals().swap_remove(which);
        for (at, byte, in_the_head) in damage {
            // Most of what a file says of itself stands in its first bytes.
            let range = if in_the_head { file.len().min(700) } else { file.len() };
            file[at.index(range)] = byte;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        let limits = PictureLimits { pixels: 4_000_000, working_bytes: 40_000_000, ..PictureLimits::default() };
        if let Ok(made) = process(&file, &[100, 200], &limits) {
            prop_assert!(made.picture.width.max(made.picture.height) <= 960);
            prop_assert_eq!(made.squares.len(), 2);
        }
        prop_assert!(peak_bytes() < 300_000_000, "memory: {}", peak_bytes());
    }
}
