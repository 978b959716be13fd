"""TensorFlow entries of the benchmark: ``prepare`` -> (job to time, model), ``score``.

All train the same network from the same weights with Adam at 0.001, batch 64.
"""

from course_utils import models_tf, training_tf
from course_utils.quiet_tensorflow import keras, tf
from course_utils.seed import batches

SIZES, BATCH, RATE = (784, 128, 10), 64, 1e-3


def start():
    return models_tf.mlp(SIZES)


def score(model, split):
    return training_tf.evaluate(model, split)["accuracy"]


def tape_loop(dataset, epochs, seed):
    """The reference: GradientTape in a compiled step, called once a batch."""
    model = start()
    x, y = tf.constant(dataset.train.x), tf.constant(dataset.train.y)

    def job():
        optimizer = keras.optimizers.Adam(RATE)
        optimizer.build(model.trainable_variables)

        @tf.function(reduce_retracing=True)
        def step(indices):
            inputs, targets = tf.gather(x, indices), tf.gather(y, indices)
            with tf.GradientTape() as tape:
                loss = training_tf.LOSSES["cross_entropy"](
                    model(inputs, training=True), targets
                )
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            return loss

        for epoch in range(epochs):
            for indices in batches(len(dataset.train), BATCH, seed, epoch):
                step(tf.constant(indices))

    return job, model


def ours(dataset, epochs, seed):
    """course_utils, with its metrics, validation and history."""
    model = start()

    def job():
        training_tf.train(
            model, dataset, optimizer="adam", learning_rate=RATE, epochs=epochs,
            batch_size=BATCH, seed=seed,
        )  # fmt: skip

    return job, model


def keras_fit(dataset, epochs, seed):
    """Keras ``fit`` on arrays."""
    model = start()

    def job():
        keras.utils.set_random_seed(seed)
        model.compile(
            keras.optimizers.Adam(RATE),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        model.fit(
            dataset.train.x, dataset.train.y, epochs=epochs, batch_size=BATCH, verbose=0
        )

    return job, model


ENTRIES = {
    "compiled tape loop by hand (TensorFlow)": (tape_loop, score),
    "course_utils.training_tf": (ours, score),
    "Keras fit": (keras_fit, score),
}
