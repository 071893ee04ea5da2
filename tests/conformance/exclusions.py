"""The entries of PyTorch's database that are no part of what wengert is for, each with its reason in words."""

from __future__ import annotations

_KERNELS = "an internal kernel of PyTorch, called by no program"
_GPU = "for a GPU kernel that the user writes as C++ text"
_QUANTISED = "quantised matrix products for one kind of GPU"
_SPARSE = "sparse layouts"

# name, or name:variant -> reason
EXCLUDED = {
    "_softmax_backward_data": _KERNELS,
    "native_dropout_backward": _KERNELS,
    "max_pool2d_with_indices_backward": _KERNELS,
    "_native_batch_norm_legit": _KERNELS,
    "_batch_norm_with_update": _KERNELS,
    "_upsample_bilinear2d_aa": _KERNELS,
    "_unsafe_masked_index": _KERNELS,
    "_unsafe_masked_index_put_accumulate": _KERNELS,
    "_chunk_cat": _KERNELS,
    "_segment_reduce": _KERNELS,
    "torch.ops.aten._safe_softmax.default": _KERNELS,
    "torch.ops.aten._flash_attention_forward": _KERNELS,
    "torch.ops.aten._efficient_attention_forward": _KERNELS,
    "nn.functional.linear_cross_entropy": "PyTorch's fused kernel of two functions that are both here",
    "hash_tensor": _KERNELS,
    "torch._scaled_mm": _QUANTISED,
    "torch._scaled_mm_v2": _QUANTISED,
    "jiterator_unary": _GPU,
    "jiterator_binary": _GPU,
    "jiterator_binary_return_by_ref": _GPU,
    "jiterator_4inputs_with_extra_args": _GPU,
    "jiterator_2inputs_2outputs": _GPU,
    "sparse.sampled_addmm": _SPARSE,
    "sparse.mm": _SPARSE,
    "to_sparse": _SPARSE,
    "bfloat16": "NumPy has no bfloat16",
    "as_strided:partial_views": "its inputs are views into larger memory, which their copies for wengert are not",
    "chalf": "NumPy has no complex numbers of half precision",
}


def reason(name: str, variant: str) -> str | None:
    """Why an entry does not count; None if it does."""
    return EXCLUDED.get(name) or EXCLUDED.get(f"{name}:{variant}")
