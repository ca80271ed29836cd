import numpy as np

from spoticell.annotation.places import SKETCH, Places, Scale

RNG = np.random.default_rng(0)
FINGERPRINTS, SKETCHES = RNG.normal(size=(60, 4)).astype(np.float32), RNG.normal(size=(60, 3)).astype(np.float32)


def test_some_cells_are_where_they_are_among_all():
    places = Places(FINGERPRINTS, SKETCHES)
    all_nd = places[np.arange(60)]
    assert (places[np.array([7, 3])] == all_nd[[7, 3]]).all()
    part = places.of(np.arange(20, 40))
    assert len(part) == 20
    assert (part[np.array([5, 0])] == all_nd[[25, 20]]).all()


def test_fingerprints_are_taken_from_their_middle_and_sketches_weighed():
    place_nd = Places(5 + 2 * FINGERPRINTS, SKETCHES)[np.arange(60)]
    assert np.abs(place_nd[:, :4].mean(axis=0)).max() < 1e-6
    assert np.isclose((place_nd[:, :4] ** 2).sum(axis=1).mean(), 1)
    assert (place_nd[:, 4:] == np.float32(SKETCH) * SKETCHES).all()


def test_cells_without_counts_have_no_say_in_the_scale():
    empty = np.zeros((40, 4), dtype=np.float32)
    places = Places(np.concatenate([empty, FINGERPRINTS]), np.concatenate([SKETCHES[:40], SKETCHES]))
    assert (places[np.arange(40, 100)] == Places(FINGERPRINTS, SKETCHES)[np.arange(60)]).all()


def test_cells_that_are_all_the_same_have_a_place():
    same = np.ones((3, 4), dtype=np.float32)
    assert not Places(same, SKETCHES[:3])[np.arange(3)][:, :4].any()
    assert Scale.of(same[:0]).spread == 1
