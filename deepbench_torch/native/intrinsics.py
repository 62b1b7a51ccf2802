"""Operations that Python has no word for: bits of numbers, selects without a branch, rounding."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils


def intrinsic(function: Callable[..., Any]) -> Any:
    """Return a function of kernels from the one that generates its instructions."""
    return extending.intrinsic(function)


_FLOAT, _DOUBLE = ir.FloatType(), ir.DoubleType()


def _bitcast(target: Any, source: Any, kind: ir.Type) -> Any:
    """Return a function that reads the bits of `source` as a number of type `target`."""

    @intrinsic
    def cast(typing: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], kind)

        return target(source), generate

    return cast


bits = _bitcast(types.int32, types.float32, ir.IntType(32))
from_bits = _bitcast(types.float32, types.int32, _FLOAT)
bits64 = _bitcast(types.int64, types.float64, ir.IntType(64))
from_bits64 = _bitcast(types.float64, types.int64, _DOUBLE)


def _unary(name: str, number: Any, kind: ir.Type) -> Any:
    """Return a function that calls an LLVM intrinsic of one number."""

    @intrinsic
    def call(typing: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.call(builder.module.declare_intrinsic(name, (kind,)), arguments)

        return number(number), generate

    return call


floor = _unary("llvm.floor", types.float32, _FLOAT)
floor64 = _unary("llvm.floor", types.float64, _DOUBLE)
absolute = _unary("llvm.fabs", types.float32, _FLOAT)
root = _unary("llvm.sqrt", types.float32, _FLOAT)
root64 = _unary("llvm.sqrt", types.float64, _DOUBLE)


@intrinsic
def sign(typing: Any, value: Any) -> Any:
    """Return 1 or -1, by the sign bit."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = builder.module.declare_intrinsic(
            "llvm.copysign", (_FLOAT,), ir.FunctionType(_FLOAT, [_FLOAT, _FLOAT])
        )
        return builder.call(function, [_FLOAT(1.0), arguments[0]])

    return types.float32(types.float32), generate


@intrinsic
def select(typing: Any, condition: Any, first: Any, second: Any) -> Any:
    """Return `first` where the condition holds, else `second`; both are worked out."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return first(types.boolean, first, first), generate


@intrinsic
def pointer(typing: Any, array: Any) -> Any:
    """Return the address of the first number of a contiguous array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(array)(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), generate


@intrinsic
def call_void(typing: Any, address: Any, arguments: Any) -> Any:
    """Call the function at an address with a tuple of pointers and whole numbers."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        parts = cgutils.unpack_tuple(builder, values[1])
        function = ir.FunctionType(ir.VoidType(), [part.type for part in parts])
        builder.call(builder.inttoptr(values[0], function.as_pointer()), parts)
        return context.get_dummy_value()

    return types.void(address, arguments), generate
