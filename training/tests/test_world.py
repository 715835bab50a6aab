import random

from training import world

FIRST_HELD_OUT = ("car", "green", "mountains")


def test_five_percent_of_the_combinations_are_held_out():
    share = len(world.HELD_OUT) / len(world.ALL_COMBINATIONS)
    assert abs(share - 0.05) < 0.002


def test_the_held_out_combinations_never_change():
    assert sorted(world.HELD_OUT)[0] == FIRST_HELD_OUT


def test_every_value_is_still_seen_in_training():
    kept = [c for c in world.ALL_COMBINATIONS if c not in world.HELD_OUT]
    for position, values in enumerate((world.SUBJECTS, world.COLOURS, world.PLACES)):
        assert {c[position] for c in kept} == set(values)


def test_training_scenes_avoid_the_held_out_combinations_and_the_others_are_all_held_out():
    rng = random.Random(0)
    assert not any(world.is_held_out(world.draw_scene(rng).combination) for _ in range(2000))
    assert all(world.is_held_out(world.draw_scene(rng, held_out=True).combination) for _ in range(20))
