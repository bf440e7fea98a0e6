"""An embedder's vectors are those of sentence-transformers: every pooling, every module behind it, cut or whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from adapters import tiny
from adapters.dense import DenseRetriever
from adapters.embedding import SentenceEmbedder
from adapters.errors import ModelError
from adapters.protocols import Floats
from adapters.reference import reference_scores
from adapters.similarity import Similarity
from adapters.spec import open_reranker
from adapters.vector_form import Pooling
from tests.conformance import shapes
from tests.conformance.shapes import DOCUMENTS, PAIRS, QUERIES, ours

library = pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")
from sentence_transformers.sentence_transformer import modules as st  # noqa: E402

POOLINGS = get_args(Pooling)
WIDTH = 32


def saved(folder: Path, *behind: Any, source: Path | None = None, **more: Any) -> Path:
    """A network with some modules behind it, as sentence-transformers saves it."""
    source = source or tiny.bert_embedder(folder.with_name(f"{folder.name}-source"), seed=4)
    network = st.Transformer(str(source))
    library.SentenceTransformer(modules=[network, *behind], device="cpu", **more).save_pretrained(str(folder))
    return folder


def theirs(model: Any) -> Floats:
    """Every query against every document as the reference has it, one text at a time and so without padding."""
    found = model.similarity(model.encode_query(QUERIES, batch_size=1), model.encode_document(DOCUMENTS, batch_size=1))
    return np.asarray(found.numpy(), np.float32).reshape(-1)


def same(spec: str, model: Any) -> None:
    """The scores of all pairs, in batches and alone, are those of the reference."""
    expected = theirs(model)
    size = max(1.0, float(np.abs(expected).max()))
    reranker = open_reranker(spec)
    scores = ours(reranker)
    np.testing.assert_allclose(scores, expected, atol=1e-5 * size, rtol=0)
    assert shapes.turned(scores, expected) == 0
    alone = [reranker.score(QUERIES, DOCUMENTS, PAIRS[row : row + 1])[0] for row in range(0, len(PAIRS), 37)]
    np.testing.assert_array_equal(scores[::37], alone)


def opened(folder: Path, **more: Any) -> Any:
    return library.SentenceTransformer(str(folder), device="cpu", **more)


@pytest.mark.parametrize("pooling", [*POOLINGS, ("mean", "max"), ("cls", "weightedmean", "mean_sqrt_len_tokens")])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_every_pooling_is_that_of_the_reference(
    tmp_path: Path, pooling: str | tuple[str, ...], similarity: Similarity
) -> None:
    folder = saved(tmp_path / "m", st.Pooling(WIDTH, pooling), similarity_fn_name=similarity)
    same(str(folder), opened(folder))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pooling", ["lasttoken", "mean", "weightedmean", "cls"])
def test_padding_on_either_side_changes_no_vector(tmp_path: Path, pooling: str, side: str) -> None:
    source = tiny.qwen3_embedder(tmp_path / "source")
    folder = saved(tmp_path / "m", st.Pooling(WIDTH, pooling), source=source)
    shapes.edit(folder / "tokenizer_config.json", padding_side=side)
    same(str(folder), opened(folder))


@pytest.mark.parametrize("flags", [("cls_token",), ("mean_tokens", "max_tokens"), ("mean_sqrt_len_tokens",), ()])
def test_the_flags_of_old_folders_are_read(tmp_path: Path, flags: Sequence[str]) -> None:
    """Until version 5.4 a folder had one flag for each pooling; without any it means the mean."""
    folder = tiny.bert_embedder(tmp_path / "m", seed=4)
    names = ("cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")
    wanted = {f"pooling_mode_{name}": name in flags for name in names}
    shapes.edit(folder / "1_Pooling" / "config.json", **wanted)
    same(str(folder), opened(folder))


def test_texts_are_cut_where_the_reference_cuts_them(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", st.Pooling(WIDTH, "mean"), prompts={"query": "query: ", "document": "a text: "})
    model = opened(folder)
    model.max_seq_length = 12
    same(f"{folder}?max_length=12", model)


def test_a_prompt_that_is_left_out_of_the_mean_stays_out_of_it(tmp_path: Path) -> None:
    """INSTRUCTOR: the prompt is read, and its tokens are not in the mean."""
    prompts = {"query": "find what answers: ", "document": "a text: "}
    folder = saved(tmp_path / "m", st.Pooling(WIDTH, "mean", include_prompt=False), prompts=prompts)
    same(str(folder), opened(folder))


def chain(name: str) -> list[Any]:
    import torch

    torch.manual_seed(1)
    dense = st.Dense(WIDTH, 24, activation_function=torch.nn.Tanh())
    chains: dict[str, list[Any]] = {
        "LaBSE": [st.Pooling(WIDTH, "cls"), dense, st.Normalize()],
        "sentence-t5": [
            st.Pooling(WIDTH, "mean"),
            st.Dense(WIDTH, 24, bias=False, activation_function=torch.nn.Identity()),
            st.Normalize(),
        ],
        "a dense layer with GELU": [st.Pooling(WIDTH), st.Dense(WIDTH, 16, activation_function=torch.nn.GELU())],
        "a layer norm": [st.Pooling(WIDTH), st.LayerNorm(WIDTH), st.Normalize()],
        "two dense layers": [st.Pooling(WIDTH, ("mean", "max")), st.Dense(2 * WIDTH, 40), st.Dense(40, 8)],
    }
    return chains[name]


@pytest.mark.parametrize(
    "name", ["LaBSE", "sentence-t5", "a dense layer with GELU", "a layer norm", "two dense layers"]
)
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_modules_behind_the_pooling_are_used(tmp_path: Path, name: str, similarity: Similarity) -> None:
    folder = saved(tmp_path / "m", *chain(name), similarity_fn_name=similarity)
    same(str(folder), opened(folder))


def static(folder: Path, dimension: int = 16) -> Path:
    tokenizer = tiny.bert_embedder(folder.with_name(f"{folder.name}-source"))
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(words.get_vocab_size(), dimension)).astype(np.float32)
    module = st.StaticEmbedding(words, embedding_weights=weights)
    library.SentenceTransformer(modules=[module], device="cpu").save_pretrained(str(folder))
    return folder


def test_a_table_of_word_vectors_is_an_embedder(tmp_path: Path) -> None:
    """model2vec and static-retrieval-mrl: no network at all."""
    folder = static(tmp_path / "m")
    same(str(folder), opened(folder))
    same(f"{folder}?dimensions=5", opened(folder, truncate_dim=5))


DIMENSIONS = {
    "declared": (8, None),
    "asked for": (None, 8),
    "asked for instead": (24, 8),
    "more than declared": (8, 24),
}


@pytest.mark.parametrize("case", DIMENSIONS)
@pytest.mark.parametrize("similarity", get_args(Similarity))
@pytest.mark.parametrize("normalised", [True, False])
def test_vectors_are_cut_as_the_reference_cuts_them(
    tmp_path: Path, case: str, similarity: Similarity, normalised: bool
) -> None:
    """Inner products of vectors that were normalised and cut afterwards are no cosines."""
    declared, asked = DIMENSIONS[case]
    last = [st.Normalize()] if normalised else []
    folder = saved(tmp_path / "m", st.Pooling(WIDTH, "mean"), *last, similarity_fn_name=similarity)
    shapes.edit(folder / "config_sentence_transformers.json", truncate_dim=declared)
    spec = str(folder) if asked is None else f"{folder}?dimensions={asked}"
    same(spec, opened(folder, truncate_dim=asked))
    assert open_reranker(spec).embedder.encode(["a"], "query").shape == (1, asked or declared)  # type: ignore[attr-defined]


def test_a_first_stage_searches_with_the_vectors_that_are_kept(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", st.Pooling(WIDTH, "mean"), st.Normalize(), similarity_fn_name="dot")
    expected = theirs(opened(folder, truncate_dim=6)).reshape(len(QUERIES), -1)
    retriever = DenseRetriever(str(folder), dimensions=6)
    _, documents, scores = retriever.search(QUERIES, DOCUMENTS, 5)
    assert retriever.identity["metric"] == "dot"
    np.testing.assert_allclose(scores.reshape(-1, 5), np.sort(expected, axis=1)[:, ::-1][:, :5], atol=1e-5)
    np.testing.assert_allclose(
        np.take_along_axis(expected, documents.reshape(-1, 5), 1), scores.reshape(-1, 5), atol=1e-5
    )


@pytest.mark.parametrize(("dimensions", "why"), [(0, "is less than 1"), (33, "and its vectors have 32 numbers")])
def test_more_numbers_than_there_are_cannot_be_kept(tmp_path: Path, dimensions: int, why: str) -> None:
    """sentence-transformers takes all of them in silence."""
    folder = tiny.bert_embedder(tmp_path / "m")
    with pytest.raises(ModelError, match=f"dimensions={dimensions}.*{why}"):
        SentenceEmbedder(str(folder), dimensions=dimensions).encode(["a"], "query")


def plain(folder: Path, architecture: str = "Contriever") -> Path:
    """facebook/contriever: a network and a tokenizer, saved by transformers alone."""
    make = tiny.qwen3_embedder if architecture.startswith("Qwen3") else tiny.bert_embedder
    make(folder, seed=4)
    for name in ("modules.json", "config_sentence_transformers.json", "1_Pooling/config.json"):
        (folder / name).unlink()
    shapes.edit(folder / "config.json", architectures=[architecture])
    return folder


@pytest.mark.parametrize("architecture", ["Contriever", "BertModel"])
@pytest.mark.parametrize("kind", ["", "embedder:"])
def test_a_folder_without_modules_is_refused_until_somebody_says_how_it_makes_vectors(
    tmp_path: Path, architecture: str, kind: str
) -> None:
    """sentence-transformers would take the mean and the cosine, which is wrong for contriever."""
    folder = plain(tmp_path / "m", architecture)
    advice = r"as in 'embedder:.*/m\?pooling=mean&similarity=dot'|choose with 'embedder:.*/m\?family=contriever'"
    with pytest.raises(ModelError, match=advice):
        open_reranker(f"{kind}{folder}")


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_a_folder_without_modules_is_pooled_as_asked(tmp_path: Path, pooling: str, similarity: str) -> None:
    folder = plain(tmp_path / "m")
    network = st.Transformer(str(folder))
    modules = [network, st.Pooling(WIDTH, pooling)]
    model = library.SentenceTransformer(modules=modules, device="cpu", similarity_fn_name=similarity)
    same(f"embedder:{folder}?pooling={pooling}&similarity={similarity}", model)


def test_a_chat_template_does_not_reach_the_texts_of_a_folder_without_modules(tmp_path: Path) -> None:
    """e5-mistral and its kind read bare texts, although their tokenizers can render a chat."""
    folder = plain(tmp_path / "m", "Qwen3ForCausalLM")
    expected = ours(open_reranker(f"embedder:{folder}?pooling=lasttoken&similarity=cosine"))
    (folder / "chat_template.jinja").write_text("{% for m in messages %}<|im_start|>{{ m.content }}{% endfor %}")
    found = ours(open_reranker(f"embedder:{folder}?pooling=lasttoken&similarity=cosine"))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("options", "why"),
    [("pooling=mean", "without a similarity"), ("pooling=middle&similarity=dot", "pooling=middle is not possible")],
)
def test_half_of_an_answer_is_refused(tmp_path: Path, options: str, why: str) -> None:
    with pytest.raises(Exception, match=why):
        open_reranker(f"embedder:{plain(tmp_path / 'm')}?{options}")


def test_a_pooling_that_the_folder_declares_cannot_be_replaced(tmp_path: Path) -> None:
    folder = tiny.bert_embedder(tmp_path / "m")
    with pytest.raises(ModelError, match=r"declares how its tokens become a vector .*leave pooling out"):
        open_reranker(f"{folder}?pooling=cls&similarity=dot")


def test_a_cross_encoder_is_not_pooled(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "m")
    with pytest.raises(ModelError, match=r"BertForSequenceClassification.*leave pooling out"):
        open_reranker(f"embedder:{folder}?pooling=cls&similarity=dot")


def test_a_similarity_that_is_asked_for_wins(tmp_path: Path) -> None:
    """Old folders of tas-b and the multi-qa-...-dot models declare none."""
    folder = tiny.bert_embedder(tmp_path / "m", seed=4)
    same(f"{folder}?similarity=dot", opened(folder, similarity_fn_name="dot"))


def test_the_reference_is_asked_for_the_same_vectors(tmp_path: Path) -> None:
    pooled = f"embedder:{plain(tmp_path / 'plain')}?pooling=cls&similarity=dot&query_prompt=q: "
    for spec in (pooled, f"{saved(tmp_path / 'm', st.Pooling(WIDTH), st.Normalize())}?dimensions=9&similarity=dot"):
        reranker = open_reranker(spec)
        found = reference_scores(reranker.reference(), QUERIES, DOCUMENTS, PAIRS)  # type: ignore[attr-defined]
        np.testing.assert_allclose(ours(reranker), found.scores, rtol=1e-4, atol=1e-4)


def test_whatever_changes_a_vector_is_in_its_identity(tmp_path: Path) -> None:
    bare, folder = plain(tmp_path / "plain"), tiny.bert_embedder(tmp_path / "m")
    makers = [
        SentenceEmbedder(str(folder), dimensions=dimensions, similarity=similarity)
        for dimensions in (None, 8, 9)
        for similarity in (None, "dot")
    ]
    makers += [SentenceEmbedder(str(bare), pooling=pooling, similarity="cosine") for pooling in POOLINGS]
    vectors = [str(embedder.role_identity("document")) for embedder in makers]
    assert len(set(vectors)) == len(vectors)
