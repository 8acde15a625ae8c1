"""Names that a function of one's own cannot have in C."""

from __future__ import annotations

KEYWORDS = """auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while"""
# Functions of <math.h>, each of which has a second one for float and a third one for long double.
MATH = """acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs fdim floor fma
fmax fmin fmod frexp hypot ilogb ldexp lgamma llrint llround log log10 log1p log2 logb lrint lround modf nan nearbyint
nextafter nexttoward pow remainder remquo rint round scalbln scalbn sin sinh sqrt tan tanh tgamma trunc"""
# Its macros and types, and what POSIX and compilers add.
MORE = """fpclassify isfinite isgreater isgreaterequal isinf isless islessequal islessgreater isnan isnormal isunordered
signbit math_errhandling HUGE_VAL HUGE_VALF HUGE_VALL INFINITY NAN double_t float_t finite gamma j0 j1 jn y0 y1 yn drem
exp10 pow10 scalb significand signgam sincos"""
# Functions of the rest of the library that a program is likely to link, and those that a program begins and ends with.
LINKED = """abort abs accept atexit atof atoi bind calloc clock close connect exit free getenv labs listen main malloc
memcmp memcpy memmove memset open printf puts qsort rand read realloc recv select send signal srand strcmp strcpy strlen
time write"""
TAKEN = frozenset(f"{KEYWORDS} {MORE} {LINKED}".split()) | {
    name + end for name in MATH.split() for end in ("", "f", "l")
}
