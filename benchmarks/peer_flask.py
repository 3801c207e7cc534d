"""What our speed is compared with: the usual Flask app around a Keras model, rebuilt from its description.

    .venv/bin/python -m benchmarks.peer_flask --port 5000

The first version of this program was a student's project, “Pneumonia Detection AI with Explainable
Grad-CAM”: VGG16 by transfer learning, one Flask process, `POST /predict` and `GET /health`. This file does
what its description says and what such projects do, in their order: save the upload, `load_img` at 224
pixels, ImageNet preprocessing, `model.predict`, then Grad-CAM as the Keras examples write it (a second model
made for each request, run eagerly under a GradientTape), `cv2` JET over the film, the picture saved and sent
as base64.

Fair by intent. The network and its weights are ours, so both compute the same layers. Flask's own server
runs with threads, as `app.run` does. The overlay is drawn at 224 pixels, the cheaper of the two usual sizes;
the model is warm before the first request. Nothing here is there to slow it down. It does less than we do: no
account, no check of the file, no database, no queue, no audit trail, no copy for display, nothing flushed to
the disk. Its scores are not ours, since it prepares films the simple way.
"""

from __future__ import annotations

import argparse
import base64
import tempfile
import uuid
from pathlib import Path
from typing import Any

import cv2
import flask
import keras
import numpy as np
import tensorflow as tf

from benchmarks.comparison.shipped import newest_version
from pneumoml.network.predictor import load_network

SIDE = 224
LAYER = "block5_conv3"
ALPHA = 0.4


def load_model() -> keras.Model:
    """The newest shipped version's network with a sigmoid behind it, as such apps save theirs."""
    network = load_network(newest_version())
    return keras.Model(network.input, keras.layers.Activation("sigmoid")(network.output))


def prepared(path: Path) -> Any:
    """The film as the network's input, (1, 224, 224, 3)."""
    film = keras.utils.load_img(path, target_size=(SIDE, SIDE))
    array = np.expand_dims(keras.utils.img_to_array(film), axis=0)
    return keras.applications.vgg16.preprocess_input(array)


def gradcam(model: keras.Model, array: Any) -> Any:
    """The heat map (14, 14), scaled to its own maximum, as in the Keras examples."""
    grad_model = keras.Model(model.inputs, [model.get_layer(LAYER).output, model.output])
    with tf.GradientTape() as tape:
        activations, predictions = grad_model(array)
        loss = predictions[:, 0]
    gradients = tape.gradient(loss, activations)
    weights = tf.reduce_mean(gradients, axis=(0, 1, 2))
    heatmap = tf.squeeze(activations[0] @ weights[..., tf.newaxis])
    heatmap = tf.maximum(heatmap, 0) / (tf.math.reduce_max(heatmap) + 1e-8)
    return heatmap.numpy()


def overlay(path: Path, heatmap: Any, to: Path) -> bytes:
    """Lay the map over the film in JET, save it as PNG and return the file."""
    picture: Any = cv2.imread(str(path))
    film = cv2.resize(picture, (SIDE, SIDE))
    heat = cv2.resize((255 * np.clip(heatmap, 0, 1)).astype(np.uint8), (SIDE, SIDE))
    blended = cv2.addWeighted(film, 1 - ALPHA, cv2.applyColorMap(heat, cv2.COLORMAP_JET), ALPHA, 0)
    cv2.imwrite(str(to), blended)
    return to.read_bytes()


def create_app(folder: Path) -> flask.Flask:
    """The app, its model loaded and warm; uploads and pictures are kept in `folder`."""
    app = flask.Flask(__name__)
    model = load_model()
    model.predict(np.zeros((1, SIDE, SIDE, 3), np.float32), verbose=0)

    @app.post("/predict")
    def predict() -> Any:
        file = flask.request.files.get("file")
        if file is None or not file.filename:
            return flask.jsonify({"error": "No file uploaded"}), 400
        name = uuid.uuid4().hex
        path = folder / f"{name}{Path(file.filename).suffix}"
        file.save(path)
        array = prepared(path)
        score = float(model.predict(array, verbose=0)[0][0])
        picture = overlay(path, gradcam(model, array), folder / f"{name}_gradcam.png")
        return flask.jsonify(
            {
                "diagnosis": "PNEUMONIA" if score > 0.5 else "NORMAL",
                "confidence": score if score > 0.5 else 1 - score,
                "raw_score": score,
                "status": "success",
                "gradcam_available": True,
                "gradcam": base64.b64encode(picture).decode("ascii"),
            }
        )

    @app.get("/health")
    def health() -> Any:
        return flask.jsonify({"status": "healthy", "model_loaded": True, "gradcam_enabled": True})

    return app


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        create_app(Path(folder)).run(host="127.0.0.1", port=options.port, threaded=True)


if __name__ == "__main__":
    main()
