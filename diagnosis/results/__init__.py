"""What is shown of a result: pictures, sentences, the model card."""
