"""The drawing of the operations that an autograd records for a small network, with the gradient of each."""

from parts.drawing import line, row, svg, text

OPERATIONS = (
    ("W₁", "product", ("dx = dy @ W₁", "dW₁ = dyᵀ @ x")),
    ("b₁", "sum", ("dz = dy", "db₁ = sum of dy over samples")),
    ("", "tanh", ("dz = dy · (1 \N{MINUS SIGN} h²)",)),
    ("W₂", "product", ("dh = dy @ W₂", "dW₂ = dyᵀ @ h")),
    ("b₂", "sum", ("dz = dy", "db₂ = sum of dy over samples")),
    ("\N{MINUS SIGN}y", "sum", ("df = dy",)),
    ("", "mean square", ("de = dy · 2e / n",)),
)
"""An operand from the side, the operation, and the gradients of its operands."""
LEFT, WIDE, HIGH, STEP, TOP = 58, 88, 28, 50, 52


def graph() -> str:
    """Draw the operations one below the other, with their operands to the left and their gradients to the right."""
    middle = LEFT + WIDE / 2
    parts = [text(middle, 16, "forward ↓"), text(250, 16, "↑ gradients"), text(middle, 36, "x")]
    for i, (operand, name, gradients) in enumerate(OPERATIONS):
        y = TOP + i * STEP
        parts.append(line(middle, y - (STEP - HIGH if i else 10), middle, y))
        parts.append(f'<rect class="drawing-a" x="{LEFT}" y="{y}" width="{WIDE}" height="{HIGH}"/>')
        parts.append(text(middle, y + 18, name))
        if operand:
            parts += [text(20, y + 18, operand), line(34, y + 14, LEFT, y + 14)]
        first = y + 18 - 8 * (len(gradients) - 1)
        kind = "drawing-small drawing-left"
        parts += [text(LEFT + WIDE + 12, first + 16 * k, words, kind) for k, words in enumerate(gradients)]
    bottom = TOP + len(OPERATIONS) * STEP
    parts += [line(middle, bottom - STEP + HIGH, middle, bottom - 8), text(middle, bottom + 6, "loss, dy = 1")]
    title = "The recorded operations from the inputs to the loss, each with the gradients of its operands"
    return row([svg(336, bottom + 14, parts, title)])
