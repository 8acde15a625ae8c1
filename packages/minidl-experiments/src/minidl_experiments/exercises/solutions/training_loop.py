"""The training loop.

Train a network for one epoch, in batches of consecutive samples; the last
batch may be smaller. Five calls for each batch, whose order is for you to
find:

    loss.backward()            the gradient of the last loss.forward
    model.forward(x)           the prediction; saves what backward needs
    model.backward(dy)         adds to the gradients of all parameters
    loss.forward(prediction, y)    the loss, a number
    optimizer.step()           changes the parameters, clears the gradients

Return the list of the losses of the batches.

Shapes: x (samples, inputs), y (samples, outputs).
"""


def train_epoch(model, loss, optimizer, x, y, batch_size):
    """Return the losses of the batches, in order."""
    values = []
    for start in range(0, len(x), batch_size):
        rows = slice(start, start + batch_size)
        prediction = model.forward(x[rows])
        values.append(loss.forward(prediction, y[rows]))
        model.backward(loss.backward())
        optimizer.step()
    return values
