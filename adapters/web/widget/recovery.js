/*
 * Does a text look like a wallet's recovery phrase? Twelve or more words in a row as BIP-39's lists have them (3 to 8
 * lowercase letters), numbered or not, and none that the English list lacks but every sentence has. It is a warning and
 * never a block, so a sentence that is taken for one costs a click.
 */

const SHORTEST = 12;
const NOT_IN_THE_LIST = new Set(
  "the and for are was were not but how why does did from with has had been her his hers its our your".split(" "),
);
const WORD = /^[a-z]{3,8}$/;
const BETWEEN = /[\s,;]+|\b\d{1,2}[.):]?(?=\s|[a-z])/;

export function looksLikeRecoveryPhrase(text) {
  let run = 0;
  for (const word of text.split(BETWEEN).filter(Boolean)) {
    run = WORD.test(word) && !NOT_IN_THE_LIST.has(word) ? run + 1 : 0;
    if (run >= SHORTEST) return true;
  }
  return false;
}
