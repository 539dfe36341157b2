/**
 * A text as a part of an address. Half of a letter (`"\\ud800"` in JSON), of which JavaScript's own encoder throws an error that says nothing,
 * becomes the letter that stands for what cannot be read.
 */
export const inPath = (text: string): string => encodeURIComponent(text.toWellFormed());
