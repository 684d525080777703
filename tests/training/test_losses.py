"""The losses against values worked out by hand."""

from math import exp, log, log1p

import pytest

torch = pytest.importorskip("torch")


def test_contrastive_loss_worked_out_by_hand() -> None:
    from training.losses import contrastive

    left = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    right = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    # Logits at a scale of two: [[2, 1.2], [0, 1.6]].
    rows = (log(1 + exp(1.2 - 2)) + log(1 + exp(0 - 1.6))) / 2
    columns = (log(1 + exp(0 - 2)) + log(1 + exp(1.2 - 1.6))) / 2
    found = contrastive(left, right, torch.tensor(2.0))
    assert float(found) == pytest.approx((rows + columns) / 2)


def test_classes_outside_the_draw_only_lower_the_weight_of_a_picture() -> None:
    from training.losses import follow_classes

    # The teacher gives these two classes 0.5 in all for the first picture, and 0.1 for the second.
    probabilities = torch.tensor([[0.4, 0.1], [0.05, 0.05]])
    logits = torch.log(torch.tensor([[0.5, 0.5], [0.9, 0.1]]))
    first = 0.8 * log(0.8 / 0.5) + 0.2 * log(0.2 / 0.5)
    second = 0.5 * log(0.5 / 0.9) + 0.5 * log(0.5 / 0.1)
    assert float(follow_classes(logits, probabilities)) == pytest.approx((0.5 * first + 0.1 * second) / 0.6)
    weights = torch.tensor([1.0, 3.0])
    assert float(follow_classes(logits, probabilities, weights)) == pytest.approx((first + 3 * second) / 4)


def test_followed_scores_worked_out_by_hand() -> None:
    from training.losses import follow_scores

    scores = torch.log(torch.tensor([[0.5, 0.5], [0.9, 0.1]])) + 3  # a constant does not change a softmax
    wanted = torch.log(torch.tensor([[0.8, 0.2], [0.9, 0.1]]))
    assert float(follow_scores(scores, wanted)) == pytest.approx((0.8 * log(0.8 / 0.5) + 0.2 * log(0.2 / 0.5)) / 2)


def test_soft_labels_worked_out_by_hand() -> None:
    from training.losses import soft_labels

    logits, targets = torch.tensor([[0.0, log(3.0)]]), torch.tensor([[0.5, 0.25]])
    expected = (log(2) - 0.25 * log(0.75) - 0.75 * log(0.25)) / 2
    assert float(soft_labels(logits, targets)) == pytest.approx(expected)


def test_pictures_are_ranked_by_how_much_their_captions_say_a_word() -> None:
    from training.losses import rank_pictures

    shares = torch.tensor([[1.0, 0.0], [1.0, 0.4]])
    assert float(rank_pictures(torch.tensor([[0.0, -40.0], [0.0, 40.0]]), shares)) == pytest.approx(0, abs=1e-5)
    # Both pictures have the same probability for both words: no loss for the first word, log 2 for the second.
    assert float(rank_pictures(torch.zeros(2, 2), shares)) == pytest.approx(log(2) / 2)


def test_attention_picks_the_most_similar_patch() -> None:
    from training.losses import attended

    similarity = torch.tensor([[[0.0], [log(3.0)]]])  # one picture, two patches, one text
    assert float(attended(similarity, 1.0)) == pytest.approx(0.75 * log(3))
    assert float(attended(similarity, 1000.0)) == pytest.approx(log(3))


def test_patches_must_resemble_some_word_of_their_picture() -> None:
    from training.losses import resemble

    logits = torch.log(torch.tensor([[[0.7, 0.3]]]))  # one picture, one patch, two words
    assert float(resemble(logits, torch.tensor([[1.0, 0.0]]))) == pytest.approx(-log(0.7 + 0.3e-4))
    assert float(resemble(logits, torch.tensor([[0.5, 1.0]]))) == pytest.approx(-log(0.65))


def test_unknown_answers_do_not_count() -> None:
    from training.losses import show

    logits, cover = torch.zeros(1, 2, 2), torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    # The first text: log 2 eleven times for the patch that shows it, once for the other.
    assert float(show(logits, cover, torch.tensor([[1.0, 0.0]]))) == pytest.approx(6 * log(2))
    assert float(show(logits, cover, torch.tensor([[1.0, 1.0]]))) == pytest.approx(3.5 * log(2))


def test_unknown_pairs_do_not_count() -> None:
    from training.losses import rank_pictures, soft_labels

    logits = torch.tensor([[2.0], [-1.0], [50.0]])
    targets, known = torch.tensor([[1.0], [0.0], [0.0]]), torch.tensor([[True], [True], [False]])
    expected = (log1p(exp(-2)) + log1p(exp(-1))) / 3
    assert soft_labels(logits, targets, known).item() == pytest.approx(expected, rel=1e-5)
    assert rank_pictures(logits, targets, known).item() == pytest.approx(log1p(exp(-3)), rel=1e-4)


def test_vectors_that_stay_have_no_loss() -> None:
    from training.losses import stay

    before = torch.eye(2)
    assert stay(before, before).item() == 0
    assert stay(before.flip(0), before).item() == 1
