"""Asking memory for a row before it is needed: what a walk over many rows waits for most is the next one."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array


@intrinsic
def fetch_ahead(typingctx: Any, rows: Any, at: Any) -> Any:
    """In compiled code: have row `at` of an array (n,) brought near, to be written soon. Nothing is waited for or changed."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind, index_kind = signature.args
        array = make_array(kind)(context, builder, given[0])
        index = context.cast(builder, given[1], index_kind, types.intp)
        address = builder.bitcast(cgutils.get_item_pointer(context, builder, kind, array, [index]), cgutils.voidptr_t)
        number = ir.IntType(32)
        hint = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number]), "llvm.prefetch.p0")
        builder.call(hint, [address, number(1), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(rows, at), generate
