// Sentences come from the page, in its language; {names} in braces stand for values.

export function fill(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// Returns a function that gives the sentence of an element's data-words-… attribute: words("TooMany", { n: 3 }).
export function wordsOf(element) {
  return (name, values) => fill(element.dataset[`words${name}`], values);
}
