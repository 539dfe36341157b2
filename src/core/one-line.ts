/** Words from outside in one line of bounded length: without breaks, and without what makes a terminal do something. */
export const oneLine = (words: string): string => words.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 200);
